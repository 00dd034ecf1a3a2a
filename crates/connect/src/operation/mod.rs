//! Operations: what runs, its responses, and the clients that come and go.
//!
//! ```text
//!   engine --ResultSink--> ResponseLog (numbered, bounded) --Attachment--> stream to a client
//!                               ^                                             |
//!                               +-- release, reattach, give up <--------------+
//! ```

mod attachment;
mod handle;
mod log;
mod registry;
mod report;
mod runner;
pub(crate) mod sink;

pub use handle::Operation;
pub use report::{MetricValue, ObservedMetrics, PlanMetrics, Progress, StageProgress};
pub use sink::ResultSink;

pub(crate) use attachment::{StreamLimits, attach};
pub(crate) use log::ResponseLog;
pub(crate) use registry::{Execution, OperationRegistry, OperationState};
pub(crate) use runner::{Start, start};
