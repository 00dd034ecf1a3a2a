//! Intervals as text: ANSI year-month and day-time intervals, and calendar intervals.

use std::fmt::Write;

use firesteel_model::{SparkError, error_class};
use firesteel_spec::DataType;
use firesteel_spec::types::{DayTimeField, YearMonthField};

use crate::datetime::civil::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND};
use crate::datetime::{trim, write_fraction};

/// Writes `INTERVAL '1-2' YEAR TO MONTH`.
pub fn write_year_month(out: &mut String, months: i32, start: YearMonthField, end: YearMonthField) {
    let sign = if months < 0 { "-" } else { "" };
    let months = months.unsigned_abs();
    let _ = match (start, end) {
        (YearMonthField::Year, YearMonthField::Year) => write!(out, "INTERVAL '{sign}{}' YEAR", months / 12),
        (YearMonthField::Month, _) => write!(out, "INTERVAL '{sign}{months}' MONTH"),
        _ => write!(out, "INTERVAL '{sign}{}-{}' YEAR TO MONTH", months / 12, months % 12),
    };
}

/// Writes `INTERVAL '1 02:03:04.5' DAY TO SECOND`.
pub fn write_day_time(out: &mut String, micros: i64, start: DayTimeField, end: DayTimeField) {
    use DayTimeField as F;
    out.push_str("INTERVAL '");
    if micros < 0 {
        out.push('-');
    }
    let units = [
        (F::Day, MICROS_PER_DAY),
        (F::Hour, MICROS_PER_HOUR),
        (F::Minute, MICROS_PER_MINUTE),
        (F::Second, MICROS_PER_SECOND),
    ];
    let mut rest = micros.unsigned_abs();
    for (field, unit) in units.into_iter().filter(|(field, _)| (start..=end).contains(field)) {
        let unit = unit as u64;
        match field {
            _ if field == start => {}
            F::Hour => out.push(' '),
            _ => out.push(':'),
        }
        let _ = if field == F::Day { write!(out, "{}", rest / unit) } else { write!(out, "{:02}", rest / unit) };
        rest %= unit;
    }
    if end == F::Second {
        write_fraction(out, rest as i64);
    }
    out.push_str("' ");
    out.push_str(DataType::DayTimeInterval(start, end).sql().trim_start_matches("INTERVAL "));
}

/// Writes `1 years 2 months 3 days 4 hours 5 minutes 6.7 seconds`.
pub fn write_calendar(out: &mut String, months: i32, days: i32, micros: i64) {
    let start = out.len();
    let mut unit = |value: i64, name: &str| {
        if value != 0 {
            if out.len() > start {
                out.push(' ');
            }
            let _ = write!(out, "{value} {name}");
        }
    };
    unit(i64::from(months / 12), "years");
    unit(i64::from(months % 12), "months");
    unit(i64::from(days), "days");
    unit(micros / MICROS_PER_HOUR, "hours");
    unit(micros / MICROS_PER_MINUTE % 60, "minutes");
    let rest = micros % MICROS_PER_MINUTE;
    if rest != 0 {
        if out.len() > start {
            out.push(' ');
        }
        if rest < 0 {
            out.push('-');
        }
        let rest = rest.abs();
        let _ = write!(out, "{}", rest / MICROS_PER_SECOND);
        write_fraction(out, rest % MICROS_PER_SECOND);
        out.push_str(" seconds");
    }
    if out.len() == start {
        out.push_str("0 seconds");
    }
}

/// Months from `y-m`, `y`, `m` or the same in `INTERVAL '..' YEAR TO MONTH`, as the type's fields ask for.
pub fn parse_year_month(text: &str, start: YearMonthField, end: YearMonthField) -> Option<i32> {
    let data_type = DataType::YearMonthInterval(start, end);
    let (negative, body) = body(text, &data_type)?;
    let months = match (start, end) {
        (YearMonthField::Year, YearMonthField::Year) => number(body, 10)?.checked_mul(12)?,
        (YearMonthField::Month, _) => number(body, 10)?,
        _ => {
            let (years, months) = body.split_once('-')?;
            let months = number(months, 2).filter(|months| *months < 12)?;
            number(years, 10)?.checked_mul(12)?.checked_add(months)?
        }
    };
    i32::try_from(if negative { -months } else { months }).ok()
}

