//! Executors on which tasks keep failing get no more of them.
//!
//! A stage excludes an executor after a few failures. When the stage succeeds in the end the failures were the
//! executor's, so they count for the whole application; a job that fails everywhere takes no executor with it.

use std::collections::BTreeMap;

use firesteel_model::ids::{ExecutorId, StageId};

use crate::events::Action;
use crate::state::Scheduler;

#[derive(Debug, Default)]
pub(crate) struct Exclusions {
    /// When tasks of successful stages failed.
    faults: BTreeMap<ExecutorId, Vec<u64>>,
    until_ms: BTreeMap<ExecutorId, u64>,
}

impl Exclusions {
    pub(crate) fn contains(&self, executor: ExecutorId) -> bool {
        self.until_ms.contains_key(&executor)
    }

    pub(crate) fn forget(&mut self, executor: ExecutorId) {
        self.faults.remove(&executor);
        self.until_ms.remove(&executor);
    }

    fn is_empty(&self) -> bool {
        self.faults.is_empty() && self.until_ms.is_empty()
    }
}

impl Scheduler {
    /// A task of the stage failed there.
    pub(crate) fn note_fault(&mut self, id: StageId, executor: ExecutorId) {
        let Some(config) = self.config.exclusion else { return };
        let Some(stage) = self.stages.get_mut(&id) else { return };
        let faults = stage.faults.entry(executor).or_default();
        faults.push(self.now_ms);
        if faults.len() >= config.stage_failures_max as usize && stage.excluded.insert(executor) {
            self.actions.push(Action::ExecutorExcluded { executor, stage: Some(id), until_ms: None });
        }
    }

    /// The stage succeeded: its failures are held against the executors.
    pub(crate) fn promote_faults(&mut self, id: StageId) {
        let Some(config) = self.config.exclusion else { return };
        let Some(stage) = self.stages.get_mut(&id) else { return };
        stage.excluded.clear();
        for (executor, times) in std::mem::take(&mut stage.faults) {
            if self.executors.get(executor).is_none() {
                continue;
            }
            let faults = self.exclusions.faults.entry(executor).or_default();
            faults.extend(times);
            faults.retain(|at| at.saturating_add(config.timeout_ms) > self.now_ms);
            if faults.len() >= config.application_failures_max as usize {
                self.exclusions.faults.remove(&executor);
                self.exclude(executor, self.now_ms.saturating_add(config.timeout_ms));
            }
        }
    }

    fn exclude(&mut self, executor: ExecutorId, until_ms: u64) {
        self.exclusions.until_ms.insert(executor, until_ms);
        self.executors.change(executor, |state| state.excluded = true);
        self.look_everywhere = true;
        self.actions.push(Action::ExecutorExcluded { executor, stage: None, until_ms: Some(until_ms) });
    }

    pub(crate) fn expire_exclusions(&mut self) {
        let (Some(config), false) = (self.config.exclusion, self.exclusions.is_empty()) else { return };
        let now_ms = self.now_ms;
        self.exclusions.faults.retain(|_, times| {
            times.retain(|at| at.saturating_add(config.timeout_ms) > now_ms);
            !times.is_empty()
        });
        let over: Vec<ExecutorId> =
            self.exclusions.until_ms.iter().filter(|(_, until)| **until <= now_ms).map(|(id, _)| *id).collect();
        for executor in over {
            self.exclusions.until_ms.remove(&executor);
            self.executors.change(executor, |state| state.excluded = false);
            self.actions.push(Action::ExecutorIncluded(executor));
        }
    }
}
