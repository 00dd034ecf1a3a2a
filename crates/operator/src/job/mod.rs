//! `SparkJob`: from what is there to what should be.
//!
//! ```text
//!   watch: SparkJob, pods --observe--> Observed --decide--> actions --apply--> the cluster
//!                                         |                    ^
//!                                      driver, retry, deletion, conditions (pure)
//! ```

mod apply;
mod build;
mod conditions;
mod decide;
#[cfg(test)]
mod decide_tests;
mod deletion;
#[cfg(test)]
mod deletion_tests;
mod draft;
mod driver;
#[cfg(test)]
mod executor_tests;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod launch_tests;
mod observe;
pub(crate) mod observed;
mod reconcile;
mod retry;
#[cfg(test)]
mod stop_tests;
mod watch;

pub(crate) use conditions::{set as set_condition, tell_ignored};
use reconcile::reconcile;
pub(crate) use watch::{KnownPods, Watch};
