//! CREATE, DROP and TRUNCATE TABLE; `saveAsTable`.

use firesteel_catalog::{TableKind, TableMetadata, TableName};
use firesteel_model::{Result, SparkError, conf, error_class};
use firesteel_sources::Location;
use firesteel_sources::write::{WriteMode, remove_empty_directories};
use firesteel_spec::command::{ColumnDefinition, CreateTable, SaveMode, Write};
use firesteel_spec::types::{CURRENT_DEFAULT, DECLARED_TYPE, EXISTING_VALUE, EXISTS_DEFAULT, quote, quote_name};
use firesteel_spec::{DataType, Expr, ExprNode, Relation, StructField};
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use tokio_util::sync::CancellationToken;

use super::describe::table_of;
use super::write::{self, Target};
use super::{assign, cache, defaults, listing};
use crate::application::now_ms;
use crate::planning;
use crate::python_source;
use crate::rows::ReadyRows;
use crate::session::DriverSession;

/// CREATE TABLE .. LIKE
pub(super) struct Like<'c> {
    pub(super) name: &'c [String],
    pub(super) source: &'c [String],
    pub(super) format: Option<&'c str>,
    pub(super) location: Option<&'c str>,
    pub(super) properties: &'c [(String, String)],
}

/// A definition without anything.
pub(super) fn empty_definition() -> CreateTable {
    CreateTable {
        name: Vec::new(),
        columns: Vec::new(),
        format: None,
        partition_by: Vec::new(),
        partition_columns: Vec::new(),
        bucket_by: None,
        cluster_by: Vec::new(),
        location: None,
        options: Vec::new(),
        properties: Vec::new(),
        comment: None,
        if_not_exists: false,
        replace: false,
        must_exist: false,
        is_external: false,
        query: None,
        constraints: Vec::new(),
    }
}

/// CREATE TABLE, with or without AS SELECT.
pub(super) async fn create(
    session: &DriverSession,
    create: &CreateTable,
    cancellation: &CancellationToken,
) -> Result<ReadyRows> {
    if create.bucket_by.is_some() {
        return Err(SparkError::unsupported("bucketed tables"));
    }
    if create.columns.iter().any(|c| c.generated.is_some()) || !create.constraints.is_empty() {
        return Err(SparkError::unsupported("generated columns and table constraints"));
    }
    let name = session.catalog().table_name(&create.name)?;
    let catalog = session.catalog().shared();
    let existing = catalog.find_table(&name).await?;
    match &existing {
        Some(_) if create.if_not_exists => return Ok(ReadyRows::default()),
        Some(_) if !create.replace => {
            return Err(
                SparkError::new(&error_class::TABLE_OR_VIEW_ALREADY_EXISTS).param("relationName", name.quoted())
            );
        }
        None if create.must_exist => {
            return Err(SparkError::new(&error_class::TABLE_OR_VIEW_NOT_FOUND).param("relationName", name.quoted()));
        }
        _ => {}
    }
    let table = definition(session, create, &name).await?;
    if let Some(query) = &create.query {
        fill(session, &table, query, cancellation).await?;
    }
    match existing {
        Some(_) => catalog.replace_table(&table).await?,
        None => catalog.create_table(&table).await?,
    }
    Ok(ReadyRows::default())
}

/// The metadata of a new table; columns come from the definition, the query or the files that are there.
async fn definition(session: &DriverSession, create: &CreateTable, name: &TableName) -> Result<TableMetadata> {
    let catalog = session.catalog().shared();
    let schema = catalog.schema(&name.schema).await?;
    let format = create.format.clone().unwrap_or_else(|| session.settings().text(&conf::SOURCES_DEFAULT));
    let is_python = python_source::is_source_of(session, &format);
    if !is_python {
        firesteel_sources::Format::parse(&format)?;
    }
    let location = create.location.clone().or_else(|| write::option(&create.options, "path"));
    let is_external = location.is_some();
    let location = location.unwrap_or_else(|| catalog.table_location(&schema, &name.name));
    let mut columns: Vec<StructField> = Vec::new();
    for column in create.columns.iter().chain(&create.partition_columns) {
        let declared = defaults::declared(session, column, "CREATE TABLE").await?;
        columns.push(StructField { data_type: kept_type(session, declared.data_type), ..declared });
    }
    let mut partition_columns: Vec<String> = create.partition_columns.iter().map(|c| c.name.clone()).collect();
    for expr in &create.partition_by {
        partition_columns.push(column_name(expr)?);
    }
    if let Some(query) = &create.query {
        let fields = planning::analyzed(session, query).await?.fields;
        columns = fields.into_iter().map(|field| StructField { nullable: true, ..as_declared(field) }).collect();
    } else if columns.is_empty() && (is_external || is_python) {
        columns = inferred(session, &format, &location, &create.options).await?;
    }
    write::check_names(&columns, session.case_sensitive())?;
    let columns = partitions_last(columns, &partition_columns)?;
    let format = if is_python { format } else { format.to_lowercase() };
    let mut table = TableMetadata::new(&name.schema, &name.name, &format, &columns, &location);
    table.kind = if is_external { TableKind::External } else { TableKind::Managed };
    table.partition_columns = partition_columns;
    table.options = create.options.iter().filter(|(key, _)| !key.eq_ignore_ascii_case("path")).cloned().collect();
    table.properties = create.properties.iter().cloned().collect();
    table.comment.clone_from(&create.comment);
    table.created_ms = now_ms();
    table.owner = session.user().to_owned();
    Ok(table)
}

