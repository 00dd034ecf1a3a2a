//! Reading text by a pattern.

use super::pattern::{Item, MONTHS, Pattern, WEEKDAYS};
use super::{MICROS_PER_DAY, WallClock, Zone, days_from_civil};

#[derive(Clone, Default)]
struct Fields {
    year: Option<i64>,
    is_bc: bool,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: Option<i64>,
    half_hour: Option<i64>,
    is_afternoon: bool,
    minute: i64,
    second: i64,
    micros: i64,
    zone: Option<Zone>,
}

impl Pattern {
    /// Reads a wall clock; missing fields are those of 1970-01-01 00:00.
    pub(crate) fn parse(&self, text: &str) -> Option<WallClock> {
        let (fields, rest) = read(&self.items, text, Fields::default())?;
        if rest.is_empty() { fields.wall_clock() } else { None }
    }
}

impl Fields {
    fn wall_clock(self) -> Option<WallClock> {
        let year = self.year.unwrap_or(1970);
        let year = if self.is_bc { 1 - year } else { year };
        let days = match self.day_of_year {
            Some(day) => days_from_civil(year, 1, 1)? + day - 1,
            None => days_from_civil(
                year,
                u32::try_from(self.month.unwrap_or(1)).ok()?,
                u32::try_from(self.day.unwrap_or(1)).ok()?,
            )?,
        };
        let half = self.half_hour.map(|hour| hour + if self.is_afternoon { 12 } else { 0 });
        let hour = self.hour.or(half).unwrap_or(0);
        if hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let of_day = ((hour * 60 + self.minute) * 60 + self.second) * 1_000_000 + self.micros;
        Some(WallClock { local_us: days.checked_mul(MICROS_PER_DAY)?.checked_add(of_day)?, zone: self.zone })
    }

    fn set(&mut self, letter: char, value: i64) {
        match letter {
            'y' | 'u' => self.year = Some(value),
            'M' | 'L' => self.month = Some(value),
            'd' => self.day = Some(value),
            'D' => self.day_of_year = Some(value),
            'H' => self.hour = Some(value),
            'k' => self.hour = Some(value % 24),
            'h' => self.half_hour = Some(value % 12),
            'K' => self.half_hour = Some(value),
            'm' => self.minute = value,
            's' => self.second = value,
            _ => {}
        }
    }
}

fn read<'a>(items: &[Item], text: &'a str, mut fields: Fields) -> Option<(Fields, &'a str)> {
    let mut text = text;
    for (index, item) in items.iter().enumerate() {
        match item {
            Item::Literal(literal) => text = text.strip_prefix(literal.as_str())?,
            Item::Optional(inner) => {
                if let Some((read, rest)) = read(inner, text, fields.clone()) {
                    (fields, text) = (read, rest);
                }
            }
            Item::Field(letter, count) => {
                let before_digits = matches!(items.get(index + 1), Some(Item::Field(next, _)) if is_numeric(*next));
                text = field(&mut fields, *letter, *count, before_digits, text)?;
            }
        }
    }
    Some((fields, text))
}

fn is_numeric(letter: char) -> bool {
    "yuMLdDHhKkmsSn".contains(letter)
}

/// Reads one field. A number before another number has exactly as many digits as the pattern has letters.
fn field<'a>(fields: &mut Fields, letter: char, count: usize, before_digits: bool, text: &'a str) -> Option<&'a str> {
    match letter {
        'M' | 'L' if count >= 3 => {
            let (index, rest) = name(&MONTHS, count, text)?;
            fields.month = Some(index + 1);
            Some(rest)
        }
        'E' => Some(name(&WEEKDAYS, count.max(3), text)?.1),
        'G' => {
            fields.is_bc = text.get(..2)?.eq_ignore_ascii_case("BC");
            text.get(2..)
        }
        'a' => {
            fields.is_afternoon = text.get(..2)?.eq_ignore_ascii_case("PM");
            let known = fields.is_afternoon || text.get(..2)?.eq_ignore_ascii_case("AM");
            text.get(2..).filter(|_| known)
        }
        'S' => {
            let digits = text.bytes().take(count).take_while(u8::is_ascii_digit).count();
            let micros = text.bytes().take(digits).chain(std::iter::repeat(b'0')).take(6);
            fields.micros = micros.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
            (digits == count).then(|| &text[digits..])
        }
        'X' | 'x' | 'Z' | 'z' | 'V' | 'O' => {
            let end = text.find([' ', ']', ')', ',']).unwrap_or(text.len());
            fields.zone = Some(Zone::parse(text.get(..end)?)?);
            text.get(end..)
        }
        _ => {
            let two_digit_year = matches!(letter, 'y' | 'u') && count == 2;
            let digits_max = match () {
                () if before_digits || two_digit_year => count,
                () if matches!(letter, 'y' | 'u') => 9,
                () => count.max(2).max(if letter == 'D' { 3 } else { 2 }),
            };
            let (value, digits, rest) = number(text, digits_max)?;
            let value = if two_digit_year { 2000 + value } else { value };
            fields.set(letter, value);
            (digits >= count).then_some(rest)
        }
    }
}

fn number(text: &str, digits_max: usize) -> Option<(i64, usize, &str)> {
    let digits = text.bytes().take(digits_max).take_while(u8::is_ascii_digit).count();
    Some((text[..digits].parse().ok()?, digits, &text[digits..]))
}

fn name<'a>(names: &[&str], count: usize, text: &'a str) -> Option<(i64, &'a str)> {
    names.iter().zip(0..).find_map(|(name, index)| {
        let name = if count == 3 { &name[..3] } else { name };
        let found = text.get(..name.len())?.eq_ignore_ascii_case(name);
        found.then(|| (index, &text[name.len()..]))
    })
}
