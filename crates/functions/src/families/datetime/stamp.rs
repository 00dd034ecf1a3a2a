//! Timestamps made from their parts: six numbers, or a date and a time.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{Decimal128Type, Time64NanosecondType};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::clock::zone;
use super::make::{micros_of, raise};
use crate::call::{FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::datetime::civil::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE};
use crate::datetime::refusal::{no_date, no_time};
use crate::datetime::{Civil, Zone};
use crate::families::args::Args;
use crate::families::rows::{DATE, INT, SECONDS, TEXT, definitions, kernels};
use crate::udf;

definitions! {
    "make_timestamp" (1, 7), Scalar(|c, a| { let result = usual(c, &a); made(c, "make_timestamp", result, a) }), "the timestamp of a date and a time";
    "make_timestamp_ltz" (1, 7), Scalar(|c, a| made(c, "make_timestamp_ltz", DataType::Timestamp, a)), "the timestamp of a date and a time";
    "make_timestamp_ntz" (1, 6), Scalar(|c, a| made(c, "make_timestamp_ntz", DataType::TimestampNtz, a)), "the wall clock of a date and a time";
    "try_make_timestamp" (1, 7), Scalar(|c, a| { let result = usual(c, &a); made(c, "try_make_timestamp", result, a) }), "the timestamp of a date and a time, null where there is none";
    "try_make_timestamp_ltz" (1, 7), Scalar(|c, a| made(c, "try_make_timestamp_ltz", DataType::Timestamp, a)), "the timestamp of a date and a time, null where there is none";
    "try_make_timestamp_ntz" (1, 6), Scalar(|c, a| made(c, "try_make_timestamp_ntz", DataType::TimestampNtz, a)), "the wall clock of a date and a time, null where there is none";
}

/// Dates and times of day, which nothing is cast to.
const DATE_ONLY: Accepts = Accepts::Only(&[DATE]);
const TIME_ONLY: Accepts = Accepts::Only(&[Accepts::Time]);

kernels! {
    "make_timestamp" raising => of_numbers;
    "timestamp_of_date" => of_date;
}

/// A timestamp of six numbers is of the session's type; one of a date and a time is always an instant.
fn usual(ctx: &FunctionContext, arguments: &[Typed]) -> DataType {
    if ctx.timestamp_is_ntz && arguments.len() > 3 { DataType::TimestampNtz } else { DataType::Timestamp }
}

fn made(ctx: &FunctionContext, name: &str, result: DataType, arguments: Vec<Typed>) -> Result<Typed> {
    // Spark's errors about arguments name the function without TRY; an instant of a date and a time has one name.
    let of_date = arguments.len() <= 3;
    let shown = if of_date && name.ends_with("_ltz") { "make_timestamp" } else { name };
    let plain = shown.trim_start_matches("try_");
    let sql = match (of_date, name) {
        (true, "try_make_timestamp_ntz") => format!("{name}({})", coercion::call_sql(plain, &arguments)),
        _ => coercion::call_sql(shown, &arguments),
    };
    let (kernel, accepts): (&str, &[Accepts]) = match arguments.len() {
        1..=3 => ("timestamp_of_date", &[DATE_ONLY, TIME_ONLY, TEXT]),
        6 | 7 => ("make_timestamp", &[INT, INT, INT, INT, INT, SECONDS, TEXT]),
        count => {
            return Err(SparkError::new(&error_class::WRONG_NUM_ARGS_WITHOUT_SUGGESTION)
                .param("functionName", format!("`{name}`"))
                .param("expectedNum", "[1, 2, 3, 6, 7]")
                .param("actualNum", count.to_string()));
        }
    };
    let arguments = coercion::coerce_arguments(ctx, plain, arguments, accepts)?;
    udf::call_with(ctx, kernel, arguments, result, true, sql, vec![name.to_owned()])
}

/// A wall clock as the result, in the zone of its row or in the session's.
fn instant(a: &Args, session: &Zone, zones: Option<&arrow::array::StringArray>, r: usize, local: i64) -> Result<i64> {
    if a.context.result == DataType::TimestampNtz {
        return Ok(local);
    }
    Ok(match zones {
        Some(zones) => Zone::parse(zones.value(r))?.to_instant(local),
        None => session.to_instant(local),
    })
}

fn of_date(a: &Args) -> Result<ArrayRef> {
    let days = a.date(0)?;
    let times = if a.len() > 1 { Some(a.primitive::<Time64NanosecondType>(1)?) } else { None };
    let zones = if a.len() > 2 { Some(a.text(2)?) } else { None };
    let session = zone(a)?;
    a.try_timestamps(|r| {
        let time = times.map_or(0, |times| times.value(r) / 1_000);
        instant(a, &session, zones, r, i64::from(days.value(r)) * MICROS_PER_DAY + time).map(Some)
    })
}

fn of_numbers(a: &Args) -> Result<ArrayRef> {
    let is_try = a.option(0)?.starts_with("try_");
    let fields = (0..5).map(|i| a.int(i)).collect::<Result<Vec<_>>>()?;
    let micros = micros_of(a, 5)?;
    let micros = micros.as_primitive::<Decimal128Type>();
    let zones = if a.len() > 6 { Some(a.text(6)?) } else { None };
    let session = zone(a)?;
    a.try_timestamps(|r| {
        let [year, month, day, hour, minute] = [0, 1, 2, 3, 4].map(|i| fields[i].value(r));
        let micros = micros.value(r);
        let date = u32::try_from(month).ok().zip(u32::try_from(day).ok()).and_then(|(m, d)| Civil::new(year, m, d));
        // Second 60 without a fraction is the next minute's beginning.
        let is_time = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60_000_000).contains(&micros);
        let Some(date) = date.filter(|_| is_time) else {
            let seconds = micros.div_euclid(1_000_000);
            if seconds == 60 && micros > 60_000_000 && a.context.ansi && !is_try {
                return Err(SparkError::new(&error_class::INVALID_FRACTION_OF_SECOND)
                    .param("secAndMicros", format!("{:?}", micros as f64 / 1e6)));
            }
            let why = no_date(year.into(), month.into(), day.into())
                .or_else(|| no_time(hour.into(), minute.into(), i64::try_from(seconds).unwrap_or(i64::MAX)));
            return raise(a, is_try, why.unwrap_or_default());
        };
        let local = date.to_days() * MICROS_PER_DAY
            + i64::from(hour) * MICROS_PER_HOUR
            + i64::from(minute) * MICROS_PER_MINUTE
            + micros as i64;
        instant(a, &session, zones, r, local).map(Some)
    })
}
