//! [`Catalog`]: what all sessions of an application share.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::types::quote;

use crate::metadata::{SchemaMetadata, TableKind, TableMetadata};
use crate::session::TemporaryView;
use crate::store::{Created, MetadataStore};

/// The one catalog there is.
pub const SESSION_CATALOG: &str = "spark_catalog";
/// The schema every session starts in.
pub const DEFAULT_SCHEMA: &str = "default";
/// The schema of views that all sessions see.
pub const GLOBAL_TEMP_SCHEMA: &str = "global_temp";

/// A table's schema and name, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableName {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
}

impl TableName {
    /// With catalog and schema, in back-quotes: what error parameters hold.
    pub fn quoted(&self) -> String {
        format!("`{SESSION_CATALOG}`.{}.{}", quote(&self.schema), quote(&self.name))
    }
}

/// Schemas, tables and views of an application.
#[derive(Debug)]
pub struct Catalog {
    store: MetadataStore,
    warehouse: String,
    global_views: RwLock<BTreeMap<String, TemporaryView>>,
}

impl Catalog {
    /// The catalog of a warehouse; its location has no slash at the end.
    pub fn new(store: MetadataStore, warehouse: impl Into<String>) -> Self {
        Self { store, warehouse: warehouse.into(), global_views: RwLock::default() }
    }

    /// Where managed tables lie.
    pub fn warehouse(&self) -> &str {
        &self.warehouse
    }

    /// Where a managed table of a schema lies.
    pub fn table_location(&self, schema: &SchemaMetadata, table: &str) -> String {
        format!("{}/{}", schema.location.trim_end_matches('/'), table.to_lowercase())
    }

    /// A schema's metadata.
    ///
    /// Errors: `SCHEMA_NOT_FOUND`.
    pub async fn schema(&self, name: &str) -> Result<SchemaMetadata> {
        self.find_schema(name).await?.ok_or_else(|| {
            SparkError::new(&error_class::SCHEMA_NOT_FOUND)
                .param("schemaName", format!("`{SESSION_CATALOG}`.{}", quote(name)))
        })
    }

    /// A schema's metadata, if it is there.
    pub async fn find_schema(&self, name: &str) -> Result<Option<SchemaMetadata>> {
        match self.store.schema(name).await? {
            None if name.eq_ignore_ascii_case(DEFAULT_SCHEMA) => Ok(Some(self.default_schema())),
            found => Ok(found),
        }
    }

    fn default_schema(&self) -> SchemaMetadata {
        SchemaMetadata {
            name: DEFAULT_SCHEMA.to_owned(),
            comment: "default database".to_owned(),
            location: self.warehouse.clone(),
            properties: BTreeMap::new(),
        }
    }

    /// All schemas, by name.
    pub async fn schemas(&self) -> Result<Vec<SchemaMetadata>> {
        let mut schemas = self.store.schemas().await?;
        if !schemas.iter().any(|s| s.name == DEFAULT_SCHEMA) {
            schemas.push(self.default_schema());
        }
        schemas.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(schemas)
    }

    /// Creates a schema; one without a location gets a folder in the warehouse.
    ///
    /// Errors: `SCHEMA_ALREADY_EXISTS`, unless `if_not_exists`.
    pub async fn create_schema(&self, mut schema: SchemaMetadata, if_not_exists: bool) -> Result<()> {
        if schema.location.is_empty() {
            schema.location = format!("{}/{}.db", self.warehouse, schema.name.to_lowercase());
        }
        let is_default = schema.name.eq_ignore_ascii_case(DEFAULT_SCHEMA);
        let created = if is_default { Created::ThereAlready } else { self.store.create_schema(&schema).await? };
        if created == Created::ThereAlready && !if_not_exists {
            return Err(SparkError::new(&error_class::SCHEMA_ALREADY_EXISTS).param("schemaName", quote(&schema.name)));
        }
        Ok(())
    }

