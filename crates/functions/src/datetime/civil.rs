//! Days since the epoch and the calendar.

/// Microseconds in a second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;
/// Microseconds in a minute.
pub const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
/// Microseconds in an hour.
pub const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
/// Microseconds in a day.
pub const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;

/// A date of the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Civil {
    /// 0 is 1 BC.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl Civil {
    /// A date, if there is such a day.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        let valid = (1..=12).contains(&month) && day >= 1 && day <= u32::from(days_in_month(year, month as u8));
        valid.then_some(Self { year, month: month as u8, day: day as u8 })
    }

    /// The date that lies `days` after 1970-01-01.
    pub fn from_days(days: i64) -> Self {
        // Years start in March here, so that the leap day is the last of its year.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u8;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u8;
        let year = (year_of_era + era * 400 + i64::from(month <= 2)) as i32;
        Self { year, month, day }
    }

    /// Days after 1970-01-01.
    pub fn to_days(self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month = i64::from(self.month);
        let shifted_month = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// 1 for 1 January.
    pub fn day_of_year(self) -> u16 {
        (self.to_days() - Self { year: self.year, month: 1, day: 1 }.to_days() + 1) as u16
    }

    /// The same day `months` later, or the last day of that month.
    pub fn plus_months(self, months: i64) -> Self {
        let total = i64::from(self.year) * 12 + i64::from(self.month) - 1 + months;
        let year = total.div_euclid(12) as i32;
        let month = (total.rem_euclid(12) + 1) as u8;
        Self { year, month, day: self.day.min(days_in_month(year, month)) }
    }

    /// Year and number of its ISO week, and the day in it: 1 is Monday.
    pub fn iso_week(self) -> (i32, u8, u8) {
        let days = self.to_days();
        let weekday = day_of_week(days);
        // The week belongs to the year of its Thursday.
        let thursday = Self::from_days(days - i64::from(weekday) + 4);
        (thursday.year, ((thursday.day_of_year() - 1) / 7 + 1) as u8, weekday)
    }
}

/// 1 is Monday, 7 is Sunday.
pub fn day_of_week(days: i64) -> u8 {
    ((days + 3).rem_euclid(7) + 1) as u8
}

/// Whether the year has 366 days.
pub fn is_leap_year(year: i32) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

/// 28 to 31; the month counts from 1.
pub fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        2 => 28 + u8::from(is_leap_year(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days and microseconds of the day of a wall clock.
pub fn split_micros(local_us: i64) -> (i64, i64) {
    (local_us.div_euclid(MICROS_PER_DAY), local_us.rem_euclid(MICROS_PER_DAY))
}

/// The date of a wall clock.
pub fn civil_of_micros(local_us: i64) -> Civil {
    Civil::from_days(local_us.div_euclid(MICROS_PER_DAY))
}

/// The wall clock `months`, then `days` and `micros` later; `None` on overflow.
pub fn plus_interval(local_us: i64, months: i64, days: i64) -> Option<i64> {
    let (day, time) = split_micros(local_us);
    let moved = if months == 0 { day } else { Civil::from_days(day).plus_months(months).to_days() };
    moved.checked_add(days)?.checked_mul(MICROS_PER_DAY)?.checked_add(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_go_there_and_back() {
        for (date, days) in
            [((1970, 1, 1), 0), ((2000, 2, 29), 11_016), ((1582, 10, 15), -141_427), ((0, 1, 1), -719_528)]
        {
            let civil = Civil::new(date.0, date.1, date.2).unwrap();
            assert_eq!(civil.to_days(), days);
            assert_eq!(Civil::from_days(days), civil);
        }
        assert_eq!(Civil::new(2023, 2, 29), None);
        assert_eq!(Civil::from_days(i64::from(i32::MAX)).year, 5_881_580);
    }

    #[test]
    fn iso_weeks() {
        assert_eq!(Civil::new(2021, 1, 3).unwrap().iso_week(), (2020, 53, 7));
        assert_eq!(Civil::new(2018, 12, 31).unwrap().iso_week(), (2019, 1, 1));
    }
}
