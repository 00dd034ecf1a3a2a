//! Formats of numbers: `$99,999.00S`.
//!
//! ```text
//!   0 9  a digit; a whole part that begins with 0 is filled up with zeros, else with blanks
//!   . D  the point          , G  a separator          $  a currency sign
//!   S    a sign, + or -     MI   a sign, blank or -   PR <..> around what is negative
//! ```

use firesteel_model::{Result, SparkError, error_class};

/// A format, compiled.
#[derive(Debug, PartialEq)]
pub(super) struct NumberFormat {
    /// Digits and separators of the whole part.
    whole: Vec<Item>,
    /// Digits behind the point.
    fraction: usize,
    has_point: bool,
    has_currency: bool,
    sign: Sign,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Item {
    Zero,
    Nine,
    Separator,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sign {
    None,
    Before { blank: bool },
    After { blank: bool },
    Brackets,
}

impl NumberFormat {
    /// Compiles a format.
    ///
    /// Errors: `INVALID_FORMAT.UNEXPECTED_TOKEN`.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let refused = || {
            SparkError::new(&error_class::INVALID_FORMAT_UNEXPECTED_TOKEN)
                .param("token", "the number format")
                .param("format", format!("'{text}'"))
        };
        let mut rest = text.to_uppercase();
        let mut sign = Sign::None;
        let mut take = |rest: &mut String| {
            for (token, blank) in [("MI", true), ("S", false)] {
                if let Some(after) = rest.strip_prefix(token).map(str::to_owned) {
                    (*rest, sign) = (after, Sign::Before { blank });
                } else if let Some(before) = rest.strip_suffix(token).map(str::to_owned) {
                    (*rest, sign) = (before, Sign::After { blank });
                }
            }
            if let Some(before) = rest.strip_suffix("PR").map(str::to_owned) {
                (*rest, sign) = (before, Sign::Brackets);
            }
        };
        take(&mut rest);
        let has_currency = rest.starts_with('$');
        let digits = rest.strip_prefix('$').unwrap_or(&rest);
        let (whole, fraction) = digits.split_once(['.', 'D']).map_or((digits, None), |(w, f)| (w, Some(f)));
        let item = |c: char| match c {
            '0' => Some(Item::Zero),
            '9' => Some(Item::Nine),
            ',' | 'G' => Some(Item::Separator),
            _ => None,
        };
        let whole: Vec<Item> = whole.chars().map(item).collect::<Option<_>>().ok_or_else(refused)?;
        let fraction_digits = fraction.unwrap_or_default();
        let has_digits = whole.iter().any(|item| *item != Item::Separator) || !fraction_digits.is_empty();
        if !has_digits || !fraction_digits.chars().all(|c| matches!(c, '0' | '9')) {
            return Err(refused());
        }
        Ok(Self { whole, fraction: fraction_digits.len(), has_point: fraction.is_some(), has_currency, sign })
    }

    fn whole_digits(&self) -> usize {
        self.whole.iter().filter(|item| **item != Item::Separator).count()
    }

    /// Precision and scale of what it reads.
    pub(super) fn precision(&self) -> (u8, i8) {
        let precision = (self.whole_digits() + self.fraction).clamp(1, 38);
        (precision as u8, self.fraction.min(38) as i8)
    }

