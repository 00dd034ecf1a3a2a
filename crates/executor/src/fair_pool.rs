//! [`FairPool`]: an executor's memory, divided so that whoever spills can also merge.
//!
//! A sort holds its rows under one name and merges them, to spill or to give them out, under another that cannot spill.
//! If sorts could fill the pool, none of them would find the memory to empty it.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use datafusion::common::{Result, resources_datafusion_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

/// What DataFusion calls the consumers that hold rows being merged.
const MERGE: &str = "ExternalSorterMerge";

/// Of what the others leave, operators that spill hold so much at most. A sort counts each row twice, for the sorted
/// copy. Its merge counts the sorted copy again, and keys of several columns or of text once more in a form to compare:
/// for long keys a quarter more than the sort itself. All of them may spill at once.
const SPILLING_PERCENT: usize = 40;

/// Hands out so many bytes. Operators that spill share their part evenly; others take what there is.
#[derive(Debug)]
pub(crate) struct FairPool {
    limit: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    /// By operators that neither spill nor merge what was spilled.
    fixed: usize,
    /// How many operators can spill.
    spilling: usize,
}

impl FairPool {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, held: Mutex::default() }
    }

    fn locked(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fixed(consumer: &MemoryConsumer) -> bool {
    !consumer.can_spill() && !consumer.name().starts_with(MERGE)
}

impl Held {
    fn add(&mut self, consumer: &MemoryConsumer, bytes: usize) {
        self.all += bytes;
        if is_fixed(consumer) {
            self.fixed += bytes;
        }
    }

    /// What a reservation may grow to, or what all may together.
    fn available(&self, limit: usize, reservation: &MemoryReservation) -> usize {
        let free = limit.saturating_sub(self.all);
        if !reservation.consumer().can_spill() {
            return free;
        }
        let share = limit.saturating_sub(self.fixed) / 100 * SPILLING_PERCENT / self.spilling.max(1);
        free.min(share.saturating_sub(reservation.size()))
    }
}

impl MemoryPool for FairPool {
    fn name(&self) -> &str {
        "fair"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        if consumer.can_spill() {
            self.locked().spilling += 1;
        }
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        if consumer.can_spill() {
            let mut held = self.locked();
            held.spilling = held.spilling.saturating_sub(1);
        }
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.locked().add(reservation.consumer(), additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        let mut held = self.locked();
        held.all = held.all.saturating_sub(shrink);
        if is_fixed(reservation.consumer()) {
            held.fixed = held.fixed.saturating_sub(shrink);
        }
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let mut held = self.locked();
        let available = held.available(self.limit, reservation);
        if additional > available {
            let (name, size, limit) = (reservation.consumer().name(), reservation.size(), self.limit);
            return Err(resources_datafusion_err!(
                "{name} holds {size} bytes and wants {additional} more; there are {available} for it of {limit}"
            ));
        }
        held.add(reservation.consumer(), additional);
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.locked().all
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit)
    }
}

impl fmt::Display for FairPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fair pool of {} bytes", self.limit)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn whoever_spills_leaves_room_for_merges() {
        let pool: Arc<dyn MemoryPool> = Arc::new(FairPool::new(1000));
        let sort = |name: &str| MemoryConsumer::new(name).with_can_spill(true).register(&pool);
        let (first, second) = (sort("ExternalSorter[0]"), sort("ExternalSorter[1]"));
        first.try_grow(200).unwrap();
        assert!(first.try_grow(1).is_err());
        second.try_grow(200).unwrap();
        let merge = MemoryConsumer::new("ExternalSorterMerge[0]").register(&pool);
        merge.try_grow(500).unwrap();
        drop(first);
        // A merge takes nothing away from what sorts may hold, and a sort alone may hold the part of all.
        second.try_grow(200).unwrap();
        assert_eq!(pool.reserved(), 900);
        assert!(merge.try_grow(101).is_err());
        drop(merge);
        let join = MemoryConsumer::new("HashJoinInput").register(&pool);
        join.try_grow(600).unwrap();
        assert!(join.try_grow(1).is_err());
        second.free();
        second.try_grow(160).unwrap();
        assert!(second.try_grow(1).is_err(), "what others hold for good is shared no more");
    }
}
