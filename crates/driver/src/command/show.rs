//! SHOW.

use firesteel_catalog::{Catalog, SESSION_CATALOG, TableMetadata};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::command::Show;
use firesteel_spec::types::{quote, quote_if_needed};

use super::describe::table_of;
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
            ReadyRows::text("createtab_stmt", create_statement(&table)?)
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
    let mut information = Vec::new();
    for table in &tables {
        let details = super::describe::details(table);
        information.push(details.into_iter().map(|(name, value)| format!("{name}: {value}\n")).collect::<String>());
    }
    ReadyRows::of(vec![
        Column::Text("namespace", tables.iter().map(|_| schema.clone()).collect()),
        Column::Text("tableName", tables.iter().map(|t| t.name.clone()).collect()),
        Column::Flag("isTemporary", vec![false; tables.len()]),
        Column::Text("information", information),
    ])
}

fn properties(table: &TableMetadata, key: Option<&str>) -> Result<ReadyRows> {
    let pairs: Vec<_> = match key {
        Some(key) => {
            let missing = || format!("Table {} does not have property: {key}", table.qualified_name().join("."));
            vec![(key.to_owned(), table.properties.get(key).cloned().unwrap_or_else(missing))]
        }
        None => table.properties.clone().into_iter().collect(),
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

fn create_statement(table: &TableMetadata) -> Result<String> {
    let name = table.qualified_name().iter().map(|p| quote_if_needed(p)).collect::<Vec<_>>().join(".");
    let columns = table.columns()?;
    if let Some(view) = &table.view {
        let names = columns.iter().map(|c| format!("  {}", quote_if_needed(&c.name))).collect::<Vec<_>>().join(",\n");
        return Ok(format!("CREATE VIEW {name} (\n{names})\nAS {}\n", view.text));
    }
    let column = |c: &firesteel_spec::StructField| {
        let comment = c.comment().map(|t| format!(" COMMENT '{t}'")).unwrap_or_default();
        format!("  {} {}{comment}", quote_if_needed(&c.name), c.data_type.sql())
    };
    let mut text = format!("CREATE TABLE {name} (\n{})\n", columns.iter().map(column).collect::<Vec<_>>().join(",\n"));
    text.push_str(&format!("USING {}\n", table.format));
    let pairs = |map: &std::collections::BTreeMap<String, String>| {
        map.iter().map(|(k, v)| format!("  '{k}' = '{v}'")).collect::<Vec<_>>().join(",\n")
    };
    if !table.options.is_empty() {
        text.push_str(&format!("OPTIONS (\n{})\n", pairs(&table.options)));
    }
    if !table.partition_columns.is_empty() {
        let columns: Vec<_> = table.partition_columns.iter().map(|c| quote_if_needed(c)).collect();
        text.push_str(&format!("PARTITIONED BY ({})\n", columns.join(", ")));
    }
    if let Some(comment) = &table.comment {
        text.push_str(&format!("COMMENT '{comment}'\n"));
    }
    if table.kind == firesteel_catalog::TableKind::External {
        text.push_str(&format!("LOCATION '{}'\n", table.location));
    }
    if !table.properties.is_empty() {
        text.push_str(&format!("TBLPROPERTIES (\n{})\n", pairs(&table.properties)));
    }
    Ok(text)
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
