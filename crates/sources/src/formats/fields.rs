//! Columns compared by name, made nullable, or missing: files promise nothing.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::Field;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use firesteel_spec::types::EXISTING_VALUE;
use firesteel_spec::types_arrow::{METADATA_KEY, from_arrow_field};
use firesteel_spec::{DataType, StructField};

/// The same fields, nullable at every depth.
pub(crate) fn all_nullable(fields: &[StructField]) -> Vec<StructField> {
    fields
        .iter()
        .map(|field| StructField { nullable: true, data_type: nullable_type(&field.data_type), ..field.clone() })
        .collect()
}

/// The same type, nullable at every depth.
fn nullable_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Array(element, _) => DataType::Array(Box::new(nullable_type(element)), true),
        DataType::Map(key, value, _) => {
            DataType::Map(Box::new(nullable_type(key)), Box::new(nullable_type(value)), true)
        }
        DataType::Struct(fields) => DataType::Struct(all_nullable(fields)),
        other => other.clone(),
    }
}

/// Whether two names mean one column.
pub(crate) fn same_name(left: &str, right: &str, case_sensitive: bool) -> bool {
    left == right || (!case_sensitive && left.to_lowercase() == right.to_lowercase())
}

/// What a column has in a file without it: the default that it was added to its table with, else nothing.
pub(crate) fn value_added_later(field: &Field) -> DataFusionResult<Option<ScalarValue>> {
    if !field.metadata().contains_key(METADATA_KEY) {
        return Ok(None);
    }
    let Some(text) = from_arrow_field(field).and_then(|field| field.text(EXISTING_VALUE)) else { return Ok(None) };
    let text: ArrayRef = Arc::new(StringArray::from(vec![text]));
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let value = cast_with_options(&text, field.data_type(), &options).map_err(DataFusionError::from)?;
    ScalarValue::try_from_array(&value, 0).map(Some)
}
