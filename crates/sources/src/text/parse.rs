//! How text becomes values: the options that CSV and JSON share.

use firesteel_model::Result;

use crate::datetime::{Pattern, WallClock, Zone, lenient_date, lenient_timestamp};
use crate::error::bad_option;
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
    pub(crate) fn new(options: &Options, settings: &Settings) -> Result<Self> {
        let zone = options.get("timeZone").unwrap_or(&settings.time_zone);
        let pattern = |name: &str| options.get(name).map(|text| Pattern::compile(name, text)).transpose();
        Ok(Self {
            zone: Zone::parse(zone).ok_or_else(|| bad_option("timeZone", zone, "time zone"))?,
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
            Some(pattern) => pattern.parse(text).map(|clock| clock.days()),
            None => lenient_date(text),
        }
    }

    /// Whether text is a date when types are inferred; the lenient forms would take timestamps for dates.
    pub(crate) fn is_inferred_date(&self, text: &str) -> bool {
        match &self.date {
            Some(pattern) => pattern.parse(text).is_some(),
            None => text.len() == 10 && lenient_date(text).is_some(),
        }
    }

    /// Microseconds since the epoch.
    pub(crate) fn timestamp(&self, text: &str) -> Option<i64> {
        Some(read(self.timestamp.as_ref(), text)?.instant(&self.zone))
    }

    /// Microseconds of the wall clock; text with a zone is no such timestamp.
    pub(crate) fn timestamp_ntz(&self, text: &str) -> Option<i64> {
        read(self.timestamp_ntz.as_ref(), text).filter(|clock| clock.zone.is_none()).map(|clock| clock.local_us)
    }
}

fn read(pattern: Option<&Pattern>, text: &str) -> Option<WallClock> {
    match pattern {
        Some(pattern) => pattern.parse(text),
        None => lenient_timestamp(text, || chrono::Utc::now().timestamp().div_euclid(86_400)),
    }
}
