//! The fields of a pattern, and their names in English.

/// A field of a date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Era,
    YearOfEra,
    Quarter,
    Month,
    Day,
    DayOfYear,
    Weekday,
    WeekOfMonth,
    Half,
    Hour,
    HourFrom1,
    HourOfHalf,
    HourOfHalfFrom1,
    Minute,
    Second,
    Nano,
}

/// How long a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Short,
    Full,
}

/// When a number has a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Negative numbers only.
    Normal,
    /// Never, and negative numbers are refused.
    Never,
    /// Also positive numbers wider than the field.
    ExceedsPad,
}

const MONTHS: [&str; 12] = [
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
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const QUARTERS: [(&str, &str); 4] =
    [("Q1", "1st quarter"), ("Q2", "2nd quarter"), ("Q3", "3rd quarter"), ("Q4", "4th quarter")];
const ERAS: [(&str, &str); 2] = [("BC", "Before Christ"), ("AD", "Anno Domini")];

/// The name of a field's value.
pub(super) fn name(field: Field, value: i64, style: Style) -> Option<&'static str> {
    names(field, style).find(|(_, v)| *v == value).map(|(name, _)| name)
}

/// The names of a field's values.
pub(super) fn names(field: Field, style: Style) -> Box<dyn Iterator<Item = (&'static str, i64)>> {
    let pick = move |pair: &(&'static str, &'static str)| if style == Style::Short { pair.0 } else { pair.1 };
    let cut = move |name: &'static &'static str| if style == Style::Short { &name[..3] } else { name };
    match field {
        Field::Era => Box::new(ERAS.iter().map(pick).zip(0..)),
        Field::Quarter => Box::new(QUARTERS.iter().map(pick).zip(1..)),
        Field::Month => Box::new(MONTHS.iter().map(cut).zip(1..)),
        Field::Weekday => Box::new(WEEKDAYS.iter().map(cut).zip(1..)),
        Field::Half => Box::new(["AM", "PM"].into_iter().zip(0..)),
        _ => Box::new(std::iter::empty()),
    }
}
