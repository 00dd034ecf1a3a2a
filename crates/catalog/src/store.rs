//! [`MetadataStore`]: a JSON object per schema and table, in an object store.

use std::sync::Arc;

use bytes::Bytes;
use firesteel_model::{Result, SparkError};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use crate::metadata::{SchemaMetadata, TableMetadata};

/// Folder of the metadata inside the warehouse; hidden from readers of files by its first character.
const FOLDER: &str = "_firesteel_catalog";

/// Metadata that lasts.
///
/// Guarantees: an object is written whole or not at all; `create` never replaces one. Assumptions: the store's own
/// time-outs and retries bound every call.
#[derive(Clone, Debug)]
pub struct MetadataStore {
    store: Arc<dyn ObjectStore>,
    root: Path,
}

/// Whether an object of the name was there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Created {
    New,
    ThereAlready,
}

impl MetadataStore {
    /// Metadata of the warehouse at `warehouse` in `store`.
    pub fn new(store: Arc<dyn ObjectStore>, warehouse: &Path) -> Self {
        Self { store, root: warehouse.clone().join(FOLDER) }
    }

    fn schema_path(&self, name: &str) -> Path {
        self.root.clone().join(name.to_lowercase()).join("_schema.json")
    }

    fn table_path(&self, schema: &str, name: &str) -> Path {
        self.root.clone().join(schema.to_lowercase()).join(format!("{}.table.json", name.to_lowercase()))
    }

    pub(crate) async fn create_schema(&self, schema: &SchemaMetadata) -> Result<Created> {
        self.put(&self.schema_path(&schema.name), schema, PutMode::Create).await
    }

    pub(crate) async fn replace_schema(&self, schema: &SchemaMetadata) -> Result<()> {
        self.put(&self.schema_path(&schema.name), schema, PutMode::Overwrite).await.map(|_| ())
    }

    pub(crate) async fn schema(&self, name: &str) -> Result<Option<SchemaMetadata>> {
        self.get(&self.schema_path(name)).await
    }

    pub(crate) async fn delete_schema(&self, name: &str) -> Result<()> {
        self.delete(&self.schema_path(name)).await
    }

    pub(crate) async fn schemas(&self) -> Result<Vec<SchemaMetadata>> {
        let folders = self.store.list_with_delimiter(Some(&self.root)).await.map_err(failed)?.common_prefixes;
        let mut schemas = Vec::new();
        for folder in folders {
            schemas.extend(self.get(&folder.join("_schema.json")).await?);
        }
        Ok(schemas)
    }

    pub(crate) async fn create_table(&self, table: &TableMetadata) -> Result<Created> {
        self.put(&self.table_path(&table.schema_name, &table.name), table, PutMode::Create).await
    }

    pub(crate) async fn replace_table(&self, table: &TableMetadata) -> Result<()> {
        self.put(&self.table_path(&table.schema_name, &table.name), table, PutMode::Overwrite).await.map(|_| ())
    }

    pub(crate) async fn table(&self, schema: &str, name: &str) -> Result<Option<TableMetadata>> {
        self.get(&self.table_path(schema, name)).await
    }

    pub(crate) async fn delete_table(&self, schema: &str, name: &str) -> Result<()> {
        self.delete(&self.table_path(schema, name)).await
    }

    pub(crate) async fn tables(&self, schema: &str) -> Result<Vec<TableMetadata>> {
        let folder = self.root.clone().join(schema.to_lowercase());
        let objects: Vec<_> = self.store.list(Some(&folder)).try_collect().await.map_err(failed)?;
        let mut tables = Vec::new();
        for object in objects.iter().filter(|o| o.location.as_ref().ends_with(".table.json")) {
            tables.extend(self.get(&object.location).await?);
        }
        Ok(tables)
    }

    async fn put(&self, path: &Path, value: &impl serde::Serialize, mode: PutMode) -> Result<Created> {
        let text = serde_json::to_vec_pretty(value)
            .map_err(|source| SparkError::internal("table metadata cannot be written as JSON").source(source))?;
        let options = PutOptions { mode, ..PutOptions::default() };
        match self.store.put_opts(path, PutPayload::from(Bytes::from(text)), options).await {
            Ok(_) => Ok(Created::New),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Created::ThereAlready),
            Err(source) => Err(failed(source)),
        }
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: &Path) -> Result<Option<T>> {
        let bytes = match self.store.get(path).await {
            Ok(found) => found.bytes().await.map_err(failed)?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(source) => return Err(failed(source)),
        };
        let value = serde_json::from_slice(&bytes).map_err(|source| {
            SparkError::internal(format!("the table metadata at {path} is damaged")).source(source)
        })?;
        Ok(Some(value))
    }

    async fn delete(&self, path: &Path) -> Result<()> {
        match self.store.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(failed(source)),
        }
    }
}

fn failed(source: object_store::Error) -> SparkError {
    SparkError::internal("the warehouse's metadata cannot be reached").retryable().source(source)
}
