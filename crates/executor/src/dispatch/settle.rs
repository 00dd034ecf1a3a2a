//! [`Settling`]: ends of jobs that are told when nothing of the job runs any more.
//!
//! Whoever cleans up after a write must not do so while attempts that were told to end still make files.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use firesteel_model::Result;
use firesteel_model::ids::{ExecutorId, JobId, StageId, TaskAttempt};
use tracing::warn;

use crate::results::ResultBoard;

/// Longer than an attempt takes to end that was told to; what still runs then is stuck.
const PATIENCE: Duration = Duration::from_secs(5);

/// Attempts that run, and ends that wait for some of them.
#[derive(Debug, Default)]
pub(super) struct Settling {
    running: HashMap<TaskAttempt, ExecutorId>,
    waiting: HashMap<JobId, End>,
}

/// An end that is to be told.
#[derive(Debug)]
struct End {
    stages: HashSet<StageId>,
    board: Arc<ResultBoard>,
    result: Result<()>,
    until: Instant,
}

impl Settling {
    pub(super) fn launched(&mut self, attempt: TaskAttempt, executor: ExecutorId) {
        self.running.insert(attempt, executor);
    }

    pub(super) fn ended(&mut self, attempt: TaskAttempt) {
        self.running.remove(&attempt);
        self.tell();
    }

    /// What ran there runs no more, or is about to be ended with it.
    pub(super) fn lost(&mut self, executor: ExecutorId) {
        self.running.retain(|_, runs_on| *runs_on != executor);
        self.tell();
    }

    /// Tells the end of a job as soon as nothing of it runs.
    pub(super) fn end(&mut self, job: JobId, stages: HashSet<StageId>, board: Arc<ResultBoard>, result: Result<()>) {
        self.waiting.insert(job, End { stages, board, result, until: Instant::now() + PATIENCE });
        self.tell();
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Tells those ends that have waited long enough.
    pub(super) fn tell(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let busy: HashSet<StageId> = self.running.keys().map(|attempt| attempt.task.stage).collect();
        let now = Instant::now();
        self.waiting.retain(|job, end| {
            let runs = !end.stages.is_disjoint(&busy);
            if runs && now < end.until {
                return true;
            }
            if runs {
                warn!(%job, "a job ends while tasks of it still run: they do not heed that they were told to end");
            }
            end.board.end(end.result.clone());
            false
        });
    }
}

impl Drop for Settling {
    fn drop(&mut self) {
        for end in self.waiting.values() {
            end.board.end(end.result.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use firesteel_model::ids::{Attempt, Partition, TaskId};

    use super::*;

    fn attempt(stage: u64) -> TaskAttempt {
        let task = TaskId { stage: StageId(stage), partition: Partition(0) };
        TaskAttempt { task, attempt: Attempt(0) }
    }

    #[test]
    fn an_end_waits_for_the_attempts_of_its_job_alone() {
        let mut settling = Settling::default();
        for (stage, executor) in [(1, 1), (2, 2), (9, 1)] {
            settling.launched(attempt(stage), ExecutorId(executor));
        }
        let board = Arc::new(ResultBoard::default());
        settling.end(JobId(0), HashSet::from([StageId(1), StageId(2)]), Arc::clone(&board), Ok(()));
        assert!(!board.has_ended());
        settling.ended(attempt(1));
        assert!(!board.has_ended());
        settling.lost(ExecutorId(2));
        assert!(board.has_ended() && settling.is_idle());
    }
}
