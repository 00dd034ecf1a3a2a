//! Outputs that stay beyond their job, as cached rows do: where each may lie, and which gives way when memory is short.
//!
//! ```text
//!   a writer is refused memory --> the output used longest ago gives way --> the writer asks again
//!                                    memory and disk: its rows go to a file
//!                                    memory only: its rows go, unless somebody is about to read them
//! ```

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use firesteel_model::ids::{StageId, TaskAttempt};

use crate::local::{Outputs, StoredOutput, StoredOutputs, locked};
use crate::local_writer::on_disk;
use crate::store::MemoryBudget;

/// Where an output that stays may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residence {
    /// In memory, or not at all.
    Memory,
    /// In memory while there is some, on disk beyond.
    MemoryAndDisk,
    /// On disk.
    Disk,
}

/// Somebody is going to read an output that stays. While there is one, the output may move to disk but is not thrown
/// away for want of memory.
#[derive(Clone, Debug, Default)]
pub struct Hold(Arc<AtomicBool>);

impl Hold {
    /// Whether the output turned out to be gone or damaged.
    pub fn is_lost(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn lose(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// One is the store's own.
    fn is_held(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

/// The outputs of a local store that stay.
#[derive(Debug)]
pub(crate) struct Retained {
    directory: Arc<Path>,
    /// Outputs know their budget, which knows this.
    outputs: Weak<Mutex<StoredOutputs>>,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    by_attempt: HashMap<TaskAttempt, Entry>,
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    residence: Residence,
    hold: Hold,
    /// When it was last wanted.
    used: u64,
    /// What it takes of the budget.
    memory: u64,
    has_file: bool,
}

impl Entries {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

impl Retained {
    pub(crate) fn new(directory: Arc<Path>, outputs: &Outputs) -> Self {
        Self { directory, outputs: Arc::downgrade(outputs), entries: Mutex::default() }
    }

    fn locked(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An output stays from now on.
    pub(crate) fn retain(&self, attempt: TaskAttempt, residence: Residence) -> Hold {
        let mut entries = self.locked();
        self.sweep(&mut entries);
        let hold = Hold::default();
        let Some(mut stored) = self.stored(attempt) else {
            hold.lose();
            return hold;
        };
        if residence == Residence::Disk && stored.memory > 0 {
            stored = self.to_disk(attempt, &stored).unwrap_or(stored);
        }
        let (memory, has_file, used) = (stored.memory, stored.file.is_some(), entries.tick());
        let entry = Entry { residence, hold: hold.clone(), used, memory, has_file };
        entries.by_attempt.insert(attempt, entry);
        hold
    }

    /// Holds an output that stays; none if it is not there any more.
    pub(crate) fn hold(&self, attempt: TaskAttempt) -> Option<Hold> {
        let mut entries = self.locked();
        self.sweep(&mut entries);
        let used = entries.tick();
        let entry = entries.by_attempt.get_mut(&attempt)?;
        let is_there = |stored: Arc<StoredOutput>| stored.file.as_ref().is_none_or(|path| path.exists());
        if self.stored(attempt).is_some_and(is_there) {
            entry.used = used;
            return Some(entry.hold.clone());
        }
        self.discard(&mut entries, attempt);
        None
    }

    /// An output cannot be read.
    pub(crate) fn lose(&self, attempt: TaskAttempt) {
        let mut entries = self.locked();
        if entries.by_attempt.contains_key(&attempt) {
            self.discard(&mut entries, attempt);
        }
    }

    pub(crate) fn forget(&self, attempt: TaskAttempt) {
        self.locked().by_attempt.remove(&attempt);
    }

    pub(crate) fn forget_stage(&self, stage: StageId) {
        self.locked().by_attempt.retain(|attempt, _| attempt.task.stage != stage);
    }

    pub(crate) fn clear(&self) {
        self.locked().by_attempt.clear();
    }

    /// Takes memory of the budget from outputs that can give way, the one used longest ago first.
    fn make_room(&self, bytes: u64, budget: &dyn MemoryBudget) -> bool {
        let mut entries = self.locked();
        let in_memory = entries.by_attempt.iter().filter(|(_, entry)| entry.memory > 0);
        let mut candidates: Vec<(u64, TaskAttempt)> =
            in_memory.map(|(attempt, entry)| (entry.used, *attempt)).collect();
        candidates.sort_unstable_by_key(|(used, _)| *used);
        candidates.into_iter().any(|(_, attempt)| self.evict(&mut entries, attempt) && budget.try_grow(bytes))
    }

    /// Whether the output does not take memory any more.
    fn evict(&self, entries: &mut Entries, attempt: TaskAttempt) -> bool {
        let Some(entry) = entries.by_attempt.get_mut(&attempt) else { return false };
        match entry.residence {
            Residence::Memory if entry.hold.is_held() => false,
            Residence::Memory => {
                self.discard(entries, attempt);
                true
            }
            Residence::MemoryAndDisk | Residence::Disk => {
                let moved = self.stored(attempt).and_then(|stored| self.to_disk(attempt, &stored));
                if moved.is_some() {
                    (entry.memory, entry.has_file) = (0, true);
                }
                moved.is_some()
            }
        }
    }

    /// What had no place in memory goes when nobody reads it any more.
    fn sweep(&self, entries: &mut Entries) {
        let homeless = |entry: &Entry| entry.residence == Residence::Memory && entry.has_file && !entry.hold.is_held();
        let gone: Vec<TaskAttempt> =
            entries.by_attempt.iter().filter(|(_, entry)| homeless(entry)).map(|(attempt, _)| *attempt).collect();
        for attempt in gone {
            self.discard(entries, attempt);
        }
    }

    fn discard(&self, entries: &mut Entries, attempt: TaskAttempt) {
        if let Some(entry) = entries.by_attempt.remove(&attempt) {
            entry.hold.lose();
        }
        if let Some(outputs) = self.outputs.upgrade() {
            locked(&outputs).remove(&attempt);
        }
    }

    fn stored(&self, attempt: TaskAttempt) -> Option<Arc<StoredOutput>> {
        let outputs = self.outputs.upgrade()?;
        locked(&outputs).get(&attempt).cloned()
    }

    /// Moves an output's rows to a file; none if that cannot be written, and then they stay where they are.
    fn to_disk(&self, attempt: TaskAttempt, stored: &StoredOutput) -> Option<Arc<StoredOutput>> {
        let TaskAttempt { task, attempt: number } = attempt;
        let name = format!("kept-{}-{:08}-{}.arrow", task.stage, task.partition.0, number);
        let moved = Arc::new(on_disk(attempt, stored, self.directory.join(name)).ok()?);
        let outputs = self.outputs.upgrade()?;
        locked(&outputs).insert(attempt, Arc::clone(&moved));
        Some(moved)
    }
}

/// The outputs that stay in a store that needs no memory for them.
#[derive(Debug, Default)]
pub(crate) struct Staying(Mutex<HashMap<TaskAttempt, Hold>>);

impl Staying {
    fn locked(&self) -> MutexGuard<'_, HashMap<TaskAttempt, Hold>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn retain(&self, attempt: TaskAttempt) -> Hold {
        self.locked().entry(attempt).or_default().clone()
    }

    pub(crate) fn hold(&self, attempt: TaskAttempt) -> Option<Hold> {
        self.locked().get(&attempt).filter(|hold| !hold.is_lost()).cloned()
    }

    pub(crate) fn lose(&self, attempt: TaskAttempt) {
        if let Some(hold) = self.locked().get(&attempt) {
            hold.lose();
        }
    }

    pub(crate) fn forget_stage(&self, stage: StageId) {
        self.locked().retain(|attempt, _| attempt.task.stage != stage);
    }
}

/// A budget that, before it refuses, makes outputs that stay give way.
#[derive(Debug)]
pub(crate) struct YieldingBudget {
    inner: Arc<dyn MemoryBudget>,
    retained: Arc<Retained>,
}

impl YieldingBudget {
    pub(crate) fn new(inner: Arc<dyn MemoryBudget>, retained: Arc<Retained>) -> Self {
        Self { inner, retained }
    }
}

impl MemoryBudget for YieldingBudget {
    fn try_grow(&self, bytes: u64) -> bool {
        self.inner.try_grow(bytes) || self.retained.make_room(bytes, self.inner.as_ref())
    }

    fn shrink(&self, bytes: u64) {
        self.inner.shrink(bytes);
    }
}
