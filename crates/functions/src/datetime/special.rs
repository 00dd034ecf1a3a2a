//! The words that stand for dates and timestamps: `epoch`, `now`, `today`, `yesterday`, `tomorrow`.

use super::civil::MICROS_PER_DAY;
use super::read::trim;
use super::zone::Zone;

/// The day that a word stands for, on the clock of the zone.
pub fn special_date(text: &str, now_us: i64, zone: &Zone) -> Option<i32> {
    let (word, zone) = word_and_zone(text, zone)?;
    i32::try_from(day(&word, now_us, &zone)?).ok()
}

/// The instant that a word stands for; days begin at midnight in the zone.
pub fn special_timestamp(text: &str, now_us: i64, zone: &Zone) -> Option<i64> {
    let (word, zone) = word_and_zone(text, zone)?;
    match word.as_str() {
        "epoch" => Some(0),
        "now" => Some(now_us),
        word => Some(zone.to_instant(day(word, now_us, &zone)? * MICROS_PER_DAY)),
    }
}

/// The wall clock that a word stands for.
pub fn special_timestamp_ntz(text: &str, now_us: i64, zone: &Zone) -> Option<i64> {
    let (word, zone) = word_and_zone(text, zone)?;
    match word.as_str() {
        "epoch" => Some(0),
        "now" => Some(zone.to_local(now_us)),
        word => Some(day(word, now_us, &zone)? * MICROS_PER_DAY),
    }
}

fn day(word: &str, now_us: i64, zone: &Zone) -> Option<i64> {
    let today = zone.to_local(now_us).div_euclid(MICROS_PER_DAY);
    match word {
        "epoch" => Some(0),
        "now" | "today" => Some(today),
        "yesterday" => Some(today - 1),
        "tomorrow" => Some(today + 1),
        _ => None,
    }
}

/// The word in lower case, and the zone that may follow it.
fn word_and_zone(text: &str, zone: &Zone) -> Option<(String, Zone)> {
    let text = trim(text);
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let rest = rest.trim();
    let zone = if rest.is_empty() { zone.clone() } else { Zone::find(rest)? };
    Some((word.to_lowercase(), zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let utc = Zone::utc();
        assert_eq!(special_date("Tomorrow", 0, &utc), Some(1));
        assert_eq!(special_date("today -01:00", 0, &utc), Some(-1));
        assert_eq!(special_timestamp("now", 7, &utc), Some(7));
        assert_eq!(special_timestamp_ntz("yesterday", 7, &utc), Some(-MICROS_PER_DAY));
        assert_eq!(special_date("2020-01-01", 0, &utc), None);
    }
}
