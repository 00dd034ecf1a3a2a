//! Why numbers are no date or time of day, said as Java says it: users read it as a parameter of Spark's errors.

use super::civil::{Civil, days_in_month};
use super::pattern::Parsed;
use super::pattern_fields::Field;

const MONTHS: [&str; 12] = [
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
];

/// The field of that name is out of its range.
pub(crate) fn out_of_range(field: &str, range: &str, value: i64) -> String {
    format!("Invalid value for {field} (valid values {range}): {value}")
}

/// Why there is no such day; `None` where there is.
pub(crate) fn no_date(year: i64, month: i64, day: i64) -> Option<String> {
    if !(1..=12).contains(&month) {
        return Some(out_of_range("MonthOfYear", "1 - 12", month));
    }
    if !(1..=31).contains(&day) {
        return Some(out_of_range("DayOfMonth", "1 - 28/31", day));
    }
    if day <= i64::from(days_in_month(i32::try_from(year).unwrap_or(0), month as u8)) {
        return None;
    }
    if day == 29 {
        return Some(format!("Invalid date 'February 29' as '{year}' is not a leap year"));
    }
    Some(format!("Invalid date '{} {day}'", MONTHS[month as usize - 1]))
}

/// Why the year has no such day, counted from its first; `None` where it has.
pub(crate) fn no_day_of_year(year: i64, day: i64) -> Option<String> {
    if !(1..=366).contains(&day) {
        return Some(out_of_range("DayOfYear", "1 - 365/366", day));
    }
    let is_leap = days_in_month(i32::try_from(year).unwrap_or(0), 2) == 29;
    (day == 366 && !is_leap).then(|| format!("Invalid date 'DayOfYear 366' as '{year}' is not a leap year"))
}

/// Why there is no such time of day; `None` where there is.
pub(crate) fn no_time(hour: i64, minute: i64, second: i64) -> Option<String> {
    let fields = [("HourOfDay", 23, hour), ("MinuteOfHour", 59, minute), ("SecondOfMinute", 59, second)];
    let wrong = fields.into_iter().find(|(_, last, value)| !(0..=*last).contains(value));
    wrong.map(|(field, last, value)| out_of_range(field, &format!("0 - {last}"), value))
}

impl Parsed {
    /// Why these fields are no date and time. Java's parser resolves whole dates and says so before the reason, `shown`;
    /// Spark resolves the others.
    pub(super) fn refusal(&self, shown: &str) -> String {
        let year = self.get(Field::YearOfEra);
        if let Some(why) = self.no_time_field() {
            return format!("{shown}: {why}");
        }
        let is_whole = year.is_some()
            && (self.get(Field::DayOfYear).is_some()
                || (self.get(Field::Month).is_some() && self.get(Field::Day).is_some()));
        let why =
            self.no_date_fields(year.unwrap_or(1970), is_whole).unwrap_or_else(|| "it is out of range".to_owned());
        if is_whole { format!("{shown}: {why}") } else { why }
    }

    fn no_time_field(&self) -> Option<String> {
        let ranges = [
            (Field::Hour, "HourOfDay", 0, 23),
            (Field::HourFrom1, "ClockHourOfDay", 1, 24),
            (Field::HourOfHalf, "HourOfAmPm", 0, 11),
            (Field::HourOfHalfFrom1, "ClockHourOfAmPm", 1, 12),
            (Field::Minute, "MinuteOfHour", 0, 59),
            (Field::Second, "SecondOfMinute", 0, 59),
        ];
        ranges.into_iter().find_map(|(field, name, low, high)| {
            let value = self.get(field).filter(|value| !(low..=high).contains(value))?;
            Some(out_of_range(name, &format!("{low} - {high}"), value))
        })
    }

    fn no_date_fields(&self, year: i64, is_whole: bool) -> Option<String> {
        let (month, day) = (self.get(Field::Month), self.get(Field::Day));
        let has_both = month.is_some() && day.is_some();
        if let Some(why) = no_date(year, month.unwrap_or(1), day.unwrap_or(1)).filter(|_| has_both || !is_whole) {
            return Some(why);
        }
        let day_of_year = self.get(Field::DayOfYear)?;
        if let Some(why) = no_day_of_year(year, day_of_year) {
            return Some(why);
        }
        let first = Civil::new(i32::try_from(year).ok()?, 1, 1)?.to_days();
        let found = Civil::from_days(first + day_of_year - 1);
        let fields = [("MonthOfYear", month, i64::from(found.month)), ("DayOfMonth", day, i64::from(found.day))];
        let (name, given, derived) = fields.into_iter().find_map(|(name, given, derived)| {
            given.filter(|given| *given != derived).map(|given| (name, given, derived))
        })?;
        let date = format!("{:04}-{:02}-{:02}", found.year, found.month, found.day);
        // Java names what it derived first and Spark last.
        Some(if is_whole {
            format!("Conflict found: Field {name} {derived} differs from {name} {given} derived from {date}")
        } else {
            format!("Conflict found: Field {name} {given} differs from {name} {derived} derived from {date}.")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_why() {
        for ((year, month, day), why) in [
            ((2000, 2, 29), None),
            ((2000, 13, 1), Some("Invalid value for MonthOfYear (valid values 1 - 12): 13")),
            ((2000, 1, 33), Some("Invalid value for DayOfMonth (valid values 1 - 28/31): 33")),
            ((1970, 2, 29), Some("Invalid date 'February 29' as '1970' is not a leap year")),
            ((2020, 11, 31), Some("Invalid date 'NOVEMBER 31'")),
        ] {
            assert_eq!(no_date(year, month, day).as_deref(), why);
        }
        assert_eq!(no_time(23, 59, 59), None);
        assert_eq!(no_time(1, 1, 61).as_deref(), Some("Invalid value for SecondOfMinute (valid values 0 - 59): 61"));
    }
}
