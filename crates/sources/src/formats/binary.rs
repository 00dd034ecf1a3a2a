//! Whole files as rows.

use std::sync::Arc;

use arrow::array::TimestampMicrosecondArray;
use arrow::array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::SchemaRef;
use firesteel_model::{Result, SparkError};
use firesteel_spec::types_arrow::INSTANT_ZONE;
use firesteel_spec::{DataType, StructField};
use object_store::{ObjectMeta, ObjectStoreExt};

use crate::error::{from_arrow, while_reading};
use crate::text::blocks::Source;

/// The columns of the format.
pub(crate) fn fields() -> Vec<StructField> {
    vec![
        StructField::new("path", DataType::STRING, true),
        StructField::new("modificationTime", DataType::Timestamp, true),
        StructField::new("length", DataType::Long, true),
        StructField::new("content", DataType::Binary, true),
    ]
}

/// The row of a file; its content is read only if asked for.
pub(crate) async fn read(source: Source, meta: ObjectMeta, schema: SchemaRef) -> Result<RecordBatch> {
    let mut columns: Vec<ArrayRef> = Vec::new();
    for field in schema.fields() {
        columns.push(match field.name().as_str() {
            "path" => Arc::new(StringArray::from(vec![source.shown.clone()])),
            "modificationTime" => {
                let modified = TimestampMicrosecondArray::from(vec![meta.last_modified.timestamp_micros()]);
                Arc::new(modified.with_timezone(INSTANT_ZONE))
            }
            "length" => Arc::new(Int64Array::from(vec![meta.size as i64])),
            "content" => {
                let result = source.store.get(&source.path).await;
                let result = result.map_err(|error| while_reading(error, &source.shown))?;
                let content = result.bytes().await.map_err(|error| while_reading(error, &source.shown))?;
                Arc::new(BinaryArray::from(vec![content.as_ref()]))
            }
            other => return Err(SparkError::unsupported(format!("the column {other} of binary files"))),
        });
    }
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    RecordBatch::try_new_with_options(schema, columns, &options).map_err(from_arrow)
}
