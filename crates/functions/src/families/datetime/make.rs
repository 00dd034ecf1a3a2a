//! Dates, timestamps and intervals made from numbers, and back; clocks moved between zones.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, PrimitiveBuilder};
use arrow::datatypes::{
    DataType as Arrow, Date32Type, Decimal128Type, DurationMicrosecondType, IntervalMonthDayNano,
    IntervalMonthDayNanoType, IntervalYearMonthType,
};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::clock::{clock, overflow};
use crate::datetime::civil::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND};
use crate::datetime::refusal::no_date;
use crate::datetime::{Civil, Zone};
use crate::errors::from_arrow;
use crate::families::args::Args;
use crate::families::rows::Default::{Int, NoSeconds};
use crate::families::rows::Output::{Is, Maybe};
use crate::families::rows::{DAY_TIME, YEAR_MONTH, functions};

functions! {
    "make_date" (INT, INT, INT) => Maybe(DataType::Date), make_date, "the date of a year, month and day";
    "make_ym_interval" (; INT = Int(0), INT = Int(0)) => Is(YEAR_MONTH), make_ym_interval, "an interval of years and months";
    "make_dt_interval" (; INT = Int(0), INT = Int(0), INT = Int(0), SECONDS = NoSeconds) => Maybe(DAY_TIME), |a| make_dt_interval(a), "an interval of days, hours, minutes and seconds";
    "make_interval" (; INT = Int(0), INT = Int(0), INT = Int(0), INT = Int(0), INT = Int(0), INT = Int(0), SECONDS = NoSeconds) => Maybe(DataType::CalendarInterval), |a| make_interval(a, false), "an interval of years, months, weeks, days, hours, minutes and seconds";
    "try_make_interval" (; INT = Int(0), INT = Int(0), INT = Int(0), INT = Int(0), INT = Int(0), INT = Int(0), SECONDS = NoSeconds) => Maybe(DataType::CalendarInterval), |a| make_interval(a, true), "the same, null where it overflows";
    "unix_date" (DATE) => Is(DataType::Integer), |a| { let d = a.date(0)?; a.ints(|r| d.value(r)) }, "days since 1970";
    "date_from_unix_date" (INT) => Is(DataType::Date), |a| { let n = a.int(0)?; a.values::<Date32Type>(|r| n.value(r)) }, "the date so many days after 1970 began";
    "unix_seconds" (INSTANT) => Is(DataType::Long), |a| since_1970(a, MICROS_PER_SECOND), "seconds since 1970";
    "unix_millis" (INSTANT) => Is(DataType::Long), |a| since_1970(a, 1_000), "milliseconds since 1970";
    "unix_micros" (INSTANT) => Is(DataType::Long), |a| since_1970(a, 1), "microseconds since 1970";
    "timestamp_seconds" (NUMBER) => Is(DataType::Timestamp), timestamp_seconds, "the timestamp so many seconds after 1970 began";
    "timestamp_millis" (LONG) => Is(DataType::Timestamp), |a| after_1970(a, 1_000), "the timestamp so many milliseconds after 1970 began";
    "timestamp_micros" (LONG) => Is(DataType::Timestamp), |a| after_1970(a, 1), "the timestamp so many microseconds after 1970 began";
    "from_utc_timestamp" (INSTANT, TEXT) => Is(DataType::Timestamp), |a| shifted(a, true), "a clock of UTC as a zone's clock shows it";
    "to_utc_timestamp" (INSTANT, TEXT) => Is(DataType::Timestamp), |a| shifted(a, false), "a zone's clock as UTC shows it";
}

pub(super) fn raise(a: &Args, is_try: bool, message: String) -> Result<Option<i64>> {
    if !a.context.ansi || is_try {
        return Ok(None);
    }
    Err(SparkError::new(&error_class::DATETIME_FIELD_OUT_OF_BOUNDS)
        .param("rangeMessage", message)
        .param("ansiConfig", "\"spark.sql.ansi.enabled\""))
}

fn make_date(a: &Args) -> Result<ArrayRef> {
    let (year, month, day) = (a.int(0)?, a.int(1)?, a.int(2)?);
    a.try_values::<Date32Type>(|r| {
        let (year, month, day) = (year.value(r), month.value(r), day.value(r));
        let date = u32::try_from(month).ok().zip(u32::try_from(day).ok()).and_then(|(m, d)| Civil::new(year, m, d));
        let days = match date {
            Some(date) => Some(date.to_days()),
            None => raise(a, false, no_date(year.into(), month.into(), day.into()).unwrap_or_default())?,
        };
        Ok(days.and_then(|days| i32::try_from(days).ok()))
    })
}

/// Microseconds of argument `i`, a number of seconds.
pub(super) fn micros_of(a: &Args, i: usize) -> Result<ArrayRef> {
    arrow::compute::cast(a.array(i)?, &Arrow::Decimal128(38, 6)).map_err(from_arrow)
}

