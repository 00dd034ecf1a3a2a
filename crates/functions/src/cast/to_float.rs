//! Casts to FLOAT and DOUBLE.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Decimal128Type, Float32Type, Float64Type, Time64NanosecondType, TimestampMicrosecondType};
use firesteel_model::Result;
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::to_arrow;

use super::conversion::{Conversion, by_arrow, unknown};
use crate::number::{parse_double, parse_float};

pub(super) fn convert(conversion: &Conversion, array: &ArrayRef, from: &DataType, to: &DataType) -> Result<ArrayRef> {
    let is_double = *to == DataType::Double;
    Ok(match from {
        DataType::Boolean => by_arrow(&by_arrow(array, &DataType::Integer)?, to)?,
        from if from.is_integral() || matches!(from, DataType::Float | DataType::Double) => by_arrow(array, to)?,
        DataType::Decimal(_, scale) => {
            let values = array.as_primitive::<Decimal128Type>();
            if is_double {
                Arc::new(values.unary::<_, Float64Type>(|value| decimal_to_f64(value, *scale)))
            } else {
                Arc::new(values.unary::<_, Float32Type>(|value| decimal_to_f32(value, *scale)))
            }
        }
        DataType::Timestamp => {
            let micros = array.as_primitive::<TimestampMicrosecondType>();
            by_arrow(&(Arc::new(micros.unary::<_, Float64Type>(|value| value as f64 / 1e6)) as ArrayRef), to)?
        }
        DataType::Time(_) => {
            let nanos = array.as_primitive::<Time64NanosecondType>();
            by_arrow(&(Arc::new(nanos.unary::<_, Float64Type>(|value| value as f64 / 1e9)) as ArrayRef), to)?
        }
        DataType::Date => arrow::array::new_null_array(&to_arrow(to), array.len()),
        from if from.is_string() && is_double => conversion.each_text::<Float64Type>(array, to, parse_double)?,
        from if from.is_string() => conversion.each_text::<Float32Type>(array, to, parse_float)?,
        from => return Err(unknown(from, to)),
    })
}

/// The nearest DOUBLE.
pub(crate) fn decimal_to_f64(value: i128, scale: i8) -> f64 {
    // Both are exact below these bounds, so one division rounds once.
    if value.unsigned_abs() < 1 << 53 && (0..=22).contains(&scale) {
        return value as f64 / 10_f64.powi(i32::from(scale));
    }
    format!("{value}e{}", -i32::from(scale)).parse().unwrap_or(f64::NAN)
}

fn decimal_to_f32(value: i128, scale: i8) -> f32 {
    if value.unsigned_abs() < 1 << 24 && (0..=10).contains(&scale) {
        return value as f32 / 10_f32.powi(i32::from(scale));
    }
    format!("{value}e{}", -i32::from(scale)).parse().unwrap_or(f32::NAN)
}
