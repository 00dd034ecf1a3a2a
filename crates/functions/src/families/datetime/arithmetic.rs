//! Dates and timestamps moved, compared and cut.

use arrow::array::ArrayRef;
use arrow::datatypes::{Date32Type, Float64Type};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::clock::{clock, from_clock, overflow, zone};
use crate::datetime::civil::{
    MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND, day_of_week, days_in_month, plus_interval,
    split_micros,
};
use crate::datetime::{Civil, Zone};
use crate::families::args::Args;
use crate::families::rows::Default::Boolean;
use crate::families::rows::Output::{Is, Maybe};
use crate::families::rows::functions;

functions! {
    "datediff" (DATE, DATE) => Is(DataType::Integer), |a| { let (x, y) = (a.date(0)?, a.date(1)?); a.ints(|r| x.value(r).wrapping_sub(y.value(r))) }, "days from the second date to the first";
    "date_diff" (DATE, DATE) => Is(DataType::Integer), |a| { let (x, y) = (a.date(0)?, a.date(1)?); a.ints(|r| x.value(r).wrapping_sub(y.value(r))) }, "days from the second date to the first";
    "add_months" (DATE, INT) => Is(DataType::Date), add_months, "the date so many months later, at most the month's last day";
    "months_between" (INSTANT, INSTANT; BOOLEAN = Boolean(true)) => Is(DataType::Double), months_between, "months from the second timestamp to the first";
    "last_day" (DATE) => Is(DataType::Date), |a| dates(a, |d| Civil { day: days_in_month(d.year, d.month), ..d }), "the last day of the month";
    "next_day" (DATE, TEXT) => Maybe(DataType::Date), next_day, "the first later date on that day of the week";
    "trunc" (DATE, TEXT) => Maybe(DataType::Date), trunc, "the first day of the unit that the date is in";
    "monthname" (DATE) => Is(DataType::STRING), |a| { let d = a.date(0)?; a.slices(|r| MONTHS[usize::from(civil(d.value(r)).month) - 1]) }, "the month's name in three letters";
    "dayname" (DATE) => Is(DataType::STRING), |a| { let d = a.date(0)?; a.slices(|r| DAYS[usize::from(day_of_week(i64::from(d.value(r)))) - 1]) }, "the name of the day of the week in three letters";
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn civil(days: i32) -> Civil {
    Civil::from_days(i64::from(days))
}

fn to_date(days: i64) -> Result<Option<i32>> {
    i32::try_from(days).map(Some).map_err(|_| overflow("a date so far away"))
}

fn dates(a: &Args, change: fn(Civil) -> Civil) -> Result<ArrayRef> {
    let days = a.date(0)?;
    a.try_values::<Date32Type>(|r| to_date(change(civil(days.value(r))).to_days()))
}

fn add_months(a: &Args) -> Result<ArrayRef> {
    let (days, by) = (a.date(0)?, a.int(1)?);
    a.try_values::<Date32Type>(|r| to_date(civil(days.value(r)).plus_months(i64::from(by.value(r))).to_days()))
}

fn months_between(a: &Args) -> Result<ArrayRef> {
    let (first, second, rounds) = (clock(a, 0)?, clock(a, 1)?, a.boolean(2)?);
    a.values::<Float64Type>(|r| {
        let ((days1, time1), (days2, time2)) = (split_micros(first(r)), split_micros(second(r)));
        let (date1, date2) = (Civil::from_days(days1), Civil::from_days(days2));
        let months = f64::from((date1.year - date2.year) * 12 + i32::from(date1.month) - i32::from(date2.month));
        let is_last = |d: Civil| d.day == days_in_month(d.year, d.month);
        if date1.day == date2.day || (is_last(date1) && is_last(date2)) {
            return months;
        }
        const SECONDS_IN_MONTH: f64 = 31.0 * 86_400.0;
        let seconds = (i64::from(date1.day) - i64::from(date2.day)) * 86_400 + time1 / MICROS_PER_SECOND
            - time2 / MICROS_PER_SECOND;
        let difference = months + seconds as f64 / SECONDS_IN_MONTH;
        if rounds.value(r) { (difference * 1e8).round() / 1e8 } else { difference }
    })
}

fn next_day(a: &Args) -> Result<ArrayRef> {
    let (days, name) = (a.date(0)?, a.text(1)?);
    a.try_values::<Date32Type>(|r| {
        let name = name.value(r);
        let Some(wanted) = day_number(name) else {
            if a.context.ansi {
                return Err(SparkError::new(&error_class::ILLEGAL_DAY_OF_WEEK).param("string", name));
            }
            return Ok(None);
        };
        let days = i64::from(days.value(r));
        let ahead = (wanted - i64::from(day_of_week(days)) + 6).rem_euclid(7) + 1;
        to_date(days + ahead)
    })
}

fn day_number(name: &str) -> Option<i64> {
    Some(match name.trim().to_uppercase().as_str() {
        "MO" | "MON" | "MONDAY" => 1,
        "TU" | "TUE" | "TUESDAY" => 2,
        "WE" | "WED" | "WEDNESDAY" => 3,
        "TH" | "THU" | "THURSDAY" => 4,
        "FR" | "FRI" | "FRIDAY" => 5,
        "SA" | "SAT" | "SATURDAY" => 6,
        "SU" | "SUN" | "SUNDAY" => 7,
        _ => return None,
    })
}

/// The first day of a unit; `None` for units below a week, and for words that are none.
fn first_day(days: i64, unit: &str) -> Option<i64> {
    let date = Civil::from_days(days);
    let first = |month: u8| Civil { month, day: 1, ..date }.to_days();
    Some(match unit {
        "YEAR" | "YYYY" | "YY" => first(1),
        "QUARTER" => first((date.month - 1) / 3 * 3 + 1),
        "MONTH" | "MON" | "MM" => first(date.month),
        "WEEK" => days - i64::from(day_of_week(days)) + 1,
        _ => return None,
    })
}

fn trunc(a: &Args) -> Result<ArrayRef> {
    let (days, unit) = (a.date(0)?, a.text(1)?);
    a.try_values::<Date32Type>(|r| match first_day(i64::from(days.value(r)), &unit.value(r).to_uppercase()) {
        Some(days) => to_date(days),
        None => Ok(None),
    })
}

/// Cuts a wall clock down to a unit.
pub(crate) fn cut(local_us: i64, unit: &str) -> Option<i64> {
    let down = |micros: i64| Some(local_us - local_us.rem_euclid(micros));
    match unit {
        "MICROSECOND" => Some(local_us),
        "MILLISECOND" => down(1_000),
        "SECOND" => down(MICROS_PER_SECOND),
        "MINUTE" => down(MICROS_PER_MINUTE),
        "HOUR" => down(MICROS_PER_HOUR),
        "DAY" | "DD" => down(MICROS_PER_DAY),
        unit => Some(first_day(local_us.div_euclid(MICROS_PER_DAY), unit)? * MICROS_PER_DAY),
    }
}

/// Moves a value by so many units. Hours and less are of real time, days and more of the wall clock.
pub(crate) fn add_units(data_type: &DataType, zone: &Zone, value: i64, unit: &str, count: i64) -> Option<i64> {
    let by = |micros: i64| value.checked_add(count.checked_mul(micros)?);
    let local = |months: i64, days: i64| {
        let clock = if *data_type == DataType::TimestampNtz { value } else { zone.to_local(value) };
        Some(from_clock(data_type, zone, plus_interval(clock, months, days)?))
    };
    match unit {
        "MICROSECOND" => by(1),
        "MILLISECOND" => by(1_000),
        "SECOND" => by(MICROS_PER_SECOND),
        "MINUTE" => by(MICROS_PER_MINUTE),
        "HOUR" => by(MICROS_PER_HOUR),
        "DAY" | "DAYOFYEAR" => local(0, count),
        "WEEK" => local(0, count.checked_mul(7)?),
        "MONTH" => local(count, 0),
        "QUARTER" => local(count.checked_mul(3)?, 0),
        "YEAR" => local(count.checked_mul(12)?, 0),
        _ => None,
    }
}

/// Whole units from one wall clock to another.
pub(crate) fn units_between(start: i64, end: i64, unit: &str) -> Option<i64> {
    let months = || {
        let ((day1, time1), (day2, time2)) = (split_micros(start), split_micros(end));
        let (date1, date2) = (Civil::from_days(day1), Civil::from_days(day2));
        let whole = i64::from(date2.year - date1.year) * 12 + i64::from(date2.month) - i64::from(date1.month);
        let rest = (date2.day, time2).cmp(&(date1.day, time1)) as i64;
        if whole > 0 && rest < 0 {
            whole - 1
        } else if whole < 0 && rest > 0 {
            whole + 1
        } else {
            whole
        }
    };
    let elapsed = end - start;
    Some(match unit {
        "MICROSECOND" => elapsed,
        "MILLISECOND" => elapsed / 1_000,
        "SECOND" => elapsed / MICROS_PER_SECOND,
        "MINUTE" => elapsed / MICROS_PER_MINUTE,
        "HOUR" => elapsed / MICROS_PER_HOUR,
        "DAY" => elapsed / MICROS_PER_DAY,
        "WEEK" => elapsed / (7 * MICROS_PER_DAY),
        "MONTH" => months(),
        "QUARTER" => months() / 3,
        "YEAR" => months() / 12,
        _ => return None,
    })
}

/// `date_trunc`: a timestamp cut down to a unit.
pub(crate) fn date_trunc(a: &Args) -> Result<ArrayRef> {
    let (unit, clock, zone) = (a.text(0)?, clock(a, 1)?, zone(a)?);
    a.try_timestamps(|r| {
        let unit = unit.value(r).to_uppercase();
        Ok(cut(clock(r), &unit).map(|local| from_clock(&a.context.result, &zone, local)))
    })
}
