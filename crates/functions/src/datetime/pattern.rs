//! Java's DateTimeFormatter patterns, compiled.

use firesteel_model::{Result, SparkError, error_class};

use super::pattern_fields::{Field, Sign, Style};

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    pub(super) items: Vec<Item>,
    pub(super) text: String,
}

/// What parsing with a pattern found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    pub(super) values: Vec<(Field, i64)>,
    /// The zone or offset in the text.
    pub zone: Option<super::Zone>,
}

#[derive(Clone, Debug)]
pub(super) enum Item {
    Literal(String),
    Number(Number),
    /// A two-digit year from 2000 on.
    TwoDigitYear {
        subsequent: i32,
    },
    Fraction {
        min: usize,
        max: usize,
    },
    Text(Field, Style),
    /// `VV`
    ZoneId,
    /// `z`
    ZoneName,
    /// `X`, `x`, `Z`: how many of hours, minutes, seconds, and what stands for zero.
    Offset(OffsetForm),
    /// `O`: GMT+8; or GMT+08:00
    LocalizedOffset {
        is_full: bool,
    },
    Optional(Vec<Item>),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    pub field: Field,
    pub min: usize,
    pub max: usize,
    pub sign: Sign,
    /// Digits that the numbers right behind it need; -1 where the width is fixed by the neighbours.
    pub subsequent: i32,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct OffsetForm {
    pub has_colon: bool,
    pub minutes: Minutes,
    pub seconds: bool,
    pub zero: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Minutes {
    IfNotZero,
    Always,
}

/// Why a pattern is refused.
enum Refusal {
    Illegal(char),
    Length,
    WeekBased(char),
    Other,
}

impl Pattern {
    /// Compiles a pattern for formatting.
    ///
    /// Errors: `INVALID_DATETIME_PATTERN.*`, `INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_*`.
    pub fn for_formatting(text: &str) -> Result<Self> {
        Self::compile(text, false)
    }

    /// Compiles a pattern for parsing: fractions take fewer digits too, and week days are refused.
    ///
    /// Errors: as [`Pattern::for_formatting`].
    pub fn for_parsing(text: &str) -> Result<Self> {
        Self::compile(text, true)
    }

    /// The pattern as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn compile(text: &str, is_parsing: bool) -> Result<Self> {
        let mut compiler = Compiler { is_parsing, open: vec![Vec::new()], active: None };
        match compiler.run(text) {
            Ok(items) => Ok(Self { items, text: text.to_owned() }),
            Err(refusal) => Err(refused(text, &refusal)),
        }
    }
}

fn refused(text: &str, refusal: &Refusal) -> SparkError {
    const DOCS: &str = "https://spark.apache.org/docs/latest";
    match refusal {
        Refusal::Illegal(c) => SparkError::new(&error_class::INVALID_DATETIME_PATTERN_ILLEGAL_CHARACTER)
            .param("c", c.to_string())
            .param("pattern", text),
        Refusal::Length => SparkError::new(&error_class::INVALID_DATETIME_PATTERN_LENGTH).param("pattern", text),
        Refusal::WeekBased(c) => SparkError::new(&error_class::DATETIME_WEEK_BASED_PATTERN).param("c", c.to_string()),
        Refusal::Other if is_old_pattern(text) => SparkError::new(&error_class::DATETIME_PATTERN_RECOGNITION)
            .param("pattern", format!("'{text}'"))
            .param("config", "\"spark.sql.legacy.timeParserPolicy\"")
            .param("docroot", DOCS),
        Refusal::Other => SparkError::new(&error_class::INVALID_DATETIME_PATTERN_WITH_SUGGESTION)
            .param("pattern", format!("'{text}'"))
            .param("docroot", DOCS),
    }
}

/// Whether Java's older SimpleDateFormat would take the pattern.
fn is_old_pattern(text: &str) -> bool {
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '\'' => quoted = !quoted,
            _ if quoted || !c.is_ascii_alphabetic() => {}
            _ if !"GyYMLwWDdFEuaHkKhmsSzZX".contains(c) => return false,
            _ => {}
        }
    }
    !quoted && !text.contains("XXXX")
}

struct Compiler {
    is_parsing: bool,
    /// Items of the pattern, then of each optional part that is open.
    open: Vec<Vec<Item>>,
    /// The number whose width depends on what follows it.
    active: Option<usize>,
}

