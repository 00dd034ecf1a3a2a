//! Casts to DECIMAL: HALF_UP, and nothing that does not fit.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array};
use arrow::datatypes::{
    Decimal128Type, DurationMicrosecondType, Float64Type, Int64Type, IntervalYearMonthType, Time64NanosecondType,
    TimestampMicrosecondType, i256,
};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;
use firesteel_spec::types::{DayTimeField, YearMonthField};
use firesteel_spec::types_arrow::to_arrow;

use super::conversion::{Conversion, by_arrow, invalid_text, unknown};
use super::to_integer::day_time_unit;
use crate::errors::from_arrow;
use crate::number::{parse_big_decimal, rescale, write_decimal, write_double};

pub(super) fn convert(
    conversion: &Conversion,
    array: &ArrayRef,
    from: &DataType,
    precision: u8,
    scale: i8,
) -> Result<ArrayRef> {
    let to = DataType::Decimal(precision, scale);
    let decimal = match from {
        from if from.is_integral() || *from == DataType::Boolean => {
            let longs = by_arrow(array, &DataType::Long)?;
            whole(conversion, longs.as_primitive::<Int64Type>(), 0, precision, scale)?
        }
        DataType::Decimal(_, before) => {
            let values = array.as_primitive::<Decimal128Type>();
            decimals(conversion, values, *before, precision, scale)?
        }
        DataType::Float => {
            // Through its own shortest digits, not those of the DOUBLE.
            let values = array.as_primitive::<arrow::datatypes::Float32Type>();
            let convert = |value: f32| {
                let mut text = String::new();
                crate::number::write_float(&mut text, value);
                text
            };
            floats(conversion, array, values.len(), |row| convert(values.value(row)), precision, scale)?
        }
        DataType::Double => {
            let values = array.as_primitive::<Float64Type>();
            floats(conversion, array, values.len(), |row| double_text(values.value(row)), precision, scale)?
        }
        DataType::Timestamp => {
            let values = array.as_primitive::<TimestampMicrosecondType>();
            let seconds = |row| double_text(values.value(row) as f64 / 1e6);
            floats(conversion, array, values.len(), seconds, precision, scale)?
        }
        DataType::Time(_) => {
            let nanos = array.as_primitive::<Time64NanosecondType>();
            whole(conversion, &nanos.unary::<_, Int64Type>(|value| value), 9, precision, scale)?
        }
        DataType::YearMonthInterval(_, end) => {
            let by = if *end == YearMonthField::Year { 12 } else { 1 };
            let months =
                array.as_primitive::<IntervalYearMonthType>().unary::<_, Int64Type>(|value| i64::from(value / by));
            whole(&conversion.strict(), &months, 0, precision, scale)?
        }
        DataType::DayTimeInterval(_, end) => {
            let micros = array.as_primitive::<DurationMicrosecondType>();
            let (by, digits) = if *end == DayTimeField::Second { (1, 6) } else { (day_time_unit(*end), 0) };
            whole(&conversion.strict(), &micros.unary::<_, Int64Type>(|value| value / by), digits, precision, scale)?
        }
        DataType::Date => return Ok(arrow::array::new_null_array(&to_arrow(&to), array.len())),
        from if from.is_string() => texts(conversion, array, precision, scale)?,
        from => return Err(unknown(from, &to)),
    };
    Ok(Arc::new(decimal.with_precision_and_scale(precision, scale).map_err(from_arrow)?))
}

fn texts(conversion: &Conversion, array: &ArrayRef, precision: u8, scale: i8) -> Result<Decimal128Array> {
    let texts = array.as_string::<i32>();
    let to = DataType::Decimal(precision, scale);
    let mut values = Vec::with_capacity(texts.len());
    for text in texts {
        let Some(text) = text else {
            values.push(None);
            continue;
        };
        values.push(match parse_big_decimal(text) {
            None => conversion.refuse(|| invalid_text(text, &to))?,
            Some((value, before)) => match rescale(value, before, i32::from(scale), precision) {
                None => conversion.refuse(|| out_of_range(plain(value, before), precision, scale))?,
                found => found,
            },
        });
    }
    Ok(Decimal128Array::from(values))
}

