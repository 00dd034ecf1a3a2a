//! TIME: made, read, cut and counted; and buckets of timestamps.

use arrow::array::{ArrayRef, AsArray, PrimitiveBuilder};
use arrow::datatypes::{DataType as Arrow, Decimal128Type, Int64Type, Time64NanosecondType};
use datafusion::common::ScalarValue;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{DataType, expr::CastMode};

use super::clock::{clock, from_clock, overflow, zone};
use crate::call::{FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::datetime::civil::{MICROS_PER_DAY, plus_interval, split_micros};
use crate::datetime::{Civil, Pattern, Zone};
use crate::families::args::Args;
use crate::families::rows::{
    INT, LONG, NUMBER, SECONDS, TEXT, any_nullable, definitions, fold, fold_text, kernels, literal,
};
use crate::{cast, udf};

definitions! {
    "current_time" (0, 1), Scalar(current_time), "the time of day when the query began";
    "make_time" (3, 3), Scalar(|c, a| made(c, "make_time", a, &[INT, INT, SECONDS], DataType::Time(6))), "the time of an hour, minute and second";
    "to_time" (1, 2), Scalar(|c, a| to_time(c, "to_time", a)), "the time that a text shows";
    "try_to_time" (1, 2), Scalar(|c, a| to_time(c, "try_to_time", a)), "the time that a text shows, null where it shows none";
    "time_diff" (3, 3), Scalar(|c, a| made(c, "time_diff", a, &[TEXT, Accepts::Time, Accepts::Time], DataType::Long)), "whole units from one time to another";
    "time_trunc" (2, 2), Scalar(time_trunc), "the time cut down to a unit";
    "time_from_seconds" (1, 1), Scalar(|c, a| made(c, "time_from_seconds", a, &[NUMBER], DataType::Time(6))), "the time so many seconds after midnight";
    "time_from_millis" (1, 1), Scalar(|c, a| made(c, "time_from_millis", a, &[LONG], DataType::Time(6))), "the time so many milliseconds after midnight";
    "time_from_micros" (1, 1), Scalar(|c, a| made(c, "time_from_micros", a, &[LONG], DataType::Time(6))), "the time so many microseconds after midnight";
    "time_to_seconds" (1, 1), Scalar(|c, a| made(c, "time_to_seconds", a, &[Accepts::Time], DataType::Decimal(14, 6))), "seconds since midnight";
    "time_to_millis" (1, 1), Scalar(|c, a| made(c, "time_to_millis", a, &[Accepts::Time], DataType::Long)), "milliseconds since midnight";
    "time_to_micros" (1, 1), Scalar(|c, a| made(c, "time_to_micros", a, &[Accepts::Time], DataType::Long)), "microseconds since midnight";
    "time_bucket" (2, 3), Scalar(time_bucket), "when the interval began that a timestamp is in, intervals counted from an origin";
}

kernels! {
    "make_time" => make_time;
    "parse_time" => parse_times;
    "time_diff" => time_diff;
    "time_trunc" => cut_times;
    "time_from_seconds" => time_from_seconds;
    "time_from_millis" => |a| time_from(a, NANOS_PER_MICRO * 1_000);
    "time_from_micros" => |a| time_from(a, NANOS_PER_MICRO);
    "time_to_seconds" => |a| { let t = times(a, 0)?; a.try_decimals(|r| Ok(Some(i128::from(t.value(r) / NANOS_PER_MICRO)))) };
    "time_to_millis" => |a| { let t = times(a, 0)?; a.longs(|r| t.value(r) / (NANOS_PER_MICRO * 1_000)) };
    "time_to_micros" => |a| { let t = times(a, 0)?; a.longs(|r| t.value(r) / NANOS_PER_MICRO) };
    "time_bucket" => buckets;
}

const NANOS_PER_MICRO: i64 = 1_000;
const NANOS_PER_DAY: i64 = MICROS_PER_DAY * NANOS_PER_MICRO;

fn times<'a>(a: &Args<'a>, i: usize) -> Result<&'a arrow::array::PrimitiveArray<Time64NanosecondType>> {
    a.primitive(i)
}

