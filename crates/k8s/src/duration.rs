//! Durations as a user writes them: `30s`, `10m`, `1h30m`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// What the Kubernetes API accepts as a [`Span`].
pub(crate) const PATTERN: &str = "^([0-9]{1,9}(ms|s|m|h))+$";

/// A duration in the form of Kubernetes and Go: numbers with the units `ms`, `s`, `m` and `h`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub String);

/// Text that is no duration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no duration; write for example 30s, 10m or 6h")]
pub struct SpanError {
    text: String,
}

impl Span {
    /// The length of time it stands for.
    ///
    /// Errors: the text is no duration, which the schema and [`crate::validate`] refuse beforehand.
    pub fn parse(&self) -> Result<Duration, SpanError> {
        let fail = || SpanError { text: self.0.clone() };
        let mut rest = self.0.as_str();
        let mut total_ms: u64 = 0;
        if rest.is_empty() {
            return Err(fail());
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if !(1..=9).contains(&digits) {
                return Err(fail());
            }
            let number: u64 = rest[..digits].parse().map_err(|_| fail())?;
            let (unit_ms, unit_len) = unit(&rest[digits..]).ok_or_else(fail)?;
            total_ms = total_ms.saturating_add(number.saturating_mul(unit_ms));
            rest = &rest[digits + unit_len..];
        }
        Ok(Duration::from_millis(total_ms))
    }
}

/// Milliseconds of the unit that `text` begins with, and the unit's length.
fn unit(text: &str) -> Option<(u64, usize)> {
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)]
        .into_iter()
        .find(|(name, _)| text.starts_with(name))
        .map(|(name, ms)| (ms, name.len()))
}

impl From<&str> for Span {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 32, "pattern": PATTERN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, ms) in [("0s", 0), ("250ms", 250), ("30s", 30_000), ("1h30m", 5_400_000), ("168h", 604_800_000)] {
            assert_eq!(Span::from(text).parse(), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn text_without_a_number_and_a_unit_is_refused_by_code_and_schema_alike() {
        let pattern = regex::Regex::new(PATTERN).unwrap();
        for text in ["", "10", "m", "10 m", "1d", "-1s", "1.5h", "9999999999s", "10M"] {
            assert!(Span::from(text).parse().is_err(), "{text}");
            assert!(!pattern.is_match(text), "{text}");
        }
    }
}
