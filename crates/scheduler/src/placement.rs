//! Fills free slots with waiting tasks.

use std::ops::Bound;

use firesteel_model::ids::{ExecutorId, JobId, StageId};

use crate::config::PoolOrder;
use crate::events::Action;
use crate::state::Scheduler;

impl Scheduler {
    /// Fills the slots that this event freed, or all if it brought tasks that another slot could take.
    pub(crate) fn place_tasks(&mut self) {
        let freed = std::mem::take(&mut self.freed);
        if std::mem::take(&mut self.look_everywhere) {
            self.place_everywhere();
        } else {
            for executor in freed {
                while self.place_on(executor) {}
            }
        }
    }

    /// The executor with most free slots is served first; one that can take nothing is passed over.
    fn place_everywhere(&mut self) {
        let mut passed_over = None;
        while !self.ready.is_empty() {
            let Some(offer) = self.executors.next_offer(passed_over) else { return };
            if !self.place_on(offer.executor) {
                passed_over = Some(offer);
            }
        }
    }

    fn place_on(&mut self, executor: ExecutorId) -> bool {
        if self.executors.get(executor).is_none_or(|state| state.free_slots() == 0) {
            return false;
        }
        match self.config.order {
            PoolOrder::Fifo => self.place_oldest(executor),
            PoolOrder::Fair => self.place_neediest(executor),
        }
    }

    fn place_oldest(&mut self, executor: ExecutorId) -> bool {
        let mut next = self.ready.first().copied();
        while let Some(key) = next {
            if self.place_from(key.1, executor) {
                return true;
            }
            next = self.ready.range((Bound::Excluded(key), Bound::Unbounded)).next().copied();
        }
        false
    }

    /// The stage that comes first is nearly always served, so the others are sorted only if it has nothing to offer.
    fn place_neediest(&mut self, executor: ExecutorId) -> bool {
        let first = self.ready_stages().min_by(|left, right| self.compare(*left, *right));
        let Some(first) = first else { return false };
        if self.place_from(first, executor) {
            return true;
        }
        let mut others: Vec<StageId> = self.ready_stages().filter(|id| *id != first).collect();
        others.sort_by(|left, right| self.compare(*left, *right));
        others.into_iter().any(|id| self.place_from(id, executor))
    }

    fn ready_stages(&self) -> impl Iterator<Item = StageId> + '_ {
        self.ready.iter().map(|&(_, stage): &(JobId, StageId)| stage)
    }

    fn compare(&self, left: StageId, right: StageId) -> std::cmp::Ordering {
        match (self.stages.get(&left), self.stages.get(&right)) {
            (Some(left), Some(right)) => self.pools.compare(left, right),
            _ => left.cmp(&right),
        }
    }

    fn place_from(&mut self, id: StageId, executor: ExecutorId) -> bool {
        let Some(stage) = self.stages.get_mut(&id) else { return false };
        let Some(pick) = stage.pick(executor, self.now_ms, self.config.locality_wait_ms, &self.executors) else {
            return false;
        };
        let Some(attempt) = stage.launch(pick, executor, self.now_ms) else { return false };
        self.pools.add_running(stage.pool, 1);
        self.executors.occupy(executor, attempt);
        let (locality, speculative) = (pick.locality, pick.speculative);
        self.actions.push(Action::LaunchTask { executor, attempt, locality, speculative });
        self.sync_ready(id);
        true
    }
}
