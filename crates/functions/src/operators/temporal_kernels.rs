//! Dates and timestamps moved by days and intervals, and their differences.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    Date32Type, DurationMicrosecondType, Int32Type, Time64NanosecondType, TimestampMicrosecondType,
};
use datafusion::logical_expr::ColumnarValue;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::to_arrow;

use super::interval_kernels::parts;
use super::number_kernels::arithmetic_overflow;
use super::operand::{mode, zip};
use crate::cast::Mode;
use crate::datetime::civil::{MICROS_PER_DAY, plus_interval};
use crate::datetime::{Civil, Zone};
use crate::udf::{Kernel, KernelContext};

/// The kernels of this file.
pub(super) static KERNELS: &[Kernel] = &[
    Kernel::values("date_add_days", |context, values, rows| date_plus_days(context, values, rows, 1)),
    Kernel::values("date_subtract_days", |context, values, rows| date_plus_days(context, values, rows, -1)),
    Kernel::values("date_difference", date_difference),
    Kernel::values("timestamp_difference", timestamp_difference),
    Kernel::values("time_difference", time_difference),
    Kernel::values("time_add_interval", |context, values, rows| time_moved(context, values, rows, 1_000)).raising(),
    Kernel::values("time_subtract_interval", |context, values, rows| time_moved(context, values, rows, -1_000))
        .raising(),
    Kernel::arrays("add_interval", |context, arrays, rows| moved(context, arrays, rows, 1)).raising(),
    Kernel::arrays("subtract_interval", |context, arrays, rows| moved(context, arrays, rows, -1)).raising(),
];

fn date_plus_days(context: &KernelContext, values: &[ColumnarValue], rows: usize, sign: i32) -> Result<ColumnarValue> {
    // Wraps, as in Spark.
    let add = |date: i32, days: i32| Some(date.wrapping_add(days.wrapping_mul(sign)));
    zip::<Date32Type, Int32Type, Date32Type>(context, values, rows, add, |_, _| overflow())
}

fn date_difference(context: &KernelContext, values: &[ColumnarValue], rows: usize) -> Result<ColumnarValue> {
    let difference = |a: i32, b: i32| (i64::from(a) - i64::from(b)).checked_mul(MICROS_PER_DAY);
    zip::<Date32Type, Date32Type, DurationMicrosecondType>(context, values, rows, difference, |_, _| overflow())
}

/// Between wall clocks: days are days, whatever the zone does.
fn timestamp_difference(context: &KernelContext, values: &[ColumnarValue], rows: usize) -> Result<ColumnarValue> {
    let is_instant = context.arguments[0] == DataType::Timestamp;
    let zone = if is_instant { Zone::parse(&context.time_zone)? } else { Zone::utc() };
    zip::<TimestampMicrosecondType, TimestampMicrosecondType, DurationMicrosecondType>(
        context,
        values,
        rows,
        |a, b| zone.to_local(a).checked_sub(zone.to_local(b)),
        |_, _| overflow(),
    )
}

fn time_difference(context: &KernelContext, values: &[ColumnarValue], rows: usize) -> Result<ColumnarValue> {
    let difference = |a: i64, b: i64| Some((a - b) / 1_000);
    zip::<Time64NanosecondType, Time64NanosecondType, DurationMicrosecondType>(
        context,
        values,
        rows,
        difference,
        |_, _| overflow(),
    )
}

/// A time moved by microseconds, `scale` nanoseconds each; it must stay within its day, whatever the mode.
fn time_moved(context: &KernelContext, values: &[ColumnarValue], rows: usize, scale: i64) -> Result<ColumnarValue> {
    let strict = KernelContext { ansi: true, ..context.clone() };
    zip::<Time64NanosecondType, DurationMicrosecondType, Time64NanosecondType>(
        &strict,
        values,
        rows,
        |time, micros| {
            let moved = time.checked_add(micros.checked_mul(scale)?)?;
            (0..MICROS_PER_DAY * 1_000).contains(&moved).then_some(moved)
        },
        |_, _| SparkError::new(&error_class::DATETIME_OVERFLOW).param("operation", "a time beyond its day"),
    )
}

fn overflow() -> SparkError {
    arithmetic_overflow("long overflow", "")
}

fn moved(context: &KernelContext, arrays: &[ArrayRef], rows: usize, sign: i64) -> Result<ArrayRef> {
    let interval = parts(&arrays[1], &context.arguments[1])?;
    let nulls = NullBuffer::union(arrays[0].nulls(), arrays[1].nulls());
    let is_null = |row: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
    let give = |value: Option<i64>| match value {
        None if mode(context) == Mode::Try => Ok(None),
        None => Err(overflow()),
        value => Ok(value),
    };
    if context.arguments[0] == DataType::Date {
        let dates = arrays[0].as_primitive::<Date32Type>();
        let mut out = Vec::with_capacity(rows);
        for row in 0..rows {
            let value = if is_null(row) { None } else { give(date_plus(dates.value(row), interval(row), sign))? };
            out.push(value.map(|days| days as i32));
        }
        return Ok(Arc::new(PrimitiveArray::<Date32Type>::from(out)));
    }
    let is_instant = context.arguments[0] == DataType::Timestamp;
    let zone = if is_instant { Zone::parse(&context.time_zone)? } else { Zone::utc() };
    let moments = arrays[0].as_primitive::<TimestampMicrosecondType>();
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        let value =
            if is_null(row) { None } else { give(instant_plus(moments.value(row), interval(row), sign, &zone))? };
        out.push(value);
    }
    let array = PrimitiveArray::<TimestampMicrosecondType>::from(out);
    Ok(Arc::new(array.with_data_type(to_arrow(&context.result))))
}

fn date_plus(date: i32, (months, days, micros): (i64, i64, i64), sign: i64) -> Option<i64> {
    let days = sign * (days + micros / MICROS_PER_DAY);
    let day = i64::from(date);
    let moved = if months == 0 { day } else { Civil::from_days(day).plus_months(sign * months).to_days() };
    i32::try_from(moved + days).ok().map(i64::from)
}

/// Months and days move the wall clock, the rest moves the instant.
fn instant_plus(instant: i64, (months, days, micros): (i64, i64, i64), sign: i64, zone: &Zone) -> Option<i64> {
    let moved = if months == 0 && days == 0 {
        instant
    } else {
        zone.to_instant(plus_interval(zone.to_local(instant), sign * months, sign * days)?)
    };
    moved.checked_add(sign * micros)
}