fn made(
    ctx: &FunctionContext,
    name: &str,
    arguments: Vec<Typed>,
    accepts: &[Accepts],
    result: DataType,
) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let arguments = coercion::coerce_arguments(ctx, name, arguments, accepts)?;
    let nullable = any_nullable(&arguments);
    udf::call(ctx, name, arguments, result, nullable, sql)
}

fn current_time(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let precision = match arguments.first() {
        None => 6,
        Some(given) => match fold(given).map(|value| value.cast_to(&Arrow::Int32)) {
            Some(Ok(ScalarValue::Int32(Some(precision)))) => precision,
            _ => return Err(SparkError::unsupported("a precision of current_time that is not constant")),
        },
    };
    let digits = u8::try_from(precision).ok().filter(|digits| *digits <= 6).ok_or_else(|| {
        SparkError::new(&error_class::UNSUPPORTED_TIME_PRECISION).param("precision", precision.to_string())
    })?;
    let micros = Zone::parse(&ctx.time_zone)?.to_local(ctx.now_us).rem_euclid(MICROS_PER_DAY);
    let step = 10_i64.pow(u32::from(6 - digits));
    let nanos = (micros - micros % step) * NANOS_PER_MICRO;
    let value = ScalarValue::Time64Nanosecond(Some(nanos));
    Ok(literal(value, DataType::Time(digits), &format!("current_time({digits})")))
}

fn to_time(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let is_try = name == "try_to_time";
    let inner = coercion::call_sql("to_time", &arguments);
    let sql = if is_try { format!("try_to_time({inner})") } else { inner };
    let mut arguments = coercion::coerce_arguments(ctx, name, arguments, &[TEXT])?;
    if arguments.len() == 2 {
        if let Some(format) = fold_text(&arguments[1]) {
            Pattern::for_parsing(&format)?;
        }
        let option = if is_try { "try" } else { "raise" };
        let nullable = is_try || any_nullable(&arguments);
        return udf::call_with(ctx, "parse_time", arguments, DataType::Time(6), nullable, sql, vec![option.to_owned()]);
    }
    let mode = if is_try { CastMode::Try } else { CastMode::Ansi };
    if is_try {
        let cast = cast::cast(ctx, arguments.remove(0), &DataType::Time(6), mode)?;
        return Ok(Typed { sql, ..cast });
    }
    let nullable = any_nullable(&arguments);
    udf::call_with(ctx, "parse_time", arguments, DataType::Time(6), nullable, sql, vec!["raise".to_owned()])
}

fn parse_times(a: &Args) -> Result<ArrayRef> {
    let (text, raises) = (a.text(0)?, a.option(0)? == "raise");
    let formats = if a.len() > 1 { Some(a.text(1)?) } else { None };
    let mut known: Option<(String, Pattern)> = None;
    a.try_values::<Time64NanosecondType>(|r| {
        let text = text.value(r);
        let (nanos, format) = match formats {
            None => (crate::datetime::parse_time(text), None),
            Some(formats) => {
                let format = formats.value(r);
                if known.as_ref().is_none_or(|(known, _)| known != format) {
                    known = Some((format.to_owned(), Pattern::for_parsing(format)?));
                }
                let parsed = known.as_ref().and_then(|(_, pattern)| pattern.parse(text));
                (parsed.and_then(|parsed| parsed.time_ns()), Some(format))
            }
        };
        match nanos {
            None if raises => Err(SparkError::new(&error_class::CANNOT_PARSE_TIME)
                .param("input", format!("'{text}'"))
                .param("format", format!("'{}'", format.unwrap_or("HH:mm:ss.SSSSSS")))),
            nanos => Ok(nanos.map(|nanos| nanos - nanos % NANOS_PER_MICRO)),
        }
    })
}

fn out_of_bounds(message: String) -> SparkError {
    SparkError::new(&error_class::DATETIME_FIELD_OUT_OF_BOUNDS_WITHOUT_SUGGESTION).param("rangeMessage", message)
}

