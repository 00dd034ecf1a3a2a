//! Constants.

use datafusion::common::{Result, ScalarValue};
use prost::{Message, Oneof};

use super::arrow_bytes::{columns_from_bytes, columns_to_bytes};
use super::wire::lacks;

/// A value; the frequent types in short, the others as an Arrow array of one row.
#[derive(Clone, PartialEq, Message)]
pub(super) struct LiteralNode {
    #[prost(oneof = "LiteralValue", tags = "1, 2, 3, 4, 5, 6")]
    value: Option<LiteralValue>,
}

#[derive(Clone, PartialEq, Oneof)]
enum LiteralValue {
    #[prost(bool, tag = "1")]
    Boolean(bool),
    #[prost(sint32, tag = "2")]
    Int(i32),
    #[prost(sint64, tag = "3")]
    Long(i64),
    #[prost(double, tag = "4")]
    Double(f64),
    #[prost(string, tag = "5")]
    Text(String),
    #[prost(bytes, tag = "6")]
    Array(Vec<u8>),
}

impl LiteralNode {
    pub(super) fn new(value: &ScalarValue) -> Result<Self> {
        let value = match value {
            ScalarValue::Boolean(Some(value)) => LiteralValue::Boolean(*value),
            ScalarValue::Int32(Some(value)) => LiteralValue::Int(*value),
            ScalarValue::Int64(Some(value)) => LiteralValue::Long(*value),
            ScalarValue::Float64(Some(value)) => LiteralValue::Double(*value),
            ScalarValue::Utf8(Some(value)) => LiteralValue::Text(value.clone()),
            other => LiteralValue::Array(columns_to_bytes(&[other.to_array()?])?),
        };
        Ok(Self { value: Some(value) })
    }

    pub(super) fn read(&self) -> Result<ScalarValue> {
        Ok(match self.value.as_ref().ok_or_else(|| lacks("a constant"))? {
            LiteralValue::Boolean(value) => ScalarValue::Boolean(Some(*value)),
            LiteralValue::Int(value) => ScalarValue::Int32(Some(*value)),
            LiteralValue::Long(value) => ScalarValue::Int64(Some(*value)),
            LiteralValue::Double(value) => ScalarValue::Float64(Some(*value)),
            LiteralValue::Text(value) => ScalarValue::Utf8(Some(value.clone())),
            LiteralValue::Array(bytes) => {
                let columns = columns_from_bytes(bytes)?;
                ScalarValue::try_from_array(columns.first().ok_or_else(|| lacks("a constant"))?, 0)?
            }
        })
    }
}

/// Many values of one type.
pub(super) fn values_to_bytes(values: Vec<ScalarValue>) -> Result<Vec<u8>> {
    columns_to_bytes(&[ScalarValue::iter_to_array(values)?])
}

pub(super) fn values_from_bytes(bytes: &[u8]) -> Result<Vec<ScalarValue>> {
    let columns = columns_from_bytes(bytes)?;
    let column = columns.first().ok_or_else(|| lacks("constants"))?;
    (0..column.len()).map(|row| ScalarValue::try_from_array(column, row)).collect()
}
