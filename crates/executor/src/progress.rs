//! What a job tells about itself while it runs.

use std::fmt;
use std::sync::Arc;

use firesteel_model::SparkError;
use firesteel_model::ids::{JobId, StageId, TaskAttempt};

use crate::attempt::TaskMetrics;

/// Hears of a job's progress; called from the dispatching loop, so it must not block.
pub trait ProgressSink: Send + Sync + fmt::Debug {
    /// Something happened.
    fn on_event(&self, event: ProgressEvent);
}

/// Two that hear the same.
#[derive(Debug)]
pub(crate) struct Both(pub(crate) Arc<dyn ProgressSink>, pub(crate) Arc<dyn ProgressSink>);

impl ProgressSink for Both {
    fn on_event(&self, event: ProgressEvent) {
        self.0.on_event(event.clone());
        self.1.on_event(event);
    }
}

/// A step of a job.
#[derive(Clone, Debug)]
pub enum ProgressEvent {
    /// It was submitted.
    JobStarted {
        /// Which.
        job: JobId,
        /// Its stages with the planned number of tasks; those that change are told again when they start.
        stages: Vec<(StageId, usize)>,
    },
    /// A stage's first tasks are about to run.
    StageStarted {
        /// Which.
        stage: StageId,
        /// How many tasks it has now.
        tasks: usize,
    },
    /// An attempt was given to an executor.
    TaskStarted(TaskAttempt),
    /// An attempt ended.
    TaskFinished {
        /// Which.
        attempt: TaskAttempt,
        /// How.
        end: TaskEnd,
        /// What it did.
        metrics: TaskMetrics,
    },
    /// What the Python functions of a task reported, whose output is now the task's.
    Reported(Vec<Vec<u8>>),
    /// All tasks of a stage are done.
    StageCompleted(StageId),
    /// It is over.
    JobEnded {
        /// Which.
        job: JobId,
        /// The error that ended it, if one did.
        error: Option<SparkError>,
    },
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum TaskEnd {
    /// With an output.
    Succeeded,
    /// With this error.
    Failed(SparkError),
    /// Because an input of it was lost.
    FetchFailed(TaskAttempt),
    /// Because nobody wanted it any more.
    Killed,
}
