//! Reading and writing through DataFusion, against local files and stores in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod csv;
mod faults;
mod fixture;
mod json;
mod listing;
mod parquet;
mod round_trip;
mod scanning;
mod writing;
