//! The forms that casts from text accept: `2024`, `2024-1-2`, `2024-01-02T03:04:05.678 Europe/Berlin` ...

use super::{MICROS_PER_DAY, WallClock, Zone, days_from_civil};

/// A date with anything after a blank or `T`.
pub(crate) fn lenient_date(text: &str) -> Option<i32> {
    let text = text.trim();
    let (days, rest) = date_prefix(text)?;
    let ends = rest.is_empty() || rest.starts_with(['T', ' ']);
    if ends { i32::try_from(days).ok() } else { None }
}

/// A date with or without a time and a zone; a time alone is of the day `today`.
pub(crate) fn lenient_timestamp(text: &str, today: impl FnOnce() -> i64) -> Option<WallClock> {
    let text = text.trim();
    if let Some(time) = text.strip_prefix('T') {
        return with_time(today(), time);
    }
    match date_prefix(text) {
        Some((days, "")) => Some(WallClock { local_us: days.checked_mul(MICROS_PER_DAY)?, zone: None }),
        Some((days, rest)) if rest.starts_with(['T', ' ']) => with_time(days, rest[1..].trim_start()),
        _ if text.get(..3)?.contains(':') => with_time(today(), text),
        _ => None,
    }
}

/// `[+-]y+[-m[m][-d[d]]]`, and what follows.
fn date_prefix(text: &str) -> Option<(i64, &str)> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (year, rest) = number(unsigned, 4, 7)?;
    let year = if negative { -year } else { year };
    let (month, rest) = part(rest, '-', 1)?;
    let (day, rest) = if rest.len() < unsigned.len() && month.is_some() { part(rest, '-', 1)? } else { (None, rest) };
    let days = days_from_civil(year, u32::try_from(month.unwrap_or(1)).ok()?, u32::try_from(day.unwrap_or(1)).ok()?)?;
    Some((days, rest))
}

/// A separator and a number of one or two digits, or nothing.
fn part(text: &str, separator: char, digits_min: usize) -> Option<(Option<i64>, &str)> {
    match text.strip_prefix(separator) {
        Some(rest) => number(rest, digits_min, 2).map(|(value, rest)| (Some(value), rest)),
        None => Some((None, text)),
    }
}

fn number(text: &str, digits_min: usize, digits_max: usize) -> Option<(i64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(digits_min..=digits_max).contains(&digits) {
        return None;
    }
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

/// `h[h]:[m]m[:[s]s[.fraction]][zone]` of a day.
fn with_time(days: i64, text: &str) -> Option<WallClock> {
    if text.is_empty() {
        return None;
    }
    let (hour, rest) = number(text, 1, 2)?;
    let (minute, rest) = part(rest, ':', 1)?;
    let (second, rest) = if minute.is_some() { part(rest, ':', 1)? } else { (None, rest) };
    let (micros, rest) = if second.is_some() { fraction(rest) } else { (0, rest) };
    let zone = if rest.is_empty() { None } else { Some(Zone::parse(rest)?) };
    let (minute, second) = (minute.unwrap_or(0), second.unwrap_or(0));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let of_day = ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros;
    Some(WallClock { local_us: days.checked_mul(MICROS_PER_DAY)?.checked_add(of_day)?, zone })
}

/// Microseconds of `.123456789`, cut after six digits.
fn fraction(text: &str) -> (i64, &str) {
    let Some(rest) = text.strip_prefix('.') else { return (0, text) };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let micros = rest.bytes().take(digits).chain(std::iter::repeat(b'0')).take(6);
    (micros.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')), &rest[digits..])
}
