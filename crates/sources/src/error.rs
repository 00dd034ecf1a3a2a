//! Errors of stores and file formats, given a Spark class by their type.

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use firesteel_model::{SparkError, error_class};

/// Wraps our error so that DataFusion carries it unchanged.
pub(crate) fn to_datafusion(error: SparkError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// An error of a store while it worked on `path`, which the user knows by that name.
///
/// Guarantees: transient faults are marked retryable; wrong credentials and missing objects are not.
pub fn from_store(error: object_store::Error, path: &str) -> SparkError {
    use object_store::Error as Store;
    let failed = |reason: String| SparkError::new(&error_class::STORAGE_FAILED).param("reason", reason);
    match error {
        Store::NotFound { .. } => SparkError::new(&error_class::PATH_NOT_FOUND).param("path", path).source(error),
        Store::AlreadyExists { .. } => {
            SparkError::new(&error_class::PATH_ALREADY_EXISTS).param("outputPath", path).source(error)
        }
        Store::PermissionDenied { .. } => failed(format!("access to {path} is denied")).source(error),
        Store::Unauthenticated { .. } => failed(format!("the credentials for {path} are wrong")).source(error),
        Store::NotImplemented { .. } | Store::NotSupported { .. } => {
            SparkError::unsupported(format!("an operation of the store of {path}")).source(error)
        }
        Store::Generic { .. } | Store::JoinError { .. } => failed(format!("{path}: {error}")).source(error).retryable(),
        other => failed(format!("{path}: {other}")).source(other),
    }
}

/// A store's error while a file was read that the listing had found.
pub(crate) fn while_reading(error: object_store::Error, path: &str) -> SparkError {
    match error {
        object_store::Error::NotFound { .. } => {
            SparkError::new(&error_class::FAILED_READ_FILE_FILE_NOT_EXIST).param("path", path).source(error)
        }
        other => from_store(other, path),
    }
}

/// A file whose content does not fit its format.
pub(crate) fn unreadable(path: &str, source: impl std::error::Error + Send + Sync + 'static) -> SparkError {
    SparkError::new(&error_class::FAILED_READ_FILE_NO_HINT).param("path", path).source(source)
}

/// An error of Arrow in our own kernels.
pub(crate) fn from_arrow(error: ArrowError) -> SparkError {
    match error {
        ArrowError::ExternalError(inner) => match inner.downcast::<SparkError>() {
            Ok(ours) => *ours,
            Err(other) => SparkError::internal(other.to_string()),
        },
        other => SparkError::internal(other.to_string()).source(other),
    }
}

/// Recovers our error from DataFusion's, or keeps DataFusion's as the source of an unreadable file.
pub(crate) fn from_datafusion(error: DataFusionError, path: &str) -> SparkError {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<SparkError>() {
            Ok(ours) => *ours,
            Err(other) => SparkError::internal(other.to_string()),
        },
        DataFusionError::ObjectStore(inner) => while_reading(*inner, path),
        DataFusionError::Context(_, inner) => from_datafusion(*inner, path),
        other => unreadable(path, other),
    }
}

/// A wrong value of an option.
pub(crate) fn bad_option(name: &str, value: &str, wanted: &str) -> SparkError {
    SparkError::new(&error_class::INVALID_CONF_VALUE_TYPE_MISMATCH)
        .param("confName", name)
        .param("confValue", value)
        .param("confType", wanted)
}

/// An error of the local file system.
pub(crate) fn to_storage(error: std::io::Error, path: &str) -> SparkError {
    SparkError::new(&error_class::STORAGE_FAILED).param("reason", format!("{path}: {error}")).source(error)
}
