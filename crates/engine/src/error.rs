//! From DataFusion's errors back to the typed errors that went in.

use std::error::Error;

use datafusion::arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use firesteel_functions::errors::from_datafusion;
use firesteel_model::SparkError;
use firesteel_model::ids::TaskAttempt;
use firesteel_shuffle::ShuffleError;

/// Why a plan failed, by what has to be done about it.
#[derive(Debug)]
pub enum ExecutionError {
    /// This map output is lost; its task has to run again.
    FetchFailed(TaskAttempt),
    /// Any other error, as the user sees it.
    Spark(SparkError),
}

/// Finds the error that crossed DataFusion; by type, never by text.
pub fn execution_error(error: DataFusionError) -> ExecutionError {
    match find(&error) {
        Some(ExecutionError::Spark(error)) => ExecutionError::Spark(error),
        Some(fetch_failed) => fetch_failed,
        None => ExecutionError::Spark(from_datafusion(error)),
    }
}

/// The same where no shuffle is read.
pub fn spark_error(error: DataFusionError) -> SparkError {
    match execution_error(error) {
        ExecutionError::Spark(error) => error,
        ExecutionError::FetchFailed(attempt) => {
            SparkError::internal(format!("the output of {attempt} is lost")).retryable()
        }
    }
}

/// Looks through the wrappers of DataFusion and Arrow.
fn find(error: &(dyn Error + 'static)) -> Option<ExecutionError> {
    if let Some(ours) = error.downcast_ref::<SparkError>() {
        return Some(ExecutionError::Spark(ours.clone()));
    }
    if let Some(shuffle) = error.downcast_ref::<ShuffleError>() {
        return Some(match shuffle {
            ShuffleError::FetchFailed { attempt, .. } => ExecutionError::FetchFailed(*attempt),
            other => {
                let spark = SparkError::internal(other.to_string());
                let retryable = matches!(other, ShuffleError::Store { .. });
                ExecutionError::Spark(if retryable { spark.retryable() } else { spark })
            }
        });
    }
    if let Some(datafusion) = error.downcast_ref::<DataFusionError>() {
        match datafusion {
            DataFusionError::External(inner) => return find(inner.as_ref()),
            DataFusionError::ArrowError(inner, _) => return find(inner.as_ref()),
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => return find(inner.as_ref()),
            DataFusionError::Shared(inner) => return find(inner.as_ref()),
            DataFusionError::Collection(errors) => return errors.iter().find_map(|inner| find(inner)),
            _ => {}
        }
    }
    match error.downcast_ref::<ArrowError>() {
        Some(ArrowError::ExternalError(inner)) => find(inner.as_ref()),
        _ => None,
    }
}
