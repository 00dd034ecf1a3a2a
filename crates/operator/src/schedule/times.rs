//! The times of a schedule.

use croner::Cron;
use croner::parser::{CronParser, Seconds};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A schedule's notation and time zone, read.
#[derive(Debug)]
pub(crate) struct Times {
    cron: Cron,
    zone: TimeZone,
}

/// A schedule that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TimesError {
    #[error("\"{schedule}\" is no schedule: {source}")]
    Schedule { schedule: String, source: croner::errors::CronError },
    #[error("\"{0}\" is no time zone; write for example Europe/Zurich")]
    Zone(String),
}

impl Times {
    /// Reads notation and zone; without a zone it is UTC.
    pub(crate) fn parse(schedule: &str, zone: Option<&str>) -> Result<Self, TimesError> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).build();
        let cron =
            parser.parse(schedule).map_err(|source| TimesError::Schedule { schedule: schedule.to_owned(), source })?;
        let zone = match zone {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name).map_err(|_| TimesError::Zone(name.to_owned()))?,
        };
        Ok(Self { cron, zone })
    }

    /// The latest time after `from` up to `now`; nothing if none has come.
    pub(crate) fn due(&self, from: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let found = self.cron.find_previous_occurrence(&now.to_zoned(self.zone.clone()), true).ok()?;
        Some(found.timestamp()).filter(|time| *time > from)
    }

    /// The next time after `now`; nothing if the schedule has none.
    pub(crate) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let found = self.cron.find_next_occurrence(&now.to_zoned(self.zone.clone()), false).ok()?;
        Some(found.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_follow_the_notation_and_the_zone() {
        for (schedule, zone, now, next) in [
            ("*/5 * * * *", None, "2026-03-01T10:03:00Z", "2026-03-01T10:05:00Z"),
            ("@daily", None, "2026-03-01T10:03:00Z", "2026-03-02T00:00:00Z"),
            ("30 2 * * 1-5", Some("Europe/Zurich"), "2026-01-02T12:00:00Z", "2026-01-05T01:30:00Z"),
            ("0 0 L * *", None, "2026-02-03T00:00:00Z", "2026-02-28T00:00:00Z"),
            ("0 9 * * MON#1", None, "2026-03-01T10:03:00Z", "2026-03-02T09:00:00Z"),
        ] {
            let times = Times::parse(schedule, zone).unwrap();
            assert_eq!(times.next(at(now)), Some(at(next)), "{schedule}");
        }
    }

    #[test]
    fn only_the_latest_missed_time_is_due() {
        let times = Times::parse("0 * * * *", None).unwrap();
        let (from, now) = (at("2026-03-01T10:00:00Z"), at("2026-03-01T13:20:00Z"));
        assert_eq!(times.due(from, now), Some(at("2026-03-01T13:00:00Z")));
        assert_eq!(times.due(at("2026-03-01T13:00:00Z"), now), None);
        assert_eq!(times.due(from, at("2026-03-01T11:00:00Z")), Some(at("2026-03-01T11:00:00Z")));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(matches!(Times::parse("61 * * * *", None), Err(TimesError::Schedule { .. })));
        assert!(matches!(Times::parse("* * * * *", Some("Mars/Olympus")), Err(TimesError::Zone(_))));
    }
}
