//! How many executors there ought to be, and what happens when there is none.

use firesteel_model::ids::{ExecutorId, JobId};

use crate::config::AllocationConfig;
use crate::events::{Action, JobFailure, JobOutcome, StopReason};
use crate::state::Scheduler;

#[derive(Debug, Default)]
pub(crate) struct Allocation {
    /// What was last asked for.
    requested: Option<u32>,
    /// Before the first job the initial number is kept.
    pub(crate) saw_job: bool,
    /// Whether another number was asked for than at first.
    was_resized: bool,
    /// Further executors for stages that have excluded all there are.
    replacements: u32,
}

impl Scheduler {
    /// Asks for what the backlog needs, at once. What is there is never given back here, only left to idle.
    pub(crate) fn review_allocation(&mut self) {
        let usable = self.executors.usable() as u32;
        let unusable = self.executors.len() as u32 - usable;
        let total = self.wanted_executors().max(usable).saturating_add(unusable);
        let total = total.min(self.config.allocation.max.max(usable + unusable));
        if self.allocation.requested != Some(total) {
            self.allocation.requested = Some(total);
            self.actions.push(Action::RequestExecutors { total });
        }
    }

    pub(crate) fn resize(&mut self, allocation: AllocationConfig) {
        self.config.allocation = allocation;
        self.allocation.was_resized = true;
    }

    fn wanted_executors(&self) -> u32 {
        let config = &self.config.allocation;
        if !config.dynamic {
            return config.initial;
        }
        let slots = u64::from(config.slots_per_executor.max(1));
        let needed = (self.backlog + self.executors.occupied()).div_ceil(slots);
        let needed = u32::try_from(needed).unwrap_or(u32::MAX).saturating_add(self.allocation.replacements);
        let floor = if self.allocation.saw_job { config.min } else { config.initial.max(config.min) };
        needed.max(floor).min(config.max.max(config.min))
    }

    /// Stops executors that have been idle for long, as far as there are more than wanted: where their number follows
    /// the work, or after fewer were asked for.
    pub(crate) fn stop_idle_executors(&mut self) {
        let config = self.config.allocation;
        let spare = self.executors.usable().saturating_sub(self.wanted_executors() as usize);
        if spare == 0 || !(config.dynamic || self.allocation.was_resized) {
            return;
        }
        let now_ms = self.now_ms;
        let idle: Vec<ExecutorId> = (self.executors.iter())
            .filter(|(_, executor)| executor.occupants.is_empty() && executor.is_usable())
            .filter(|(_, executor)| {
                let limit =
                    if executor.holds_blocks { config.cached_idle_timeout_ms } else { Some(config.idle_timeout_ms) };
                limit.is_some_and(|limit| now_ms.saturating_sub(executor.idle_since_ms) >= limit)
            })
            .map(|(id, _)| id)
            .take(spare)
            .collect();
        for executor in idle {
            self.stop_executor(executor, StopReason::Idle);
        }
    }

    /// Fails jobs that had pending tasks and no executor to take them for too long.
    pub(crate) fn review_starvation(&mut self) {
        let usable = self.executors.usable();
        let mut starved: Vec<(JobId, JobFailure)> = Vec::new();
        let mut replacements = 0;
        for (job, id) in &self.ready {
            let Some(stage) = self.stages.get_mut(id) else { continue };
            let excluded = stage.excluded.iter().filter(|executor| self.executors.is_usable(**executor)).count();
            if stage.pending == 0 || excluded < usable {
                stage.starved_since_ms = None;
                continue;
            }
            replacements = replacements.max(excluded as u32);
            let since_ms = *stage.starved_since_ms.get_or_insert(self.now_ms);
            let waited_ms = self.now_ms - since_ms;
            if waited_ms >= self.config.starvation_grace_ms {
                starved.push((
                    *job,
                    match excluded > 0 || self.executors.iter().any(|(_, state)| state.excluded) {
                        true => JobFailure::AllExecutorsExcluded { stage: *id, waited_ms },
                        false => JobFailure::NoExecutors { waited_ms },
                    },
                ));
            }
        }
        self.allocation.replacements = replacements;
        for (job, failure) in starved {
            self.end_job(job, JobOutcome::Failed(failure));
        }
    }
}
