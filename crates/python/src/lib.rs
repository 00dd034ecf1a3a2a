//! Python functions: worker processes of the user's Python, and what is said to them.
//!
//! ```text
//!   WorkerPool --one per executable and environment--> Daemon (pyspark.daemon) --forks--> worker
//!       | lend(WorkerKey)                                                              ^    |
//!       v                                                                              |    v
//!     Worker --begin(request)--> Input: Arrow batches, groups ------ Unix socket ------+  Output: batches, accumulators
//!       ^
//!       +-- Question --> Answer: what the user's code says while a query is planned (analysis, source)
//! ```
//!
//! The workers are PySpark's own (`pyspark.daemon`, `pyspark.worker` of the user's pyspark-client 4.2); this crate speaks
//! their protocol, but for groups of rows in pandas: `workers/functions.py` has ways of ours for those, which take many
//! groups at a time. A worker that crashes fails what it was doing and nothing else. It must not know plans, DataFusion or
//! where a function came from.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod analysis;
mod daemon;
mod environment;
mod error;
mod eval_type;
mod function;
mod input;
mod interpreter;
mod output;
mod pickle;
mod pool;
mod question;
mod request;
mod source;
mod unpack;
mod wire;
mod worker;

pub use analysis::{Analysis, AnalyzeArgument, AnalyzedColumn, AnalyzedOrder, analyze_table_function};
pub use eval_type::EvalType;
pub use function::{PythonCommand, PythonSession};
pub use input::{Input, Sent};
pub use output::{Ended, Output};
pub use pickle::PythonValue;
pub use pool::{PoolLimits, WorkerPool};
pub use request::{Argument, Request, TableFunction, TaskInfo, Udf};
pub use source::{
    OpenedSource, Pushdown, READ_INPUT, SourceClass, SourceRead, SourceSchema, SourceWrite, WRITE_OUTPUT,
};
pub use unpack::unpack_archive;
pub use worker::{Worker, WorkerKey, WorkerRole};
