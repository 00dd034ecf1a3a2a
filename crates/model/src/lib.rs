//! What every other crate agrees on: ids, configuration keys and Spark's error classes.
//!
//! ```text
//!   ids     JobId, StageId, TaskId ... newtypes, never bare integers
//!   conf    the table of spark.* keys: default, static or runtime, meaning; runtime_conf = a session's values
//!   error   SparkError = a row of error_class + parameters + where in the query
//! ```
//!
//! It must not know Arrow, DataFusion, gRPC or Kubernetes.

pub mod conf;
pub mod error;
pub mod error_class;
mod error_context;
pub mod executor_loss;
pub mod ids;
pub mod runtime_conf;

pub use error::{Result, SparkError};
pub use error_class::{ErrorClass, ExceptionKind};
pub use error_context::ErrorContext;
pub use executor_loss::ExecutorLoss;
