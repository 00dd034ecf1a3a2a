//! DESCRIBE.

use firesteel_catalog::{Relation, SESSION_CATALOG, TableMetadata};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::StructField;
use firesteel_spec::command::Describe;
use firesteel_spec::types::{DECLARED_TYPE, quote, quote_name};

use super::details;
use crate::planning;
use crate::rows::{Column, ReadyRows};
use crate::session::DriverSession;

/// What DESCRIBE EXTENDED says of a column beside its type and comment.
const STATISTICS: [&str; 7] = ["min", "max", "num_nulls", "distinct_count", "avg_col_len", "max_col_len", "histogram"];

pub(super) async fn describe(session: &DriverSession, describe: &Describe) -> Result<ReadyRows> {
    match describe {
        Describe::Query(query) => columns(&planning::analyzed(session, query).await?.fields, &[], Vec::new()),
        Describe::Table { as_json: true, .. } => Err(SparkError::unsupported("DESCRIBE AS JSON")),
        Describe::Table { table, column, is_extended, .. } if !column.is_empty() => {
            describe_column(session, table, column, *is_extended).await
        }
        Describe::Table { table, is_extended, .. } => {
            let fields = fields_of(session, table).await?;
            match session.catalog().relation(table).await? {
                Relation::Temporary(_) => columns(&fields, &[], Vec::new()),
                Relation::Stored(stored) => {
                    let details = if *is_extended { details::rows(session, &stored) } else { Vec::new() };
                    columns(&fields, &stored.partition_columns, details)
                }
            }
        }
        Describe::Schema { name, is_extended } => {
            let mut schema = session.catalog().shared().schema(&session.catalog().schema_name(name)?).await?;
            let mut pairs = vec![
                ("Catalog Name", SESSION_CATALOG.to_owned()),
                ("Namespace Name", schema.name),
                ("Comment", schema.comment),
                ("Location", schema.location),
                ("Owner", session.user().to_owned()),
            ];
            if *is_extended {
                pairs.extend(schema.properties.remove("collation").map(|collation| ("Collation", collation)));
                let listed = schema.properties.iter().map(|(k, v)| format!("({k},{v})")).collect::<Vec<_>>().join(", ");
                pairs.push(("Properties", if listed.is_empty() { listed } else { format!("({listed})") }));
            }
            let (names, values): (Vec<_>, Vec<_>) = pairs.into_iter().map(|(n, v)| (n.to_owned(), v)).unzip();
            ReadyRows::of(vec![Column::Text("info_name", names), Column::Text("info_value", values)])
        }
        Describe::Function { name, .. } => function(session, name),
    }
}

fn function(session: &DriverSession, name: &[String]) -> Result<ReadyRows> {
    let last = name.last().map(|n| n.to_lowercase()).unwrap_or_default();
    if let Some(own) = session.catalog().function(name) {
        let comment = own.comment.clone().unwrap_or_default();
        return ReadyRows::of(vec![Column::Text(
            "function_desc",
            vec![format!("Function: {last}"), format!("Usage: {comment}")],
        )]);
    }
    let found = firesteel_functions::registry::lookup(&last);
    let found = found.ok_or_else(|| {
        SparkError::new(&error_class::UNRESOLVED_ROUTINE)
            .param("routineName", quote_name(name))
            .param("searchPath", format!("[`system`.`builtin`, `system`.`session`, `{SESSION_CATALOG}`.`default`]"))
    })?;
    let lines = vec![format!("Function: {}", found.name), format!("Usage: {}", found.doc)];
    ReadyRows::of(vec![Column::Text("function_desc", lines)])
}

fn columns(fields: &[StructField], partition_columns: &[String], details: Vec<(String, String)>) -> Result<ReadyRows> {
    let mut rows: Vec<(String, String, Option<String>)> =
        fields.iter().map(|f| (f.name.clone(), declared_type(f), f.comment())).collect();
    if !partition_columns.is_empty() {
        rows.push(("# Partition Information".to_owned(), String::new(), Some(String::new())));
        rows.push(("# col_name".to_owned(), "data_type".to_owned(), Some("comment".to_owned())));
        let is_partition = |f: &&StructField| partition_columns.iter().any(|p| p.eq_ignore_ascii_case(&f.name));
        rows.extend(fields.iter().filter(is_partition).map(|f| (f.name.clone(), declared_type(f), f.comment())));
    }
    if !details.is_empty() {
        rows.push((String::new(), String::new(), Some(String::new())));
        rows.push(("# Detailed Table Information".to_owned(), String::new(), Some(String::new())));
        rows.extend(details.into_iter().map(|(name, value)| (name, value, Some(String::new()))));
    }
    ReadyRows::of(vec![
        Column::Text("col_name", rows.iter().map(|r| r.0.clone()).collect()),
        Column::Text("data_type", rows.iter().map(|r| r.1.clone()).collect()),
        Column::Nullable("comment", rows.into_iter().map(|r| r.2).collect()),
    ])
}

/// A column's type with the length that was declared.
fn declared_type(field: &StructField) -> String {
    field.text(DECLARED_TYPE).unwrap_or_else(|| field.data_type.simple_string())
}

async fn describe_column(
    session: &DriverSession,
    table: &[String],
    column: &[String],
    is_extended: bool,
) -> Result<ReadyRows> {
    let fields = fields_of(session, table).await?;
    let name = column.join(".");
    let field = fields.iter().find(|f| f.name.eq_ignore_ascii_case(&name)).ok_or_else(|| {
        SparkError::new(&error_class::UNRESOLVED_COLUMN_WITH_SUGGESTION)
            .param("objectName", quote(&name))
            .param("proposal", fields.iter().map(|f| quote(&f.name)).collect::<Vec<_>>().join(", "))
    })?;
    let mut pairs = vec![
        ("col_name", field.name.clone()),
        ("data_type", declared_type(field)),
        ("comment", field.comment().unwrap_or_else(|| "NULL".to_owned())),
    ];
    if is_extended {
        // Statistics of columns are not kept.
        pairs.extend(STATISTICS.map(|name| (name, "NULL".to_owned())));
    }
    let (names, values): (Vec<_>, Vec<_>) = pairs.into_iter().map(|(n, v)| (n.to_owned(), v)).unzip();
    ReadyRows::of(vec![Column::Text("info_name", names), Column::Text("info_value", values)])
}

/// The columns of what a name stands for.
pub(super) async fn fields_of(session: &DriverSession, name: &[String]) -> Result<Vec<StructField>> {
    match session.catalog().relation(name).await? {
        Relation::Stored(table) => table.columns(),
        Relation::Temporary(view) => {
            let mut fields = view.fields;
            for (field, (name, _)) in fields.iter_mut().zip(&view.columns) {
                field.name.clone_from(name);
            }
            Ok(fields)
        }
    }
}

/// A stored table or view.
pub(super) async fn table_of(session: &DriverSession, name: &[String]) -> Result<TableMetadata> {
    match session.catalog().relation(name).await? {
        Relation::Stored(table) => Ok(*table),
        Relation::Temporary(view) => Err(SparkError::new(&error_class::EXPECT_TABLE_NOT_VIEW_NO_ALTERNATIVE)
            .param("viewName", quote(&view.name))
            .param("operation", "this command")),
    }
}
