//! Parsing with a pattern: names in any case, values strict.

use super::Civil;
use super::civil::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND};
use super::pattern::{Item, Number, Parsed, Pattern};
use super::pattern_fields::{Field, Sign, Style, names};
use super::zone::Zone;

impl Pattern {
    /// Parses the whole text; `None` where it does not match.
    pub fn parse(&self, text: &str) -> Option<Parsed> {
        let mut parser = Parser { text, at: 0, failed_at: 0, parsed: Parsed::default() };
        parser.items(&self.items)?;
        (parser.at == text.len()).then_some(parser.parsed)
    }

    /// Why the text does not show a date and time of the pattern, said as Java says it.
    pub fn refusal(&self, text: &str) -> String {
        const SHOWN_MAX: usize = 64;
        let units = |bytes: usize| text.get(..bytes).map_or(0, |head| head.encode_utf16().count());
        let shown = match text.char_indices().nth(SHOWN_MAX) {
            Some((end, _)) => format!("Text '{}...' could not be parsed", &text[..end]),
            None => format!("Text '{text}' could not be parsed"),
        };
        let mut parser = Parser { text, at: 0, failed_at: 0, parsed: Parsed::default() };
        if parser.items(&self.items).is_none() {
            return format!("{shown} at index {}", units(parser.failed_at));
        }
        if parser.at < text.len() {
            return format!("{shown}, unparsed text found at index {}", units(parser.at));
        }
        parser.parsed.refusal(&shown)
    }
}

impl Parsed {
    pub(super) fn get(&self, field: Field) -> Option<i64> {
        self.values.iter().rev().find(|(found, _)| *found == field).map(|(_, value)| *value)
    }

    /// Days since the epoch; what is missing is taken from 1970-01-01. `None` where there is no such day.
    pub fn date(&self) -> Option<i64> {
        let year = match (self.get(Field::YearOfEra), self.get(Field::Era)) {
            (Some(year), _) if year < 1 => return None,
            (Some(year), Some(0)) => 1 - year,
            (Some(year), _) => year,
            (None, _) => 1970,
        };
        let year = i32::try_from(year).ok()?;
        if let Some(day) = self.get(Field::DayOfYear) {
            let first = Civil::new(year, 1, 1)?.to_days();
            let found = Civil::from_days(first + day - 1);
            let agrees = self.get(Field::Month).is_none_or(|m| m == i64::from(found.month))
                && self.get(Field::Day).is_none_or(|d| d == i64::from(found.day));
            return (day >= 1 && found.year == year && agrees).then_some(first + day - 1);
        }
        let month = u32::try_from(self.get(Field::Month).unwrap_or(1)).ok()?;
        let day = u32::try_from(self.get(Field::Day).unwrap_or(1)).ok()?;
        Some(Civil::new(year, month, day)?.to_days())
    }

    /// Nanoseconds since midnight; what is missing is zero. `None` where a value is out of range.
    pub fn time_ns(&self) -> Option<i64> {
        let ranged = |field, low, high| match self.get(field) {
            Some(value) if !(low..=high).contains(&value) => Err(()),
            value => Ok(value),
        };
        let half = self.get(Field::Half);
        let of_half = match (ranged(Field::HourOfHalf, 0, 11).ok()?, ranged(Field::HourOfHalfFrom1, 1, 12).ok()?) {
            (Some(hour), _) => Some(hour),
            (_, from_1) => from_1.map(|hour| hour % 12),
        };
        let hour = match (ranged(Field::Hour, 0, 23).ok()?, ranged(Field::HourFrom1, 1, 24).ok()?) {
            (Some(hour), _) => hour,
            (None, Some(hour)) => hour % 24,
            (None, None) => of_half.unwrap_or(0) + if of_half.is_some() { half.unwrap_or(0) * 12 } else { 0 },
        };
        if half.is_some_and(|half| of_half.is_none() && self.get(Field::Hour).is_some() && hour / 12 != half) {
            return None;
        }
        let minute = ranged(Field::Minute, 0, 59).ok()?.unwrap_or(0);
        let second = ranged(Field::Second, 0, 59).ok()?.unwrap_or(0);
        let micros = hour * MICROS_PER_HOUR + minute * MICROS_PER_MINUTE + second * MICROS_PER_SECOND;
        Some(micros * 1_000 + self.get(Field::Nano).unwrap_or(0))
    }

    /// The wall clock in microseconds.
    pub fn local_us(&self) -> Option<i64> {
        self.date()?.checked_mul(MICROS_PER_DAY)?.checked_add(self.time_ns()? / 1_000)
    }

