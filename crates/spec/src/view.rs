//! Stored views as commands speak of them.

use serde::{Deserialize, Serialize};

use crate::relation::Relation;

/// CREATE VIEW
#[derive(Clone, Debug, PartialEq)]
pub struct CreateView {
    /// Name.
    pub name: Vec<String>,
    /// Columns with comments.
    pub columns: Vec<(String, Option<String>)>,
    /// The query.
    pub query: Relation,
    /// Its text, to be stored.
    pub text: String,
    /// IF NOT EXISTS
    pub if_not_exists: bool,
    /// OR REPLACE
    pub replace: bool,
    /// COMMENT
    pub comment: Option<String>,
    /// TBLPROPERTIES
    pub properties: Vec<(String, String)>,
    /// ALTER VIEW .. AS: the view must exist.
    pub is_alter: bool,
    /// WITH SCHEMA
    pub schema_mode: Option<ViewSchemaMode>,
}

/// What a view does when the columns of its query are not what they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ViewSchemaMode {
    /// Types may only become narrower than they were.
    Binding,
    /// Values are cast to the types that they had.
    Compensation,
    /// Types follow the query.
    TypeEvolution,
    /// Columns follow the query.
    Evolution,
}

impl ViewSchemaMode {
    /// As SQL writes it after WITH SCHEMA.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Binding => "BINDING",
            Self::Compensation => "COMPENSATION",
            Self::TypeEvolution => "TYPE EVOLUTION",
            Self::Evolution => "EVOLUTION",
        }
    }
}
