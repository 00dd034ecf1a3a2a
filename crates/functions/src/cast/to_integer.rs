//! Casts to TINYINT, SMALLINT, INT and BIGINT: to 64 bits first, then narrower.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{
    Decimal128Type, DurationMicrosecondType, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalYearMonthType, Time64NanosecondType, TimestampMicrosecondType,
};
use firesteel_model::Result;
use firesteel_spec::DataType;
use firesteel_spec::types::{DayTimeField, YearMonthField};

use super::conversion::{Conversion, Mode, by_arrow, unknown};
use crate::datetime::civil::MICROS_PER_SECOND;
use crate::number::parse_integer;

pub(super) fn convert(conversion: &Conversion, array: &ArrayRef, from: &DataType, to: &DataType) -> Result<ArrayRef> {
    let (min, max) = bounds(to);
    let is_legacy = conversion.mode == Mode::Legacy;
    let overflow = |row| conversion.overflow(array, row, from, to);
    let longs = match from {
        DataType::Byte | DataType::Short | DataType::Integer | DataType::Long | DataType::Boolean => {
            by_arrow(array, &DataType::Long)?
        }
        DataType::Float | DataType::Double => {
            let doubles = by_arrow(array, &DataType::Double)?;
            let doubles = doubles.as_primitive::<Float64Type>();
            if is_legacy {
                Arc::new(doubles.unary::<_, Int64Type>(|value| saturated(value, to)))
            } else {
                let fits = |value: f64| value.floor() <= max as f64 && value.ceil() >= min as f64;
                conversion.each::<_, Int64Type>(doubles, |value| fits(value).then_some(value as i64), overflow)?
            }
        }
        DataType::Decimal(_, scale) => decimal(conversion, array, *scale, overflow)?,
        DataType::Timestamp => {
            let micros = array.as_primitive::<TimestampMicrosecondType>();
            Arc::new(micros.unary::<_, Int64Type>(|value| value.div_euclid(MICROS_PER_SECOND)))
        }
        DataType::Time(_) => {
            let nanos = array.as_primitive::<Time64NanosecondType>();
            Arc::new(nanos.unary::<_, Int64Type>(|value| value / 1_000_000_000))
        }
        DataType::Date => {
            return Ok(arrow::array::new_null_array(&firesteel_spec::types_arrow::to_arrow(to), array.len()));
        }
        DataType::YearMonthInterval(_, end) => {
            let by = if *end == YearMonthField::Year { 12 } else { 1 };
            let months = array.as_primitive::<IntervalYearMonthType>();
            Arc::new(months.unary::<_, Int64Type>(|value| i64::from(value / by)))
        }
        DataType::DayTimeInterval(_, end) => {
            let by = day_time_unit(*end);
            Arc::new(array.as_primitive::<DurationMicrosecondType>().unary::<_, Int64Type>(|value| value / by))
        }
        from if from.is_string() => {
            return texts(conversion, array, to, is_legacy, (min, max));
        }
        from => return Err(unknown(from, to)),
    };
    let wraps = is_legacy && !matches!(from, DataType::Time(_));
    let error = |row| conversion.overflow(array, row, from, to);
    match from {
        DataType::YearMonthInterval(..) | DataType::DayTimeInterval(..) => {
            narrow(&conversion.strict(), longs, to, false, error)
        }
        _ => narrow(conversion, longs, to, wraps, error),
    }
}

fn narrow(
    conversion: &Conversion,
    longs: ArrayRef,
    to: &DataType,
    wraps: bool,
    error: impl Fn(usize) -> firesteel_model::SparkError,
) -> Result<ArrayRef> {
    let values = longs.as_primitive::<Int64Type>();
    Ok(match to {
        DataType::Long => longs,
        DataType::Integer if wraps => Arc::new(values.unary::<_, Int32Type>(|value| value as i32)),
        DataType::Short if wraps => Arc::new(values.unary::<_, Int16Type>(|value| value as i16)),
        DataType::Byte if wraps => Arc::new(values.unary::<_, Int8Type>(|value| value as i8)),
        DataType::Integer => conversion.each::<_, Int32Type>(values, |value| i32::try_from(value).ok(), error)?,
        DataType::Short => conversion.each::<_, Int16Type>(values, |value| i16::try_from(value).ok(), error)?,
        _ => conversion.each::<_, Int8Type>(values, |value| i8::try_from(value).ok(), error)?,
    })
}

fn texts(
    conversion: &Conversion,
    array: &ArrayRef,
    to: &DataType,
    cut: bool,
    (min, max): (i64, i64),
) -> Result<ArrayRef> {
    let parse = |text: &str| parse_integer(text, min, max, cut);
    match to {
        DataType::Byte => conversion.each_text::<Int8Type>(array, to, |text| parse(text).map(|value| value as i8)),
        DataType::Short => conversion.each_text::<Int16Type>(array, to, |text| parse(text).map(|value| value as i16)),
        DataType::Integer => conversion.each_text::<Int32Type>(array, to, |text| parse(text).map(|value| value as i32)),
        _ => conversion.each_text::<Int64Type>(array, to, parse),
    }
}

fn decimal(
    conversion: &Conversion,
    array: &ArrayRef,
    scale: i8,
    error: impl Fn(usize) -> firesteel_model::SparkError,
) -> Result<ArrayRef> {
    let values: &PrimitiveArray<Decimal128Type> = array.as_primitive();
    let factor = 10_i128.pow(u32::from(scale.unsigned_abs()));
    let whole = move |value: i128| if scale >= 0 { value / factor } else { value.wrapping_mul(factor) };
    if conversion.mode == Mode::Legacy {
        return Ok(Arc::new(values.unary::<_, Int64Type>(|value| whole(value) as i64)));
    }
    conversion.each::<_, Int64Type>(values, |value| i64::try_from(whole(value)).ok(), error)
}

/// Java's conversion: out of range gives the nearest INT or BIGINT, NaN gives 0; narrower types wrap after that.
fn saturated(value: f64, to: &DataType) -> i64 {
    if *to == DataType::Long { value as i64 } else { i64::from(value as i32) }
}

pub(super) fn bounds(to: &DataType) -> (i64, i64) {
    match to {
        DataType::Byte => (i64::from(i8::MIN), i64::from(i8::MAX)),
        DataType::Short => (i64::from(i16::MIN), i64::from(i16::MAX)),
        DataType::Integer => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    }
}

/// Microseconds of an interval's last field.
pub(super) fn day_time_unit(field: DayTimeField) -> i64 {
    use crate::datetime::civil::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE};
    match field {
        DayTimeField::Day => MICROS_PER_DAY,
        DayTimeField::Hour => MICROS_PER_HOUR,
        DayTimeField::Minute => MICROS_PER_MINUTE,
        DayTimeField::Second => MICROS_PER_SECOND,
    }
}