    /// The instant in microseconds; text without zone is in `zone`.
    pub fn instant_us(&self, zone: &Zone) -> Option<i64> {
        Some(self.zone.as_ref().unwrap_or(zone).to_instant(self.local_us()?))
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// Where the item began that did not match.
    failed_at: usize,
    parsed: Parsed,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn items(&mut self, items: &[Item]) -> Option<()> {
        for item in items {
            let start = self.at;
            if self.item(item).is_none() {
                // A number begins behind its sign.
                let is_behind_sign = matches!(item, Item::Number(_)) && self.at == start + 1;
                self.failed_at = start + usize::from(is_behind_sign);
                return None;
            }
        }
        Some(())
    }

    fn item(&mut self, item: &Item) -> Option<()> {
        match item {
            Item::Literal(text) => self.literal(text),
            Item::Number(number) => self.number(number),
            Item::TwoDigitYear { .. } => {
                let digits = self.digits(2, 2)?;
                self.set(Field::YearOfEra, 2000 + digits)
            }
            Item::Fraction { min, max } => {
                let start = self.at;
                let value = self.digits(*min, *max)?;
                let scale = 9 - (self.at - start) as u32;
                self.set(Field::Nano, value * 10_i64.pow(scale))
            }
            Item::Text(field, style) => self.name(*field, *style),
            Item::ZoneId | Item::ZoneName => self.zone_id(),
            Item::Offset(form) => self.offset(form.zero),
            Item::LocalizedOffset { .. } => {
                self.literal("GMT")?;
                if self.rest().starts_with(['+', '-']) { self.offset("") } else { self.set_zone(Zone::utc()) }
            }
            Item::Optional(items) => {
                let (at, parsed) = (self.at, self.parsed.clone());
                if self.items(items).is_none() {
                    (self.at, self.parsed) = (at, parsed);
                }
                Some(())
            }
        }
    }

    fn set(&mut self, field: Field, value: i64) -> Option<()> {
        // The same field twice must agree.
        if self.parsed.get(field).is_some_and(|before| before != value) {
            return None;
        }
        self.parsed.values.push((field, value));
        Some(())
    }

    fn set_zone(&mut self, zone: Zone) -> Option<()> {
        self.parsed.zone = Some(zone);
        Some(())
    }

    fn literal(&mut self, text: &str) -> Option<()> {
        let found = self.rest().get(..text.len())?;
        if !found.eq_ignore_ascii_case(text) {
            return None;
        }
        self.at += text.len();
        Some(())
    }

    fn digits(&mut self, min: usize, max: usize) -> Option<i64> {
        let count = self.rest().bytes().take(max).take_while(u8::is_ascii_digit).count();
        if count < min {
            return None;
        }
        let value = self.rest()[..count].parse().ok()?;
        self.at += count;
        Some(value)
    }

    fn number(&mut self, number: &Number) -> Option<()> {
        let sign = self.rest().chars().next().filter(|c| matches!(c, '+' | '-'));
        match (sign, number.sign) {
            (Some(_), Sign::Never) | (Some('+'), Sign::Normal) => return None,
            (Some(_), _) => self.at += 1,
            (None, _) => {}
        }
        let is_fixed = number.subsequent < 0 || (number.subsequent > 0 && number.min == number.max);
        let reserved = number.subsequent.max(0) as usize;
        let most = if is_fixed && number.subsequent < 0 { number.max } else { number.max.min(19) + reserved };
        let available = self.rest().bytes().take(most).take_while(u8::is_ascii_digit).count();
        let count = if reserved > 0 { number.min.max(available.saturating_sub(reserved)) } else { available };
        let width = count.min(18);
        if count < number.min || available < number.min {
            return None;
        }
        let value = self.digits(number.min, width)?;
        match (sign, number.sign) {
            (Some('+'), Sign::ExceedsPad) if width <= number.min => return None,
            (None, Sign::ExceedsPad) if width > number.min => return None,
            _ => {}
        }
        self.set(number.field, if sign == Some('-') { -value } else { value })
    }

    fn name(&mut self, field: Field, style: Style) -> Option<()> {
        let rest = self.rest();
        let matches = |name: &str| rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
        let (name, value) = names(field, style).find(|(name, _)| matches(name))?;
        self.at += name.len();
        self.set(field, value)
    }

    fn zone_id(&mut self) -> Option<()> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "/_+-:".contains(c);
        let longest = self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len());
        let rest = self.rest();
        let (zone, length) = (1..=longest).rev().find_map(|length| Some((Zone::find(rest.get(..length)?)?, length)))?;
        self.at += length;
        self.set_zone(zone)
    }

    fn offset(&mut self, zero: &str) -> Option<()> {
        if zero == "Z" && self.literal("Z").is_some() {
            return self.set_zone(Zone::utc());
        }
        if !self.rest().starts_with(['+', '-']) {
            return None;
        }
        let is_part = |c: char| c.is_ascii_digit() || c == ':';
        let rest = self.rest();
        let length = rest[1..].find(|c| !is_part(c)).map_or(rest.len(), |end| end + 1);
        let zone = Zone::find(&rest[..length])?;
        self.at += length;
        self.set_zone(zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses() {
        let utc = Zone::utc();
        for (pattern, text, expected) in [
            ("yyyy-MM-dd HH:mm:ss", "1970-01-01 00:00:01", Some(1_000_000)),
            ("yyyyMMddHHmmss", "19700101000001", Some(1_000_000)),
            ("yyyy-MM-dd", "1970-1-2", None),
            ("yyyy-M-d", "1970-1-2", Some(86_400_000_000)),
            ("dd/MMM/yyyy", "02/jan/1970", Some(86_400_000_000)),
            ("yyyy-MM-dd'T'HH:mm:ssXXX", "1970-01-01T01:00:00+01:00", Some(0)),
            ("yyyy-MM-dd HH:mm:ss.SSSSSS", "1970-01-01 00:00:00.5", Some(500_000)),
            ("h:mm a", "1:30 PM", Some(48_600_000_000)),
            ("yyyy-MM-dd", "1970-02-30", None),
            ("yyyy-MM-dd", "1970-01-01x", None),
            ("yyyy[-MM]", "1970", Some(0)),
            ("yyyy-MM-dd VV", "1970-01-01 UTC", Some(0)),
        ] {
            let parsed = Pattern::for_parsing(pattern).unwrap().parse(text);
            assert_eq!(parsed.and_then(|parsed| parsed.instant_us(&utc)), expected, "{pattern} {text}");
        }
    }
}
