//! Protobuf messages into `firesteel_spec` trees, one file per family.
//!
//! What the tree cannot hold answers `UNSUPPORTED_FEATURE.FIRESTEEL` by name; what makes no sense answers
//! `FIRESTEEL_INVALID_MESSAGE`. Functions take messages by value, so that payloads move rather than being copied.

pub(crate) mod aggregate;
pub(crate) mod analyze;
pub(crate) mod catalog;
pub(crate) mod command;
pub(crate) mod data_type;
pub(crate) mod expression;
pub(crate) mod function;
pub(crate) mod join;
pub(crate) mod literal;
pub(crate) mod merge;
pub(crate) mod name;
pub(crate) mod plan;
pub(crate) mod relation;
pub(crate) mod reshape;
pub(crate) mod source;
pub(crate) mod statistic;
pub(crate) mod write;

use std::collections::HashMap;

use firesteel_model::{SparkError, error_class};

/// Stack kept free, and stack added, where trees are walked.
const STACK_RESERVE_BYTES: usize = 256 << 10;
const STACK_SEGMENT_BYTES: usize = 4 << 20;

/// Runs a step of a walk down a tree that may be deeper than the thread's stack.
pub(crate) fn deep<T>(step: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK_RESERVE_BYTES, STACK_SEGMENT_BYTES, step)
}

/// The error for a message that makes no sense.
pub(crate) fn invalid(message: impl Into<String>) -> SparkError {
    SparkError::new(&error_class::FIRESTEEL_INVALID_MESSAGE).param("message", message)
}

/// The error for a message without a field that it needs.
pub(crate) fn missing(field: &str) -> SparkError {
    invalid(format!("{field} is missing"))
}

/// A map in the order of its keys, so that equal messages give equal trees.
pub(crate) fn sorted(map: HashMap<String, String>) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = map.into_iter().collect();
    pairs.sort();
    pairs
}
