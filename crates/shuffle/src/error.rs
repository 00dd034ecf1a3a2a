//! What can go wrong between writing a map output and reading it.

use arrow::error::ArrowError;
use firesteel_model::SparkError;
use firesteel_model::ids::TaskAttempt;

/// The result of anything in this crate.
pub type Result<T, E = ShuffleError> = std::result::Result<T, E>;

/// Variants by what the caller can do.
#[derive(Debug, thiserror::Error)]
pub enum ShuffleError {
    /// A committed output is missing or damaged: its map task has to run again.
    #[error("map output {attempt} cannot be read: {reason}")]
    FetchFailed {
        /// Whose output.
        attempt: TaskAttempt,
        /// What was seen.
        reason: String,
    },
    /// The store itself failed; another attempt may succeed.
    #[error("shuffle store failed to {action}")]
    Store {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A batch cannot be encoded.
    #[error("shuffle block cannot be encoded")]
    Encode(#[from] ArrowError),
    /// The caller broke a rule.
    #[error("shuffle misuse: {0}")]
    Misuse(String),
}

impl ShuffleError {
    pub(crate) fn store(action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Store { action, source }
    }
}

impl From<ShuffleError> for SparkError {
    fn from(error: ShuffleError) -> Self {
        let retryable = matches!(error, ShuffleError::FetchFailed { .. } | ShuffleError::Store { .. });
        let converted = Self::internal(error.to_string()).source(error);
        if retryable { converted.retryable() } else { converted }
    }
}
