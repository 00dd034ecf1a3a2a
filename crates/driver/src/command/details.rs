//! What is known of a table or view beside its columns, and the statement that would make it again.

use std::collections::BTreeMap;

use arrow::temporal_conversions::timestamp_ms_to_datetime;
use firesteel_catalog::{SESSION_CATALOG, TableKind, TableMetadata, TemporaryView, ViewMetadata};
use firesteel_model::Result;
use firesteel_spec::command::ViewSchemaMode;
use firesteel_spec::types::{CURRENT_DEFAULT, quote, quote_if_needed};
use firesteel_spec::{DataType, StructField};

use super::view;
use crate::session::DriverSession;

/// The property that holds DEFAULT COLLATION.
const COLLATION: &str = "collation";
/// Keys of settings whose values are not shown contain one of these.
const SECRETS: [&str; 6] = ["secret", "password", "token", "accesskey", "access.key", "access_key"];

/// Name and value, as DESCRIBE EXTENDED shows them.
pub(super) fn rows(session: &DriverSession, table: &TableMetadata) -> Vec<(String, String)> {
    let kind = match table.kind {
        TableKind::Managed => "MANAGED",
        TableKind::External => "EXTERNAL",
        TableKind::View => "VIEW",
    };
    let mut rows = vec![
        ("Catalog", SESSION_CATALOG.to_owned()),
        ("Database", table.schema_name.clone()),
        ("Table", table.name.clone()),
    ];
    rows.extend(made(table.created_ms));
    rows.push(("Type", kind.to_owned()));
    if !table.format.is_empty() {
        rows.push(("Provider", table.format.clone()));
    }
    rows.extend(table.comment.clone().map(|comment| ("Comment", comment)));
    rows.extend(table.properties.get(COLLATION).map(|collation| ("Collation", collation.clone())));
    let properties = listed(&table.properties);
    let has_properties = properties != "[]";
    match &table.view {
        Some(view) => {
            rows.extend(view_rows(view, view::mode(session, view)));
            rows.extend(has_properties.then_some(("Table Properties", properties)));
        }
        None => {
            rows.extend(has_properties.then_some(("Table Properties", properties)));
            rows.push(("Location", url(&table.location)));
            rows.extend((!table.options.is_empty()).then(|| ("Storage Properties", listed(&table.options))));
            rows.extend((!table.partition_columns.is_empty()).then(|| ("Partition Provider", "Catalog".to_owned())));
        }
    }
    rows.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn view_rows(view: &ViewMetadata, mode: Option<ViewSchemaMode>) -> Vec<(&'static str, String)> {
    let mut rows = vec![("View Text", view.text.clone()), ("View Original Text", view.text.clone())];
    rows.extend(mode.map(|mode| ("View Schema Mode", mode.sql().to_owned())));
    rows.push(("View Catalog and Namespace", format!("{SESSION_CATALOG}.{}", quote_if_needed(&view.current_schema))));
    rows.push(("View Query Output Columns", bracketed(&view.query_columns)));
    rows
}

/// What SHOW TABLE EXTENDED says of a table or view.
pub(super) fn information(session: &DriverSession, table: &TableMetadata) -> Result<String> {
    let mut rows = rows(session, table);
    if !table.partition_columns.is_empty() {
        rows.push(("Partition Columns".to_owned(), bracketed(&table.partition_columns)));
    }
    Ok(lines(rows, &table.columns()?))
}

/// What SHOW TABLE EXTENDED says of a temporary view.
pub(super) fn temporary_information(view: &TemporaryView, fields: &[StructField]) -> String {
    let mut rows = vec![("Table", view.name.clone())];
    rows.extend(made(0));
    rows.push(("Type", "VIEW".to_owned()));
    rows.push(("View Schema Mode", ViewSchemaMode::Binding.sql().to_owned()));
    lines(rows.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), fields)
}

