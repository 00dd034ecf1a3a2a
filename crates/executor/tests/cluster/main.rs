//! Jobs on clusters, in this process and over the network, against plain DataFusion.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bounds;
mod cancel;
mod failures;
mod fleet;
mod key_filters;
mod nodes;
mod partitions;
mod plans;
mod setup;
