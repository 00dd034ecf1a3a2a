//! Dates, timestamps and times from text, in every form that a cast takes.

use super::Civil;
use super::civil::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND};
use super::zone::Zone;

/// A timestamp's text, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedTimestamp {
    /// Days since the epoch; `None` where the text is a time only.
    pub date: Option<i64>,
    /// Microseconds since midnight.
    pub time_us: i64,
    /// The zone in the text.
    pub zone: Option<Zone>,
}

/// Strips white space and control characters, as casts do.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c <= ' ' || c == '\u{7f}')
}

/// Days since the epoch from `yyyy`, `yyyy-[m]m`, `yyyy-[m]m-[d]d`, the last with anything after a blank or `T`.
pub fn parse_date(text: &str) -> Option<i32> {
    let bytes = trim(text).as_bytes();
    let (sign, mut at) = sign(bytes)?;
    let mut segments = [1_i64; 3];
    let (mut index, mut current, mut digits) = (0, 0_i64, 0);
    while at < bytes.len() && !(bytes[at] == b' ' || bytes[at] == b'T') {
        let byte = bytes[at];
        if index < 2 && byte == b'-' {
            if !date_digits(index, digits) {
                return None;
            }
            segments[index] = current;
            (index, current, digits) = (index + 1, 0, 0);
        } else if byte.is_ascii_digit() && digits < 8 {
            current = current * 10 + i64::from(byte - b'0');
            digits += 1;
        } else {
            return None;
        }
        at += 1;
    }
    if !date_digits(index, digits) || (index < 2 && at < bytes.len()) {
        return None;
    }
    segments[index] = current;
    let year = i32::try_from(sign * segments[0]).ok()?;
    let date = Civil::new(year, segments[1] as u32, segments[2] as u32)?;
    i32::try_from(date.to_days()).ok()
}

fn sign(bytes: &[u8]) -> Option<(i64, usize)> {
    Some(match bytes.first()? {
        b'-' => (-1, 1),
        b'+' => (1, 1),
        _ => (1, 0),
    })
}

fn date_digits(segment: usize, digits: usize) -> bool {
    if segment == 0 { (4..=7).contains(&digits) } else { (1..=2).contains(&digits) }
}

/// Whether a segment of a timestamp may have so many digits. 0 is the year, 6 the fraction, 7 what follows the zone.
fn timestamp_digits(segment: usize, digits: usize) -> bool {
    match segment {
        0 => (4..=6).contains(&digits),
        6 => true,
        7 => digits <= 2,
        _ => (1..=2).contains(&digits),
    }
}

/// Takes a timestamp's text apart: `[+-]yyyy-[m]m-[d]d[ T][h]h:[m]m:[s]s.[fraction][zone]` and its prefixes, or a time.
pub fn split_timestamp(text: &str) -> Option<ParsedTimestamp> {
    let bytes = trim(text).as_bytes();
    let mut scan = Scan { segments: [1, 1, 1, 0, 0, 0, 0, 0, 0], ..Scan::default() };
    let (sign, start) = sign(bytes)?;
    let mut at = start;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte.is_ascii_digit() {
            scan.digit(byte)?;
        } else if at == 0 && byte == b'T' {
            scan.is_time = true;
            scan.index = 3;
        } else if scan.separator(byte, start > 0)? {
            scan.zone = Some(Zone::find(&zone_id(trim(std::str::from_utf8(&bytes[at..]).ok()?)))?);
            break;
        }
        at += 1;
    }
    if !timestamp_digits(scan.index, scan.digits) {
        return None;
    }
    scan.segments[scan.index] = scan.current;
    scan.finish(sign)
}

#[derive(Default)]
struct Scan {
    segments: [i64; 9],
    index: usize,
    current: i64,
    digits: usize,
    fraction_digits: usize,
    is_time: bool,
    zone: Option<Zone>,
}

impl Scan {
    fn digit(&mut self, byte: u8) -> Option<()> {
        if self.index == 6 {
            self.fraction_digits += 1;
        }
        // Beyond microseconds the fraction is cut.
        if self.index != 6 || self.digits < 6 {
            if self.digits > 8 {
                return None;
            }
            self.current = self.current * 10 + i64::from(byte - b'0');
        }
        self.digits += 1;
        Some(())
    }

    fn close(&mut self, next: usize) -> Option<()> {
        if !timestamp_digits(self.index, self.digits) {
            return None;
        }
        self.segments[self.index] = self.current;
        (self.index, self.current, self.digits) = (next, 0, 0);
        Some(())
    }

    /// Whether a zone begins here.
    fn separator(&mut self, byte: u8, has_sign: bool) -> Option<bool> {
        match (self.index, byte) {
            (0 | 1, b'-') | (2, b' ' | b'T') | (3 | 4, b':') => self.close(self.index + 1)?,
            (0, b':') if !has_sign => {
                // What looked like a year is an hour.
                self.index = 3;
                self.is_time = true;
                self.close(4)?;
            }
            (5, b'.') => self.close(6)?,
            (5 | 6, _) => {
                self.close(7)?;
                return Some(true);
            }
            _ => return None,
        }
        Some(false)
    }

