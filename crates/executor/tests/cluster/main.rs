//! Jobs on an in-process cluster against plain DataFusion.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bounds;
mod cancel;
mod failures;
mod nodes;
mod partitions;
mod plans;
mod setup;