/// CHAR and VARCHAR as the session's settings keep them in new tables.
fn kept_type(session: &DriverSession, data_type: DataType) -> DataType {
    let is_set = |key| session.settings().bool(key);
    match data_type {
        DataType::Char(_) | DataType::Varchar(_) if is_set(&conf::LEGACY_CHAR_VARCHAR_AS_STRING) => DataType::STRING,
        DataType::Char(length) if is_set(&conf::CHAR_AS_VARCHAR) => DataType::Varchar(length),
        other => other,
    }
}

/// A column of a query as that of a table: the CHAR or VARCHAR that it was read from.
fn as_declared(field: StructField) -> StructField {
    let data_type = field.declared_type().unwrap_or_else(|| field.data_type.clone());
    let field = StructField { data_type, ..field }.with_text(DECLARED_TYPE, None);
    [CURRENT_DEFAULT, EXISTS_DEFAULT, EXISTING_VALUE].iter().fold(field, |field, key| field.with_text(key, None))
}

fn column_name(expr: &Expr) -> Result<String> {
    match expr.node.as_ref() {
        ExprNode::Attribute { parts, .. } => Ok(parts.join(".")),
        _ => Err(SparkError::unsupported("partition transforms")),
    }
}

/// The field of a column in DDL; its comment is kept in the metadata.
pub(super) fn field(column: &ColumnDefinition) -> StructField {
    let metadata = column.comment.as_ref().map(|comment| serde_json::json!({ "comment": comment }).to_string());
    StructField { metadata, ..StructField::new(&column.name, column.data_type.clone(), column.nullable) }
}

async fn inferred(
    session: &DriverSession,
    format: &str,
    location: &str,
    options: &[(String, String)],
) -> Result<Vec<StructField>> {
    let source = firesteel_spec::relation::DataSource {
        format: Some(format.to_owned()),
        paths: vec![location.to_owned()],
        options: options.iter().filter(|(key, _)| !key.eq_ignore_ascii_case("path")).cloned().collect(),
        ..Default::default()
    };
    if let Some(python) = python_source::named(session, format) {
        return Ok(python_source::open(session, python, &source, None).await?.fields().to_vec());
    }
    Ok(crate::environment::data_source(session, &source).await?.fields().to_vec())
}

fn partitions_last(columns: Vec<StructField>, partitions: &[String]) -> Result<Vec<StructField>> {
    let is_partition = |f: &StructField| partitions.iter().any(|p| p.eq_ignore_ascii_case(&f.name));
    for name in partitions {
        if !columns.iter().any(|f| f.name.eq_ignore_ascii_case(name)) {
            return Err(SparkError::new(&error_class::COLUMN_NOT_FOUND_IN_TABLE_DEFINITION)
                .param("colName", quote(name))
                .param("caseSensitiveConfig", "\"spark.sql.caseSensitive\""));
        }
    }
    let mut ordered: Vec<_> = columns.iter().filter(|f| !is_partition(f)).cloned().collect();
    for name in partitions {
        ordered.extend(columns.iter().find(|f| f.name.eq_ignore_ascii_case(name)).cloned());
    }
    Ok(ordered)
}

/// Writes the rows of AS SELECT; the files that were there go. A source's table is new, so that its rows come first.
async fn fill(
    session: &DriverSession,
    table: &TableMetadata,
    query: &Relation,
    cancellation: &CancellationToken,
) -> Result<()> {
    let input = assign::by_name(session, query, table).await?;
    let target = Target {
        format: table.format.clone(),
        path: table.location.clone(),
        options: table.options.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        mode: match python_source::is_source_of(session, &table.format) {
            true => WriteMode::Append,
            false => WriteMode::Overwrite { dynamic: false },
        },
        partition_by: table.partition_columns.clone(),
    };
    write::run(session, &target, &input, cancellation).await
}

/// CREATE TABLE .. LIKE
pub(super) async fn create_like(session: &DriverSession, like: &Like<'_>, if_not_exists: bool) -> Result<ReadyRows> {
    let fields = super::describe::fields_of(session, like.source).await?;
    let source = table_of(session, like.source).await.ok();
    let format = like.format.map(str::to_owned).or_else(|| source.as_ref().map(|s| s.format.clone()));
    let create_table = CreateTable {
        name: like.name.to_vec(),
        format: format.filter(|f| !f.is_empty()),
        location: like.location.map(str::to_owned),
        properties: like.properties.to_vec(),
        if_not_exists,
        ..empty_definition()
    };
    let name = session.catalog().table_name(like.name)?;
    let catalog = session.catalog().shared();
    if if_not_exists && catalog.find_table(&name).await?.is_some() {
        return Ok(ReadyRows::default());
    }
    let mut table = definition(session, &create_table, &name).await?;
    table.set_columns(&fields);
    if let Some(source) = source {
        table.partition_columns = source.partition_columns;
        table.options = source.options;
    }
    catalog.create_table(&table).await?;
    Ok(ReadyRows::default())
}

