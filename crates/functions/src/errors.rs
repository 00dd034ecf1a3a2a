//! Spark's errors across DataFusion: in as `External`, out by type.

use std::error::Error;

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use firesteel_model::{SparkError, error_class};

/// Wraps an error of ours so that DataFusion carries it unchanged.
pub fn to_datafusion(error: SparkError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// Wraps an error of ours so that Arrow carries it unchanged.
pub fn to_arrow(error: SparkError) -> ArrowError {
    ArrowError::ExternalError(Box::new(error))
}

/// Recovers our error from DataFusion's, or gives its type a Spark class and keeps it as the source.
pub fn from_datafusion(error: DataFusionError) -> SparkError {
    if let Some(ours) = find(&error) {
        return ours;
    }
    classify(error)
}

/// Recovers our error from Arrow's, or gives its type a Spark class and keeps it as the source.
pub fn from_arrow(error: ArrowError) -> SparkError {
    match find(&error) {
        Some(ours) => ours,
        None => classify_arrow(error),
    }
}

fn find(error: &(dyn Error + 'static)) -> Option<SparkError> {
    if let Some(ours) = error.downcast_ref::<SparkError>() {
        return Some(ours.clone());
    }
    match error.downcast_ref::<DataFusionError>() {
        Some(DataFusionError::External(inner)) => return find(inner.as_ref()),
        Some(DataFusionError::ArrowError(inner, _)) => return find(inner.as_ref()),
        Some(DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner)) => {
            return find(inner.as_ref());
        }
        Some(DataFusionError::Shared(inner)) => return find(inner.as_ref()),
        Some(DataFusionError::Collection(errors)) => return errors.iter().find_map(|inner| find(inner)),
        _ => {}
    }
    if let Some(ArrowError::ExternalError(inner)) = error.downcast_ref::<ArrowError>() {
        return find(inner.as_ref());
    }
    find(error.source()?)
}

fn classify(error: DataFusionError) -> SparkError {
    match error {
        DataFusionError::ArrowError(inner, _) => classify_arrow(*inner),
        DataFusionError::ParquetError(inner) => unreadable("parquet").source(*inner),
        DataFusionError::ObjectStore(inner) => classify_store(*inner),
        DataFusionError::IoError(inner) => {
            SparkError::new(&error_class::STORAGE_FAILED).param("reason", inner.to_string()).source(inner).retryable()
        }
        DataFusionError::NotImplemented(what) => SparkError::unsupported(what),
        DataFusionError::ResourcesExhausted(what) => {
            SparkError::new(&error_class::UNABLE_TO_ACQUIRE_MEMORY).param("message", what).retryable()
        }
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => classify(*inner),
        other => SparkError::internal(other.strip_backtrace()).source(other),
    }
}

fn classify_arrow(error: ArrowError) -> SparkError {
    match error {
        ArrowError::DivideByZero => {
            SparkError::new(&error_class::DIVIDE_BY_ZERO).param("config", "\"spark.sql.ansi.enabled\"").source(error)
        }
        ArrowError::ArithmeticOverflow(ref message) => SparkError::new(&error_class::ARITHMETIC_OVERFLOW)
            .param("message", message.clone())
            .param("alternative", "")
            .param("config", "\"spark.sql.ansi.enabled\"")
            .source(error),
        ArrowError::NotYetImplemented(what) => SparkError::unsupported(what),
        ArrowError::CsvError(_) => unreadable("csv").source(error),
        ArrowError::JsonError(_) => unreadable("json").source(error),
        ArrowError::AvroError(_) => unreadable("avro").source(error),
        ArrowError::ParquetError(_) => unreadable("parquet").source(error),
        ArrowError::IoError(ref what, _) => {
            let what = what.clone();
            SparkError::new(&error_class::STORAGE_FAILED).param("reason", what).source(error).retryable()
        }
        other => SparkError::internal(other.to_string()).source(other),
    }
}

fn classify_store(error: datafusion::object_store::Error) -> SparkError {
    use datafusion::object_store::Error as Store;
    match error {
        Store::NotFound { ref path, .. } => {
            let path = path.clone();
            SparkError::new(&error_class::FAILED_READ_FILE_FILE_NOT_EXIST).param("path", path).source(error)
        }
        Store::AlreadyExists { ref path, .. } => {
            let path = path.clone();
            SparkError::new(&error_class::PATH_ALREADY_EXISTS).param("outputPath", path).source(error)
        }
        Store::NotImplemented { .. } | Store::NotSupported { .. } => {
            SparkError::unsupported(error.to_string()).source(error)
        }
        Store::Generic { .. } | Store::JoinError { .. } => {
            SparkError::new(&error_class::STORAGE_FAILED).param("reason", error.to_string()).source(error).retryable()
        }
        other => SparkError::new(&error_class::STORAGE_FAILED).param("reason", other.to_string()).source(other),
    }
}

fn unreadable(format: &str) -> SparkError {
    SparkError::new(&error_class::FAILED_READ_FILE_NO_HINT).param("path", format!("({format})"))
}
