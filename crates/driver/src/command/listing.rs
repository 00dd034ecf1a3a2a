//! `spark.catalog`.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, ListArray, RecordBatch, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType as Arrow, Field};
use firesteel_catalog::{Relation, SESSION_CATALOG, TableKind};
use firesteel_model::{Result, SparkError};
use firesteel_spec::command::CreateTable;
use firesteel_spec::{CatalogOp, Command, DataType, StructField};

use super::cache;
use super::show::matches;
use crate::cache::parse_level;
use crate::rows::{Column, ReadyRows};
use crate::session::DriverSession;

/// Answers a call of `spark.catalog`.
pub(crate) async fn catalog_call(session: &DriverSession, call: &CatalogOp) -> Result<ReadyRows> {
    let catalog = session.catalog();
    match call {
        CatalogOp::CurrentDatabase => ReadyRows::text("current_database", catalog.current_schema()),
        CatalogOp::SetCurrentDatabase(name) => {
            catalog.use_schema(&firesteel_sql::parse_multipart_identifier(name)?).await?;
            Ok(ReadyRows::default())
        }
        CatalogOp::CurrentCatalog => ReadyRows::text("current_catalog", SESSION_CATALOG.to_owned()),
        CatalogOp::SetCurrentCatalog(name) => super::schema::use_catalog(name),
        CatalogOp::ListCatalogs { pattern } => {
            let shown = matches(pattern.as_deref(), SESSION_CATALOG);
            let names: Vec<_> = shown.then(|| SESSION_CATALOG.to_owned()).into_iter().collect();
            let none = names.iter().map(|_| None).collect();
            ReadyRows::of(vec![Column::Text("name", names), Column::Nullable("description", none)])
        }
        CatalogOp::ListDatabases { pattern } => databases(session, |name| matches(pattern.as_deref(), name)).await,
        CatalogOp::GetDatabase(name) => {
            let schema = catalog.shared().schema(name).await?;
            databases(session, |other| other == schema.name).await
        }
        CatalogOp::DatabaseExists(name) => flag(catalog.shared().find_schema(name).await?.is_some()),
        CatalogOp::ListTables { database, pattern } => tables(session, database.as_deref(), pattern.as_deref()).await,
        CatalogOp::ListViews { database, pattern } => views(session, database.as_deref(), pattern.as_deref()).await,
        CatalogOp::GetTable { table, database } => get_table(session, &parts(table, database.as_deref())?).await,
        CatalogOp::TableExists { table, database } => {
            flag(catalog.relation(&parts(table, database.as_deref())?).await.is_ok())
        }
        CatalogOp::ListColumns { table, database } => columns(session, &parts(table, database.as_deref())?).await,
        CatalogOp::ListFunctions { pattern, .. } => functions(session, |name| matches(pattern.as_deref(), name)),
        CatalogOp::GetFunction { function, .. } => {
            let name = firesteel_sql::parse_multipart_identifier(function)?;
            let last = name.last().cloned().unwrap_or_default().to_lowercase();
            let found = functions(session, |other| other == last)?;
            if found.batches.iter().all(|b| b.num_rows() == 0) {
                return Err(SparkError::new(&firesteel_model::error_class::UNRESOLVED_ROUTINE)
                    .param("routineName", firesteel_spec::types::quote(function))
                    .param("searchPath", "[`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`]"));
            }
            Ok(found)
        }
        CatalogOp::FunctionExists { function, .. } => {
            let name = firesteel_sql::parse_multipart_identifier(function)?;
            let last = name.last().cloned().unwrap_or_default().to_lowercase();
            flag(firesteel_functions::registry::lookup(&last).is_some() || catalog.function(&name).is_some())
        }
        CatalogOp::DropTempView(name) => flag(drop_view(session, std::slice::from_ref(name)).await?),
        CatalogOp::DropGlobalTempView(name) => {
            flag(drop_view(session, &[firesteel_catalog::GLOBAL_TEMP_SCHEMA.to_owned(), name.clone()]).await?)
        }
        CatalogOp::CreateTable { .. } => create_table(session, call).await,
        CatalogOp::RecoverPartitions(name) => {
            catalog.relation(&firesteel_sql::parse_multipart_identifier(name)?).await?;
            Ok(ReadyRows::default())
        }
        CatalogOp::IsCached(_)
        | CatalogOp::RefreshTable(_)
        | CatalogOp::CacheTable { .. }
        | CatalogOp::UncacheTable(_)
        | CatalogOp::ClearCache
        | CatalogOp::RefreshByPath(_) => caches(session, call).await,
        CatalogOp::Unsupported(name) => Err(SparkError::unsupported(name.clone())),
    }
}

