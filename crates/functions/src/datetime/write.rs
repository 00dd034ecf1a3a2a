//! Dates, timestamps and times as text, as CAST AS STRING writes them.

use std::fmt::Write;

use super::Civil;
use super::civil::{MICROS_PER_SECOND, split_micros};

/// `yyyy-MM-dd`; years beyond four digits have a sign.
pub fn write_date(out: &mut String, days: i64) {
    let Civil { year, month, day } = Civil::from_days(days);
    write_year(out, year);
    push_2(out, '-', u32::from(month));
    push_2(out, '-', u32::from(day));
}

/// `yyyy-MM-dd HH:mm:ss` and as much of the fraction as is not zero, of a wall clock.
pub fn write_timestamp(out: &mut String, local_us: i64) {
    let (days, time_us) = split_micros(local_us);
    write_date(out, days);
    write_clock(out, ' ', time_us);
}

/// `HH:mm:ss` and as much of the fraction as is not zero, of nanoseconds since midnight.
pub fn write_time(out: &mut String, nanos: i64) {
    let start = out.len();
    write_clock(out, ' ', nanos / 1_000);
    out.remove(start);
    // Precisions beyond microseconds do not exist; nothing is lost.
}

fn write_clock(out: &mut String, before: char, time_us: i64) {
    let seconds = time_us / MICROS_PER_SECOND;
    push_2(out, before, (seconds / 3_600) as u32);
    push_2(out, ':', (seconds / 60 % 60) as u32);
    push_2(out, ':', (seconds % 60) as u32);
    write_fraction(out, time_us % MICROS_PER_SECOND);
}

/// `.123` of microseconds; nothing of zero.
pub(crate) fn write_fraction(out: &mut String, micros: i64) {
    if micros == 0 {
        return;
    }
    let _ = write!(out, ".{micros:06}");
    let kept = out.trim_end_matches('0').len();
    out.truncate(kept);
}

fn write_year(out: &mut String, year: i32) {
    let _ = match year {
        0..=9_999 => write!(out, "{year:04}"),
        10_000.. => write!(out, "+{year}"),
        _ => write!(out, "-{:04}", year.unsigned_abs()),
    };
}

fn push_2(out: &mut String, before: char, number: u32) {
    out.push(before);
    out.push(char::from(b'0' + (number / 10 % 10) as u8));
    out.push(char::from(b'0' + (number % 10) as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text() {
        let date = |days| {
            let mut out = String::new();
            write_date(&mut out, days);
            out
        };
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(-719_893), "-0001-01-01");
        assert_eq!(date(2_932_897), "+10000-01-01");
        let mut out = String::new();
        write_timestamp(&mut out, -1);
        assert_eq!(out, "1969-12-31 23:59:59.999999");
        out.clear();
        write_timestamp(&mut out, 1_500_000);
        assert_eq!(out, "1970-01-01 00:00:01.5");
        out.clear();
        write_time(&mut out, 45_001_500_000_000);
        assert_eq!(out, "12:30:01.5");
    }
}