impl Compiler {
    fn run(&mut self, text: &str) -> Result<Vec<Item>, Refusal> {
        let chars: Vec<char> = text.chars().collect();
        check_letters(&chars, self.is_parsing)?;
        let mut at = 0;
        while at < chars.len() {
            let c = chars[at];
            match c {
                '\'' => at = self.quoted(&chars, at)?,
                '[' => {
                    self.active = None;
                    self.open.push(Vec::new());
                    at += 1;
                }
                ']' => {
                    self.close()?;
                    at += 1;
                }
                '#' | '{' | '}' => return Err(Refusal::Other),
                _ if c.is_ascii_alphabetic() => {
                    let count = chars[at..].iter().take_while(|next| **next == c).count();
                    self.letters(c, count)?;
                    at += count;
                }
                _ => {
                    self.push(Item::Literal(c.to_string()));
                    at += 1;
                }
            }
        }
        while self.open.len() > 1 {
            self.close()?;
        }
        self.open.pop().ok_or(Refusal::Other)
    }

    fn close(&mut self) -> Result<(), Refusal> {
        self.active = None;
        if self.open.len() < 2 {
            return Err(Refusal::Other);
        }
        let items = self.open.pop().unwrap_or_default();
        self.push(Item::Optional(items));
        Ok(())
    }

    fn quoted(&mut self, chars: &[char], start: usize) -> Result<usize, Refusal> {
        let mut text = String::new();
        let mut at = start + 1;
        loop {
            match chars.get(at) {
                None => return Err(Refusal::Other),
                Some('\'') if chars.get(at + 1) == Some(&'\'') => {
                    text.push('\'');
                    at += 2;
                }
                Some('\'') => break,
                Some(c) => {
                    text.push(*c);
                    at += 1;
                }
            }
        }
        self.push(Item::Literal(if text.is_empty() { "'".to_owned() } else { text }));
        Ok(at + 1)
    }

    fn push(&mut self, item: Item) {
        self.active = None;
        if let Some(items) = self.open.last_mut() {
            items.push(item);
        }
    }

    /// Numbers side by side share the digits: those of fixed width take theirs from the one before.
    fn push_number(&mut self, mut number: Number) {
        let Some(items) = self.open.last_mut() else { return };
        let is_fixed = number.min == number.max && number.sign == Sign::Never;
        let index = items.len();
        match self.active.and_then(|active| items.get_mut(active)) {
            Some(before) if is_fixed => {
                reserve(before, number.max);
                number.subsequent = -1;
            }
            Some(Item::Number(before)) => {
                before.subsequent = -1;
                self.active = Some(index);
            }
            Some(Item::TwoDigitYear { subsequent }) => {
                *subsequent = -1;
                self.active = Some(index);
            }
            _ => self.active = Some(index),
        }
        items.push(Item::Number(number));
    }

    fn number(&mut self, field: Field, min: usize, max: usize, sign: Sign) {
        self.push_number(Number { field, min, max, sign, subsequent: 0 });
    }

    /// One letter means any width, more mean exactly that many digits.
    fn plain(&mut self, field: Field, count: usize, most: usize) -> Result<(), Refusal> {
        match count {
            1 => self.number(field, 1, 19, Sign::Normal),
            _ if count <= most => self.number(field, count, count, Sign::Never),
            _ => return Err(Refusal::Other),
        }
        Ok(())
    }

    fn letters(&mut self, c: char, count: usize) -> Result<(), Refusal> {
        match c {
            'G' => self.push(Item::Text(Field::Era, text_style(count)?)),
            'y' => self.year(count)?,
            'M' | 'L' if count <= 2 => self.plain(Field::Month, count, 2)?,
            'M' | 'L' if count <= 4 => self.push(Item::Text(Field::Month, text_style(count)?)),
            'Q' | 'q' if count <= 2 => self.plain(Field::Quarter, count, 2)?,
            'Q' | 'q' if count <= 4 => self.push(Item::Text(Field::Quarter, text_style(count)?)),
            'd' => self.plain(Field::Day, count, 2)?,
            'D' if count == 2 => self.number(Field::DayOfYear, 2, 3, Sign::Never),
            'D' => self.plain(Field::DayOfYear, count, 3)?,
            'E' => self.push(Item::Text(Field::Weekday, text_style(count)?)),
            'F' => self.plain(Field::WeekOfMonth, count, 1)?,
            'a' if count == 1 => self.push(Item::Text(Field::Half, Style::Short)),
            'H' => self.plain(Field::Hour, count, 2)?,
            'k' => self.plain(Field::HourFrom1, count, 2)?,
            'K' => self.plain(Field::HourOfHalf, count, 2)?,
            'h' => self.plain(Field::HourOfHalfFrom1, count, 2)?,
            'm' => self.plain(Field::Minute, count, 2)?,
            's' => self.plain(Field::Second, count, 2)?,
            'S' if count <= 9 => {
                let min = if self.is_parsing { 1 } else { count };
                self.fraction(min, count);
            }
            'V' if count == 2 => self.push(Item::ZoneId),
            'z' if count <= 4 => self.push(Item::ZoneName),
            'O' if count == 1 || count == 4 => self.push(Item::LocalizedOffset { is_full: count == 4 }),
            'X' | 'x' | 'Z' => self.offset(c, count)?,
            _ => return Err(Refusal::Other),
        }
        Ok(())
    }

