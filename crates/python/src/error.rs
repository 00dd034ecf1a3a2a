//! What goes wrong with workers, as the user sees it.

use firesteel_model::{SparkError, error_class};

/// An exception in the user's function, with its traceback.
pub(crate) fn exception(traceback: &str) -> SparkError {
    SparkError::new(&error_class::PYTHON_EXCEPTION).param("msg", traceback.trim_end())
}

/// Something about a worker itself. Another attempt may fare better.
pub(crate) fn failed(reason: impl Into<String>) -> SparkError {
    SparkError::new(&error_class::PYTHON_WORKER_FAILED).param("reason", reason).retryable()
}

/// The same where another attempt would fail alike.
pub(crate) fn unusable(reason: impl Into<String>) -> SparkError {
    SparkError::new(&error_class::PYTHON_WORKER_FAILED).param("reason", reason)
}

/// A worker went away in the middle of its work.
pub(crate) fn crashed(pid: i32) -> SparkError {
    failed(format!("process {pid} ended unexpectedly while it ran a function (crashed); its last words are in the log"))
}

/// Arrow cannot write or read a batch.
pub(crate) fn arrow(error: arrow::error::ArrowError) -> SparkError {
    SparkError::internal(format!("an Arrow batch of a Python function: {error}")).source(error)
}