fn make_time(a: &Args) -> Result<ArrayRef> {
    let (hours, minutes) = (a.int(0)?, a.int(1)?);
    let seconds = arrow::compute::cast(a.array(2)?, &Arrow::Decimal128(38, 6)).map_err(crate::errors::from_arrow)?;
    let seconds = seconds.as_primitive::<Decimal128Type>();
    a.try_values::<Time64NanosecondType>(|r| {
        let (hour, minute, micros) = (hours.value(r), minutes.value(r), seconds.value(r));
        let checked = |value: i128, end: i128, name: &str| {
            if (0..end).contains(&value) {
                return Ok(value as i64);
            }
            Err(out_of_bounds(format!("Invalid value for {name} (valid values 0 - {}): {value}", end - 1)))
        };
        let hour = checked(i128::from(hour), 24, "HourOfDay")?;
        let minute = checked(i128::from(minute), 60, "MinuteOfHour")?;
        checked(micros.div_euclid(1_000_000), 60, "SecondOfMinute")?;
        Ok(Some(((hour * 60 + minute) * 60_000_000 + micros as i64) * NANOS_PER_MICRO))
    })
}

fn unit_nanos(function: &str, unit: &str) -> Result<i64> {
    Ok(match unit.to_uppercase().as_str() {
        "HOUR" => 3_600_000_000_000,
        "MINUTE" => 60_000_000_000,
        "SECOND" => 1_000_000_000,
        "MILLISECOND" => 1_000_000,
        "MICROSECOND" => 1_000,
        _ => {
            return Err(SparkError::new(&error_class::INVALID_PARAMETER_VALUE_TIME_UNIT)
                .param("functionName", format!("`{function}`"))
                .param("parameter", "`unit`")
                .param("invalidValue", format!("'{unit}'")));
        }
    })
}

fn time_diff(a: &Args) -> Result<ArrayRef> {
    let (unit, start, end) = (a.text(0)?, times(a, 1)?, times(a, 2)?);
    a.try_values::<Int64Type>(|r| {
        let nanos = unit_nanos("time_diff", unit.value(r))?;
        Ok(Some((end.value(r) - start.value(r)) / nanos))
    })
}

fn time_trunc(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("time_trunc", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "time_trunc", arguments, &[TEXT, Accepts::Time])?;
    let (result, nullable) = (arguments[1].data_type.clone(), any_nullable(&arguments));
    udf::call(ctx, "time_trunc", arguments, result, nullable, sql)
}

fn cut_times(a: &Args) -> Result<ArrayRef> {
    let (unit, time) = (a.text(0)?, times(a, 1)?);
    a.try_values::<Time64NanosecondType>(|r| {
        let nanos = unit_nanos("time_trunc", unit.value(r))?;
        Ok(Some(time.value(r) / nanos * nanos))
    })
}

fn of_day(nanos: Option<i64>) -> Result<Option<i64>> {
    match nanos.filter(|nanos| (0..NANOS_PER_DAY).contains(nanos)) {
        Some(nanos) => Ok(Some(nanos)),
        None => {
            let shown = nanos.map_or("overflow".to_owned(), |nanos| nanos.to_string());
            let range = "between 00:00:00 and 23:59:59.999999999";
            Err(out_of_bounds(format!("Invalid TIME value: must be {range}, but got {shown} nanoseconds")))
        }
    }
}

fn time_from(a: &Args, unit: i64) -> Result<ArrayRef> {
    let count = a.long(0)?;
    a.try_values::<Time64NanosecondType>(|r| of_day(count.value(r).checked_mul(unit)))
}

