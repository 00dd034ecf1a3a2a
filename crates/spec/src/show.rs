//! SHOW and DESCRIBE as written.

use crate::expr::Expr;
use crate::relation::Relation;

/// SHOW
#[derive(Clone, Debug, PartialEq)]
pub enum Show {
    /// SHOW SCHEMAS
    Schemas { pattern: Option<String>, catalog: Option<String> },
    /// SHOW TABLES
    Tables { schema: Vec<String>, pattern: Option<String> },
    /// SHOW TABLE EXTENDED
    TableExtended { schema: Vec<String>, pattern: String, partition: Vec<(String, Option<Expr>)> },
    /// SHOW VIEWS
    Views { schema: Vec<String>, pattern: Option<String> },
    /// SHOW COLUMNS
    Columns { table: Vec<String> },
    /// SHOW CREATE TABLE
    CreateTable { table: Vec<String>, as_serde: bool },
    /// SHOW FUNCTIONS: ALL, USER or SYSTEM
    Functions { scope: String, pattern: Option<String>, schema: Vec<String> },
    /// SHOW PARTITIONS
    Partitions { table: Vec<String>, partition: Vec<(String, Option<Expr>)> },
    /// SHOW TBLPROPERTIES
    TableProperties { table: Vec<String>, key: Option<String> },
    /// SHOW CATALOGS
    Catalogs { pattern: Option<String> },
    /// SHOW CURRENT SCHEMA
    CurrentSchema,
    /// SHOW COLLATIONS
    Collations { pattern: Option<String> },
}

/// DESCRIBE
#[derive(Clone, Debug, PartialEq)]
pub enum Describe {
    /// DESCRIBE TABLE
    Table {
        table: Vec<String>,
        is_extended: bool,
        partition: Vec<(String, Option<Expr>)>,
        column: Vec<String>,
        as_json: bool,
    },
    /// DESCRIBE QUERY
    Query(Relation),
    /// DESCRIBE SCHEMA
    Schema { name: Vec<String>, is_extended: bool },
    /// DESCRIBE FUNCTION
    Function { name: Vec<String>, is_extended: bool },
}
