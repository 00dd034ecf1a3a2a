//! Slots, attempts and memory of an executor, and the loop that drives jobs on the executor of this process.
//!
//! ```text
//!   LocalCluster::submit(plan) --cut--> Dispatcher (owns Scheduler and jobs; one loop)
//!        ^                                 | LaunchTask            ^ TaskFinished
//!   JobStream <-- results in order --      v                       |
//!                                    LocalExecutor: slots, CPU runtime, memory pool, shuffle store
//! ```
//!
//! It must not know sessions, SQL, the Connect protocol or Kubernetes.

mod attempt;
mod cluster;
mod config;
mod dispatch;
mod local;
mod memory;
mod progress;
mod results;

pub use attempt::TaskMetrics;
pub use cluster::{JobOptions, LocalCluster};
pub use config::ClusterConfig;
pub use progress::{ProgressEvent, ProgressSink, TaskEnd};
pub use results::{JobStream, PartitionResult, ResultBatch};
