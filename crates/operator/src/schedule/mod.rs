//! `ScheduledSparkJob`: a job made at each time of a schedule.
//!
//! ```text
//!   ScheduledSparkJob, its SparkJobs --> Observed --decide (times)--> actions --> the cluster
//! ```
//!
//! A job's name holds its minute, so that making it twice is harmless.

mod decide;
#[cfg(test)]
mod decide_tests;
mod reconcile;
mod times;

pub(crate) use reconcile::reconcile;
