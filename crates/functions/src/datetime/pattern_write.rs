//! Formatting with a pattern.

use std::fmt::Write;

use super::Civil;
use super::civil::{MICROS_PER_SECOND, day_of_week, split_micros};
use super::pattern::{Item, Minutes, Number, OffsetForm, Pattern};
use super::pattern_fields::{Field, Sign, name};
use super::zone::Zone;

impl Pattern {
    /// Writes an instant as the zone's wall clock shows it; `None` where a value does not fit its field.
    pub fn write(&self, out: &mut String, instant_us: i64, zone: &Zone) -> Option<()> {
        let epoch_s = instant_us.div_euclid(MICROS_PER_SECOND);
        let clock =
            Clock { epoch_s, offset: zone.offset_at(epoch_s), zone, ..Clock::new(zone.to_local(instant_us), zone) };
        self.items.iter().try_for_each(|item| clock.write(out, item))
    }

    /// Writes a wall clock; what the pattern says of zones is written as of UTC.
    pub fn write_local(&self, out: &mut String, local_us: i64) -> Option<()> {
        let zone = Zone::utc();
        let clock = Clock::new(local_us, &zone);
        self.items.iter().try_for_each(|item| clock.write(out, item))
    }
}

struct Clock<'a> {
    date: Civil,
    days: i64,
    time_us: i64,
    epoch_s: i64,
    offset: i32,
    zone: &'a Zone,
}

impl<'a> Clock<'a> {
    fn new(local_us: i64, zone: &'a Zone) -> Self {
        let (days, time_us) = split_micros(local_us);
        let epoch_s = local_us.div_euclid(MICROS_PER_SECOND);
        Self { date: Civil::from_days(days), days, time_us, epoch_s, offset: 0, zone }
    }

    fn value(&self, field: Field) -> i64 {
        let second_of_day = self.time_us / MICROS_PER_SECOND;
        let hour = second_of_day / 3_600;
        let year = i64::from(self.date.year);
        match field {
            Field::Era => i64::from(year > 0),
            Field::YearOfEra => {
                if year > 0 {
                    year
                } else {
                    1 - year
                }
            }
            Field::Quarter => (i64::from(self.date.month) + 2) / 3,
            Field::Month => i64::from(self.date.month),
            Field::Day => i64::from(self.date.day),
            Field::DayOfYear => i64::from(self.date.day_of_year()),
            Field::Weekday => i64::from(day_of_week(self.days)),
            Field::WeekOfMonth => i64::from((self.date.day - 1) % 7 + 1),
            Field::Half => hour / 12,
            Field::Hour => hour,
            Field::HourFrom1 => {
                if hour == 0 {
                    24
                } else {
                    hour
                }
            }
            Field::HourOfHalf => hour % 12,
            Field::HourOfHalfFrom1 => {
                if hour % 12 == 0 {
                    12
                } else {
                    hour % 12
                }
            }
            Field::Minute => second_of_day / 60 % 60,
            Field::Second => second_of_day % 60,
            Field::Nano => self.time_us % MICROS_PER_SECOND * 1_000,
        }
    }

    fn write(&self, out: &mut String, item: &Item) -> Option<()> {
        match item {
            Item::Literal(text) => out.push_str(text),
            Item::Number(number) => write_number(out, number, self.value(number.field))?,
            Item::TwoDigitYear { .. } => write!(out, "{:02}", self.value(Field::YearOfEra) % 100).ok()?,
            Item::Fraction { max, .. } => {
                let start = out.len();
                write!(out, "{:09}", self.value(Field::Nano)).ok()?;
                out.truncate(start + max);
            }
            Item::Text(field, style) => out.push_str(name(*field, self.value(*field), *style)?),
            Item::ZoneId => out.push_str(self.zone.id()),
            Item::ZoneName => out.push_str(&self.zone.short_name(self.epoch_s)),
            Item::Offset(form) => write_offset(out, form, self.offset),
            Item::LocalizedOffset { is_full } => write_localized(out, *is_full, self.offset),
            Item::Optional(items) => {
                let start = out.len();
                if items.iter().try_for_each(|item| self.write(out, item)).is_none() {
                    out.truncate(start);
                }
            }
        }
        Some(())
    }
}

