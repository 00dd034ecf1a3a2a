//! The text of intervals.

/// What a unit adds up to.
#[derive(Clone, Copy)]
pub(crate) struct Unit {
    /// Its place among YEAR, MONTH, DAY, HOUR, MINUTE, SECOND.
    field: usize,
    /// Months, days or microseconds in one.
    size: i64,
}

/// Months, days and microseconds, and which fields were named.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Amount {
    pub(crate) months: i32,
    pub(crate) days: i32,
    pub(crate) microseconds: i64,
    pub(crate) fields: [bool; 6],
}

/// Why `INTERVAL '..' a TO b` does not work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum RangeError {
    /// The text has another form.
    Format,
    /// A field is too large.
    Overflow,
}

const SECOND: i64 = 1_000_000;

impl Amount {
    /// The sum of two, unless it overflows.
    pub(crate) fn plus(&self, other: &Self) -> Option<Self> {
        let mut fields = self.fields;
        fields.iter_mut().zip(other.fields).for_each(|(mine, theirs)| *mine |= theirs);
        Some(Self {
            months: self.months.checked_add(other.months)?,
            days: self.days.checked_add(other.days)?,
            microseconds: self.microseconds.checked_add(other.microseconds)?,
            fields,
        })
    }

    /// Days and microseconds as microseconds.
    pub(crate) fn total_microseconds(&self) -> Option<i64> {
        i64::from(self.days).checked_mul(86_400 * SECOND)?.checked_add(self.microseconds)
    }
}

/// The unit of a name, singular or plural.
pub(crate) fn unit(name: &str) -> Option<Unit> {
    let lower = name.to_ascii_lowercase();
    let (field, size) = match lower.strip_suffix('s').unwrap_or(&lower) {
        "year" => (0, 12),
        "month" => (1, 1),
        "week" => (2, 7),
        "day" => (2, 1),
        "hour" => (3, 3600 * SECOND),
        "minute" => (4, 60 * SECOND),
        "second" => (5, SECOND),
        "millisecond" => (5, 1000),
        "microsecond" => (5, 1),
        _ => return None,
    };
    Some(Unit { field, size })
}

/// A signed number of a unit; only seconds take a fraction.
pub(crate) fn amount(number: &str, unit: Unit) -> Option<Amount> {
    let unsigned = number.trim_start_matches(['+', '-']).trim_start();
    if number.len() - number.trim_start_matches(['+', '-']).len() > 1 {
        return None;
    }
    let sign = if number.starts_with('-') { -1 } else { 1 };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_seconds = unit.size == SECOND;
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || unsigned.trim_matches('.').is_empty() {
        return None;
    }
    if (unsigned.contains('.') && !is_seconds) || fraction.len() > 9 {
        return None;
    }
    // The sign goes first so that the smallest number fits.
    let whole: i64 =
        if whole.is_empty() { 0 } else { format!("{}{whole}", if sign < 0 { "-" } else { "" }).parse().ok()? };
    let part: i64 = format!("{fraction:0<6.6}").parse().ok()?;
    let value = whole.checked_mul(unit.size)?.checked_add(sign * part)?;
    let mut amount = Amount::default();
    amount.fields[unit.field] = true;
    match unit.field {
        0 | 1 => amount.months = i32::try_from(value).ok()?,
        2 => amount.days = i32::try_from(value).ok()?,
        _ => amount.microseconds = value,
    }
    Some(amount)
}

/// `[interval] 1 day -2 hours ..`
pub(crate) fn units(text: &str) -> Option<Amount> {
    let text = text.trim();
    let body = match text.get(..8) {
        Some(head) if head.eq_ignore_ascii_case("interval") => {
            text[8..].starts_with(char::is_whitespace).then(|| text[8..].trim_start())?
        }
        _ => text,
    };
    let mut total = Amount::default();
    let mut rest = body;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let number: String = rest[..number_end].trim().to_owned();
        let after = &rest[number_end..];
        let name_end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        total = total.plus(&amount(&number, unit(&after[..name_end])?)?)?;
        rest = after[name_end..].trim_start();
        if !rest.is_empty() && rest.len() == after.len() - name_end {
            return None;
        }
    }
    total.fields.contains(&true).then_some(total)
}