fn lines(mut rows: Vec<(String, String)>, fields: &[StructField]) -> String {
    rows.push(("Schema".to_owned(), DataType::tree_string(fields, None)));
    rows.into_iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

fn made(created_ms: i64) -> [(&'static str, String); 3] {
    let time = timestamp_ms_to_datetime(created_ms).map(|time| time.format("%a %b %d %H:%M:%S UTC %Y").to_string());
    [
        ("Created Time", time.unwrap_or_default()),
        ("Last Access", "UNKNOWN".to_owned()),
        ("Created By", concat!("Firesteel ", env!("CARGO_PKG_VERSION")).to_owned()),
    ]
}

fn bracketed(names: &[String]) -> String {
    format!("[{}]", names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", "))
}

fn listed(pairs: &BTreeMap<String, String>) -> String {
    let shown = pairs.iter().filter(|(key, _)| *key != COLLATION);
    let shown: Vec<_> = shown.map(|(key, value)| format!("{key}={}", redacted(key, value))).collect();
    format!("[{}]", shown.join(", "))
}

/// A setting's value, unless its key says that it is secret.
pub(super) fn redacted<'a>(key: &str, value: &'a str) -> &'a str {
    let key = key.to_lowercase();
    if SECRETS.iter().any(|secret| key.contains(secret)) { "*********(redacted)" } else { value }
}

/// A path with its scheme.
fn url(location: &str) -> String {
    if location.starts_with('/') { format!("file:{location}") } else { location.to_owned() }
}

/// The statement that would make a table or view again.
pub(super) fn create_statement(session: &DriverSession, table: &TableMetadata) -> Result<String> {
    let columns = table.columns()?;
    let mut text = match &table.view {
        Some(_) => {
            let name = [&table.schema_name, &table.name].map(|part| quote_if_needed(&part.to_lowercase())).join(".");
            let columns: Vec<_> =
                columns.iter().map(|c| format!("  {}{}", quote_if_needed(&c.name), comment_of(c))).collect();
            format!("CREATE VIEW {name} (\n{})\n", columns.join(",\n"))
        }
        None => {
            let name: Vec<_> = table.qualified_name().iter().map(|part| quote_if_needed(part)).collect();
            let columns: Vec<_> = columns.iter().map(column_definition).collect();
            format!("CREATE TABLE {} (\n{})\nUSING {}\n", name.join("."), columns.join(",\n"), table.format)
        }
    };
    if !table.options.is_empty() {
        text.push_str(&format!("OPTIONS (\n{})\n", quoted_pairs(&table.options)));
    }
    if !table.partition_columns.is_empty() {
        let columns: Vec<_> = table.partition_columns.iter().map(|c| quote_if_needed(c)).collect();
        text.push_str(&format!("PARTITIONED BY ({})\n", columns.join(", ")));
    }
    if let Some(comment) = &table.comment {
        text.push_str(&format!("COMMENT '{}'\n", escaped(comment)));
    }
    if let Some(collation) = table.properties.get(COLLATION) {
        text.push_str(&format!("DEFAULT COLLATION {collation}\n"));
    }
    if table.kind == TableKind::External {
        text.push_str(&format!("LOCATION '{}'\n", escaped(&url(&table.location))));
    }
    if table.properties.keys().any(|key| key != COLLATION) {
        text.push_str(&format!("TBLPROPERTIES (\n{})\n", quoted_pairs(&table.properties)));
    }
    if let Some(view) = &table.view {
        if let Some(mode) = view::mode(session, view) {
            text.push_str(&format!("WITH SCHEMA {}\n", mode.sql()));
        }
        text.push_str(&format!("AS {}\n", view.text));
    }
    Ok(text)
}

fn column_definition(column: &StructField) -> String {
    let mut text = format!("  {} {}", quote_if_needed(&column.name), column.data_type.sql());
    if matches!(column.data_type, DataType::String(None) | DataType::Char(_) | DataType::Varchar(_)) {
        // Said, so that a default of the schema does not change it.
        text.push_str(" COLLATE UTF8_BINARY");
    }
    if !column.nullable {
        text.push_str(" NOT NULL");
    }
    if let Some(default) = column.text(CURRENT_DEFAULT) {
        text.push_str(&format!(" DEFAULT {default}"));
    }
    text.push_str(&comment_of(column));
    text
}

fn comment_of(column: &StructField) -> String {
    column.comment().map(|comment| format!(" COMMENT '{}'", escaped(&comment))).unwrap_or_default()
}

fn quoted_pairs(pairs: &BTreeMap<String, String>) -> String {
    let shown = pairs.iter().filter(|(key, _)| *key != COLLATION);
    let shown: Vec<_> =
        shown.map(|(key, value)| format!("  '{}' = '{}'", escaped(key), escaped(redacted(key, value)))).collect();
    shown.join(",\n")
}

fn escaped(text: &str) -> String {
    text.replace('\'', "\\'")
}
