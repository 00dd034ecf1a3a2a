//! Executors as pods: a driver in a pod asks the Kubernetes API for them, watches them, and reports on them.
//!
//! ```text
//!   Fleet --start, stop, registered--> Pods --commands--> Work (one loop) --actions--> Cluster: create, delete
//!     ^                                                    |  ^                            |
//!     |                                                  Ledger (pure) <--- events --------+
//!     +---- lost, resized ---------------------------------+  ^--- pods as they are watched (observed, pure)
//!                                                          |
//!   jobs --progress--> Tally --------> PodReporter <-------+ ----> annotation of the driver's own pod, for the operator
//! ```
//!
//! The driver's pod owns everything that is made here, so that the cluster deletes it with the driver. Executors are
//! given an address and a Secret; what the application is, secrets included, they learn from their driver.
//!
//! It must not know plans, tasks or sessions.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod cluster;
mod identity;
mod launcher;
mod ledger;
#[cfg(test)]
mod ledger_tests;
mod observed;
mod reporter;
mod sizing;
mod tally;
mod work;

pub use identity::PodIdentity;
pub use launcher::{LaunchError, PodLauncher};
pub use reporter::{LogSource, PodReporter, Reporting, SessionCount, Sources};
pub use tally::Tally;
