//! What runs inside a task, and how a plan becomes tasks.
//!
//! ```text
//!   logical    repartition and coalesce as nodes of logical plans
//!   session    the DataFusion configuration that plans are made under
//!   rules      the physical optimiser rules that plans are made with
//!   key_filters what a join's selective side tells the scans of the other
//!   stages     physical plan -> StageGraph: cut at exchanges, adapted to real sizes
//!   partition  to which partition a row goes: Spark's hash, ranges, in turn
//!   exec       ShuffleReadExec -> operators -> ShuffleWriteExec: the plan of a task
//!   in_task    a plan made ready to run: it can be stopped, and its functions find their task
//!   python     nodes that call the user's Python functions
//!   codec      plans of stages as bytes and back
//!   task       what a task finds beside its plan and what it leaves behind
//! ```
//!
//! It must not know the scheduler, executors, sessions or the network.

pub mod codec;
pub mod error;
pub mod exec;
mod in_task;
mod interrupt;
pub mod key_filters;
pub mod logical;
pub mod partition;
pub mod python;
mod rules;
mod session;
pub mod settings;
pub mod stages;
pub mod task;

pub use in_task::in_task;
pub use rules::physical_rules;
pub use session::session_config;
