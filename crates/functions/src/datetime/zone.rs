//! Time zones: Java's ids, and Java's answer where a wall clock is skipped or repeated.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{OffsetName, Tz};
use firesteel_model::{Result, SparkError, error_class};

use super::civil::MICROS_PER_SECOND;

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    id: String,
    rules: Rules,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rules {
    /// Seconds east of Greenwich.
    Fixed(i32),
    Region(Tz),
}

/// Java's three-letter ids.
const SHORT_IDS: &[(&str, &str)] = &[
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("EST", "-05:00"),
    ("HST", "-10:00"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("MST", "-07:00"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self { id: "UTC".to_owned(), rules: Rules::Fixed(0) }
    }

    /// The zone of an id: a region, a three-letter id, `Z`, `+8`, `+08:00`, `UTC+8`, `GMT-03:00`.
    ///
    /// Errors: `INVALID_TIMEZONE`.
    pub fn parse(id: &str) -> Result<Self> {
        Self::find(id).ok_or_else(|| SparkError::new(&error_class::INVALID_TIMEZONE).param("timeZone", id))
    }

    /// The same as [`Zone::parse`], without an error.
    pub fn find(id: &str) -> Option<Self> {
        let fixed = |seconds, id: &str| Some(Self { id: id.to_owned(), rules: Rules::Fixed(seconds) });
        match id {
            "Z" | "UTC" | "GMT" | "UT" | "Etc/UTC" | "Etc/GMT" => return fixed(0, id),
            _ => {}
        }
        if id.starts_with(['+', '-']) {
            return fixed(offset(id)?, id);
        }
        for prefix in ["UTC", "GMT", "UT"] {
            if let Some(rest) = id.strip_prefix(prefix)
                && rest.starts_with(['+', '-'])
            {
                return fixed(offset(rest)?, id);
            }
        }
        if let Some((_, long)) = SHORT_IDS.iter().find(|(short, _)| *short == id) {
            return Self::find(long);
        }
        Some(Self { id: id.to_owned(), rules: Rules::Region(id.parse().ok()?) })
    }

    /// The id it was asked for by.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Seconds to add to an instant, given in seconds since the epoch, for the wall clock.
    pub fn offset_at(&self, epoch_s: i64) -> i32 {
        match self.rules {
            Rules::Fixed(seconds) => seconds,
            Rules::Region(tz) => tz.offset_from_utc_datetime(&naive(epoch_s)).fix().local_minus_utc(),
        }
    }

    /// The wall clock at an instant, both in microseconds.
    pub fn to_local(&self, instant_us: i64) -> i64 {
        let offset = self.offset_at(instant_us.div_euclid(MICROS_PER_SECOND));
        instant_us.saturating_add(i64::from(offset) * MICROS_PER_SECOND)
    }

    /// The instant of a wall clock. A repeated clock means its first turn; a skipped one is moved on by the gap.
    pub fn to_instant(&self, local_us: i64) -> i64 {
        let local_s = local_us.div_euclid(MICROS_PER_SECOND);
        let offset = match self.rules {
            Rules::Fixed(seconds) => seconds,
            Rules::Region(tz) => match tz.offset_from_local_datetime(&naive(local_s)) {
                MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => {
                    offset.fix().local_minus_utc()
                }
                // The offset from before the gap; no zone changes twice within a day.
                MappedLocalTime::None => self.offset_at(local_s - 86_400),
            },
        };
        local_us.saturating_sub(i64::from(offset) * MICROS_PER_SECOND)
    }

    /// The zone's short name at an instant: `PST`, `PDT`, `UTC`.
    pub fn short_name(&self, epoch_s: i64) -> String {
        match self.rules {
            Rules::Fixed(_) => self.id.clone(),
            Rules::Region(tz) => {
                let offset = tz.offset_from_utc_datetime(&naive(epoch_s));
                offset.abbreviation().map_or_else(|| self.id.clone(), str::to_owned)
            }
        }
    }
}

fn naive(epoch_s: i64) -> NaiveDateTime {
    // Far beyond what tables of rules reach, the nearest year's rule holds.
    const LIMIT: i64 = 8_000_000_000_000;
    DateTime::from_timestamp(epoch_s.clamp(-LIMIT, LIMIT), 0).unwrap_or_default().naive_utc()
}

/// `+h`, `+hh`, `+hh:mm`, `+h:mm`, `+hhmm`, `+hh:mm:ss`, `+hhmmss` in seconds; at most 18 hours.
fn offset(text: &str) -> Option<i32> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = &text[1..];
    let parts: Vec<&str> = if digits.contains(':') {
        digits.split(':').collect()
    } else {
        match digits.len() {
            1 | 2 => vec![digits],
            4 => vec![&digits[..2], digits.get(2..)?],
            6 => vec![digits.get(..2)?, digits.get(2..4)?, digits.get(4..)?],
            _ => return None,
        }
    };
    let mut numbers = [0_i32; 3];
    if parts.len() > 3 {
        return None;
    }
    for (slot, part) in numbers.iter_mut().zip(&parts) {
        if part.is_empty() || part.len() > 2 || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *slot = part.parse().ok()?;
    }
    let [hours, minutes, seconds] = numbers;
    let total = hours * 3_600 + minutes * 60 + seconds;
    (minutes < 60 && seconds < 60 && total <= 18 * 3_600).then_some(sign * total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        for (id, offset) in [("UTC", 0), ("+8", 28_800), ("-07:30", -27_000), ("UTC+01:00", 3_600), ("EST", -18_000)] {
            assert_eq!(Zone::parse(id).unwrap().offset_at(0), offset, "{id}");
        }
        for id in ["", "+19:00", "Mars/Olympus", "+1:2:3:4", "+é"] {
            assert!(Zone::find(id).is_none(), "{id}");
        }
    }

    #[test]
    fn gaps_and_overlaps() {
        let zone = Zone::parse("America/Los_Angeles").unwrap();
        let local = |d: u32, m: u32, h: i64, min: i64| {
            super::super::Civil::new(2016, m, d).unwrap().to_days() * 86_400_000_000 + (h * 60 + min) * 60_000_000
        };
        // 13 March 2016, 02:30 is skipped and becomes 03:30.
        assert_eq!(zone.to_local(zone.to_instant(local(13, 3, 2, 30))), local(13, 3, 3, 30));
        // 6 November 2016, 01:30 happens twice; the first is in summer time.
        assert_eq!(zone.to_instant(local(6, 11, 1, 30)) - local(6, 11, 1, 30), 7 * 3_600_000_000);
    }
}
