//! Calls of `spark.catalog` as the client sends them.

use crate::types::StructField;

/// A call of `spark.catalog`.
#[derive(Clone, Debug, PartialEq)]
pub enum CatalogOp {
    /// currentDatabase
    CurrentDatabase,
    /// setCurrentDatabase
    SetCurrentDatabase(String),
    /// listDatabases
    ListDatabases { pattern: Option<String> },
    /// listTables
    ListTables { database: Option<String>, pattern: Option<String> },
    /// listViews
    ListViews { database: Option<String>, pattern: Option<String> },
    /// listFunctions
    ListFunctions { database: Option<String>, pattern: Option<String> },
    /// listColumns
    ListColumns { table: String, database: Option<String> },
    /// getDatabase
    GetDatabase(String),
    /// getTable
    GetTable { table: String, database: Option<String> },
    /// getFunction
    GetFunction { function: String, database: Option<String> },
    /// databaseExists
    DatabaseExists(String),
    /// tableExists
    TableExists { table: String, database: Option<String> },
    /// functionExists
    FunctionExists { function: String, database: Option<String> },
    /// createTable, createExternalTable
    CreateTable {
        table: String,
        path: Option<String>,
        format: Option<String>,
        schema: Vec<StructField>,
        description: Option<String>,
        options: Vec<(String, String)>,
    },
    /// dropTempView
    DropTempView(String),
    /// dropGlobalTempView
    DropGlobalTempView(String),
    /// recoverPartitions
    RecoverPartitions(String),
    /// isCached
    IsCached(String),
    /// cacheTable, with a storage level's name.
    CacheTable { table: String, storage_level: Option<String> },
    /// uncacheTable
    UncacheTable(String),
    /// clearCache
    ClearCache,
    /// refreshTable
    RefreshTable(String),
    /// refreshByPath
    RefreshByPath(String),
    /// currentCatalog
    CurrentCatalog,
    /// setCurrentCatalog
    SetCurrentCatalog(String),
    /// listCatalogs
    ListCatalogs { pattern: Option<String> },
    /// Any other, by name: answered with an error that names it.
    Unsupported(String),
}
