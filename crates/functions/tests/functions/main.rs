//! Functions as the planner calls them, over constants and columns.

#![allow(clippy::unwrap_used, clippy::panic)]

mod aggregates;
mod collections;
mod constants;
mod lambdas;
mod newer;
mod values;