fn write_number(out: &mut String, number: &Number, value: i64) -> Option<()> {
    let digits = value.unsigned_abs().to_string();
    if digits.len() > number.max || (value < 0 && number.sign == Sign::Never) {
        return None;
    }
    if value < 0 {
        out.push('-');
    } else if number.sign == Sign::ExceedsPad && number.min < 19 && digits.len() > number.min {
        out.push('+');
    }
    for _ in digits.len()..number.min {
        out.push('0');
    }
    out.push_str(&digits);
    Some(())
}

fn write_offset(out: &mut String, form: &OffsetForm, offset: i32) {
    if offset == 0 {
        out.push_str(form.zero);
        return;
    }
    let total = offset.unsigned_abs();
    let (hours, minutes, seconds) = (total / 3_600, total / 60 % 60, total % 60);
    let colon = if form.has_colon { ":" } else { "" };
    out.push(if offset < 0 { '-' } else { '+' });
    push_2(out, hours);
    if form.minutes == Minutes::Always || minutes != 0 {
        out.push_str(colon);
        push_2(out, minutes);
    }
    if form.seconds && seconds != 0 {
        out.push_str(colon);
        push_2(out, seconds);
    }
}

fn write_localized(out: &mut String, is_full: bool, offset: i32) {
    out.push_str("GMT");
    if offset == 0 {
        return;
    }
    let total = offset.unsigned_abs();
    let (hours, minutes, seconds) = (total / 3_600, total / 60 % 60, total % 60);
    out.push(if offset < 0 { '-' } else { '+' });
    if is_full || hours > 9 {
        push_2(out, hours);
    } else {
        out.push_str(&hours.to_string());
    }
    if is_full || minutes != 0 || seconds != 0 {
        out.push(':');
        push_2(out, minutes);
    }
    if seconds != 0 {
        out.push(':');
        push_2(out, seconds);
    }
}

fn push_2(out: &mut String, number: u32) {
    out.push(char::from(b'0' + (number / 10 % 10) as u8));
    out.push(char::from(b'0' + (number % 10) as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let zone = Zone::parse("America/Los_Angeles").unwrap();
        let instant = super::super::parse_timestamp("2018-11-17 05:33:33.123", &zone, None).unwrap();
        for (pattern, expected) in [
            ("yyyy-MM-dd HH:mm:ss.SSS", "2018-11-17 05:33:33.123"),
            ("y yy yyy yyyy yyyyy", "2018 18 2018 2018 02018"),
            ("G GGGG E EEEE MMM MMMM", "AD Anno Domini Sat Saturday Nov November"),
            ("h hh k K a", "5 05 5 5 AM"),
            ("D Q QQQ QQQQ F", "321 4 Q4 4th quarter 3"),
            (
                "VV z X XX XXX x Z ZZZZ ZZZZZ O OOOO",
                "America/Los_Angeles PST -08 -0800 -08:00 -08 -0800 GMT-08:00 -08:00 GMT-8 GMT-08:00",
            ),
            ("'it''s' [yyyy]", "it's 2018"),
        ] {
            let mut out = String::new();
            Pattern::for_formatting(pattern).unwrap().write(&mut out, instant, &zone).unwrap();
            assert_eq!(out, expected, "{pattern}");
        }
    }

    #[test]
    fn refusals() {
        for (pattern, class) in [
            ("aa", "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION"),
            ("OO", "INVALID_DATETIME_PATTERN.WITH_SUGGESTION"),
            ("qqqqq", "INVALID_DATETIME_PATTERN.LENGTH"),
            ("A", "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER"),
            ("YYYY", "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN"),
        ] {
            assert_eq!(Pattern::for_formatting(pattern).unwrap_err().class().name, class, "{pattern}");
        }
    }
}