/// What the catalog API says of caches.
async fn caches(session: &DriverSession, call: &CatalogOp) -> Result<ReadyRows> {
    let caches = &session.application().caches;
    let parse = |name: &String| firesteel_sql::parse_multipart_identifier(name);
    match call {
        CatalogOp::IsCached(name) => {
            return flag(caches.level(session, &cache::table(&parse(name)?)).await?.is_some());
        }
        CatalogOp::CacheTable { table, storage_level } => {
            let level = storage_level.as_deref().map_or(Ok(cache::DEFAULT_LEVEL), parse_level)?;
            caches.add(session, &cache::table(&parse(table)?), level, false).await?;
        }
        CatalogOp::RefreshTable(name) => cache::refresh(session, &parse(name)?).await?,
        CatalogOp::UncacheTable(name) => cache::uncache(session, &parse(name)?, false).await?,
        CatalogOp::ClearCache => caches.clear(),
        CatalogOp::RefreshByPath(path) => cache::refresh_path(session, path)?,
        _ => {}
    }
    Ok(ReadyRows::default())
}

/// Drops a temporary view, and its rows if they are cached.
pub(super) async fn drop_view(session: &DriverSession, name: &[String]) -> Result<bool> {
    if session.catalog().temporary_view(name).is_none() {
        return Ok(false);
    }
    cache::uncache(session, name, true).await?;
    Ok(session.catalog().drop_view(name))
}

fn flag(value: bool) -> Result<ReadyRows> {
    ReadyRows::of(vec![Column::Flag("value", vec![value])])
}

fn parts(table: &str, database: Option<&str>) -> Result<Vec<String>> {
    match database {
        Some(database) => Ok(vec![database.to_owned(), table.to_owned()]),
        None => firesteel_sql::parse_multipart_identifier(table),
    }
}

async fn databases(session: &DriverSession, is_wanted: impl Fn(&str) -> bool) -> Result<ReadyRows> {
    let schemas = session.catalog().shared().schemas().await?;
    let schemas: Vec<_> = schemas.into_iter().filter(|s| is_wanted(&s.name)).collect();
    ReadyRows::of(vec![
        Column::Text("name", schemas.iter().map(|s| s.name.clone()).collect()),
        Column::Nullable("catalog", schemas.iter().map(|_| Some(SESSION_CATALOG.to_owned())).collect()),
        Column::Nullable("description", schemas.iter().map(|s| Some(s.comment.clone())).collect()),
        Column::Text("locationUri", schemas.iter().map(|s| s.location.clone()).collect()),
    ])
}

/// What `listTables` tells of a table.
struct Listed {
    name: String,
    namespace: Option<String>,
    description: Option<String>,
    kind: &'static str,
    is_temporary: bool,
}

impl Listed {
    fn stored(table: &firesteel_catalog::TableMetadata) -> Self {
        let kind = match table.kind {
            TableKind::Managed => "MANAGED",
            TableKind::External => "EXTERNAL",
            TableKind::View => "VIEW",
        };
        let (name, namespace) = (table.name.clone(), Some(table.schema_name.clone()));
        Self { name, namespace, description: table.comment.clone(), kind, is_temporary: false }
    }

    fn temporary(name: &str, is_global: bool) -> Self {
        let namespace = is_global.then(|| firesteel_catalog::GLOBAL_TEMP_SCHEMA.to_owned());
        Self { name: name.to_owned(), namespace, description: None, kind: "TEMPORARY", is_temporary: true }
    }
}

