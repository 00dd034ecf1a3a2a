//! Commands as written: DDL, DML and the client's own.

use std::sync::Arc;

pub use crate::catalog_call::CatalogOp;
use crate::expr::{Expr, PythonSource, PythonUdf};
use crate::relation::Relation;
pub use crate::script::{Block, Statement};
pub use crate::show::{Describe, Show};
use crate::types::{DataType, StructField};
pub use crate::view::{CreateView, ViewSchemaMode};

/// Something to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// `df.write...save()` and `saveAsTable`, `insertInto`.
    Write(Write),
    /// `df.writeTo(..)`
    WriteTo(WriteTo),
    /// `createOrReplaceTempView` and `CREATE TEMPORARY VIEW`.
    CreateTempView {
        name: String,
        is_global: bool,
        replace: bool,
        query: Relation,
        columns: Vec<(String, Option<String>)>,
    },
    /// `CREATE VIEW`: the text of the query is stored.
    CreateView(CreateView),
    /// `CREATE TEMPORARY VIEW v USING csv OPTIONS (..)`
    CreateTempViewUsing {
        name: Vec<String>,
        is_global: bool,
        replace: bool,
        schema: Option<Vec<StructField>>,
        format: String,
        options: Vec<(String, String)>,
    },
    /// `CREATE TABLE`, with or without AS SELECT.
    CreateTable(CreateTable),
    /// `CREATE TABLE a LIKE b`
    CreateTableLike {
        name: Vec<String>,
        source: Vec<String>,
        if_not_exists: bool,
        format: Option<String>,
        location: Option<String>,
        properties: Vec<(String, String)>,
    },
    /// INSERT
    Insert(Insert),
    /// DELETE FROM
    Delete { table: Vec<String>, alias: Option<String>, condition: Option<Expr> },
    /// UPDATE
    Update { table: Vec<String>, alias: Option<String>, assignments: Vec<(Vec<String>, Expr)>, condition: Option<Expr> },
    /// MERGE INTO
    Merge(Box<Merge>),
    /// CREATE SCHEMA
    CreateSchema {
        name: Vec<String>,
        if_not_exists: bool,
        comment: Option<String>,
        location: Option<String>,
        properties: Vec<(String, String)>,
    },
    /// DROP SCHEMA
    DropSchema { name: Vec<String>, if_exists: bool, cascade: bool },
    /// USE
    UseSchema { name: Vec<String> },
    /// USE CATALOG, SET CATALOG
    UseCatalog { name: String },
    /// DROP TABLE
    DropTable { name: Vec<String>, if_exists: bool, purge: bool },
    /// DROP VIEW
    DropView { name: Vec<String>, if_exists: bool },
    /// TRUNCATE TABLE
    TruncateTable { name: Vec<String>, partition: Vec<(String, Option<Expr>)> },
    /// ALTER TABLE and ALTER VIEW
    AlterTable { name: Vec<String>, is_view: bool, change: AlterTable },
    /// ALTER SCHEMA .. SET DBPROPERTIES, SET LOCATION
    AlterSchema { name: Vec<String>, properties: Vec<(String, String)>, unset: Vec<String>, location: Option<String> },
    /// SHOW
    Show(Show),
    /// DESCRIBE
    Describe(Describe),
    /// EXPLAIN
    Explain { mode: ExplainMode, plan: Box<crate::Plan> },
    /// ANALYZE TABLE: statistics of a table, of its columns, or of all tables of a schema.
    Analyze { table: Vec<String>, partition: Vec<(String, Option<Expr>)>, columns: AnalyzeColumns, no_scan: bool },
    /// CACHE TABLE
    CacheTable { name: Vec<String>, query: Option<Relation>, is_lazy: bool, options: Vec<(String, String)> },
    /// UNCACHE TABLE
    UncacheTable { name: Vec<String>, if_exists: bool },
    /// CLEAR CACHE
    ClearCache,
    /// REFRESH TABLE, REFRESH "path"
    Refresh { target: Vec<String>, is_path: bool },
    /// MSCK REPAIR TABLE, ALTER TABLE .. RECOVER PARTITIONS
    RepairTable { name: Vec<String>, add: bool, drop: bool },
    /// SET; no key lists all, no value shows one.
    Set { key: Option<String>, value: Option<String>, with_docs: bool },
    /// SET TIME ZONE
    SetTimeZone(Expr),
    /// RESET
    Reset { key: Option<String> },
    /// CREATE FUNCTION
    CreateFunction(Box<CreateFunction>),
    /// DROP FUNCTION
    DropFunction { name: Vec<String>, if_exists: bool, is_temporary: bool },
    /// DECLARE VARIABLE
    DeclareVariable { names: Vec<Vec<String>>, data_type: Option<DataType>, default: Option<Expr>, replace: bool },
    /// DROP TEMPORARY VARIABLE
    DropVariable { name: Vec<String>, if_exists: bool },
    /// SET VAR
    SetVariables { assignments: Vec<(Vec<String>, Expr)>, query: Option<Relation> },
    /// EXECUTE IMMEDIATE
    ExecuteImmediate { text: Expr, into: Vec<Vec<String>>, using: Vec<Expr> },
    /// BEGIN .. END
    Script(Box<Block>),
    /// COMMENT ON
    CommentOn { name: Vec<String>, is_schema: bool, comment: Option<String> },
    /// ADD JAR and its like
    AddResource { kind: String, paths: Vec<String> },
    /// `spark.udf.register` and an inline Python function.
    RegisterPythonFunction { function: Arc<PythonUdf>, is_table_function: bool },
    /// `spark.dataSource.register`
    RegisterPythonSource(Arc<PythonSource>),
    /// `df.checkpoint`; a local one may name a storage level.
    Checkpoint { input: Relation, is_local: bool, is_eager: bool, level: Option<String> },
    /// The finaliser of a checkpointed DataFrame.
    RemoveCachedRemoteRelation { id: String },
    /// Anything else, by name: answered with an error that names it.
    Unsupported(String),
}

