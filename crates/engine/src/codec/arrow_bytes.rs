//! Schemas, types, arrays and batches as Arrow IPC streams.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;

use super::wire::lacks;

/// A schema, metadata included.
pub(super) fn schema_to_bytes(schema: &Schema) -> Result<Vec<u8>> {
    Ok(StreamWriter::try_new(Vec::new(), schema)?.into_inner()?)
}

pub(super) fn schema_from_bytes(bytes: &[u8]) -> Result<SchemaRef> {
    Ok(StreamReader::try_new(bytes, None)?.schema())
}

/// A field, metadata included.
pub(super) fn field_to_bytes(field: &FieldRef) -> Result<Vec<u8>> {
    schema_to_bytes(&Schema::new(vec![Arc::clone(field)]))
}

pub(super) fn field_from_bytes(bytes: &[u8]) -> Result<FieldRef> {
    schema_from_bytes(bytes)?.fields().first().cloned().ok_or_else(|| lacks("a field"))
}

/// Batches of one schema; no batches are no bytes.
pub(super) fn batches_to_bytes(batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let mut writer = StreamWriter::try_new(Vec::new(), &first.schema())?;
    for batch in batches {
        writer.write(batch)?;
    }
    Ok(writer.into_inner()?)
}

pub(super) fn batches_from_bytes(bytes: &[u8]) -> Result<Vec<RecordBatch>> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    Ok(StreamReader::try_new(bytes, None)?.collect::<std::result::Result<_, _>>()?)
}

/// Arrays of equal length; no arrays are no bytes.
pub(crate) fn columns_to_bytes(columns: &[ArrayRef]) -> Result<Vec<u8>> {
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let field = |(i, column): (usize, &ArrayRef)| Field::new(i.to_string(), column.data_type().clone(), true);
    let schema = Schema::new(columns.iter().enumerate().map(field).collect::<Vec<_>>());
    batches_to_bytes(&[RecordBatch::try_new(Arc::new(schema), columns.to_vec())?])
}

pub(crate) fn columns_from_bytes(bytes: &[u8]) -> Result<Vec<ArrayRef>> {
    match batches_from_bytes(bytes)?.first() {
        Some(batch) => Ok(batch.columns().to_vec()),
        None => Ok(Vec::new()),
    }
}
