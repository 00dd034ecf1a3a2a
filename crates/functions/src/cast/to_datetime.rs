//! Casts to DATE, TIMESTAMP, TIMESTAMP_NTZ and TIME.

use std::sync::Arc;
use std::time::SystemTime;

use arrow::array::{ArrayRef, AsArray, TimestampMicrosecondArray};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, Time64NanosecondType, TimestampMicrosecondType,
};
use firesteel_model::{ExceptionKind, Result, SparkError, error_class};
use firesteel_spec::types_arrow::INSTANT_ZONE;
use firesteel_spec::{DataType, Literal};

use super::conversion::{Conversion, by_arrow, invalid_value, unknown};
use crate::datetime::civil::{MICROS_PER_DAY, MICROS_PER_SECOND};
use crate::datetime::{parse_date, parse_time, parse_timestamp, parse_timestamp_ntz};
use crate::literal;

pub(super) fn date(conversion: &Conversion, array: &ArrayRef, from: &DataType) -> Result<ArrayRef> {
    Ok(match from {
        DataType::Timestamp => {
            let micros = array.as_primitive::<TimestampMicrosecondType>();
            Arc::new(micros.unary::<_, Date32Type>(|value| day(conversion.zone.to_local(value))))
        }
        DataType::TimestampNtz => {
            Arc::new(array.as_primitive::<TimestampMicrosecondType>().unary::<_, Date32Type>(day))
        }
        from if from.is_string() => conversion.each_text::<Date32Type>(array, &DataType::Date, parse_date)?,
        from => return Err(unknown(from, &DataType::Date)),
    })
}

fn day(local_us: i64) -> i32 {
    local_us.div_euclid(MICROS_PER_DAY) as i32
}

pub(super) fn timestamp(conversion: &Conversion, array: &ArrayRef, from: &DataType) -> Result<ArrayRef> {
    let to = DataType::Timestamp;
    let micros: ArrayRef = match from {
        DataType::Date => conversion.each::<_, TimestampMicrosecondType>(
            array.as_primitive::<Date32Type>(),
            |days| Some(conversion.zone.to_instant(i64::from(days).checked_mul(MICROS_PER_DAY)?)),
            |_| far(),
        )?,
        DataType::TimestampNtz => {
            let local = array.as_primitive::<TimestampMicrosecondType>();
            Arc::new(local.unary::<_, TimestampMicrosecondType>(|value| conversion.zone.to_instant(value)))
        }
        from if from.is_integral() => {
            let seconds = by_arrow(array, &DataType::Long)?;
            let seconds = seconds.as_primitive::<Int64Type>();
            Arc::new(seconds.unary::<_, TimestampMicrosecondType>(|value| value.saturating_mul(MICROS_PER_SECOND)))
        }
        DataType::Boolean => {
            // One microsecond, not one second.
            let values = by_arrow(array, &DataType::Long)?;
            Arc::new(values.as_primitive::<Int64Type>().unary::<_, TimestampMicrosecondType>(|value| value))
        }
        DataType::Float | DataType::Double => {
            let seconds = by_arrow(array, &DataType::Double)?;
            let seconds = seconds.as_primitive::<Float64Type>();
            conversion.each::<_, TimestampMicrosecondType>(
                seconds,
                |value| value.is_finite().then_some((value * 1e6) as i64),
                |row| {
                    let value = literal::message_text(&Literal::Double(seconds.value(row)), "UTC");
                    invalid_value(&value, &DataType::Double, &to).kind(ExceptionKind::DateTime)
                },
            )?
        }
        DataType::Decimal(_, scale) => {
            let factor = 10_i128.pow(u32::from(scale.unsigned_abs()));
            let scale = *scale;
            let seconds = array.as_primitive::<Decimal128Type>();
            Arc::new(seconds.unary::<_, TimestampMicrosecondType>(|value| micros_of(value, scale, factor)))
        }
        from if from.is_string() => {
            // As in Spark, a text without a date is of the day on which it is read.
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
            let now_us = now.and_then(|now| i64::try_from(now.as_micros()).ok());
            let parse = |text: &str| parse_timestamp(text, &conversion.zone, now_us);
            conversion.each_text::<TimestampMicrosecondType>(array, &to, parse)?
        }
        from => return Err(unknown(from, &to)),
    };
    let micros: &TimestampMicrosecondArray = micros.as_primitive();
    Ok(Arc::new(micros.clone().with_timezone(INSTANT_ZONE)))
}

fn micros_of(value: i128, scale: i8, factor: i128) -> i64 {
    let seconds_us = i128::from(MICROS_PER_SECOND);
    if scale < 0 {
        return value.wrapping_mul(factor).wrapping_mul(seconds_us) as i64;
    }
    // Whole seconds apart from the fraction, so that nothing overflows.
    let (whole, fraction) = (value / factor, value % factor);
    let fraction =
        if factor > i128::MAX / seconds_us { fraction / (factor / seconds_us) } else { fraction * seconds_us / factor };
    whole.wrapping_mul(seconds_us).wrapping_add(fraction) as i64
}

pub(super) fn timestamp_ntz(conversion: &Conversion, array: &ArrayRef, from: &DataType) -> Result<ArrayRef> {
    Ok(match from {
        DataType::Date => conversion.each::<_, TimestampMicrosecondType>(
            array.as_primitive::<Date32Type>(),
            |days| i64::from(days).checked_mul(MICROS_PER_DAY),
            |_| far(),
        )?,
        DataType::Timestamp => {
            let instants = array.as_primitive::<TimestampMicrosecondType>();
            Arc::new(instants.unary::<_, TimestampMicrosecondType>(|value| conversion.zone.to_local(value)))
        }
        from if from.is_string() => {
            let parse = |text: &str| parse_timestamp_ntz(text, true);
            conversion.each_text::<TimestampMicrosecondType>(array, &DataType::TimestampNtz, parse)?
        }
        from => return Err(unknown(from, &DataType::TimestampNtz)),
    })
}

pub(super) fn time(conversion: &Conversion, array: &ArrayRef, from: &DataType, precision: u8) -> Result<ArrayRef> {
    let step = 10_i64.pow(9 - u32::from(precision.min(9)));
    let cut = move |nanos: i64| nanos - nanos % step;
    let of_day = |local_us: i64| cut(local_us.rem_euclid(MICROS_PER_DAY) * 1_000);
    Ok(match from {
        DataType::Time(_) => {
            Arc::new(array.as_primitive::<Time64NanosecondType>().unary::<_, Time64NanosecondType>(cut))
        }
        DataType::Timestamp => {
            let instants = array.as_primitive::<TimestampMicrosecondType>();
            Arc::new(instants.unary::<_, Time64NanosecondType>(|value| of_day(conversion.zone.to_local(value))))
        }
        DataType::TimestampNtz => {
            Arc::new(array.as_primitive::<TimestampMicrosecondType>().unary::<_, Time64NanosecondType>(of_day))
        }
        from if from.is_string() => {
            let to = DataType::Time(precision);
            conversion.each_text::<Time64NanosecondType>(array, &to, |text| parse_time(text).map(cut))?
        }
        from => return Err(unknown(from, &DataType::Time(precision))),
    })
}

fn far() -> SparkError {
    SparkError::new(&error_class::ARITHMETIC_OVERFLOW)
        .param("message", "long overflow")
        .param("alternative", "")
        .param("config", "\"spark.sql.ansi.enabled\"")
}