async fn tables(session: &DriverSession, database: Option<&str>, pattern: Option<&str>) -> Result<ReadyRows> {
    let catalog = session.catalog();
    let schema = database.map_or_else(|| catalog.current_schema(), str::to_owned);
    let mut listed = Vec::new();
    if schema.eq_ignore_ascii_case(firesteel_catalog::GLOBAL_TEMP_SCHEMA) {
        listed.extend(catalog.shared().global_views().iter().map(|v| Listed::temporary(&v.name, true)));
    } else {
        catalog.shared().schema(&schema).await?;
        listed.extend(catalog.shared().tables(&schema).await?.iter().map(Listed::stored));
    }
    listed.extend(catalog.views().iter().map(|v| Listed::temporary(&v.name, false)));
    listed.retain(|table| matches(pattern, &table.name));
    listing(listed)
}

async fn views(session: &DriverSession, database: Option<&str>, pattern: Option<&str>) -> Result<ReadyRows> {
    let catalog = session.catalog();
    let schema = database.map_or_else(|| catalog.current_schema(), str::to_owned);
    catalog.shared().schema(&schema).await?;
    let stored = catalog.shared().tables(&schema).await?;
    let mut listed: Vec<_> = stored.iter().filter(|t| t.kind == TableKind::View).map(Listed::stored).collect();
    listed.extend(catalog.views().iter().map(|v| Listed::temporary(&v.name, false)));
    listed.retain(|view| matches(pattern, &view.name));
    listing(listed)
}

async fn get_table(session: &DriverSession, name: &[String]) -> Result<ReadyRows> {
    let listed = match session.catalog().relation(name).await? {
        Relation::Stored(table) => Listed::stored(&table),
        Relation::Temporary(view) => Listed::temporary(&view.name, view.is_global),
    };
    listing(vec![listed])
}

fn listing(tables: Vec<Listed>) -> Result<ReadyRows> {
    let text = |values: Vec<Option<String>>| Arc::new(StringArray::from(values)) as ArrayRef;
    let namespaces: Vec<_> = tables.iter().map(|t| t.namespace.clone()).collect();
    let lengths = namespaces.iter().map(|n| usize::from(n.is_some()));
    let values = StringArray::from(namespaces.iter().flatten().cloned().collect::<Vec<_>>());
    let nulls = namespaces.iter().map(Option::is_some).collect::<Vec<_>>().into();
    let element = Arc::new(Field::new("element", Arrow::Utf8, true));
    let namespace = ListArray::try_new(element, OffsetBuffer::from_lengths(lengths), Arc::new(values), Some(nulls));
    let namespace = namespace.map_err(firesteel_functions::errors::from_arrow)?;
    let catalogs = tables.iter().map(|t| (!t.is_temporary).then(|| SESSION_CATALOG.to_owned())).collect();
    let fields = vec![
        StructField::new("name", DataType::STRING, false),
        StructField::new("catalog", DataType::STRING, true),
        StructField::new("namespace", DataType::array(DataType::STRING), true),
        StructField::new("description", DataType::STRING, true),
        StructField::new("tableType", DataType::STRING, false),
        StructField::new("isTemporary", DataType::Boolean, false),
    ];
    let arrays: Vec<ArrayRef> = vec![
        text(tables.iter().map(|t| Some(t.name.clone())).collect()),
        text(catalogs),
        Arc::new(namespace),
        text(tables.iter().map(|t| t.description.clone()).collect()),
        text(tables.iter().map(|t| Some(t.kind.to_owned())).collect()),
        Arc::new(BooleanArray::from(tables.iter().map(|t| t.is_temporary).collect::<Vec<_>>())),
    ];
    ReadyRows::from_arrays(fields, arrays)
}

