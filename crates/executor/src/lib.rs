//! Slots, attempts and memory of an executor, and the loop that drives jobs on the executor of this process.
//!
//! ```text
//!   LocalCluster::submit(plan) --cut--> Dispatcher (owns Scheduler and jobs; one loop)
//!        ^                                 | LaunchTask            ^ TaskFinished
//!   JobStream <-- results in order --      v                       |
//!                                 Executors: this process's LocalExecutor (slots, memory pool, shuffle store),
//!                                 or a Fleet of processes, each of which holds a LocalExecutor
//! ```
//!
//! It must not know sessions, SQL, the Connect protocol or Kubernetes.

mod attempt;
mod cluster;
mod config;
mod dispatch;
mod fair_pool;
mod fleet;
mod keep;
mod local;
mod memory;
mod parcel;
mod process;
mod progress;
mod results;
mod runner;
mod undeleted;
mod wire;

pub use attempt::TaskMetrics;
pub use cluster::{JobOptions, LocalCluster};
pub use config::{ClusterConfig, Master};
pub use fleet::{ExecutorLauncher, FleetConfig, LauncherContext, LauncherFactory, LossReporter, ProcessLauncher};
pub use keep::{KeepPlan, KeptRows};
pub use parcel::{Packer, Parcel};
pub use process::{Extend, ProcessConfig, ProcessParts, end_when_exhausted, run_executor, variables};
pub use progress::{ProgressEvent, ProgressSink, TaskEnd};
pub use results::{JobStream, PartitionResult, ResultBatch};