fn interval_overflow() -> SparkError {
    SparkError::new(&error_class::INTERVAL_ARITHMETIC_OVERFLOW_WITHOUT_SUGGESTION)
}

fn make_ym_interval(a: &Args) -> Result<ArrayRef> {
    let (years, months) = (a.int(0)?, a.int(1)?);
    a.try_values::<IntervalYearMonthType>(|r| {
        let total = i64::from(years.value(r)) * 12 + i64::from(months.value(r));
        i32::try_from(total).map(Some).map_err(|_| interval_overflow())
    })
}

fn make_dt_interval(a: &Args) -> Result<ArrayRef> {
    let (days, hours, minutes, seconds) = (a.int(0)?, a.int(1)?, a.int(2)?, micros_of(a, 3)?);
    let seconds = seconds.as_primitive::<Decimal128Type>();
    a.try_values::<DurationMicrosecondType>(|r| {
        let total = i128::from(days.value(r)) * i128::from(MICROS_PER_DAY)
            + i128::from(hours.value(r)) * i128::from(MICROS_PER_HOUR)
            + i128::from(minutes.value(r)) * i128::from(MICROS_PER_MINUTE)
            + seconds.value(r);
        i64::try_from(total).map(Some).map_err(|_| interval_overflow())
    })
}

fn make_interval(a: &Args, is_try: bool) -> Result<ArrayRef> {
    let numbers = (0..6).map(|i| a.int(i)).collect::<Result<Vec<_>>>()?;
    let seconds = micros_of(a, 6)?;
    let seconds = seconds.as_primitive::<Decimal128Type>();
    let nulls = a.nulls();
    let mut out = PrimitiveBuilder::<IntervalMonthDayNanoType>::with_capacity(a.rows);
    for r in 0..a.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(r)) {
            out.append_null();
            continue;
        }
        let [years, months, weeks, days, hours, minutes] = [0, 1, 2, 3, 4, 5].map(|i| i128::from(numbers[i].value(r)));
        let micros = hours * i128::from(MICROS_PER_HOUR) + minutes * i128::from(MICROS_PER_MINUTE) + seconds.value(r);
        let parts =
            (i32::try_from(years * 12 + months), i32::try_from(weeks * 7 + days), i64::try_from(micros * 1_000));
        match parts {
            (Ok(months), Ok(days), Ok(nanos)) => out.append_value(IntervalMonthDayNano::new(months, days, nanos)),
            _ if a.context.ansi && !is_try => return Err(interval_overflow()),
            _ => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

fn since_1970(a: &Args, unit: i64) -> Result<ArrayRef> {
    let t = a.timestamp(0)?;
    a.longs(|r| t.value(r).div_euclid(unit))
}

fn after_1970(a: &Args, unit: i64) -> Result<ArrayRef> {
    let n = a.long(0)?;
    a.try_timestamps(|r| n.value(r).checked_mul(unit).map(Some).ok_or_else(|| overflow("a timestamp so far away")))
}

fn timestamp_seconds(a: &Args) -> Result<ArrayRef> {
    let array = a.array(0)?;
    match array.data_type() {
        Arrow::Float32 | Arrow::Float64 => {
            let n = arrow::compute::cast(array, &Arrow::Float64).map_err(from_arrow)?;
            let n = n.as_primitive::<arrow::datatypes::Float64Type>();
            a.try_timestamps(|r| Ok(n.value(r).is_finite().then(|| (n.value(r) * MICROS_PER_SECOND as f64) as i64)))
        }
        _ => {
            let n = micros_of(a, 0)?;
            let n = n.as_primitive::<Decimal128Type>();
            a.try_timestamps(|r| i64::try_from(n.value(r)).map(Some).map_err(|_| overflow("a timestamp so far away")))
        }
    }
}

fn shifted(a: &Args, from_utc: bool) -> Result<ArrayRef> {
    let (t, name) = (a.timestamp(0)?, a.text(1)?);
    let zones = Zones::default();
    a.try_timestamps(|r| {
        let zone = zones.find(name.value(r))?;
        Ok(Some(if from_utc { zone.to_local(t.value(r)) } else { zone.to_instant(t.value(r)) }))
    })
}

pub(crate) fn convert_timezone(a: &Args) -> Result<ArrayRef> {
    let zones = Zones::default();
    let (source, target, clock) = (a.text(0)?, a.text(1)?, clock(a, 2)?);
    a.try_timestamps(|r| {
        let source = source.value(r);
        let instant = zones.find(source)?.to_instant(clock(r));
        Ok(Some(zones.find(target.value(r))?.to_local(instant)))
    })
}

/// The last zone asked for.
#[derive(Default)]
struct Zones(std::cell::RefCell<Option<(String, Zone)>>);

impl Zones {
    fn find(&self, id: &str) -> Result<Zone> {
        if let Some((known, zone)) = self.0.borrow().as_ref()
            && known == id
        {
            return Ok(zone.clone());
        }
        let zone = Zone::parse(id)?;
        self.0.replace(Some((id.to_owned(), zone.clone())));
        Ok(zone)
    }
}
