//! Rows that are ready: what commands and catalog calls answer with.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::Schema;
use datafusion::common::ScalarValue;
use firesteel_model::Result;
use firesteel_spec::types_arrow::to_arrow_field;
use firesteel_spec::{DataType, Literal, StructField};

/// Rows under Spark's names and types.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadyRows {
    pub(crate) fields: Vec<StructField>,
    pub(crate) batches: Vec<RecordBatch>,
}

/// A column of such rows.
pub(crate) enum Column {
    /// STRING NOT NULL
    Text(&'static str, Vec<String>),
    /// STRING
    Nullable(&'static str, Vec<Option<String>>),
    /// BOOLEAN NOT NULL
    Flag(&'static str, Vec<bool>),
}

impl ReadyRows {
    /// Rows of these columns.
    pub(crate) fn of(columns: Vec<Column>) -> Result<Self> {
        let (mut fields, mut arrays): (Vec<StructField>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
        for column in columns {
            match column {
                Column::Text(name, values) => {
                    fields.push(StructField::new(name, DataType::STRING, false));
                    arrays.push(Arc::new(StringArray::from(values)));
                }
                Column::Nullable(name, values) => {
                    fields.push(StructField::new(name, DataType::STRING, true));
                    arrays.push(Arc::new(StringArray::from(values)));
                }
                Column::Flag(name, values) => {
                    fields.push(StructField::new(name, DataType::Boolean, false));
                    arrays.push(Arc::new(BooleanArray::from(values)));
                }
            }
        }
        Self::from_arrays(fields, arrays)
    }

    /// Rows of these arrays.
    pub(crate) fn from_arrays(fields: Vec<StructField>, arrays: Vec<ArrayRef>) -> Result<Self> {
        let schema = Schema::new(fields.iter().map(to_arrow_field).collect::<Vec<_>>());
        let batch = RecordBatch::try_new(Arc::new(schema), arrays).map_err(firesteel_functions::errors::from_arrow)?;
        Ok(Self { fields, batches: vec![batch] })
    }

    /// One row of one text.
    pub(crate) fn text(name: &'static str, value: String) -> Result<Self> {
        Self::of(vec![Column::Text(name, vec![value])])
    }
}

/// A value as a literal of its Spark type; what no literal holds becomes text.
pub(crate) fn literal_of(value: &ScalarValue, data_type: &DataType) -> Literal {
    match value {
        _ if value.is_null() => Literal::Null(data_type.clone()),
        ScalarValue::Boolean(Some(value)) => Literal::Boolean(*value),
        ScalarValue::Int8(Some(value)) => Literal::Byte(*value),
        ScalarValue::Int16(Some(value)) => Literal::Short(*value),
        ScalarValue::Int32(Some(value)) => Literal::Integer(*value),
        ScalarValue::Int64(Some(value)) => Literal::Long(*value),
        ScalarValue::Float32(Some(value)) => Literal::Float(*value),
        ScalarValue::Float64(Some(value)) => Literal::Double(*value),
        ScalarValue::Decimal128(Some(value), precision, scale) => Literal::Decimal(*value, *precision, *scale),
        ScalarValue::Utf8(Some(value)) => Literal::String(value.clone()),
        ScalarValue::Binary(Some(value)) => Literal::Binary(value.clone()),
        ScalarValue::Date32(Some(value)) => Literal::Date(*value),
        ScalarValue::TimestampMicrosecond(Some(value), Some(_)) => Literal::Timestamp(*value),
        ScalarValue::TimestampMicrosecond(Some(value), None) => Literal::TimestampNtz(*value),
        other => Literal::String(other.to_string()),
    }
}