/// DROP TABLE and DROP VIEW.
pub(super) async fn drop(
    session: &DriverSession,
    name: &[String],
    if_exists: bool,
    is_view: bool,
) -> Result<ReadyRows> {
    if listing::drop_view(session, name).await? {
        return Ok(ReadyRows::default());
    }
    let table_name = session.catalog().table_name(name)?;
    let Some(table) = session.catalog().shared().find_table(&table_name).await? else {
        if if_exists {
            return Ok(ReadyRows::default());
        }
        return Err(SparkError::new(&error_class::TABLE_OR_VIEW_NOT_FOUND).param("relationName", quote_name(name)));
    };
    match (is_view, table.kind) {
        (true, TableKind::Managed | TableKind::External) => {
            return Err(SparkError::new(&error_class::EXPECT_VIEW_NOT_TABLE_NO_ALTERNATIVE)
                .param("tableName", table_name.quoted())
                .param("operation", "DROP VIEW"));
        }
        (false, TableKind::View) => {
            return Err(SparkError::new(&error_class::EXPECT_TABLE_NOT_VIEW_NO_ALTERNATIVE)
                .param("viewName", table_name.quoted())
                .param("operation", "DROP TABLE"));
        }
        _ => {}
    }
    cache::uncache(session, name, true).await?;
    drop_stored(session, &table_name).await?;
    Ok(ReadyRows::default())
}

/// Forgets a table; a managed one's files go too.
pub(super) async fn drop_stored(session: &DriverSession, name: &TableName) -> Result<()> {
    let table = session.catalog().shared().drop_table(name).await?;
    session.application().caches.forget_stored(&table);
    if table.kind != TableKind::Managed {
        return Ok(());
    }
    let location = session.application().stores.resolve(&table.location)?;
    delete_files(session, &location).await?;
    remove_empty_directories(&location).await;
    Ok(())
}

async fn delete_files(session: &DriverSession, location: &Location) -> Result<()> {
    let shown = location.show();
    let failed = |source| firesteel_sources::from_store(source, &shown);
    let files: Vec<_> = location.store.list(Some(&location.path)).try_collect().await.map_err(failed)?;
    for file in files {
        match location.store.delete(&file.location).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(source) => return Err(failed(source)),
        }
    }
    session.application().caches.invalidate(&shown);
    Ok(())
}

/// TRUNCATE TABLE
pub(super) async fn truncate(
    session: &DriverSession,
    name: &[String],
    partition: &[(String, Option<Expr>)],
) -> Result<ReadyRows> {
    if !partition.is_empty() {
        return Err(SparkError::unsupported("TRUNCATE TABLE of a partition"));
    }
    let table = table_of(session, name).await?;
    if table.kind == TableKind::External {
        return Err(
            SparkError::new(&error_class::TRUNCATE_EXTERNAL_TABLE).param("tableIdentWithDB", quote(&table.name))
        );
    }
    if python_source::is_source_of(session, &table.format) {
        return Err(SparkError::new(&error_class::UNSUPPORTED_FEATURE_TABLE_OPERATION)
            .param("tableName", quote_name(&table.qualified_name()))
            .param("operation", "TRUNCATE TABLE"));
    }
    delete_files(session, &session.application().stores.resolve(&table.location)?).await?;
    Ok(ReadyRows::default())
}

/// `saveAsTable`
pub(super) async fn save(
    session: &DriverSession,
    write: &Write,
    name: &[String],
    format: &str,
    cancellation: &CancellationToken,
) -> Result<ReadyRows> {
    let table_name = session.catalog().table_name(name)?;
    let existing = session.catalog().shared().find_table(&table_name).await?;
    match (existing, write.mode) {
        (Some(_), SaveMode::Ignore) => Ok(ReadyRows::default()),
        (Some(_), SaveMode::ErrorIfExists) => {
            Err(SparkError::new(&error_class::TABLE_OR_VIEW_ALREADY_EXISTS).param("relationName", table_name.quoted()))
        }
        (Some(table), SaveMode::Append) => {
            let input = assign::by_name(session, &write.input, &table).await?;
            write::into_table(session, &table, &input, false, cancellation).await
        }
        (existing, _) => {
            let definition = CreateTable {
                name: name.to_vec(),
                format: Some(format.to_owned()),
                options: write.options.clone(),
                partition_by: write.partition_by.iter().map(|c| Expr::column([c.clone()])).collect(),
                query: Some(write.input.clone()),
                replace: existing.is_some(),
                ..empty_definition()
            };
            create(session, &definition, cancellation).await
        }
    }
}
