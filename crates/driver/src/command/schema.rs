//! CREATE, DROP, USE and ALTER SCHEMA.

use std::collections::BTreeMap;

use firesteel_catalog::{SESSION_CATALOG, SchemaMetadata, TableName};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::Command;
use firesteel_spec::types::quote;

use super::table;
use crate::rows::ReadyRows;
use crate::session::DriverSession;

pub(super) async fn run(session: &DriverSession, command: &Command) -> Result<ReadyRows> {
    let catalog = session.catalog();
    match command {
        Command::CreateSchema { name, if_not_exists, comment, location, properties } => {
            let schema = SchemaMetadata {
                name: catalog.schema_name(name)?,
                comment: comment.clone().unwrap_or_default(),
                location: location.clone().unwrap_or_default(),
                properties: properties.iter().cloned().collect::<BTreeMap<_, _>>(),
            };
            catalog.shared().create_schema(schema, *if_not_exists).await?;
        }
        Command::DropSchema { name, if_exists, cascade } => drop(session, name, *if_exists, *cascade).await?,
        Command::UseSchema { name } => catalog.use_schema(name).await?,
        Command::AlterSchema { name, properties, unset, location } => {
            let mut schema = catalog.shared().schema(&catalog.schema_name(name)?).await?;
            schema.properties.extend(properties.iter().cloned());
            schema.properties.retain(|key, _| !unset.contains(key));
            if let Some(location) = location {
                schema.location.clone_from(location);
            }
            catalog.shared().alter_schema(&schema).await?;
        }
        _ => return Err(SparkError::internal("this command is not about schemas")),
    }
    Ok(ReadyRows::default())
}

pub(super) fn use_catalog(name: &str) -> Result<ReadyRows> {
    if name.eq_ignore_ascii_case(SESSION_CATALOG) {
        return Ok(ReadyRows::default());
    }
    Err(SparkError::new(&error_class::CATALOG_NOT_FOUND).param("catalogName", quote(name)))
}

async fn drop(session: &DriverSession, name: &[String], if_exists: bool, cascade: bool) -> Result<()> {
    let schema = session.catalog().schema_name(name)?;
    let catalog = session.catalog().shared();
    if if_exists && catalog.find_schema(&schema).await?.is_none() {
        return Ok(());
    }
    let found = catalog.schema(&schema).await?;
    if found.name.eq_ignore_ascii_case(firesteel_catalog::DEFAULT_SCHEMA) {
        return Err(SparkError::new(&error_class::UNSUPPORTED_FEATURE_DROP_DATABASE).param("database", quote(&schema)));
    }
    if cascade {
        for stored in catalog.tables(&schema).await? {
            let name = TableName { schema: stored.schema_name, name: stored.name };
            table::drop_stored(session, &name).await?;
        }
    }
    catalog.drop_schema(&schema).await
}
