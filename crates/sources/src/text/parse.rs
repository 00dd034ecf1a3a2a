//! How text becomes values: the options that CSV and JSON share.

use firesteel_functions::datetime::{Pattern, Zone, parse_date, parse_timestamp, parse_timestamp_ntz};
use firesteel_model::Result;

use crate::options::Options;
use crate::settings::Settings;

/// Patterns, time zone and the names of special numbers.
#[derive(Clone, Debug)]
pub(crate) struct ValueRules {
    pub(crate) zone: Zone,
    date: Option<Pattern>,
    timestamp: Option<Pattern>,
    timestamp_ntz: Option<Pattern>,
    pub(crate) nan: String,
    pub(crate) positive_inf: String,
    pub(crate) negative_inf: String,
}

impl ValueRules {
    /// Reads the options.
    ///
    /// Errors: `INVALID_TIMEZONE`, `INVALID_DATETIME_PATTERN.*`.
    pub(crate) fn new(options: &Options, settings: &Settings) -> Result<Self> {
        let zone = options.get("timeZone").unwrap_or(&settings.time_zone);
        let pattern = |name: &str| options.get(name).map(Pattern::for_parsing).transpose();
        Ok(Self {
            zone: Zone::parse(zone)?,
            date: pattern("dateFormat")?,
            timestamp: pattern("timestampFormat")?,
            timestamp_ntz: pattern("timestampNTZFormat")?,
            nan: options.get("nanValue").unwrap_or("NaN").to_owned(),
            positive_inf: options.get("positiveInf").unwrap_or("Inf").to_owned(),
            negative_inf: options.get("negativeInf").unwrap_or("-Inf").to_owned(),
        })
    }

    /// Days since 1970-01-01.
    pub(crate) fn date(&self, text: &str) -> Option<i32> {
        match &self.date {
            Some(pattern) => i32::try_from(pattern.parse(text)?.date()?).ok(),
            None => parse_date(text),
        }
    }

    /// Whether text is a date when types are inferred; the lenient forms would take timestamps for dates.
    pub(crate) fn is_inferred_date(&self, text: &str) -> bool {
        match &self.date {
            Some(pattern) => pattern.parse(text).is_some_and(|parsed| parsed.date().is_some()),
            None => text.len() == 10 && parse_date(text).is_some(),
        }
    }

    /// Microseconds since the epoch; a time alone is of this day.
    pub(crate) fn timestamp(&self, text: &str) -> Option<i64> {
        match &self.timestamp {
            Some(pattern) => pattern.parse(text)?.instant_us(&self.zone),
            None => parse_timestamp(text, &self.zone, Some(chrono::Utc::now().timestamp_micros())),
        }
    }

    /// Microseconds of the wall clock; text with a zone is no such timestamp.
    pub(crate) fn timestamp_ntz(&self, text: &str) -> Option<i64> {
        match &self.timestamp_ntz {
            Some(pattern) => pattern.parse(text).filter(|parsed| parsed.zone.is_none())?.local_us(),
            None => parse_timestamp_ntz(text, false),
        }
    }
}
