//! Java's `DateTimeFormatter` patterns: compiled once, then used to print and to read.

use firesteel_model::Result;

use super::Civil;
use crate::error::bad_option;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pattern {
    pub(super) items: Vec<Item>,
}

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    /// Text as it is.
    Literal(String),
    /// A letter and how often it stands.
    Field(char, usize),
    /// What stands in `[]`.
    Optional(Vec<Item>),
}

impl Pattern {
    /// Compiles a pattern given under an option's name.
    pub(crate) fn compile(option: &str, text: &str) -> Result<Self> {
        let mut chars = text.chars().peekable();
        let items = items(&mut chars, false).filter(|_| chars.peek().is_none());
        items.map(|items| Self { items }).ok_or_else(|| bad_option(option, text, "datetime pattern"))
    }

    /// Prints a wall clock that is `offset` seconds ahead of Greenwich; `zone` is its name.
    pub(crate) fn format(&self, local_us: i64, offset: i32, zone: &str) -> String {
        let mut text = String::new();
        print(&self.items, &Civil::from_local(local_us), offset, zone, &mut text);
        text
    }
}

fn items(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, nested: bool) -> Option<Vec<Item>> {
    let mut result = Vec::new();
    while let Some(&c) = chars.peek() {
        if c == ']' {
            return nested.then_some(result);
        }
        chars.next();
        match c {
            '[' => {
                result.push(Item::Optional(items(chars, true)?));
                chars.next().filter(|&c| c == ']')?;
            }
            '\'' => push_literal(&mut result, &quoted(chars)?),
            'a'..='z' | 'A'..='Z' => {
                if !"GyuMLdDEeHhKkmsSnaXxZzVO".contains(c) {
                    return None;
                }
                let mut count = 1;
                while chars.next_if_eq(&c).is_some() {
                    count += 1;
                }
                result.push(Item::Field(c, count));
            }
            other => push_literal(&mut result, other.encode_utf8(&mut [0; 4])),
        }
    }
    if nested { None } else { Some(result) }
}

fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    if chars.next_if_eq(&'\'').is_some() {
        return Some("'".to_owned());
    }
    let mut text = String::new();
    loop {
        match chars.next()? {
            '\'' if chars.next_if_eq(&'\'').is_some() => text.push('\''),
            '\'' => return Some(text),
            c => text.push(c),
        }
    }
}

fn push_literal(items: &mut Vec<Item>, text: &str) {
    match items.last_mut() {
        Some(Item::Literal(last)) => last.push_str(text),
        _ => items.push(Item::Literal(text.to_owned())),
    }
}

fn print(items: &[Item], civil: &Civil, offset: i32, zone: &str, out: &mut String) {
    for item in items {
        match item {
            Item::Literal(text) => out.push_str(text),
            Item::Optional(inner) => print(inner, civil, offset, zone, out),
            Item::Field(letter, count) => out.push_str(&field(*letter, *count, civil, offset, zone)),
        }
    }
}

fn field(letter: char, count: usize, civil: &Civil, offset: i32, zone: &str) -> String {
    let padded = |value: i64| format!("{value:0count$}");
    let hour = civil.hour();
    match letter {
        'G' => if civil.year > 0 { "AD" } else { "BC" }.to_owned(),
        'y' | 'u' if count == 2 => format!("{:02}", civil.year.rem_euclid(100)),
        'y' => padded(if civil.year > 0 { civil.year } else { 1 - civil.year }),
        'u' => padded(civil.year),
        'M' | 'L' => named(&MONTHS, civil.month as usize - 1, count).unwrap_or_else(|| padded(civil.month.into())),
        'E' => named(&WEEKDAYS, civil.weekday(), count.max(3)).unwrap_or_default(),
        'd' => padded(civil.day.into()),
        'D' => padded(civil.day_of_year()),
        'H' => padded(hour),
        'k' => padded(if hour == 0 { 24 } else { hour }),
        'K' => padded(hour % 12),
        'h' => padded(if hour % 12 == 0 { 12 } else { hour % 12 }),
        'm' => padded(civil.minute()),
        's' => padded(civil.second()),
        'S' => format!("{:09}", civil.micro() * 1000).chars().take(count.min(9)).collect(),
        'n' => padded(civil.micro() * 1000),
        'a' => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        'X' if offset == 0 => "Z".to_owned(),
        'X' | 'x' => print_offset(offset, count),
        'Z' => print_offset(offset, if count < 4 { 2 } else { 3 }),
        'O' if offset == 0 => "GMT".to_owned(),
        'O' => format!("GMT{}", print_offset(offset, 3)),
        _ => zone.to_owned(),
    }
}

fn named(names: &[&str], index: usize, count: usize) -> Option<String> {
    let name = names.get(index)?;
    match count {
        3 => Some(name[..3].to_owned()),
        4 => Some((*name).to_owned()),
        _ => None,
    }
}

fn print_offset(offset: i32, count: usize) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset.abs() / 3600, offset.abs() / 60 % 60);
    match count {
        1 if minutes == 0 => format!("{sign}{hours:02}"),
        1 | 2 | 4 => format!("{sign}{hours:02}{minutes:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}"),
    }
}
