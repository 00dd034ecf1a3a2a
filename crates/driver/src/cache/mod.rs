//! Cached queries: which there are, where their rows lie, when they are out of date.
//!
//! ```text
//!   persist, CACHE TABLE --> Caches: key of the query --> Fragment: plan, rows once a query needs them
//!   planner: is this relation cached? --key--> Caches --> scan of the fragment in place of the relation
//!            is this resolved plan?   --canonical plan-->
//!   a write to files that a fragment read --> Caches forgets its plan and rows; the next use makes them anew
//! ```
//!
//! The rows of a fragment are outputs of jobs that are not thrown away: in memory as long as the shuffle's budget allows
//! and the storage level says so, on disk or in the bucket beyond, wherever the application's shuffle lies. An output
//! that is lost is computed anew, by itself where the plan allows it.

mod blocks;
mod canonical;
mod fragment;
mod key;
mod level;
mod manager;
mod scan;

pub(crate) use canonical::is_same_plan;
pub(crate) use fragment::Fragment;
pub(crate) use key::{Dependencies, is_written_alike, meaning_of, shown};
pub(crate) use level::parse_level;
pub(crate) use manager::Caches;
pub(crate) use scan::materialise;