    fn finish(mut self, sign: i64) -> Option<ParsedTimestamp> {
        for _ in self.fraction_digits..6 {
            self.segments[6] *= 10;
        }
        let [year, month, day, hour, minute, second, micros, ..] = self.segments;
        let date = if self.is_time {
            None
        } else {
            Some(Civil::new(i32::try_from(sign * year).ok()?, month as u32, day as u32)?.to_days())
        };
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let time_us = hour * MICROS_PER_HOUR + minute * MICROS_PER_MINUTE + second * MICROS_PER_SECOND + micros;
        Some(ParsedTimestamp { date, time_us, zone: self.zone })
    }
}

/// Spark pads `+8:00` and `+08:5` before Java reads them.
fn zone_id(text: &str) -> String {
    let Some(sign) = text.find(['+', '-']) else { return text.to_owned() };
    let (prefix, rest) = text.split_at(sign + 1);
    let Some((hours, minutes)) = rest.split_once(':') else { return text.to_owned() };
    let pad = |digits: &str| if digits.len() == 1 { format!("0{digits}") } else { digits.to_owned() };
    format!("{prefix}{}:{}", pad(hours), pad(minutes))
}

/// The instant in microseconds; text without zone is in `zone`, text without date is on the day of `now_us`.
pub fn parse_timestamp(text: &str, zone: &Zone, now_us: Option<i64>) -> Option<i64> {
    let parsed = split_timestamp(text)?;
    let zone = parsed.zone.as_ref().unwrap_or(zone);
    let date = match parsed.date {
        Some(date) => date,
        None => zone.to_local(now_us?).div_euclid(MICROS_PER_DAY),
    };
    Some(zone.to_instant(date.checked_mul(MICROS_PER_DAY)?.checked_add(parsed.time_us)?))
}

/// The wall clock in microseconds; a zone in the text is ignored, or refused when `allow_zone` is false.
pub fn parse_timestamp_ntz(text: &str, allow_zone: bool) -> Option<i64> {
    let parsed = split_timestamp(text)?;
    if parsed.zone.is_some() && !allow_zone {
        return None;
    }
    parsed.date?.checked_mul(MICROS_PER_DAY)?.checked_add(parsed.time_us)
}

/// Nanoseconds since midnight from `[h]h:[m]m:[s]s.[fraction]`, also with AM or PM.
pub fn parse_time(text: &str) -> Option<i64> {
    let text = trim(text);
    let upper = text.to_ascii_uppercase();
    let half = if upper.ends_with("AM") { Some(0) } else { upper.ends_with("PM").then_some(12) };
    let clock = if half.is_some() { trim(text.get(..text.len() - 2)?) } else { text };
    let parsed = split_timestamp(clock)?;
    if parsed.date.is_some() || parsed.zone.is_some() {
        return None;
    }
    let Some(half) = half else { return Some(parsed.time_us * 1_000) };
    let hour = parsed.time_us / MICROS_PER_HOUR;
    if !(1..=12).contains(&hour) {
        return None;
    }
    Some((parsed.time_us % MICROS_PER_HOUR + (hour % 12 + half) * MICROS_PER_HOUR) * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (text, expected) in [
            ("1970-01-02", Some(1)),
            (" 1970-1-2 ", Some(1)),
            ("1970-01", Some(0)),
            ("1970", Some(0)),
            ("1970-01-02T", Some(1)),
            ("1970-01-02 anything", Some(1)),
            ("1970-01-02anything", None),
            ("70-01-02", None),
            ("2021-02-29", None),
            ("", None),
            ("-0001-01-01", Some(-719_893)),
        ] {
            assert_eq!(parse_date(text), expected, "{text:?}");
        }
    }

    #[test]
    fn timestamps() {
        let utc = Zone::utc();
        for (text, expected) in [
            ("1970-01-01 00:00:01", Some(1_000_000)),
            ("1970-01-01T00:00:01.5Z", Some(1_500_000)),
            ("1970-01-01 00:00:01.1234567", Some(1_123_456)),
            ("1970-01-01 01:00:00+1:00", Some(0)),
            ("1970-01-01 00:00:00 America/Los_Angeles", Some(28_800_000_000)),
            ("1970-01-01 0:0", Some(0)),
            ("1970", Some(0)),
            ("1970-01-01 25:00:00", None),
            ("1970-01-01 00:00:00 nowhere", None),
            ("T01:00", Some(3_600_000_000)),
            ("01:00:00", Some(3_600_000_000)),
        ] {
            assert_eq!(parse_timestamp(text, &utc, Some(5)), expected, "{text:?}");
        }
        assert_eq!(parse_timestamp_ntz("1970-01-01 00:00:01+08:00", true), Some(1_000_000));
    }

    #[test]
    fn times() {
        assert_eq!(parse_time("12:30:01.5"), Some(45_001_500_000_000));
        assert_eq!(parse_time("12:30 am"), Some(1_800_000_000_000));
        assert_eq!(parse_time("25:00"), None);
    }
}
