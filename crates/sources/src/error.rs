//! Errors of stores and file formats, given a Spark class by their type.

use std::error::Error;

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
    store_failure(&error, path).source(error)
}

fn store_failure(error: &object_store::Error, path: &str) -> SparkError {
    use object_store::Error as Store;
    let failed = |reason: String| SparkError::new(&error_class::STORAGE_FAILED).param("reason", reason);
    match error {
        Store::NotFound { .. } => SparkError::new(&error_class::PATH_NOT_FOUND).param("path", path),
        Store::AlreadyExists { .. } => SparkError::new(&error_class::PATH_ALREADY_EXISTS).param("outputPath", path),
        Store::PermissionDenied { .. } => failed(format!("access to {path} is denied")),
        Store::Unauthenticated { .. } => failed(format!("the credentials for {path} are wrong")),
        Store::NotImplemented { .. } | Store::NotSupported { .. } => {
            SparkError::unsupported(format!("an operation of the store of {path}"))
        }
        Store::Generic { source, .. } if source.to_string().contains("<Code>NoSuchBucket</Code>") => {
            SparkError::new(&error_class::PATH_NOT_FOUND).param("path", path)
        }
        Store::Generic { .. } | Store::JoinError { .. } => failed(format!("{path}: {error}")).retryable(),
        other => failed(format!("{path}: {other}")),
    }
}

/// A store's error while a file was read that the listing had found.
pub(crate) fn while_reading(error: object_store::Error, path: &str) -> SparkError {
    reading_failure(&error, path).source(error)
}

fn reading_failure(error: &object_store::Error, path: &str) -> SparkError {
    match error {
        object_store::Error::NotFound { .. } => {
            SparkError::new(&error_class::FAILED_READ_FILE_FILE_NOT_EXIST).param("path", path)
        }
        other => store_failure(other, path),
    }
}

/// An error of a reader that asks a store for a file's bytes: ours if it is one, the store's, else the content's.
pub(crate) fn while_decoding(path: &str, error: impl Error + Send + Sync + 'static) -> SparkError {
    if let Some(ours) = within::<SparkError>(&error) {
        return ours.clone();
    }
    match within::<object_store::Error>(&error).map(|store| reading_failure(store, path)) {
        Some(failure) => failure.source(error),
        None => unreadable(path, error),
    }
}

/// The same while the end of a file is read, which holds its schema.
pub(crate) fn while_reading_footer(path: &str, error: impl Error + Send + Sync + 'static) -> SparkError {
    let failure = while_decoding(path, error);
    if !is_corrupt(&failure) {
        return failure;
    }
    SparkError::new(&error_class::FAILED_READ_FILE_CANNOT_READ_FILE_FOOTER).param("path", path).source(failure)
}

/// Whether an error says that a file's content does not fit its format.
pub(crate) fn is_corrupt(error: &SparkError) -> bool {
    [&error_class::FAILED_READ_FILE_NO_HINT, &error_class::FAILED_READ_FILE_CANNOT_READ_FILE_FOOTER]
        .contains(&error.class())
}

/// The error of a type among the causes of another.
pub(crate) fn within<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        // An `io::Error` names the causes of what it wraps, but not that itself.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// A file whose content does not fit its format.
pub(crate) fn unreadable(path: &str, source: impl Error + Send + Sync + 'static) -> SparkError {
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
