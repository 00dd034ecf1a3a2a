//! What happens to malformed records.

use firesteel_model::{Result, SparkError, error_class};

use crate::options::Options;

/// The option `mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Bad values are NULL, and the record goes into the corrupt record column.
    Permissive,
    /// The record is left out.
    DropMalformed,
    /// The query fails.
    FailFast,
}

impl Mode {
    /// Reads the option; anything unknown is PERMISSIVE, as in Spark.
    pub(crate) fn of(options: &Options) -> Self {
        match options.get("mode").map(str::to_ascii_uppercase).as_deref() {
            Some("DROPMALFORMED") => Self::DropMalformed,
            Some("FAILFAST") => Self::FailFast,
            _ => Self::Permissive,
        }
    }

    /// What to do with a malformed record: whether to keep it.
    ///
    /// Errors: `MALFORMED_RECORD_IN_PARSING` when failing fast.
    pub(crate) fn on_malformed(self, record: &str) -> Result<bool> {
        match self {
            Self::Permissive => Ok(true),
            Self::DropMalformed => Ok(false),
            Self::FailFast => Err(malformed(record)),
        }
    }
}

/// The error of a malformed record.
pub(crate) fn malformed(record: &str) -> SparkError {
    SparkError::new(&error_class::MALFORMED_RECORD_IN_PARSING_WITHOUT_SUGGESTION)
        .param("badRecord", record)
        .param("failFastMode", "FAILFAST")
}