/// Existing data meets new data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaveMode {
    /// Fail.
    ErrorIfExists,
    /// Add.
    Append,
    /// Replace.
    Overwrite,
    /// Do nothing.
    Ignore,
}

/// `df.write`
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// Rows.
    pub input: Relation,
    /// `parquet`, ...; the session's default when absent.
    pub format: Option<String>,
    /// Path or table.
    pub target: WriteTarget,
    /// Existing data meets new data.
    pub mode: SaveMode,
    /// partitionBy
    pub partition_by: Vec<String>,
    /// bucketBy
    pub bucket_by: Option<(i32, Vec<String>)>,
    /// sortBy
    pub sort_by: Vec<String>,
    /// clusterBy
    pub cluster_by: Vec<String>,
    /// Options as given.
    pub options: Vec<(String, String)>,
}

/// Where a write goes.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteTarget {
    /// A path.
    Path(String),
    /// saveAsTable
    Table(Vec<String>),
    /// insertInto
    InsertInto(Vec<String>),
    /// noop and such, which need no path.
    None,
}

/// `df.writeTo`
#[derive(Clone, Debug, PartialEq)]
pub struct WriteTo {
    /// Rows.
    pub input: Relation,
    /// Table.
    pub table: Vec<String>,
    /// Format.
    pub format: Option<String>,
    /// What to do.
    pub mode: WriteToMode,
    /// partitionedBy
    pub partition_by: Vec<Expr>,
    /// Options.
    pub options: Vec<(String, String)>,
    /// Table properties.
    pub properties: Vec<(String, String)>,
}

/// What `writeTo` does.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteToMode {
    /// create
    Create,
    /// replace
    Replace,
    /// createOrReplace
    CreateOrReplace,
    /// append
    Append,
    /// overwrite where
    Overwrite(Expr),
    /// overwritePartitions
    OverwritePartitions,
}

