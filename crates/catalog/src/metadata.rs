//! What is known of schemas, tables and views; serde's JSON form of these is what lies in the store.

use std::collections::BTreeMap;

use firesteel_model::Result;
use firesteel_spec::command::ViewSchemaMode;
use firesteel_spec::{DataType, StructField};
use serde::{Deserialize, Serialize};

/// A schema (database).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaMetadata {
    /// Its name.
    pub name: String,
    /// COMMENT
    pub comment: String,
    /// Where its managed tables lie.
    pub location: String,
    /// DBPROPERTIES
    pub properties: BTreeMap<String, String>,
}

/// What a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableKind {
    /// Its files go when it is dropped.
    Managed,
    /// Its files stay when it is dropped.
    External,
    /// A stored query.
    View,
}

/// A table or view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableMetadata {
    /// Its schema's name.
    pub schema_name: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: TableKind,
    /// `parquet`, ...; empty for a view.
    pub format: String,
    /// Its columns as the JSON of a STRUCT, partition columns last.
    columns: String,
    /// PARTITIONED BY
    pub partition_columns: Vec<String>,
    /// CLUSTERED BY
    pub bucket: Option<BucketSpec>,
    /// Where its files lie; empty for a view.
    pub location: String,
    /// OPTIONS
    pub options: BTreeMap<String, String>,
    /// TBLPROPERTIES
    pub properties: BTreeMap<String, String>,
    /// COMMENT
    pub comment: Option<String>,
    /// Milliseconds since the epoch.
    pub created_ms: i64,
    /// Who created it.
    pub owner: String,
    /// The query of a view.
    pub view: Option<ViewMetadata>,
}

/// CLUSTERED BY .. INTO n BUCKETS
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketSpec {
    /// How many.
    pub count: i32,
    /// By which columns.
    pub columns: Vec<String>,
    /// Sorted by which columns within a bucket.
    pub sort_columns: Vec<String>,
}

/// A view's query and what it was written under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewMetadata {
    /// The query's text.
    pub text: String,
    /// Names of its columns, if given.
    pub column_names: Vec<String>,
    /// The schema that was current.
    pub current_schema: String,
    /// Settings that change what the text means.
    pub settings: BTreeMap<String, String>,
    /// WITH SCHEMA
    #[serde(default)]
    pub schema_mode: Option<ViewSchemaMode>,
    /// Names of the query's columns, which those of the view may differ from.
    #[serde(default)]
    pub query_columns: Vec<String>,
}

impl TableMetadata {
    /// A managed table without options.
    pub fn new(schema_name: &str, name: &str, format: &str, columns: &[StructField], location: &str) -> Self {
        let mut table = Self {
            schema_name: schema_name.to_owned(),
            name: name.to_owned(),
            kind: TableKind::Managed,
            format: format.to_owned(),
            columns: String::new(),
            partition_columns: Vec::new(),
            bucket: None,
            location: location.to_owned(),
            options: BTreeMap::new(),
            properties: BTreeMap::new(),
            comment: None,
            created_ms: 0,
            owner: String::new(),
            view: None,
        };
        table.set_columns(columns);
        table
    }

    /// Its columns, partition columns last.
    pub fn columns(&self) -> Result<Vec<StructField>> {
        match DataType::parse_json(&self.columns)? {
            DataType::Struct(fields) => Ok(fields),
            other => Ok(vec![StructField::new("value", other, true)]),
        }
    }

    /// Replaces its columns.
    pub fn set_columns(&mut self, columns: &[StructField]) {
        self.columns = DataType::Struct(columns.to_vec()).to_json().to_string();
    }

    /// Its name with the catalog and schema, for messages and qualifiers.
    pub fn qualified_name(&self) -> Vec<String> {
        vec![crate::SESSION_CATALOG.to_owned(), self.schema_name.clone(), self.name.clone()]
    }
}