    /// Replaces a schema's comment, location and properties.
    pub async fn alter_schema(&self, schema: &SchemaMetadata) -> Result<()> {
        self.store.replace_schema(schema).await
    }

    /// Forgets a schema; its tables must be gone.
    ///
    /// Errors: `SCHEMA_NOT_EMPTY`.
    pub async fn drop_schema(&self, name: &str) -> Result<()> {
        if !self.store.tables(name).await?.is_empty() {
            return Err(SparkError::new(&error_class::SCHEMA_NOT_EMPTY).param("schemaName", quote(name)));
        }
        self.store.delete_schema(name).await
    }

    /// A table's or view's metadata, if it is there.
    pub async fn find_table(&self, name: &TableName) -> Result<Option<TableMetadata>> {
        self.store.table(&name.schema, &name.name).await
    }

    /// A table's or view's metadata.
    ///
    /// Errors: `TABLE_OR_VIEW_NOT_FOUND`.
    pub async fn table(&self, name: &TableName) -> Result<TableMetadata> {
        self.find_table(name)
            .await?
            .ok_or_else(|| SparkError::new(&error_class::TABLE_OR_VIEW_NOT_FOUND).param("relationName", name.quoted()))
    }

    /// Tables and views of a schema, by name.
    pub async fn tables(&self, schema: &str) -> Result<Vec<TableMetadata>> {
        let mut tables = self.store.tables(schema).await?;
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(tables)
    }

    /// Adds a table or view.
    ///
    /// Errors: `TABLE_OR_VIEW_ALREADY_EXISTS`, `SCHEMA_NOT_FOUND`.
    pub async fn create_table(&self, table: &TableMetadata) -> Result<()> {
        self.schema(&table.schema_name).await?;
        match self.store.create_table(table).await? {
            Created::New => Ok(()),
            Created::ThereAlready => {
                let name = TableName { schema: table.schema_name.clone(), name: table.name.clone() };
                Err(SparkError::new(&error_class::TABLE_OR_VIEW_ALREADY_EXISTS).param("relationName", name.quoted()))
            }
        }
    }

    /// Replaces a table's or view's metadata, or adds it.
    pub async fn replace_table(&self, table: &TableMetadata) -> Result<()> {
        self.schema(&table.schema_name).await?;
        self.store.replace_table(table).await
    }

    /// Forgets a table or view and gives what it was; its files are the caller's.
    pub async fn drop_table(&self, name: &TableName) -> Result<TableMetadata> {
        let table = self.table(name).await?;
        self.store.delete_table(&name.schema, &name.name).await?;
        Ok(table)
    }

    /// Gives a table or view another name in the same or another schema; files of managed tables stay where they are.
    pub async fn rename_table(&self, from: &TableName, to: &TableName) -> Result<TableMetadata> {
        let mut table = self.table(from).await?;
        table.schema_name.clone_from(&to.schema);
        table.name.clone_from(&to.name);
        self.create_table(&table).await?;
        self.store.delete_table(&from.schema, &from.name).await?;
        Ok(table)
    }

    /// Whether a table is a view.
    pub fn is_view(table: &TableMetadata) -> bool {
        table.kind == TableKind::View
    }

    pub(crate) fn global_view(&self, name: &str) -> Option<TemporaryView> {
        self.global_views.read().unwrap_or_else(PoisonError::into_inner).get(&name.to_lowercase()).cloned()
    }

    pub(crate) fn set_global_view(&self, view: TemporaryView) {
        let mut views = self.global_views.write().unwrap_or_else(PoisonError::into_inner);
        views.insert(view.name.to_lowercase(), view);
    }

    pub(crate) fn remove_global_view(&self, name: &str) -> bool {
        self.global_views.write().unwrap_or_else(PoisonError::into_inner).remove(&name.to_lowercase()).is_some()
    }

    /// Views that all sessions see, by name.
    pub fn global_views(&self) -> Vec<TemporaryView> {
        self.global_views.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}