/// CREATE TABLE
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTable {
    /// Name.
    pub name: Vec<String>,
    /// Columns.
    pub columns: Vec<ColumnDefinition>,
    /// USING
    pub format: Option<String>,
    /// PARTITIONED BY: columns, or transforms.
    pub partition_by: Vec<Expr>,
    /// PARTITIONED BY (c INT): columns of their own.
    pub partition_columns: Vec<ColumnDefinition>,
    /// CLUSTERED BY .. INTO n BUCKETS: count, columns, sort columns.
    pub bucket_by: Option<(i32, Vec<String>, Vec<String>)>,
    /// CLUSTER BY
    pub cluster_by: Vec<Vec<String>>,
    /// LOCATION
    pub location: Option<String>,
    /// OPTIONS
    pub options: Vec<(String, String)>,
    /// TBLPROPERTIES
    pub properties: Vec<(String, String)>,
    /// COMMENT
    pub comment: Option<String>,
    /// IF NOT EXISTS
    pub if_not_exists: bool,
    /// OR REPLACE, or REPLACE TABLE.
    pub replace: bool,
    /// REPLACE TABLE: the table must exist.
    pub must_exist: bool,
    /// EXTERNAL
    pub is_external: bool,
    /// AS SELECT
    pub query: Option<Relation>,
    /// Table constraints, as written.
    pub constraints: Vec<String>,
}

/// A column in DDL.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDefinition {
    /// Name.
    pub name: String,
    /// Type.
    pub data_type: DataType,
    /// NOT NULL is false.
    pub nullable: bool,
    /// COMMENT
    pub comment: Option<String>,
    /// DEFAULT, and its text.
    pub default: Option<(Expr, String)>,
    /// GENERATED ALWAYS AS (..), its text.
    pub generated: Option<String>,
}

/// INSERT
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// Table or, for INSERT OVERWRITE DIRECTORY, none.
    pub table: Vec<String>,
    /// INSERT OVERWRITE DIRECTORY: path and format.
    pub directory: Option<(String, Option<String>)>,
    /// Columns named.
    pub columns: Vec<String>,
    /// PARTITION (a = 1, b)
    pub partition: Vec<(String, Option<Expr>)>,
    /// Rows.
    pub query: Relation,
    /// OVERWRITE
    pub overwrite: bool,
    /// REPLACE WHERE
    pub replace_where: Option<Expr>,
    /// IF NOT EXISTS
    pub if_partition_not_exists: bool,
    /// BY NAME
    pub by_name: bool,
    /// OPTIONS
    pub options: Vec<(String, String)>,
}

/// MERGE INTO
#[derive(Clone, Debug, PartialEq)]
pub struct Merge {
    /// Target table.
    pub table: Vec<String>,
    /// Its alias.
    pub alias: Option<String>,
    /// Source.
    pub source: Relation,
    /// ON
    pub condition: Expr,
    /// WHEN MATCHED
    pub matched: Vec<MergeClause>,
    /// WHEN NOT MATCHED
    pub not_matched: Vec<MergeClause>,
    /// WHEN NOT MATCHED BY SOURCE
    pub not_matched_by_source: Vec<MergeClause>,
    /// WITH SCHEMA EVOLUTION
    pub schema_evolution: bool,
}

/// WHEN .. THEN
#[derive(Clone, Debug, PartialEq)]
pub struct MergeClause {
    /// AND ..
    pub condition: Option<Expr>,
    /// THEN ..
    pub action: MergeAction,
}

/// What MERGE does to a row; no assignments mean all columns (`*`).
#[derive(Clone, Debug, PartialEq)]
pub enum MergeAction {
    /// DELETE
    Delete,
    /// UPDATE SET
    Update(Vec<(Vec<String>, Expr)>),
    /// INSERT
    Insert(Vec<(Vec<String>, Expr)>),
}

/// A partition to be added: its columns' values, and where it lies.
pub type NewPartition = (Vec<(String, Option<Expr>)>, Option<String>);

