//! Which task runs where and when, as a pure state machine.
//!
//! ```text
//!   driver --Event--> Scheduler::apply(now_ms, event) --Vec<Action>--> driver
//!
//!   job (pool, tags) -- stages (a graph; consumers wait for parents) -- tasks -- attempts
//!                                     |
//!   executors (slots) <-- placement --+-- locality, retries, speculation, exclusion
//!                     <-- allocation: how many executors there ought to be
//! ```
//!
//! The driver sends [`Event::Tick`] about every 100 ms while [`Scheduler::wants_ticks`] holds; everything that
//! depends on time passing happens there. Events may be late, doubled or out of order; an attempt counts once.
//!
//! It must not know clocks, I/O, tokio, DataFusion, plans, object keys or statistics: a task output is named by the
//! attempt that committed it, and the driver keeps what lies behind.

mod allocation;
mod audit;
mod commit;
mod config;
mod events;
mod exclusion;
mod executors;
mod failures;
mod graph;
mod jobs;
mod lifecycle;
mod membership;
mod placement;
mod pools;
mod queues;
mod replan;
mod settings;
mod speculation;
mod stages;
mod state;

pub use config::{AllocationConfig, ExclusionConfig, PoolOrder, SchedulerConfig, SpeculationConfig};
pub use events::{
    Action, CancelScope, Event, ExecutorInfo, JobFailure, JobOutcome, KillReason, Locality, Replan, StopReason,
    TaskFailure, TaskOutcome,
};
pub use firesteel_model::ExecutorLoss;
pub use graph::{GraphError, JobSpec, PoolSpec, Preference, StageSpec};
pub use stages::StageProgress;
pub use state::Scheduler;
