//! The last word on an attempt: who wins, who is discarded.

use firesteel_model::ids::{ExecutorId, StageId, TaskAttempt};

use crate::events::{Action, KillReason, TaskOutcome};
use crate::stages::Ended;
use crate::state::Scheduler;

impl Scheduler {
    /// An attempt that was given up for lost can still win; one that was killed or has ended before cannot.
    pub(crate) fn task_finished(&mut self, executor: ExecutorId, attempt: TaskAttempt, outcome: TaskOutcome) {
        self.release_slot(executor, attempt);
        let (partition, number) = (attempt.task.partition.0, attempt.attempt.0);
        let Some(stage) = self.stages.get_mut(&attempt.task.stage) else { return };
        if stage.tasks.get(partition as usize).is_none_or(|task| number >= task.attempts) {
            return;
        }
        let ended = stage.end_attempt(partition, number, executor);
        if let Ended::Live(_) = ended {
            self.pools.sub_running(stage.pool, 1);
        }
        let committed = stage.committed(partition);
        match (ended, outcome) {
            (Ended::Live(running), TaskOutcome::Succeeded) => {
                if let Some(pace) = &mut stage.pace {
                    pace.finished(self.now_ms.saturating_sub(running.since_ms));
                }
                self.commit(attempt);
            }
            (Ended::Stray, TaskOutcome::Succeeded) if committed.is_none() => self.commit(attempt),
            (_, TaskOutcome::Succeeded) if committed != Some(number) => {
                self.actions.push(Action::DiscardOutput(attempt));
            }
            (Ended::Live(_), TaskOutcome::Failed(failure)) => self.attempt_failed(executor, attempt, failure),
            _ => {}
        }
    }

    fn commit(&mut self, attempt: TaskAttempt) {
        let id = attempt.task.stage;
        let partition = attempt.task.partition.0;
        let Some(stage) = self.stages.get_mut(&id) else { return };
        stage.commit(partition, attempt.attempt.0);
        self.actions.push(Action::CommitTask(attempt));
        let complete = stage.uncommitted == 0;
        self.kill_copies(id, partition, KillReason::AnotherAttemptSucceeded);
        if complete {
            self.complete_stage(id);
        } else {
            self.sync_ready(id);
        }
    }

    /// Kills and forgets the live attempts of a partition.
    pub(crate) fn kill_copies(&mut self, id: StageId, partition: u32, reason: KillReason) {
        let Some(stage) = self.stages.get_mut(&id) else { return };
        let copies: Vec<_> = stage.copies(partition).collect();
        self.pools.sub_running(stage.pool, copies.len() as u64);
        for (number, executor) in copies {
            let Some(stage) = self.stages.get_mut(&id) else { return };
            stage.end_attempt(partition, number, executor);
            let attempt = stage.name(partition, number);
            self.kill(executor, attempt, reason);
        }
    }

    fn release_slot(&mut self, executor: ExecutorId, attempt: TaskAttempt) {
        if self.executors.release(executor, attempt, self.now_ms) {
            self.freed.push(executor);
            self.stop_if_drained(executor);
        }
    }
}