fn time_from_seconds(a: &Args) -> Result<ArrayRef> {
    let micros = match a.array(0)?.data_type() {
        Arrow::Float32 | Arrow::Float64 => {
            let seconds = arrow::compute::cast(a.array(0)?, &Arrow::Float64).map_err(crate::errors::from_arrow)?;
            let seconds = seconds.as_primitive::<arrow::datatypes::Float64Type>();
            let mut out = PrimitiveBuilder::<Decimal128Type>::with_capacity(a.rows);
            (0..a.rows).for_each(|r| out.append_value((seconds.value(r) * 1e6) as i128));
            std::sync::Arc::new(out.finish()) as ArrayRef
        }
        _ => arrow::compute::cast(a.array(0)?, &Arrow::Decimal128(38, 6)).map_err(crate::errors::from_arrow)?,
    };
    let micros = micros.as_primitive::<Decimal128Type>();
    a.try_values::<Time64NanosecondType>(|r| {
        of_day(i64::try_from(micros.value(r)).ok().and_then(|micros| micros.checked_mul(NANOS_PER_MICRO)))
    })
}

fn time_bucket(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    const SIZE: Accepts = Accepts::OneOf(&[Accepts::DayTimeInterval, Accepts::YearMonthInterval]);
    if arguments.len() == 2 {
        arguments.push(crate::literal::typed(&firesteel_spec::Literal::TimestampNtz(0), ctx)?);
        let prefix = if arguments[1].data_type == DataType::TimestampNtz { "TIMESTAMP_NTZ" } else { "TIMESTAMP" };
        arguments[2].sql = format!("{prefix} '1970-01-01 00:00:00'");
    }
    let sql = coercion::call_sql("time_bucket", &arguments);
    let accepts = [SIZE, Accepts::Timestamp];
    let mut arguments = coercion::coerce_arguments(ctx, "time_bucket", arguments, &accepts)?;
    let result = arguments[1].data_type.clone();
    let origin = arguments.remove(2);
    arguments.push(coercion::convert(ctx, origin, &result)?);
    let size = fold(&arguments[0]);
    let count = match &size {
        Some(ScalarValue::DurationMicrosecond(Some(micros))) => Some(*micros),
        Some(ScalarValue::IntervalYearMonth(Some(months))) => Some(i64::from(*months)),
        _ => None,
    };
    if count.is_some_and(|count| count <= 0) {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_VALUE_OUT_OF_RANGE)
            .param("sqlExpr", coercion::quoted(&sql))
            .param("exprName", "`bucketSize`")
            .param("valueRange", "(0, inf)")
            .param("currentValue", arguments[0].sql.clone()));
    }
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "time_bucket", arguments, result, nullable, sql)
}

/// Days of 24 hours and less are counted on the time line, months on the wall clock.
fn buckets(a: &Args) -> Result<ArrayRef> {
    let far = || overflow("a timestamp so far away");
    if let DataType::YearMonthInterval(..) = a.data_type(0)? {
        let (size, zone) = (a.primitive::<arrow::datatypes::IntervalYearMonthType>(0)?, zone(a)?);
        let (time, origin) = (clock(a, 1)?, clock(a, 2)?);
        return a.try_timestamps(|r| {
            let (time, origin, size) = (time(r), origin(r), i64::from(size.value(r)));
            let month = |local: i64| {
                let date = Civil::from_days(split_micros(local).0);
                i64::from(date.year) * 12 + i64::from(date.month)
            };
            let count = (month(time) - month(origin)).div_euclid(size);
            let mut start = plus_interval(origin, count * size, 0).ok_or_else(far)?;
            if start > time {
                start = plus_interval(origin, (count - 1) * size, 0).ok_or_else(far)?;
            }
            Ok(Some(from_clock(&a.context.result, &zone, start)))
        });
    }
    let size = a.primitive::<arrow::datatypes::DurationMicrosecondType>(0)?;
    let zone = zone(a)?;
    let (time, origin) = (a.timestamp(1)?, a.timestamp(2)?);
    let is_wall_clock = a.context.result == DataType::TimestampNtz;
    a.try_timestamps(|r| {
        let (time, origin, size) = (time.value(r), origin.value(r), size.value(r));
        if !is_wall_clock && size % MICROS_PER_DAY == 0 {
            let (time, origin) = (zone.to_local(time), zone.to_local(origin));
            return Ok(Some(zone.to_instant(time - time.checked_sub(origin).ok_or_else(far)?.rem_euclid(size))));
        }
        Ok(Some(time - time.checked_sub(origin).ok_or_else(far)?.rem_euclid(size)))
    })
}