    /// The number in this format; number signs where it does not fit.
    pub(super) fn write(&self, value: i128, scale: i8) -> String {
        let digits = format!("{:0>width$}", value.unsigned_abs(), width = usize::from(scale.unsigned_abs()) + 1);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale.unsigned_abs()));
        let whole = whole.trim_start_matches('0');
        let fits = whole.len() <= self.whole_digits() && fraction.trim_end_matches('0').len() <= self.fraction;
        let body = if fits { self.laid_out(whole) } else { self.overflowing() };
        let mut out = body;
        if self.has_point {
            out.push('.');
            let cells =
                if fits { format!("{fraction:0<width$}", width = self.fraction) } else { "#".repeat(self.fraction) };
            out.push_str(&cells[..self.fraction]);
        }
        self.signed(out, value < 0)
    }

    fn overflowing(&self) -> String {
        let cells: String = self.whole.iter().map(|item| if *item == Item::Separator { ',' } else { '#' }).collect();
        if self.has_currency { format!("${cells}") } else { cells }
    }

    /// The whole part, from the left; what comes before the first digit is blank.
    fn laid_out(&self, whole: &str) -> String {
        let mut missing = self.whole_digits() - whole.len();
        let mut digits = whole.chars();
        let (mut cells, mut started) = (String::new(), false);
        for item in &self.whole {
            match item {
                Item::Separator => cells.push(if started { ',' } else { ' ' }),
                item if missing > 0 => {
                    missing -= 1;
                    started |= *item == Item::Zero;
                    cells.push(if started { '0' } else { ' ' });
                }
                _ => {
                    started = true;
                    cells.extend(digits.next());
                }
            }
        }
        if !self.has_currency {
            return cells;
        }
        let blanks = cells.len() - cells.trim_start().len();
        format!("{}${}", &cells[..blanks], &cells[blanks..])
    }

    fn signed(&self, body: String, is_negative: bool) -> String {
        let blanks = body.len() - body.trim_start().len();
        let (before, digits) = body.split_at(blanks);
        match (self.sign, is_negative) {
            (Sign::None, false) => body,
            (Sign::None, true) | (Sign::Before { .. }, true) => format!("{before}-{digits}"),
            (Sign::Before { blank: false }, false) => format!("{before}+{digits}"),
            (Sign::Before { blank: true }, false) => format!("{before} {digits}"),
            (Sign::After { .. }, true) => format!("{body}-"),
            (Sign::After { blank: false }, false) => format!("{body}+"),
            (Sign::After { blank: true }, false) => format!("{body} "),
            (Sign::Brackets, true) => format!("{before}<{digits}>"),
            (Sign::Brackets, false) => format!("{body} "),
        }
    }

    /// The unscaled number that the text shows; `None` where it is laid out otherwise.
    pub(super) fn read(&self, text: &str) -> Option<i128> {
        let mut rest = text.trim();
        let mut is_negative = false;
        match self.sign {
            Sign::Before { .. } => {
                is_negative = rest.starts_with('-');
                rest = rest.strip_prefix(['-', '+']).unwrap_or(rest).trim_start();
            }
            Sign::After { .. } => {
                is_negative = rest.ends_with('-');
                rest = rest.strip_suffix(['-', '+']).unwrap_or(rest).trim_end();
            }
            Sign::Brackets => {
                is_negative = rest.starts_with('<');
                rest = if is_negative { rest.strip_prefix('<')?.strip_suffix('>')? } else { rest };
            }
            Sign::None => {}
        }
        if self.has_currency {
            rest = rest.strip_prefix('$')?;
        }
        let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
        if (rest.contains('.') && !self.has_point) || fraction.len() > self.fraction {
            return None;
        }
        let groups_fit =
            whole.rsplit(',').map(str::len).zip(self.group_lengths()).all(|(found, wanted)| found <= wanted);
        let separators = whole.matches(',').count();
        let digits: String = whole.chars().filter(|c| *c != ',').collect();
        let fits = groups_fit && separators < self.group_lengths().len() && digits.len() <= self.whole_digits();
        if !fits || (digits.is_empty() && fraction.is_empty()) {
            return None;
        }
        let unscaled = format!("{digits}{fraction:0<width$}", width = self.fraction);
        let value: i128 = unscaled.bytes().all(|b| b.is_ascii_digit()).then(|| unscaled.parse().ok())??;
        Some(if is_negative { -value } else { value })
    }

    /// Digits between separators, from the point to the left.
    fn group_lengths(&self) -> Vec<usize> {
        let mut lengths = vec![0];
        for item in self.whole.iter().rev() {
            match item {
                Item::Separator => lengths.push(0),
                _ => _ = lengths.last_mut().map(|length| *length += 1),
            }
        }
        lengths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for (format, value, scale, text) in [
            ("999", 454, 0, "454"),
            ("000.00", 45_400, 2, "454.00"),
            ("$99.99", 7_812, 2, "$78.12"),
            ("99,999", 12_454, 0, "12,454"),
            ("99.9S", -345, 1, "34.5-"),
            ("99PR", -12, 0, "<12>"),
        ] {
            let format = NumberFormat::parse(format).unwrap();
            assert_eq!(format.write(value, scale), text);
            assert_eq!(format.read(text), Some(value));
        }
        assert_eq!(NumberFormat::parse("99").unwrap().write(123, 0), "##");
        assert_eq!(NumberFormat::parse("00099").unwrap().write(12, 0), "00012");
        assert_eq!(NumberFormat::parse("999").unwrap().read("12a"), None);
        assert!(NumberFormat::parse("abc").is_err());
    }
}
