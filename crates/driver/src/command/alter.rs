//! ALTER TABLE, ALTER VIEW, COMMENT ON.

use firesteel_catalog::{TableKind, TableMetadata, TableName};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::StructField;
use firesteel_spec::command::{AlterTable, ColumnChange, ColumnPosition};
use firesteel_spec::types::quote;

use super::describe::table_of;
use super::{cache, defaults};
use crate::rows::ReadyRows;
use crate::session::DriverSession;

pub(super) async fn alter(
    session: &DriverSession,
    name: &[String],
    is_view: bool,
    change: &AlterTable,
) -> Result<ReadyRows> {
    let mut table = table_of(session, name).await?;
    if is_view != (table.kind == TableKind::View) && is_view {
        return Err(SparkError::new(&error_class::EXPECT_VIEW_NOT_TABLE_NO_ALTERNATIVE)
            .param("tableName", quote(&table.name))
            .param("operation", "ALTER VIEW"));
    }
    let catalog = session.catalog().shared();
    let old = TableName { schema: table.schema_name.clone(), name: table.name.clone() };
    if let AlterTable::Rename(to) = change {
        let mut to = session.catalog().table_name(to)?;
        to.schema.clone_from(&old.schema);
        let level = session.application().caches.level(session, &cache::table(name)).await?;
        catalog.rename_table(&old, &to).await?;
        session.application().caches.forget_stored(&table);
        if let Some(level) = level {
            let renamed = cache::table(&[to.schema.clone(), to.name.clone()]);
            session.application().caches.add(session, &renamed, level, false).await?;
        }
        return Ok(ReadyRows::default());
    }
    session.application().caches.forget_stored(&table);
    apply(session, &mut table, change).await?;
    catalog.replace_table(&table).await?;
    Ok(ReadyRows::default())
}

async fn apply(session: &DriverSession, table: &mut TableMetadata, change: &AlterTable) -> Result<()> {
    match change {
        AlterTable::SetProperties(properties) => {
            let (comments, others): (Vec<_>, Vec<_>) =
                properties.iter().cloned().partition(|(key, _)| key == "comment");
            if let Some((_, comment)) = comments.into_iter().next_back() {
                table.comment = Some(comment);
            }
            table.properties.extend(others);
        }
        AlterTable::UnsetProperties { keys, if_exists } => {
            for key in keys {
                let had_comment = key == "comment" && table.comment.take().is_some();
                if !had_comment && table.properties.remove(key).is_none() && !if_exists {
                    return Err(SparkError::new(&error_class::UNSET_NONEXISTENT_PROPERTIES)
                        .param("properties", format!("`{key}`"))
                        .param("table", quote(&table.name)));
                }
            }
        }
        AlterTable::SetLocation { partition, location } if partition.is_empty() => table.location.clone_from(location),
        AlterTable::AddColumns(added) => {
            let mut columns = table.columns()?;
            for (definition, parent, place) in added {
                if !parent.is_empty() {
                    return Err(SparkError::unsupported("adding fields inside a struct"));
                }
                if columns.iter().any(|c| c.name.eq_ignore_ascii_case(&definition.name)) {
                    return Err(SparkError::new(&error_class::COLUMN_ALREADY_EXISTS)
                        .param("columnName", quote(&definition.name)));
                }
                let default_place = columns.len() - table.partition_columns.len();
                let index = position(&columns, place.as_ref())?.unwrap_or(default_place);
                columns.insert(index, defaults::added(session, definition, &table.format).await?);
            }
            table.set_columns(&columns);
        }
        AlterTable::ReplaceColumns(replaced) => {
            let partitions = table.partition_columns.clone();
            let kept = table.columns()?.into_iter().filter(|c| partitions.contains(&c.name));
            let mut columns = Vec::new();
            for definition in replaced {
                columns.push(defaults::declared(session, definition, "ALTER TABLE REPLACE COLUMNS").await?);
            }
            columns.extend(kept);
            table.set_columns(&columns);
        }
        AlterTable::DropColumns { .. } | AlterTable::RenameColumn(..) => {
            return Err(SparkError::new(&error_class::UNSUPPORTED_FEATURE_TABLE_OPERATION)
                .param("tableName", quote(&table.name))
                .param("operation", "dropping and renaming columns: files keep their names"));
        }
        AlterTable::AlterColumn { column, change } => alter_column(session, table, column, change).await?,
        AlterTable::SchemaMode(mode) => {
            if let Some(view) = &mut table.view {
                view.schema_mode = Some(super::view::with_columns(*mode, !view.column_names.is_empty()));
            }
        }
        AlterTable::Unsupported(name) => return Err(SparkError::unsupported(name.clone())),
        AlterTable::AddPartitions { .. } | AlterTable::DropPartitions { .. } | AlterTable::RenamePartition { .. } => {
            return Err(SparkError::unsupported("ALTER TABLE on partitions: they are found by their folders"));
        }
        AlterTable::SetLocation { .. } => return Err(SparkError::unsupported("a location of one partition")),
        AlterTable::Rename(_) => {}
    }
    Ok(())
}

async fn alter_column(
    session: &DriverSession,
    table: &mut TableMetadata,
    column: &[String],
    change: &ColumnChange,
) -> Result<()> {
    let mut columns = table.columns()?;
    let name = column.join(".");
    let index = columns.iter().position(|c| c.name.eq_ignore_ascii_case(&name)).ok_or_else(|| {
        SparkError::new(&error_class::UNRESOLVED_COLUMN_WITH_SUGGESTION)
            .param("objectName", quote(&name))
            .param("proposal", columns.iter().map(|c| quote(&c.name)).collect::<Vec<_>>().join(", "))
    })?;
    match change {
        ColumnChange::Comment(comment) => {
            columns[index] = columns[index].clone().with_text("comment", Some(comment));
        }
        ColumnChange::Nullable(nullable) => columns[index].nullable = *nullable,
        ColumnChange::Position(place) => {
            let moved = columns.remove(index);
            let index = position(&columns, Some(place))?.unwrap_or(columns.len());
            columns.insert(index, moved);
        }
        ColumnChange::Type(data_type) if *data_type == columns[index].data_type => {}
        ColumnChange::Type(_) => return Err(SparkError::unsupported("changing the type of a column of files")),
        ColumnChange::Default(default) => {
            columns[index] = defaults::changed(session, columns[index].clone(), default.as_ref()).await?;
        }
    }
    table.set_columns(&columns);
    Ok(())
}

fn position(columns: &[StructField], place: Option<&ColumnPosition>) -> Result<Option<usize>> {
    match place {
        None => Ok(None),
        Some(ColumnPosition::First) => Ok(Some(0)),
        Some(ColumnPosition::After(name)) => {
            let index = columns.iter().position(|c| c.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
                SparkError::new(&error_class::UNRESOLVED_COLUMN_WITHOUT_SUGGESTION).param("objectName", quote(name))
            })?;
            Ok(Some(index + 1))
        }
    }
}

/// COMMENT ON
pub(super) async fn comment(
    session: &DriverSession,
    name: &[String],
    is_schema: bool,
    comment: Option<&str>,
) -> Result<ReadyRows> {
    let catalog = session.catalog().shared();
    if is_schema {
        let mut schema = catalog.schema(&session.catalog().schema_name(name)?).await?;
        schema.comment = comment.unwrap_or_default().to_owned();
        catalog.alter_schema(&schema).await?;
    } else {
        let mut table = table_of(session, name).await?;
        table.comment = comment.map(str::to_owned);
        catalog.replace_table(&table).await?;
    }
    Ok(ReadyRows::default())
}
