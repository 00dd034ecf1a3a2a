//! The text of dates, times and timestamps, as Spark reads it in a literal.

/// A timestamp as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TimestampText {
    /// Days since 1970-01-01; none where only a time is written.
    pub(crate) days: Option<i64>,
    /// Microseconds since midnight.
    pub(crate) microseconds: i64,
    /// The zone behind it.
    pub(crate) zone: Zone,
}

/// The zone of a timestamp.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Zone {
    /// The session's.
    Session,
    /// So many seconds east of UTC.
    Offset(i32),
    /// A region, whose rules are looked up later.
    Region,
}

impl TimestampText {
    /// Microseconds since 1970-01-01T00:00:00 on the wall clock.
    pub(crate) fn wall_clock(&self) -> Option<i64> {
        self.days?.checked_mul(86_400_000_000)?.checked_add(self.microseconds)
    }
}

/// `[+-]yyyy[-m[-d]]`, then nothing, or a space or T and anything. Days since 1970-01-01.
pub(crate) fn date(text: &str) -> Option<i32> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    let (days, rest) = leading_date(text)?;
    let complete = text[..text.len() - rest.len()].matches('-').count() >= 2;
    (rest.is_empty() || (complete && rest.starts_with([' ', 'T']))).then_some(days as i32)
}

/// A date, a time, or both with a zone.
pub(crate) fn timestamp(text: &str) -> Option<TimestampText> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    let (days, rest) = match leading_date(text) {
        Some((days, "")) => {
            return Some(TimestampText { days: Some(days), microseconds: 0, zone: Zone::Session });
        }
        Some((days, rest)) => (Some(days), rest.strip_prefix([' ', 'T'])?),
        None => (None, text.strip_prefix('T').unwrap_or(text)),
    };
    let (microseconds, rest) = leading_time(rest)?;
    Some(TimestampText { days, microseconds, zone: zone(rest.trim())? })
}

/// `[h]h:[m]m[:[s]s[.f]]` with AM or PM. Nanoseconds since midnight.
pub(crate) fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    let upper = text.to_ascii_uppercase();
    let half = ["AM", "PM"].into_iter().find(|half| upper.ends_with(half));
    let digits = if half.is_some() { text[..text.len() - 2].trim_end() } else { text };
    let (microseconds, rest) = leading_time(digits.strip_prefix('T').unwrap_or(digits))?;
    if !rest.is_empty() {
        return None;
    }
    const HOUR: i64 = 3_600_000_000;
    let hour = microseconds / HOUR;
    let shift = match half {
        None => 0,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some("AM") if hour == 12 => -12,
        Some("PM") if hour < 12 => 12,
        Some(_) => 0,
    };
    Some((microseconds + shift * HOUR) * 1000)
}

/// The date at the start of a text, and the rest.
fn leading_date(text: &str) -> Option<(i64, &str)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (year, rest) = number(unsigned, 4, 7)?;
    let year = if text.starts_with('-') { -year } else { year };
    let Some(month_text) = rest.strip_prefix('-') else {
        return Some((days_from_civil(year, 1, 1)?, rest));
    };
    let (month, rest) = number(month_text, 1, 2)?;
    let Some(day_text) = rest.strip_prefix('-') else {
        return Some((days_from_civil(year, month, 1)?, rest));
    };
    let (day, rest) = number(day_text, 1, 2)?;
    Some((days_from_civil(year, month, day)?, rest))
}

fn leading_time(text: &str) -> Option<(i64, &str)> {
    let (hour, rest) = number(text, 1, 2)?;
    let (minute, mut rest) = number(rest.strip_prefix(':')?, 1, 2)?;
    let mut second = 0;
    let mut fraction = 0;
    if let Some(seconds) = rest.strip_prefix(':') {
        (second, rest) = number(seconds, 1, 2)?;
        if let Some(digits) = rest.strip_prefix('.') {
            let length = digits.bytes().take_while(u8::is_ascii_digit).count();
            fraction = format!("{:0<6.6}", &digits[..length]).parse().ok()?;
            rest = &digits[length..];
        }
    }
    let fits = hour < 24 && minute < 60 && second < 60;
    fits.then_some((((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction, rest))
}

fn zone(text: &str) -> Option<Zone> {
    if text.is_empty() {
        return Some(Zone::Session);
    }
    if matches!(text, "Z" | "UTC" | "GMT" | "UT") {
        return Some(Zone::Offset(0));
    }
    let offset = ["UTC", "GMT", "UT"].into_iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
    if offset.starts_with(['+', '-']) {
        return zone_offset(offset).map(Zone::Offset);
    }
    let is_region = text.contains('/') && text.chars().all(|c| c.is_ascii_alphanumeric() || "/_+-".contains(c));
    let is_short = text.len() == 3 && text.chars().all(|c| c.is_ascii_uppercase());
    (is_region || is_short).then_some(Zone::Region)
}

/// `+h`, `+hh:mm`, `+hhmm`, `+hh:mm:ss`
fn zone_offset(text: &str) -> Option<i32> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = &text[1..];
    let parts: Vec<&str> = if digits.contains(':') {
        digits.split(':').collect()
    } else if digits.len() > 2 {
        vec![digits.get(..2)?, digits.get(2..4)?, digits.get(4..).filter(|s| !s.is_empty()).unwrap_or("0")]
    } else {
        vec![digits]
    };
    let mut seconds = 0;
    for (i, part) in parts.iter().enumerate() {
        let (value, rest) = number(part, 1, 2)?;
        if !rest.is_empty() || i > 2 || (i > 0 && value > 59) {
            return None;
        }
        seconds += value as i32 * [3600, 60, 1][i];
    }
    (seconds <= 18 * 3600).then_some(sign * seconds)
}

fn number(text: &str, least: usize, most: usize) -> Option<(i64, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(least..=most).contains(&length) {
        return None;
    }
    Some((text[..length].parse().ok()?, &text[length..]))
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use super::{Zone, date, time, timestamp};

    #[test]
    fn dates() {
        let cases = [
            ("1970-01-01", Some(0)),
            ("2020", Some(18262)),
            ("2020-1-31", Some(18292)),
            ("1969-12-31T10", Some(-1)),
            ("2020-02-30", None),
            ("015", None),
            ("mar 11 2016", None),
            ("0001-01-01", Some(-719_162)),
        ];
        for (text, expected) in cases {
            assert_eq!(date(text), expected, "{text}");
        }
    }

    #[test]
    fn timestamps() {
        let at = |text: &str| timestamp(text).and_then(|t| Some((t.wall_clock()?, t.zone)));
        assert_eq!(at("1970-01-01 00:00:01.5"), Some((1_500_000, Zone::Session)));
        assert_eq!(at("1970-01-02T00:00:00+01:30"), Some((86_400_000_000, Zone::Offset(5400))));
        assert_eq!(at("1970-01-01 00:00:00 Europe/Rome"), Some((0, Zone::Region)));
        assert_eq!(at("2016-33-11 20:54:00"), None);
    }

    #[test]
    fn times() {
        assert_eq!(time("12:00:00 AM"), Some(0));
        assert_eq!(time("1:02:03.000004"), Some(3_723_000_004_000));
        assert_eq!(time("24:00:00"), None);
    }
}
