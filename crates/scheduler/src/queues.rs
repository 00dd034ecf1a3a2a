//! Which tasks of a stage wait, in the order they are served.
//!
//! Entries are removed lazily: one is valid only as long as its task is still in the state it was queued for, so
//! that a task can wait in several queues at once and nothing is ever searched for.

use std::collections::{BTreeMap, VecDeque};

use firesteel_model::ids::ExecutorId;

use crate::stages::Task;

/// How many waiting retries are looked at for one free slot.
const RETRIES_LOOKED_AT: usize = 64;

/// Partitions of one stage that wait for a slot.
#[derive(Debug, Default)]
pub(crate) struct Queues {
    /// Never tried, no preference.
    fresh: VecDeque<u32>,
    /// Never tried, by preferred executor.
    local: BTreeMap<ExecutorId, VecDeque<u32>>,
    /// All of `local`, for when waiting has taken too long.
    preferring: VecDeque<u32>,
    /// Tried before.
    retries: VecDeque<u32>,
}

impl Queues {
    /// Queues every task, those in `local` for their executors and the others for anywhere.
    pub(crate) fn fill(&mut self, tasks: u32, preferences: &BTreeMap<u32, Vec<ExecutorId>>) {
        for partition in 0..tasks {
            match preferences.get(&partition) {
                None => self.fresh.push_back(partition),
                Some(executors) => {
                    self.preferring.push_back(partition);
                    for executor in executors {
                        self.local.entry(*executor).or_default().push_back(partition);
                    }
                }
            }
        }
    }

    pub(crate) fn retry(&mut self, partition: u32) {
        self.retries.push_back(partition);
    }

    pub(crate) fn take_local(&mut self, executor: ExecutorId, tasks: &[Task]) -> Option<u32> {
        let queue = self.local.get_mut(&executor)?;
        let found = pop_fresh(queue, tasks);
        if queue.is_empty() {
            self.local.remove(&executor);
        }
        found
    }

    /// The first retry that `fits`; the others that were looked at go to the back.
    pub(crate) fn take_retry(&mut self, tasks: &[Task], fits: impl Fn(u32) -> bool) -> Option<u32> {
        for _ in 0..self.retries.len().min(RETRIES_LOOKED_AT) {
            let partition = self.retries.pop_front()?;
            let valid = tasks.get(partition as usize).is_some_and(Task::awaits_retry);
            if valid && fits(partition) {
                return Some(partition);
            }
            if valid {
                self.retries.push_back(partition);
            }
        }
        None
    }

    pub(crate) fn take_fresh(&mut self, tasks: &[Task]) -> Option<u32> {
        pop_fresh(&mut self.fresh, tasks)
    }

    pub(crate) fn take_preferring(&mut self, tasks: &[Task]) -> Option<u32> {
        pop_fresh(&mut self.preferring, tasks)
    }

    /// Tasks that preferred `executor`, which is gone, may run anywhere.
    pub(crate) fn forget_executor(&mut self, executor: ExecutorId) {
        if let Some(queue) = self.local.remove(&executor) {
            self.fresh.extend(queue);
        }
    }

    /// Frees the memory once nothing waits.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn pop_fresh(queue: &mut VecDeque<u32>, tasks: &[Task]) -> Option<u32> {
    while let Some(partition) = queue.pop_front() {
        if tasks.get(partition as usize).is_some_and(Task::is_fresh) {
            return Some(partition);
        }
    }
    None
}