    fn year(&mut self, count: usize) -> Result<(), Refusal> {
        match count {
            2 => {
                let index = self.open.last().map_or(0, Vec::len);
                self.push(Item::TwoDigitYear { subsequent: 0 });
                self.active = Some(index);
            }
            1 | 3 => self.number(Field::YearOfEra, count, 19, Sign::Normal),
            4..=6 => self.number(Field::YearOfEra, count, 19, Sign::ExceedsPad),
            _ => return Err(Refusal::Other),
        }
        Ok(())
    }

    fn fraction(&mut self, min: usize, max: usize) {
        let active = self.active;
        if let (true, Some(items)) = (min == max, self.open.last_mut())
            && let Some(before) = active.and_then(|active| items.get_mut(active))
        {
            reserve(before, max);
            items.push(Item::Fraction { min, max });
            return;
        }
        self.push(Item::Fraction { min, max });
    }

    fn offset(&mut self, c: char, count: usize) -> Result<(), Refusal> {
        let zero = match (c, count) {
            ('Z', 1..=3) => "+0000",
            ('Z', 4) => {
                self.push(Item::LocalizedOffset { is_full: true });
                return Ok(());
            }
            ('Z', 5) | ('X', 1..=5) => "Z",
            ('x', 1) => "+00",
            ('x', 2 | 4) => "+0000",
            ('x', 3 | 5) => "+00:00",
            _ => return Err(Refusal::Other),
        };
        let form = match (c, count) {
            ('Z', 1..=3) => OffsetForm { has_colon: false, minutes: Minutes::Always, seconds: false, zero },
            ('Z', _) => OffsetForm { has_colon: true, minutes: Minutes::Always, seconds: true, zero },
            (_, 1) => OffsetForm { has_colon: false, minutes: Minutes::IfNotZero, seconds: false, zero },
            (_, n) => OffsetForm { has_colon: n % 2 == 1, minutes: Minutes::Always, seconds: n >= 4, zero },
        };
        self.push(Item::Offset(form));
        Ok(())
    }
}

fn reserve(item: &mut Item, digits: usize) {
    match item {
        Item::Number(number) => number.subsequent += digits as i32,
        Item::TwoDigitYear { subsequent } => *subsequent += digits as i32,
        _ => {}
    }
}

fn text_style(count: usize) -> Result<Style, Refusal> {
    match count {
        1..=3 => Ok(Style::Short),
        4 => Ok(Style::Full),
        _ => Err(Refusal::Other),
    }
}

/// Letters that Spark refuses before Java sees them.
fn check_letters(chars: &[char], is_parsing: bool) -> Result<(), Refusal> {
    let mut quoted = false;
    let unquoted: Vec<char> = chars
        .iter()
        .filter(|c| {
            quoted ^= **c == '\'';
            !quoted && **c != '\''
        })
        .copied()
        .collect();
    if let Some(c) = unquoted.iter().find(|c| "YWwuec".contains(**c)) {
        return Err(Refusal::WeekBased(*c));
    }
    let refused = if is_parsing { "ABnNpEFqQ" } else { "ABnNp" };
    if let Some(c) = unquoted.iter().find(|c| refused.contains(**c)) {
        return Err(Refusal::Illegal(*c));
    }
    if unquoted.windows(5).any(|w| w.iter().all(|c| *c == 'q') || w.iter().all(|c| *c == 'Q')) {
        return Err(Refusal::Length);
    }
    Ok(())
}