async fn columns(session: &DriverSession, name: &[String]) -> Result<ReadyRows> {
    let (partitions, buckets) = match session.catalog().relation(name).await? {
        Relation::Stored(table) => {
            let buckets = table.bucket.map(|b| b.columns).unwrap_or_default();
            (table.partition_columns, buckets)
        }
        Relation::Temporary(_) => (Vec::new(), Vec::new()),
    };
    let fields = super::describe::fields_of(session, name).await?;
    let among = |names: &[String], name: &str| names.iter().any(|n| n.eq_ignore_ascii_case(name));
    ReadyRows::of(vec![
        Column::Text("name", fields.iter().map(|f| f.name.clone()).collect()),
        Column::Nullable("description", fields.iter().map(StructField::comment).collect()),
        Column::Text("dataType", fields.iter().map(|f| f.data_type.simple_string()).collect()),
        Column::Flag("nullable", fields.iter().map(|f| f.nullable).collect()),
        Column::Flag("isPartition", fields.iter().map(|f| among(&partitions, &f.name)).collect()),
        Column::Flag("isBucket", fields.iter().map(|f| among(&buckets, &f.name)).collect()),
        Column::Flag("isCluster", fields.iter().map(|_| false).collect()),
    ])
}

fn functions(session: &DriverSession, is_wanted: impl Fn(&str) -> bool) -> Result<ReadyRows> {
    let mut found: Vec<(String, String, bool)> = firesteel_functions::registry::all()
        .into_iter()
        .filter(|d| is_wanted(d.name))
        .map(|d| (d.name.to_owned(), d.doc.to_owned(), false))
        .collect();
    for function in session.catalog().functions() {
        let name = function.name.last().cloned().unwrap_or_default();
        if is_wanted(&name.to_lowercase()) {
            found.push((name, function.comment.clone().unwrap_or_default(), true));
        }
    }
    found.sort();
    let rows = ReadyRows::of(vec![
        Column::Text("name", found.iter().map(|f| f.0.clone()).collect()),
        Column::Nullable("catalog", found.iter().map(|_| None).collect()),
    ])?;
    let nothing = Arc::new(ListArray::new_null(Arc::new(Field::new("element", Arrow::Utf8, true)), found.len()));
    let description = Arc::new(StringArray::from(found.iter().map(|f| f.1.clone()).collect::<Vec<_>>()));
    let class = Arc::new(StringArray::from(vec![""; found.len()]));
    let temporary = Arc::new(BooleanArray::from(found.iter().map(|f| f.2).collect::<Vec<_>>()));
    let mut fields = rows.fields;
    fields.push(StructField::new("namespace", DataType::array(DataType::STRING), true));
    fields.push(StructField::new("description", DataType::STRING, true));
    fields.push(StructField::new("className", DataType::STRING, false));
    fields.push(StructField::new("isTemporary", DataType::Boolean, false));
    let mut arrays = rows.batches.first().map(RecordBatch::columns).unwrap_or_default().to_vec();
    arrays.extend([nothing as ArrayRef, description, class, temporary]);
    ReadyRows::from_arrays(fields, arrays)
}

async fn create_table(session: &DriverSession, call: &CatalogOp) -> Result<ReadyRows> {
    let CatalogOp::CreateTable { table, path, format, schema, description, options } = call else {
        return Err(SparkError::internal("this call creates no table"));
    };
    let definition = |field: &StructField| firesteel_spec::command::ColumnDefinition {
        name: field.name.clone(),
        data_type: field.data_type.clone(),
        nullable: field.nullable,
        comment: field.comment(),
        default: None,
        generated: None,
    };
    let option_path = options.iter().find(|(key, _)| key.eq_ignore_ascii_case("path")).map(|(_, value)| value.clone());
    let create = CreateTable {
        name: firesteel_sql::parse_multipart_identifier(table)?,
        columns: schema.iter().map(definition).collect(),
        format: format.clone(),
        location: path.clone().or(option_path),
        options: options.iter().filter(|(key, _)| !key.eq_ignore_ascii_case("path")).cloned().collect(),
        comment: description.clone(),
        ..super::table::empty_definition()
    };
    let command = Command::CreateTable(create);
    Box::pin(super::run(session, &command, session.cancellation())).await?;
    Ok(ReadyRows::default())
}
