//! The scheduler's tests: named scenarios, and a simulation in which an oracle checks every event.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod allocation;
mod executors;
mod faults;
mod jobs;
mod oracle;
mod scenario;
mod simulation;
mod world;
