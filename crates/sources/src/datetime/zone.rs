//! Time zones by Java's names.

use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

const MICROS: i64 = 1_000_000;

/// A time zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Zone {
    /// Seconds east of Greenwich.
    Fixed(i32),
    /// A region.
    Region(Tz),
}

impl Zone {
    /// A zone by name or offset: `UTC`, `Europe/Berlin`, `+01:00`, `GMT+1`, `Z`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if matches!(text, "Z" | "UTC" | "GMT" | "UT") {
            return Some(Self::Fixed(0));
        }
        let offset = ["UTC", "GMT", "UT"].iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
        if offset.starts_with(['+', '-']) {
            return parse_offset(offset).map(Self::Fixed);
        }
        text.parse().ok().map(Self::Region)
    }

    /// The instant at which clocks of the zone show `local_us`. In a gap clocks are thought to run on; of two
    /// instants the earlier one is taken.
    pub(crate) fn to_instant(self, local_us: i64) -> i64 {
        match self {
            Self::Fixed(seconds) => local_us - i64::from(seconds) * MICROS,
            Self::Region(tz) => {
                let Some(local) = naive(local_us) else { return local_us };
                match tz.from_local_datetime(&local) {
                    LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => {
                        local_us - offset_us(instant.offset().fix().local_minus_utc())
                    }
                    LocalResult::None => {
                        let before = tz.offset_from_utc_datetime(&(local - chrono::Duration::days(1)));
                        local_us - offset_us(before.fix().local_minus_utc())
                    }
                }
            }
        }
    }

    /// Seconds east of Greenwich at an instant.
    pub(crate) fn offset_at(self, instant_us: i64) -> i32 {
        match self {
            Self::Fixed(seconds) => seconds,
            Self::Region(tz) => match DateTime::<Utc>::from_timestamp_micros(instant_us) {
                Some(instant) => tz.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc(),
                None => 0,
            },
        }
    }
}

fn naive(local_us: i64) -> Option<NaiveDateTime> {
    Some(DateTime::<Utc>::from_timestamp_micros(local_us)?.naive_utc())
}

fn offset_us(seconds: i32) -> i64 {
    i64::from(seconds) * MICROS
}

/// Reads `+1`, `+01`, `+01:30`, `+0130`, `+01:30:15`.
fn parse_offset(text: &str) -> Option<i32> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let rest = &text[1..];
    let parts: Vec<&str> = match rest.len() {
        4 | 6 if !rest.contains(':') => {
            (0..rest.len()).step_by(2).map(|i| rest.get(i..i + 2)).collect::<Option<_>>()?
        }
        _ => rest.split(':').collect(),
    };
    let mut seconds = 0;
    for (part, unit) in parts.iter().zip([3600, 60, 1]) {
        let well_formed = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let value: i32 = part.parse().ok().filter(|_| well_formed)?;
        seconds += value * unit;
    }
    (parts.len() <= 3 && seconds <= 18 * 3600).then_some(sign * seconds)
}
