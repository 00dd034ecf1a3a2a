//! SHOW.

use firesteel_catalog::{Catalog, SESSION_CATALOG, TableMetadata};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::command::Show;
use firesteel_spec::types::quote;

use super::describe::table_of;
use super::details;
use crate::rows::{Column, ReadyRows};
use crate::session::DriverSession;

pub(super) async fn show(session: &DriverSession, show: &Show) -> Result<ReadyRows> {
    let catalog = session.catalog();
    match show {
        Show::Schemas { pattern, .. } => {
            let names = catalog.shared().schemas().await?.into_iter().map(|s| s.name);
            ReadyRows::of(vec![Column::Text("namespace", names.filter(|n| matches(pattern.as_deref(), n)).collect())])
        }
        Show::Tables { schema, pattern } => tables(session, schema, pattern.as_deref(), false).await,
        Show::Views { schema, pattern } => tables(session, schema, pattern.as_deref(), true).await,
        Show::TableExtended { schema, pattern, partition } => {
            if !partition.is_empty() {
                return Err(SparkError::unsupported("SHOW TABLE EXTENDED with a partition"));
            }
            extended(session, schema, pattern).await
        }
        Show::Columns { table } => {
            let names = crate::command::describe::fields_of(session, table).await?.into_iter().map(|f| f.name);
            ReadyRows::of(vec![Column::Text("col_name", names.collect())])
        }
        Show::CreateTable { table, .. } => {
            let table = table_of(session, table).await?;
            ReadyRows::text("createtab_stmt", details::create_statement(session, &table)?)
        }
        Show::Functions { scope, pattern, .. } => {
            let mut names = Vec::new();
            if !scope.eq_ignore_ascii_case("user") {
                names.extend(firesteel_functions::registry::all().into_iter().map(|d| d.name.to_owned()));
            }
            if !scope.eq_ignore_ascii_case("system") {
                names.extend(catalog.functions().iter().filter_map(|f| f.name.last().cloned()));
            }
            names.retain(|name| matches(pattern.as_deref(), name));
            names.sort();
            names.dedup();
            ReadyRows::of(vec![Column::Text("function", names)])
        }
        Show::Partitions { table, .. } => {
            let table = table_of(session, table).await?;
            ReadyRows::of(vec![Column::Text("partition", partitions(session, &table).await?)])
        }
        Show::TableProperties { table, key } => properties(&table_of(session, table).await?, key.as_deref()),
        Show::Catalogs { pattern } => {
            let names = [SESSION_CATALOG.to_owned()].into_iter().filter(|n| matches(pattern.as_deref(), n));
            ReadyRows::of(vec![Column::Text("catalog", names.collect())])
        }
        Show::CurrentSchema => ReadyRows::of(vec![
            Column::Text("catalog", vec![SESSION_CATALOG.to_owned()]),
            Column::Text("namespace", vec![catalog.current_schema()]),
        ]),
        Show::Collations { .. } => Err(SparkError::unsupported("SHOW COLLATIONS")),
    }
}

async fn tables(
    session: &DriverSession,
    schema: &[String],
    pattern: Option<&str>,
    only_views: bool,
) -> Result<ReadyRows> {
    let catalog = session.catalog();
    let schema = catalog.schema_name(schema)?;
    let (mut namespaces, mut names, mut temporary) = (Vec::new(), Vec::new(), Vec::new());
    let is_global = schema.eq_ignore_ascii_case(firesteel_catalog::GLOBAL_TEMP_SCHEMA);
    if !is_global {
        catalog.shared().schema(&schema).await?;
        for table in catalog.shared().tables(&schema).await? {
            if matches(pattern, &table.name) && (!only_views || Catalog::is_view(&table)) {
                namespaces.push(schema.clone());
                names.push(table.name);
                temporary.push(false);
            }
        }
    }
    let global = if is_global { catalog.shared().global_views() } else { Vec::new() };
    for view in global.into_iter().chain(catalog.views()) {
        if matches(pattern, &view.name) {
            namespaces.push(if view.is_global { schema.clone() } else { String::new() });
            names.push(view.name);
            temporary.push(true);
        }
    }
    let name_column = if only_views { "viewName" } else { "tableName" };
    ReadyRows::of(vec![
        Column::Text("namespace", namespaces),
        Column::Text(name_column, names),
        Column::Flag("isTemporary", temporary),
    ])
}

