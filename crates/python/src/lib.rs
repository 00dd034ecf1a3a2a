//! Python functions: worker processes of the user's Python, and what is said to them.
//!
//! ```text
//!   WorkerPool --one per executable and environment--> Daemon (pyspark.daemon) --forks--> worker
//!       | lend(WorkerKey)                                                              ^    |
//!       v                                                                              |    v
//!     Worker --begin(request)--> Input: Arrow batches, groups ------ Unix socket ------+  Output: batches, accumulators
//! ```
//!
//! The workers are PySpark's own (`pyspark.daemon`, `pyspark.worker` of the user's pyspark-client 4.2); this crate speaks
//! their protocol. A worker that crashes fails what it was doing and nothing else. It must not know plans, DataFusion or
//! where a function came from.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod daemon;
mod environment;
mod error;
mod eval_type;
mod function;
mod input;
mod interpreter;
mod output;
mod pool;
mod request;
mod unpack;
mod wire;
mod worker;

pub use eval_type::EvalType;
pub use function::{PythonCommand, PythonSession};
pub use input::{Input, Sent};
pub use output::{Ended, Output};
pub use pool::{PoolLimits, WorkerPool};
pub use request::{Argument, Request, TableFunction, TaskInfo, Udf};
pub use unpack::unpack_archive;
pub use worker::{Worker, WorkerKey};
