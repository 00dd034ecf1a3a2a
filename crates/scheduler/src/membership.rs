//! Executors that come, stay silent, leave and come back.

use std::collections::BTreeSet;

use firesteel_model::ExecutorLoss;
use firesteel_model::ids::{ExecutorId, TaskAttempt};

use crate::events::{Action, ExecutorInfo, KillReason, StopReason};
use crate::executors::Executor;
use crate::state::Scheduler;

impl Scheduler {
    /// Takes an executor in. If it was here before, what it still runs goes on where that is wanted; what it does not
    /// name is lost. One that was stopped is told so again.
    pub(crate) fn executor_registered(&mut self, info: ExecutorInfo) {
        if self.stopped.contains(&info.id) {
            let (executor, reason) = (info.id, StopReason::AlreadyStopped);
            self.actions.push(Action::StopExecutor { executor, reason });
            return;
        }
        let known = self.executors.remove(info.id).unwrap_or_default();
        let named: BTreeSet<TaskAttempt> = info.running.into_iter().collect();
        for attempt in &named {
            self.take_back(info.id, *attempt);
        }
        let executor = Executor {
            slots: info.slots,
            occupants: named.iter().copied().collect(),
            draining: known.draining,
            excluded: self.exclusions.contains(info.id),
            holds_blocks: known.holds_blocks,
            idle_since_ms: self.now_ms,
            heard_ms: self.now_ms,
        };
        self.executors.insert(info.id, executor);
        let unnamed = known.occupants.into_iter().filter(|occupant| !named.contains(occupant));
        self.lose_occupants(info.id, unnamed.collect(), ExecutorLoss::ConnectionLost);
        self.look_everywhere = true;
        self.stop_if_drained(info.id);
    }

    /// An attempt that a returning executor runs: live still or again if wanted, killed if not.
    fn take_back(&mut self, executor: ExecutorId, attempt: TaskAttempt) {
        let (id, partition) = (attempt.task.stage, attempt.task.partition.0);
        if let Some(stage) = self.stages.get_mut(&id) {
            if stage.runs(attempt, executor) {
                return;
            }
            if stage.adopt(partition, attempt.attempt.0, executor, self.now_ms) {
                self.pools.add_running(stage.pool, 1);
                self.sync_ready(id);
                return;
            }
        }
        self.actions.push(Action::KillTask { executor, attempt, reason: KillReason::Stale });
    }

    pub(crate) fn executor_heard(&mut self, id: ExecutorId) {
        let now_ms = self.now_ms;
        if self.executors.change(id, |executor| executor.heard_ms = now_ms).is_some() {
            return;
        }
        self.actions.push(if self.stopped.contains(&id) {
            Action::StopExecutor { executor: id, reason: StopReason::AlreadyStopped }
        } else {
            Action::AskToRegister(id)
        });
    }

    /// The one path on which executors are lost. Committed outputs stay: they are not the executor's.
    pub(crate) fn executor_lost(&mut self, id: ExecutorId, reason: ExecutorLoss) {
        let Some(executor) = self.executors.remove(id) else { return };
        self.lose_occupants(id, executor.occupants, reason);
        self.forget_preferences(id);
    }

    fn lose_occupants(&mut self, id: ExecutorId, occupants: Vec<TaskAttempt>, reason: ExecutorLoss) {
        for attempt in occupants {
            // Stages have forgotten the killed, and one loss may end a job whose other attempts are still in this list.
            if self.stages.get(&attempt.task.stage).is_some_and(|stage| stage.runs(attempt, id)) {
                self.attempt_lost(id, attempt, reason);
            }
        }
    }

    pub(crate) fn executor_draining(&mut self, id: ExecutorId) {
        if self.executors.change(id, |executor| executor.draining = true).is_some() {
            self.forget_preferences(id);
            self.stop_if_drained(id);
        }
    }

    pub(crate) fn stop_if_drained(&mut self, id: ExecutorId) {
        if self.executors.get(id).is_some_and(|state| state.draining && state.occupants.is_empty()) {
            self.stop_executor(id, StopReason::Drained);
        }
    }

    /// Stops an executor for good; it must not run anything that is wanted.
    pub(crate) fn stop_executor(&mut self, id: ExecutorId, reason: StopReason) {
        self.actions.push(Action::StopExecutor { executor: id, reason });
        self.stopped.insert(id);
        self.exclusions.forget(id);
        self.executor_lost(id, ExecutorLoss::Stopped);
    }

    pub(crate) fn expire_silent_executors(&mut self) {
        let timeout_ms = self.config.heartbeat_timeout_ms;
        if timeout_ms == 0 {
            return;
        }
        let now_ms = self.now_ms;
        let silent: Vec<ExecutorId> = (self.executors.iter())
            .filter(|(_, executor)| now_ms.saturating_sub(executor.heard_ms) > timeout_ms)
            .map(|(id, _)| id)
            .collect();
        for id in silent {
            self.actions.push(Action::ExecutorTimedOut(id));
            self.executor_lost(id, ExecutorLoss::HeartbeatTimeout);
        }
    }

    fn forget_preferences(&mut self, id: ExecutorId) {
        for stage in self.stages.values_mut() {
            stage.queues.forget_executor(id);
        }
        self.look_everywhere = true;
    }
}