fn double_text(value: f64) -> String {
    let mut text = String::new();
    write_double(&mut text, value);
    text
}

/// NaN and the infinities are NULL in every mode, as in Spark.
fn floats(
    conversion: &Conversion,
    array: &ArrayRef,
    rows: usize,
    text_of: impl Fn(usize) -> String,
    precision: u8,
    scale: i8,
) -> Result<Decimal128Array> {
    let mut values = Vec::with_capacity(rows);
    for row in 0..rows {
        if array.is_null(row) {
            values.push(None);
            continue;
        }
        values.push(match parse_big_decimal(&text_of(row)) {
            None => None,
            Some((value, before)) => match rescale(value, before, i32::from(scale), precision) {
                None => conversion.refuse(|| out_of_range(plain(value, before), precision, scale))?,
                found => found,
            },
        });
    }
    Ok(Decimal128Array::from(values))
}

fn whole(
    conversion: &Conversion,
    values: &arrow::array::Int64Array,
    before: i8,
    precision: u8,
    scale: i8,
) -> Result<Decimal128Array> {
    let wide = values.unary::<_, Decimal128Type>(i128::from);
    decimals(conversion, &wide, before, precision, scale)
}

fn decimals(
    conversion: &Conversion,
    values: &Decimal128Array,
    before: i8,
    precision: u8,
    scale: i8,
) -> Result<Decimal128Array> {
    let limit = 10_i128.pow(u32::from(precision));
    let by = i32::from(scale) - i32::from(before);
    let factor = (by.unsigned_abs() <= 38).then(|| 10_i128.pow(by.unsigned_abs()));
    let fits = |value: i128| (value > -limit && value < limit).then_some(value);
    let moved: Decimal128Array = match factor {
        Some(factor) if by >= 0 => values.unary_opt(|value| value.checked_mul(factor).and_then(fits)),
        Some(factor) => values.unary_opt(|value| fits(divide_half_up(value, factor))),
        None => {
            values.unary_opt(|value| rescale(i256::from_i128(value), i32::from(before), i32::from(scale), precision))
        }
    };
    conversion.check_nulls(values, &moved, |row| {
        let mut text = String::new();
        write_decimal(&mut text, values.value(row), before, true);
        out_of_range(text, precision, scale)
    })?;
    Ok(moved)
}

fn divide_half_up(value: i128, divisor: i128) -> i128 {
    let (quotient, remainder) = (value / divisor, value % divisor);
    if remainder.unsigned_abs() * 2 >= divisor.unsigned_abs() { quotient + value.signum() } else { quotient }
}

fn plain(value: i256, scale: i32) -> String {
    let digits = value.wrapping_abs().to_string();
    let sign = if value < i256::ZERO { "-" } else { "" };
    if scale <= 0 {
        let zeros = if value == i256::ZERO { 0 } else { scale.unsigned_abs().min(400) as usize };
        return format!("{sign}{digits}{}", "0".repeat(zeros));
    }
    let scale = scale as usize;
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// `NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION`
pub(crate) fn out_of_range(value: String, precision: u8, scale: i8) -> SparkError {
    SparkError::new(&error_class::NUMERIC_VALUE_OUT_OF_RANGE_WITH_SUGGESTION)
        .param("value", value)
        .param("precision", precision.to_string())
        .param("scale", scale.to_string())
        .param("config", "\"spark.sql.ansi.enabled\"")
}

/// The same about a value wider than any DECIMAL.
pub(crate) fn wide_out_of_range(value: i256, value_scale: i32, precision: u8, scale: i8) -> SparkError {
    out_of_range(plain(value, value_scale), precision, scale)
}
