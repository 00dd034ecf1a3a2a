//! `df.write` and `df.writeTo`.

use firesteel_model::{Result, SparkError};
use firesteel_spec::Relation;
use firesteel_spec::command::{Command, SaveMode, Write, WriteTarget, WriteTo, WriteToMode};
use spark_connect_proto as proto;
use spark_connect_proto::write_operation::save_table::TableSaveMethod;
use spark_connect_proto::write_operation::{SaveMode as ModeMessage, SaveType};
use spark_connect_proto::write_operation_v2::Mode;

use super::expression::{expression, expressions};
use super::relation::relation;
use super::{missing, name, sorted};

/// `df.write`
pub(crate) fn write(message: proto::WriteOperation) -> Result<Command> {
    if message.with_schema_evolution {
        return Err(SparkError::unsupported("writing with schema evolution"));
    }
    let mode = match message.mode() {
        ModeMessage::Append => SaveMode::Append,
        ModeMessage::Overwrite => SaveMode::Overwrite,
        ModeMessage::Ignore => SaveMode::Ignore,
        ModeMessage::ErrorIfExists | ModeMessage::Unspecified => SaveMode::ErrorIfExists,
    };
    Ok(Command::Write(Write {
        input: rows(message.input)?,
        format: message.source.filter(|source| !source.is_empty()),
        target: message.save_type.map_or(Ok(WriteTarget::None), target)?,
        mode,
        partition_by: message.partitioning_columns,
        bucket_by: message.bucket_by.map(|bucket| (bucket.num_buckets, bucket.bucket_column_names)),
        sort_by: message.sort_column_names,
        cluster_by: message.clustering_columns,
        options: sorted(message.options),
    }))
}

/// `df.writeTo`
pub(crate) fn write_to(message: proto::WriteOperationV2) -> Result<Command> {
    if message.with_schema_evolution {
        return Err(SparkError::unsupported("writing with schema evolution"));
    }
    if !message.clustering_columns.is_empty() {
        return Err(SparkError::unsupported("DataFrameWriterV2.clusterBy"));
    }
    let mode = match message.mode() {
        Mode::Create => WriteToMode::Create,
        Mode::Replace => WriteToMode::Replace,
        Mode::CreateOrReplace => WriteToMode::CreateOrReplace,
        Mode::Append => WriteToMode::Append,
        Mode::OverwritePartitions => WriteToMode::OverwritePartitions,
        Mode::Overwrite => {
            let condition = message.overwrite_condition.ok_or_else(|| missing("the condition of an overwrite"))?;
            WriteToMode::Overwrite(expression(condition)?)
        }
        Mode::Unspecified => return Err(missing("the mode of a write")),
    };
    Ok(Command::WriteTo(WriteTo {
        input: rows(message.input)?,
        table: name::parts(&message.table_name)?,
        format: message.provider.filter(|provider| !provider.is_empty()),
        mode,
        partition_by: expressions(message.partitioning_columns)?,
        options: sorted(message.options),
        properties: sorted(message.table_properties),
    }))
}

fn target(target: SaveType) -> Result<WriteTarget> {
    match target {
        SaveType::Path(path) => Ok(WriteTarget::Path(path)),
        SaveType::Table(table) => {
            let parts = name::parts(&table.table_name)?;
            match table.save_method() {
                TableSaveMethod::SaveAsTable => Ok(WriteTarget::Table(parts)),
                TableSaveMethod::InsertInto => Ok(WriteTarget::InsertInto(parts)),
                TableSaveMethod::Unspecified => Err(missing("the save method of a table")),
            }
        }
    }
}

fn rows(message: Option<proto::Relation>) -> Result<Relation> {
    relation(message.ok_or_else(|| missing("the input of a write"))?)
}