/// ALTER TABLE
#[derive(Clone, Debug, PartialEq)]
pub enum AlterTable {
    /// RENAME TO
    Rename(Vec<String>),
    /// ADD COLUMNS, with FIRST or AFTER.
    AddColumns(Vec<(ColumnDefinition, Vec<String>, Option<ColumnPosition>)>),
    /// DROP COLUMNS
    DropColumns { columns: Vec<Vec<String>>, if_exists: bool },
    /// RENAME COLUMN
    RenameColumn(Vec<String>, String),
    /// ALTER COLUMN
    AlterColumn { column: Vec<String>, change: ColumnChange },
    /// REPLACE COLUMNS
    ReplaceColumns(Vec<ColumnDefinition>),
    /// SET TBLPROPERTIES
    SetProperties(Vec<(String, String)>),
    /// UNSET TBLPROPERTIES
    UnsetProperties { keys: Vec<String>, if_exists: bool },
    /// SET LOCATION
    SetLocation { partition: Vec<(String, Option<Expr>)>, location: String },
    /// ADD PARTITION
    AddPartitions { partitions: Vec<NewPartition>, if_not_exists: bool },
    /// DROP PARTITION
    DropPartitions { partitions: Vec<Vec<(String, Option<Expr>)>>, if_exists: bool, purge: bool },
    /// PARTITION .. RENAME TO PARTITION
    RenamePartition { from: Vec<(String, Option<Expr>)>, to: Vec<(String, Option<Expr>)> },
    /// ALTER VIEW .. WITH SCHEMA
    SchemaMode(ViewSchemaMode),
    /// SET SERDE and other forms, by name: answered with an error that names them.
    Unsupported(String),
}

/// FIRST, AFTER c
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnPosition {
    /// FIRST
    First,
    /// AFTER
    After(String),
}

/// ALTER COLUMN
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnChange {
    /// TYPE
    Type(DataType),
    /// COMMENT
    Comment(String),
    /// SET NOT NULL is false, DROP NOT NULL is true.
    Nullable(bool),
    /// FIRST, AFTER
    Position(ColumnPosition),
    /// SET DEFAULT, with its text; DROP DEFAULT.
    Default(Option<(Expr, String)>),
}

/// FOR COLUMNS of ANALYZE TABLE.
#[derive(Clone, Debug, PartialEq)]
pub enum AnalyzeColumns {
    /// No columns.
    None,
    /// FOR ALL COLUMNS
    All,
    /// FOR COLUMNS a, b
    Named(Vec<String>),
}

/// How much EXPLAIN tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExplainMode {
    /// The physical plan.
    Simple,
    /// All plans.
    Extended,
    /// With generated code; we say there is none.
    Codegen,
    /// With statistics.
    Cost,
    /// An outline and details.
    Formatted,
}

/// CREATE FUNCTION
#[derive(Clone, Debug, PartialEq)]
pub struct CreateFunction {
    /// Name.
    pub name: Vec<String>,
    /// Parameters.
    pub parameters: Vec<ColumnDefinition>,
    /// RETURNS type.
    pub returns: Option<DataType>,
    /// RETURNS TABLE (..)
    pub returns_table: Option<Vec<ColumnDefinition>>,
    /// The body: an expression, or a query.
    pub body: FunctionBody,
    /// OR REPLACE
    pub replace: bool,
    /// IF NOT EXISTS
    pub if_not_exists: bool,
    /// TEMPORARY
    pub is_temporary: bool,
    /// COMMENT
    pub comment: Option<String>,
}

/// The body of a function written in SQL.
#[derive(Clone, Debug, PartialEq)]
pub enum FunctionBody {
    /// RETURN expression, and its text.
    Expression(Expr, String),
    /// RETURN query, and its text.
    Query(Relation, String),
    /// AS 'class': a JVM class, which cannot run here.
    JvmClass(String),
    /// A registered Python function.
    Python(Arc<PythonUdf>),
}