/// Microseconds from `d h:m:s.n` and its parts, or the same in `INTERVAL '..' DAY TO SECOND`.
pub fn parse_day_time(text: &str, start: DayTimeField, end: DayTimeField) -> Option<i64> {
    use DayTimeField as F;
    let data_type = DataType::DayTimeInterval(start, end);
    let (negative, mut rest) = body(text, &data_type)?;
    let mut total: i128 = 0;
    let units = [
        (F::Day, MICROS_PER_DAY),
        (F::Hour, MICROS_PER_HOUR),
        (F::Minute, MICROS_PER_MINUTE),
        (F::Second, MICROS_PER_SECOND),
    ];
    for (field, unit) in units.into_iter().filter(|(field, _)| (start..=end).contains(field)) {
        let separator = if field == F::Day { ' ' } else { ':' };
        let part = if field == end {
            std::mem::take(&mut rest)
        } else {
            let (part, after) = rest.split_once(separator)?;
            rest = after;
            part
        };
        let (part, fraction) = if field == F::Second { part.split_once('.').unwrap_or((part, "")) } else { (part, "") };
        let value = number(part, if field == start { 18 } else { 2 })?;
        let limit = if field == F::Hour { 24 } else { 60 };
        if field != start && value >= limit {
            return None;
        }
        total += i128::from(value) * i128::from(unit) + i128::from(fraction_micros(fraction)?);
    }
    i64::try_from(if negative { -total } else { total }).ok()
}

fn fraction_micros(digits: &str) -> Option<i64> {
    if digits.is_empty() {
        return Some(0);
    }
    let nanos = number(digits, 9)? * 10_i64.pow(9 - digits.len() as u32);
    Some(nanos / 1_000)
}

fn number(text: &str, digits_max: usize) -> Option<i64> {
    let valid = !text.is_empty() && text.len() <= digits_max && text.bytes().all(|b| b.is_ascii_digit());
    valid.then(|| text.parse().ok())?
}

/// Sign and digits of `[+-]digits` or `INTERVAL [+-]'[+-]digits' FIELDS`.
fn body<'a>(text: &'a str, data_type: &DataType) -> Option<(bool, &'a str)> {
    let text = trim(text);
    let is_literal = text.get(..8).is_some_and(|word| word.eq_ignore_ascii_case("interval"));
    if !is_literal {
        return Some(signed(text));
    }
    let (outer, rest) = signed(text[8..].trim_start());
    let rest = rest.strip_prefix('\'')?;
    let (quoted, fields) = rest.split_once('\'')?;
    let fields: Vec<_> = fields.split_whitespace().map(str::to_uppercase).collect();
    if format!("INTERVAL {}", fields.join(" ")) != data_type.sql() {
        return None;
    }
    let (inner, digits) = signed(quoted);
    Some((outer != inner, digits))
}

fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// Months, days and microseconds of `[interval] 1 year -2 months 3.5 seconds ..`, in any case.
pub fn parse_calendar(text: &str) -> Option<(i32, i32, i64)> {
    let lower = trim(text).to_lowercase();
    let mut rest = lower.as_str();
    if let Some(after) = rest.strip_prefix("interval")
        && after.starts_with(char::is_whitespace)
    {
        rest = after.trim_start();
    }
    let (mut months, mut days, mut micros) = (0_i32, 0_i32, 0_i64);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (negative, after) = signed(rest);
        let after = after.trim_start();
        let end = after.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(after.len());
        let (value, tail) = after.split_at(end);
        let tail = tail.trim_start();
        let unit_end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        if !(tail.is_empty() || tail.starts_with(char::is_whitespace)) {
            return None;
        }
        rest = tail.trim_start();
        let unit = unit.strip_suffix('s').unwrap_or(unit);
        if unit == "second" {
            let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
            let whole = if whole.is_empty() && !fraction.is_empty() { 0 } else { number(whole, 18)? };
            let sum = whole.checked_mul(MICROS_PER_SECOND)?.checked_add(fraction_micros(fraction)?)?;
            micros = micros.checked_add(if negative { -sum } else { sum })?;
            continue;
        }
        let value = number(value, 18)?;
        let value = if negative { -value } else { value };
        let narrow = |by: i64| i32::try_from(value.checked_mul(by)?).ok();
        match unit {
            "year" => months = months.checked_add(narrow(12)?)?,
            "month" => months = months.checked_add(narrow(1)?)?,
            "week" => days = days.checked_add(narrow(7)?)?,
            "day" => days = days.checked_add(narrow(1)?)?,
            "hour" => micros = micros.checked_add(value.checked_mul(MICROS_PER_HOUR)?)?,
            "minute" => micros = micros.checked_add(value.checked_mul(MICROS_PER_MINUTE)?)?,
            "millisecond" => micros = micros.checked_add(value.checked_mul(1_000)?)?,
            "microsecond" => micros = micros.checked_add(value)?,
            _ => return None,
        }
    }
    Some((months, days, micros))
}

