//! What a driver says about itself in an annotation of its pod, [`crate::build::names::REPORT`].

use serde::{Deserialize, Serialize};

use crate::status::{ExecutorCounts, ExecutorFailure, Progress, Reason};

/// Failures that a report and a status remember.
pub const FAILURES_MAX: usize = 10;

/// Bytes of the program's output that a status shows.
pub const LOG_TAIL_LEN: usize = 2048;

/// A driver's report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Report {
    /// How much of the work is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// The end of the program's output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_tail: Option<String>,
    /// Sessions that are open, of a standing server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<u32>,
    /// Executors by state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executors: Option<ExecutorCounts>,
    /// The last executors that failed or were lost, at most [`FAILURES_MAX`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub executor_failures: Vec<ExecutorFailure>,
    /// Why executors that were asked for are not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
}

/// Why executors that were asked for are not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// In a word.
    pub reason: Reason,
    /// In a sentence.
    pub message: String,
}
