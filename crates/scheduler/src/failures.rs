//! Attempts that fail, attempts that are lost and outputs that vanish.

use std::collections::BTreeSet;

use firesteel_model::ids::{Attempt, ExecutorId, StageId, TaskAttempt, TaskId};
use firesteel_model::{ExecutorLoss, SparkError};

use crate::events::{Action, JobFailure, JobOutcome, KillReason, TaskFailure};
use crate::stages::Phase;
use crate::state::Scheduler;

/// Something for which the task itself may be to blame.
enum Fault {
    Error(SparkError),
    ExecutorDied(ExecutorLoss),
}

impl Scheduler {
    /// A live attempt has failed and is out of the books.
    pub(crate) fn attempt_failed(&mut self, executor: ExecutorId, attempt: TaskAttempt, failure: TaskFailure) {
        match failure {
            TaskFailure::Error(error) => self.count_fault(executor, attempt, Fault::Error(error)),
            // A report about an output that was replaced since proves nothing; it is bounded as a loss.
            TaskFailure::FetchFailed { input, attempt: of } if !self.output_lost(input, of) => self.count_loss(attempt),
            TaskFailure::FetchFailed { .. } => {}
            TaskFailure::Killed | TaskFailure::Refused => self.count_loss(attempt),
        }
        self.requeue(attempt);
    }

    /// The executor of a live attempt is gone. The attempt may still report.
    pub(crate) fn attempt_lost(&mut self, executor: ExecutorId, attempt: TaskAttempt, reason: ExecutorLoss) {
        let key = (attempt.task.partition.0, attempt.attempt.0);
        let Some(stage) = self.stages.get_mut(&attempt.task.stage) else { return };
        stage.end_attempt(key.0, key.1, executor);
        stage.strays.insert(key);
        self.pools.sub_running(stage.pool, 1);
        if reason.is_application_fault() {
            self.count_fault(executor, attempt, Fault::ExecutorDied(reason));
        } else {
            self.count_loss(attempt);
        }
        self.requeue(attempt);
    }

    /// Takes back a commit whose output is missing or corrupt; `false` if that attempt's output is not the one that
    /// counts.
    pub(crate) fn output_lost(&mut self, task: TaskId, attempt: Attempt) -> bool {
        let (id, partition) = (task.stage, task.partition.0);
        let Some(stage) = self.stages.get(&id) else { return false };
        if stage.committed(partition) != Some(attempt.0) {
            return false;
        }
        let (job, determinate, consumers) = (stage.job, stage.determinate, stage.consumers.clone());
        let used = consumers.iter().any(|consumer| self.has_commits(*consumer));
        let Some(stage) = self.stages.get_mut(&id) else { return false };
        let losses = stage.recomputes.entry(partition).or_default();
        *losses += 1;
        let losses = *losses;
        self.actions.push(Action::InvalidateOutput(TaskAttempt { task, attempt }));
        if losses > self.config.recomputes_max {
            self.end_job(job, JobOutcome::Failed(JobFailure::OutputUnstable { task, losses }));
        } else if used && !determinate {
            self.end_job(job, JobOutcome::Failed(JobFailure::IndeterminateOutputLost(task)));
        } else {
            stage.uncommit(partition);
            for consumer in consumers.into_iter().filter(|_| !determinate) {
                self.restart_tasks(consumer);
            }
            self.review_settled(id);
            self.sync_ready(id);
        }
        true
    }

    fn has_commits(&self, stage: StageId) -> bool {
        self.stages.get(&stage).is_some_and(|stage| stage.uncommitted < stage.task_count)
    }

    /// Kills what runs of a stage that may have read rows which are going to be others, so that it reads them anew.
    fn restart_tasks(&mut self, id: StageId) {
        let Some(stage) = self.stages.get_mut(&id) else { return };
        stage.strays.clear();
        let partitions: BTreeSet<u32> = stage.running.keys().map(|(partition, _)| *partition).collect();
        for partition in partitions {
            self.kill_copies(id, partition, KillReason::InputChanged);
            if let Some(stage) = self.stages.get_mut(&id) {
                stage.requeue(partition);
            }
        }
        self.sync_ready(id);
    }

    /// Counts a fault towards the limit of the task and of the executor. Faults that come with an executor's death
    /// do not exclude it: it is gone.
    fn count_fault(&mut self, executor: ExecutorId, attempt: TaskAttempt, fault: Fault) {
        let Some(stage) = self.stages.get_mut(&attempt.task.stage) else { return };
        let job = stage.job;
        let Some(task) = stage.tasks.get_mut(attempt.task.partition.0 as usize) else { return };
        if let Phase::Committed(_) = task.phase {
            return;
        }
        task.failures = task.failures.saturating_add(1);
        let failures = u32::from(task.failures);
        let hopeless = matches!(&fault, Fault::Error(error) if !error.is_retryable());
        if hopeless || failures >= self.config.task_failures_max {
            let failure = match fault {
                Fault::Error(error) => JobFailure::TaskFailed { attempt, failures, error },
                Fault::ExecutorDied(reason) => JobFailure::ExecutorsDied { attempt, failures, reason },
            };
            self.end_job(job, JobOutcome::Failed(failure));
        } else if let Fault::Error(_) = fault {
            let failed_on = stage.failed_on.entry(attempt.task.partition.0).or_default();
            if !failed_on.contains(&executor) {
                failed_on.push(executor);
            }
            self.note_fault(attempt.task.stage, executor);
        }
    }

    fn count_loss(&mut self, attempt: TaskAttempt) {
        let Some(stage) = self.stages.get_mut(&attempt.task.stage) else { return };
        let job = stage.job;
        let Some(task) = stage.tasks.get_mut(attempt.task.partition.0 as usize) else { return };
        task.losses = task.losses.saturating_add(1);
        let losses = u32::from(task.losses);
        if losses > self.config.task_losses_max {
            self.end_job(job, JobOutcome::Failed(JobFailure::TaskLost { attempt, losses }));
        }
    }

    fn requeue(&mut self, attempt: TaskAttempt) {
        let id = attempt.task.stage;
        if let Some(stage) = self.stages.get_mut(&id) {
            stage.requeue(attempt.task.partition.0);
            self.sync_ready(id);
        }
    }
}
