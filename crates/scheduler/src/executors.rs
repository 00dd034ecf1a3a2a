//! Executors, their slots and who holds them.

use std::collections::{BTreeMap, BTreeSet};

use firesteel_model::ids::{ExecutorId, TaskAttempt};

#[derive(Debug, Default)]
pub(crate) struct Executor {
    pub(crate) slots: u32,
    /// Attempts that hold a slot, those included that were told to stop and that their stages have forgotten.
    pub(crate) occupants: Vec<TaskAttempt>,
    pub(crate) draining: bool,
    pub(crate) excluded: bool,
    pub(crate) holds_blocks: bool,
    pub(crate) idle_since_ms: u64,
    pub(crate) heard_ms: u64,
}

impl Executor {
    /// Whether it may get tasks, now or when a slot is free.
    pub(crate) fn is_usable(&self) -> bool {
        !self.draining && !self.excluded && self.slots > 0
    }

    pub(crate) fn free_slots(&self) -> u32 {
        if self.is_usable() { self.slots.saturating_sub(self.occupants.len() as u32) } else { 0 }
    }
}

/// Free slots of an executor; the largest offer is served first, which spreads tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Offer {
    pub(crate) free_slots: u32,
    pub(crate) executor: ExecutorId,
}

#[derive(Debug, Default)]
pub(crate) struct Executors {
    all: BTreeMap<ExecutorId, Executor>,
    offers: BTreeSet<Offer>,
    usable: usize,
    occupied: u64,
}

impl Executors {
    pub(crate) fn get(&self, id: ExecutorId) -> Option<&Executor> {
        self.all.get(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ExecutorId, &Executor)> {
        self.all.iter().map(|(id, executor)| (*id, executor))
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Executors that may get tasks.
    pub(crate) fn usable(&self) -> usize {
        self.usable
    }

    pub(crate) fn is_usable(&self, id: ExecutorId) -> bool {
        self.all.get(&id).is_some_and(Executor::is_usable)
    }

    /// Slots that are held.
    pub(crate) fn occupied(&self) -> u64 {
        self.occupied
    }

    /// The largest offer, or the largest after `after`.
    pub(crate) fn next_offer(&self, after: Option<Offer>) -> Option<Offer> {
        match after {
            None => self.offers.last().copied(),
            Some(after) => self.offers.range(..after).next_back().copied(),
        }
    }

    pub(crate) fn insert(&mut self, id: ExecutorId, executor: Executor) {
        self.remove(id);
        self.occupied += executor.occupants.len() as u64;
        self.list(id, &executor);
        self.all.insert(id, executor);
    }

    pub(crate) fn remove(&mut self, id: ExecutorId) -> Option<Executor> {
        let executor = self.all.remove(&id)?;
        self.occupied -= executor.occupants.len() as u64;
        self.unlist(id, &executor);
        Some(executor)
    }

    /// Changes an executor and keeps offers and counts in step.
    pub(crate) fn change<R>(&mut self, id: ExecutorId, change: impl FnOnce(&mut Executor) -> R) -> Option<R> {
        let executor = self.all.get_mut(&id)?;
        let was = (executor.is_usable(), executor.free_slots(), executor.occupants.len() as u64);
        let answer = change(executor);
        let is = (executor.is_usable(), executor.free_slots(), executor.occupants.len() as u64);
        self.occupied = self.occupied - was.2 + is.2;
        self.usable = self.usable - usize::from(was.0) + usize::from(is.0);
        if was.1 != is.1 {
            self.offers.remove(&Offer { free_slots: was.1, executor: id });
            if is.1 > 0 {
                self.offers.insert(Offer { free_slots: is.1, executor: id });
            }
        }
        Some(answer)
    }

    pub(crate) fn occupy(&mut self, id: ExecutorId, attempt: TaskAttempt) {
        self.change(id, |executor| executor.occupants.push(attempt));
    }

    /// Frees the attempt's slot; `false` if it held none.
    pub(crate) fn release(&mut self, id: ExecutorId, attempt: TaskAttempt, now_ms: u64) -> bool {
        let released = self.change(id, |executor| {
            let at = executor.occupants.iter().position(|occupant| *occupant == attempt)?;
            executor.occupants.swap_remove(at);
            if executor.occupants.is_empty() {
                executor.idle_since_ms = now_ms;
            }
            Some(())
        });
        released.flatten().is_some()
    }

    pub(crate) fn holds(&self, id: ExecutorId, attempt: TaskAttempt) -> bool {
        self.all.get(&id).is_some_and(|executor| executor.occupants.contains(&attempt))
    }

    fn list(&mut self, id: ExecutorId, executor: &Executor) {
        self.usable += usize::from(executor.is_usable());
        if executor.free_slots() > 0 {
            self.offers.insert(Offer { free_slots: executor.free_slots(), executor: id });
        }
    }

    fn unlist(&mut self, id: ExecutorId, executor: &Executor) {
        self.usable -= usize::from(executor.is_usable());
        self.offers.remove(&Offer { free_slots: executor.free_slots(), executor: id });
    }

    /// Offers and counts against a recount.
    pub(crate) fn audit(&self, wrong: &mut Vec<String>) {
        let offers: BTreeSet<Offer> = (self.iter())
            .map(|(executor, state)| Offer { free_slots: state.free_slots(), executor })
            .filter(|offer| offer.free_slots > 0)
            .collect();
        if offers != self.offers {
            wrong.push("offers differ from a recount".to_owned());
        }
        if self.usable != self.all.values().filter(|executor| executor.is_usable()).count() {
            wrong.push("usable executors differ from a recount".to_owned());
        }
        if self.occupied != self.all.values().map(|executor| executor.occupants.len() as u64).sum::<u64>() {
            wrong.push("held slots differ from a recount".to_owned());
        }
        for (id, executor) in &self.all {
            if executor.occupants.len() > executor.slots as usize {
                wrong.push(format!("executor {id} holds more attempts than it has slots"));
            }
        }
    }
}
