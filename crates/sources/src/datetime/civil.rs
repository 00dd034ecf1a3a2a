//! The proleptic Gregorian calendar.

/// Microseconds in a day.
pub(crate) const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A wall clock taken apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Civil {
    pub year: i64,
    pub month: u32,
    pub day: u32,
    pub micros_of_day: i64,
    pub days: i64,
}

impl Civil {
    /// The wall clock `local_us` after 1970-01-01 00:00.
    pub(crate) fn from_local(local_us: i64) -> Self {
        let days = local_us.div_euclid(MICROS_PER_DAY);
        let (year, month, day) = civil_from_days(days);
        Self { year, month, day, micros_of_day: local_us.rem_euclid(MICROS_PER_DAY), days }
    }

    pub(crate) fn hour(&self) -> i64 {
        self.micros_of_day / 3_600_000_000
    }

    pub(crate) fn minute(&self) -> i64 {
        self.micros_of_day / 60_000_000 % 60
    }

    pub(crate) fn second(&self) -> i64 {
        self.micros_of_day / 1_000_000 % 60
    }

    pub(crate) fn micro(&self) -> i64 {
        self.micros_of_day % 1_000_000
    }

    /// 1 for the first of January.
    pub(crate) fn day_of_year(&self) -> i64 {
        self.days - days_of(self.year, 1, 1) + 1
    }

    /// 0 for Monday.
    pub(crate) fn weekday(&self) -> usize {
        usize::try_from((self.days + 3).rem_euclid(7)).unwrap_or(0)
    }
}

/// Days since 1970-01-01 of a date, if there is such a date.
pub(crate) fn days_from_civil(year: i64, month: u32, day: u32) -> Option<i64> {
    let valid = (1..=12).contains(&month) && day >= 1 && day <= month_length(year, month);
    valid.then(|| days_of(year, month, day))
}

fn month_length(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counts in eras of 400 years that begin in March, so that the leap day comes last.
fn days_of(year: i64, month: u32, day: u32) -> i64 {
    let (month, day) = (i64::from(month), i64::from(day));
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}