/// What a text that is no such interval raises.
pub fn bad_interval(text: &str, data_type: &DataType) -> SparkError {
    let (kind, form) = match data_type {
        DataType::YearMonthInterval(start, end) => ("year-month", form(&["y", "m"], *start as usize, *end as usize)),
        DataType::DayTimeInterval(start, end) => {
            ("day-time", form(&["d", "h", "m", "s.n"], *start as usize, *end as usize))
        }
        _ => {
            return SparkError::new(&error_class::CAST_INVALID_INPUT)
                .param("expression", format!("'{text}'"))
                .param("sourceType", "\"STRING\"")
                .param("targetType", "\"INTERVAL\"")
                .param("ansiConfig", "\"spark.sql.ansi.enabled\"");
        }
    };
    let name = data_type.sql();
    let fields = name.trim_start_matches("INTERVAL ");
    SparkError::new(&error_class::INVALID_INTERVAL_FORMAT_UNMATCHED_FORMAT_STRING)
        .param("input", text)
        .param("intervalStr", kind)
        .param("supportedFormat", format!("`[+|-]{form}`, `INTERVAL [+|-]'[+|-]{form}' {fields}`"))
        .param("typeName", name.to_lowercase())
}

fn form(names: &[&str], start: usize, end: usize) -> String {
    let mut text = String::new();
    for (index, name) in names.iter().enumerate().take(end + 1).skip(start) {
        if index > start {
            text.push(match (names.len(), index) {
                (2, _) => '-',
                (_, 1) => ' ',
                _ => ':',
            });
        }
        text.push_str(name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use DayTimeField as D;
    use YearMonthField as Y;

    #[test]
    fn day_time() {
        for (micros, start, end, expected) in [
            (0, D::Day, D::Second, "INTERVAL '0 00:00:00' DAY TO SECOND"),
            (93_784_500_000, D::Day, D::Second, "INTERVAL '1 02:03:04.5' DAY TO SECOND"),
            (-93_784_500_000, D::Hour, D::Second, "INTERVAL '-26:03:04.5' HOUR TO SECOND"),
            (2_000_000, D::Second, D::Second, "INTERVAL '02' SECOND"),
            (86_400_000_000, D::Day, D::Day, "INTERVAL '1' DAY"),
            (i64::MIN, D::Day, D::Second, "INTERVAL '-106751991 04:00:54.775808' DAY TO SECOND"),
        ] {
            let mut out = String::new();
            write_day_time(&mut out, micros, start, end);
            assert_eq!(out, expected);
            assert_eq!(parse_day_time(&out, start, end), Some(micros), "{out}");
        }
        assert_eq!(parse_day_time("1 24:00:00", D::Day, D::Second), None);
        assert_eq!(parse_day_time("-1", D::Day, D::Day), Some(-86_400_000_000));
    }

    #[test]
    fn year_month() {
        for (months, start, end, expected) in [
            (37, Y::Year, Y::Month, "INTERVAL '3-1' YEAR TO MONTH"),
            (-24, Y::Year, Y::Year, "INTERVAL '-2' YEAR"),
            (5, Y::Month, Y::Month, "INTERVAL '5' MONTH"),
        ] {
            let mut out = String::new();
            write_year_month(&mut out, months, start, end);
            assert_eq!(out, expected);
            assert_eq!(parse_year_month(&out, start, end), Some(months), "{out}");
        }
        assert_eq!(parse_year_month("1-12", Y::Year, Y::Month), None);
    }

    #[test]
    fn calendar() {
        for (text, expected) in [
            ("interval 3 month 1 hour", Some((3, 0, 3_600_000_000))),
            ("1 year -2 days 1.5 seconds", Some((12, -2, 1_500_000))),
            ("1 parsec", None),
            ("", None),
        ] {
            assert_eq!(parse_calendar(text), expected, "{text}");
        }
        let mut out = String::new();
        write_calendar(&mut out, 14, 3, 3_661_500_000);
        assert_eq!(out, "1 years 2 months 3 days 1 hours 1 minutes 1.5 seconds");
    }
}