/// `[+-]y-m`
pub(crate) fn year_month(text: &str) -> Result<i32, RangeError> {
    let (sign, body) = signed(text.trim());
    let (years, months) = body.split_once('-').ok_or(RangeError::Format)?;
    let (years, months) = (digits(years, usize::MAX)?, digits(months, usize::MAX)?);
    if months > 11 {
        return Err(RangeError::Overflow);
    }
    let total = years.checked_mul(12).and_then(|total| total.checked_add(months)).ok_or(RangeError::Overflow)?;
    i32::try_from(sign * total).map_err(|_| RangeError::Overflow)
}

/// `[+-]d h:m:s.n`, between two fields.
pub(crate) fn day_time(text: &str, first: &str, last: &str) -> Result<i64, RangeError> {
    let (sign, mut rest) = signed(text.trim());
    let names = ["DAY", "HOUR", "MINUTE", "SECOND"];
    let sizes = [86_400 * SECOND, 3600 * SECOND, 60 * SECOND, SECOND];
    let limits = [i64::MAX, 23, 59, 59];
    let place = |name: &str| names.iter().position(|known| *known == name).ok_or(RangeError::Format);
    let (from, to) = (place(first)?, place(last)?);
    let mut total: i64 = 0;
    for field in from..=to {
        let separator = if field == 0 { ' ' } else { ':' };
        let part = if field == to {
            rest
        } else {
            let (part, after) = rest.split_once(separator).ok_or(RangeError::Format)?;
            rest = if field == 0 { after.trim_start() } else { after };
            part
        };
        let (whole, fraction) = part.split_once('.').unwrap_or((part, ""));
        let is_fraction_wrong = part.contains('.') && (field != 3 || fraction.is_empty() || fraction.len() > 9);
        if is_fraction_wrong || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return Err(RangeError::Format);
        }
        let value = digits(whole, if field == from { usize::MAX } else { 2 })?;
        if field > from && value > limits[field] {
            return Err(RangeError::Overflow);
        }
        let fraction: i64 = format!("{fraction:0<6.6}").parse().map_err(|_| RangeError::Format)?;
        let add = |total: i64, amount: i64| total.checked_add(sign * amount).ok_or(RangeError::Overflow);
        total = add(total, value.checked_mul(sizes[field]).ok_or(RangeError::Overflow)?)?;
        total = add(total, fraction)?;
    }
    Ok(total)
}

/// How the text between two fields should look.
pub(crate) fn format(first: &str, last: &str) -> String {
    let parts = [("YEAR", "y"), ("MONTH", "-m"), ("DAY", "d"), ("HOUR", " h"), ("MINUTE", ":m"), ("SECOND", ":s.n")];
    let place = |name: &str| parts.iter().position(|(known, _)| *known == name).unwrap_or(0);
    let body: String = parts[place(first)..=place(last)].iter().map(|(_, text)| *text).collect();
    format!("[+|-]{}", body.trim_start_matches([' ', ':']))
}

fn signed(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn digits(text: &str, length_max: usize) -> Result<i64, RangeError> {
    if text.is_empty() || text.len() > length_max || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(RangeError::Format);
    }
    text.parse().map_err(|_| RangeError::Overflow)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{RangeError, day_time, format, units, year_month};

    #[test]
    fn lists_of_units() {
        let amount = units("interval 1 year -2 months").unwrap();
        assert_eq!(amount.months, 10);
        let amount = units("1 week 1.5 seconds").unwrap();
        assert_eq!((amount.days, amount.microseconds), (7, 1_500_000));
        for wrong in ["", "1", "1 day 1", "+.", "1.5 days", "- 2", "1day-", "1 dayx"] {
            assert!(units(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn ranges() {
        assert_eq!(year_month("-1-2"), Ok(-14));
        assert_eq!(year_month("1-12"), Err(RangeError::Overflow));
        assert_eq!(day_time("1 2:03:04.5", "DAY", "SECOND"), Ok(93_784_500_000));
        assert_eq!(day_time("20 15:40:32.99", "DAY", "HOUR"), Err(RangeError::Format));
        assert_eq!(format("DAY", "HOUR"), "[+|-]d h");
        assert_eq!(format("HOUR", "SECOND"), "[+|-]h:m:s.n");
    }
}