async fn extended(session: &DriverSession, schema: &[String], pattern: &str) -> Result<ReadyRows> {
    let schema = session.catalog().schema_name(schema)?;
    let tables = session.catalog().shared().tables(&schema).await?;
    let tables: Vec<_> = tables.into_iter().filter(|t| matches(Some(pattern), &t.name)).collect();
    let (mut namespaces, mut names, mut temporary, mut information) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for table in &tables {
        namespaces.push(schema.clone());
        names.push(table.name.clone());
        temporary.push(false);
        information.push(details::information(session, table)?);
    }
    for view in session.catalog().views().into_iter().filter(|view| matches(Some(pattern), &view.name)) {
        let fields = super::describe::fields_of(session, std::slice::from_ref(&view.name)).await?;
        namespaces.push(String::new());
        names.push(view.name.clone());
        temporary.push(true);
        information.push(details::temporary_information(&view, &fields));
    }
    ReadyRows::of(vec![
        Column::Text("namespace", namespaces),
        Column::Text("tableName", names),
        Column::Flag("isTemporary", temporary),
        Column::Text("information", information),
    ])
}

fn properties(table: &TableMetadata, key: Option<&str>) -> Result<ReadyRows> {
    let pairs: Vec<_> = match key {
        Some(key) => {
            let missing = || format!("Table {} does not have property: {key}", table.qualified_name().join("."));
            let value = table.properties.get(key).map(|value| details::redacted(key, value).to_owned());
            vec![(key.to_owned(), value.unwrap_or_else(missing))]
        }
        None => {
            let shown = table.properties.iter();
            shown.map(|(key, value)| (key.clone(), details::redacted(key, value).to_owned())).collect()
        }
    };
    let (keys, values) = pairs.into_iter().unzip();
    ReadyRows::of(vec![Column::Text("key", keys), Column::Text("value", values)])
}

/// `a=1/b=2` of each partition that has files.
pub(super) async fn partitions(session: &DriverSession, table: &TableMetadata) -> Result<Vec<String>> {
    if table.partition_columns.is_empty() {
        return Err(SparkError::new(&error_class::INVALID_PARTITION_OPERATION_PARTITION_SCHEMA_IS_EMPTY)
            .param("name", quote(&table.name)));
    }
    let files = crate::environment::table_files(session, table).await?.map(|t| t.input_files()).unwrap_or_default();
    let depth = table.partition_columns.len();
    let mut partitions: Vec<String> = files
        .iter()
        .map(|file| {
            let folders: Vec<&str> = file.split('/').rev().skip(1).take(depth).collect();
            folders.into_iter().rev().collect::<Vec<_>>().join("/")
        })
        .collect();
    partitions.sort();
    partitions.dedup();
    Ok(partitions)
}

/// Spark's patterns: `*` is anything, `|` means or, case does not matter.
pub(super) fn matches(pattern: Option<&str>, name: &str) -> bool {
    let Some(pattern) = pattern else { return true };
    let name: Vec<char> = name.to_lowercase().chars().collect();
    pattern.to_lowercase().split('|').any(|one| {
        let one: Vec<char> = one.trim().chars().collect();
        wildcard(&one, &name)
    })
}

fn wildcard(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('*' | '%', rest)) => (0..=name.len()).any(|skip| wildcard(rest, &name[skip..])),
        Some(('.', rest)) => !name.is_empty() && wildcard(rest, &name[1..]),
        Some((c, rest)) => name.first() == Some(c) && wildcard(rest, &name[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_sparks_do() {
        assert!(matches(None, "x"));
        assert!(matches(Some("Sales*"), "sales_2024"));
        assert!(matches(Some("a|b*"), "beta"));
        assert!(!matches(Some("a|b"), "beta"));
        assert!(matches(Some("*ta"), "beta"));
    }
}
