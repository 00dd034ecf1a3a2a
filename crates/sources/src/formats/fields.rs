//! Columns compared by name, and made nullable: files promise nothing.

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
