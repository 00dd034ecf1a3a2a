//! `_metadata`: what is known of the file that a row is from.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, StructArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType as ArrowType, Fields};
use datafusion::common::ScalarValue;
use firesteel_model::Result;
use firesteel_spec::types::FILE_METADATA;
use firesteel_spec::types_arrow::{INSTANT_ZONE, to_arrow};
use firesteel_spec::{DataType, StructField};
use object_store::ObjectMeta;

use crate::error::from_arrow;
use crate::stores::Location;

/// The hidden column of every table of files.
pub fn field() -> StructField {
    StructField::new(FILE_METADATA, data_type(), false)
}

fn data_type() -> DataType {
    let field = |name: &str, data_type: DataType| StructField::new(name, data_type, false);
    DataType::Struct(vec![
        field("file_path", DataType::STRING),
        field("file_name", DataType::STRING),
        field("file_size", DataType::Long),
        field("file_block_start", DataType::Long),
        field("file_block_length", DataType::Long),
        field("file_modification_time", DataType::Timestamp),
    ])
}

/// Its value in the part of a file that begins at `start`.
pub(super) fn value(location: &Location, file: &ObjectMeta, start: u64, length: u64) -> Result<ScalarValue> {
    let text = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text.to_owned()])) };
    let number = |number: u64| -> ArrayRef { Arc::new(Int64Array::from(vec![number.cast_signed()])) };
    let modified = TimestampMicrosecondArray::from(vec![file.last_modified.timestamp_micros()]);
    let values = vec![
        text(&location.at(file.location.clone()).show()),
        text(file.location.filename().unwrap_or_default()),
        number(file.size),
        number(start),
        number(length),
        Arc::new(modified.with_timezone(INSTANT_ZONE)),
    ];
    let fields = match to_arrow(&data_type()) {
        ArrowType::Struct(fields) => fields,
        _ => Fields::empty(),
    };
    let made = StructArray::try_new(fields, values, None).map_err(from_arrow)?;
    Ok(ScalarValue::Struct(Arc::new(made)))
}
