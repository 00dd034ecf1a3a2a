//! Dates and timestamps in the text of files: Spark's lenient forms, and Java's patterns.

mod civil;
mod lenient;
mod pattern;
mod pattern_parse;
#[cfg(test)]
mod tests;
mod zone;

pub(crate) use civil::{Civil, MICROS_PER_DAY, days_from_civil};
pub(crate) use lenient::{lenient_date, lenient_timestamp};
pub(crate) use pattern::Pattern;
pub(crate) use zone::Zone;

/// A wall clock read from text, with the offset or zone that stood beside it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WallClock {
    /// Microseconds since 1970-01-01 00:00 of the same wall clock.
    pub local_us: i64,
    /// The zone in the text, if any.
    pub zone: Option<Zone>,
}

impl WallClock {
    /// The instant, in the text's zone or else in the session's.
    pub(crate) fn instant(&self, session: &Zone) -> i64 {
        self.zone.as_ref().unwrap_or(session).to_instant(self.local_us)
    }

    /// The day.
    pub(crate) fn days(&self) -> i32 {
        i32::try_from(self.local_us.div_euclid(MICROS_PER_DAY)).unwrap_or(i32::MAX)
    }
}
