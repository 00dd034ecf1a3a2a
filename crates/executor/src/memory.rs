//! How much memory there is and who may take it.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation, TrackConsumersPool};
use firesteel_shuffle::MemoryBudget;

use crate::fair_pool::FairPool;

/// Share of the limit that the pool hands out; the rest is for what the pool does not see.
const POOL_PERCENT: u64 = 60;

/// When nothing tells how much there is.
const FALLBACK_BYTES: u64 = 1 << 30;

/// What reading one spilled run may take of a task's memory.
const RUN_BYTES: u64 = 4 << 20;
const FAN_IN_MIN: usize = 4;
const FAN_IN_MAX: usize = 128;

/// Consumers named in the error when memory runs out.
const NAMED_CONSUMERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4);

/// A pool of so many bytes.
pub(crate) fn pool(bytes: u64) -> Arc<dyn MemoryPool> {
    let fair = FairPool::new(usize::try_from(bytes).unwrap_or(usize::MAX));
    Arc::new(TrackConsumersPool::new(fair, NAMED_CONSUMERS))
}

/// How many spilled runs a task merges at once: each takes a few batches of its memory, and other sorts merge too.
pub(crate) fn merge_fan_in(task_bytes: u64) -> usize {
    usize::try_from(task_bytes / RUN_BYTES).unwrap_or(usize::MAX).clamp(FAN_IN_MIN, FAN_IN_MAX)
}

/// What the pool gets when nobody said: a share of the container's limit, or of the machine.
pub(crate) fn default_pool_bytes() -> u64 {
    limit_bytes() / 100 * POOL_PERCENT
}

/// What this process may take: the container's limit, or the machine's memory.
pub(crate) fn limit_bytes() -> u64 {
    let limits = [
        number_in(Path::new("/sys/fs/cgroup/memory.max")),
        number_in(Path::new("/sys/fs/cgroup/memory/memory.limit_in_bytes")),
        machine_bytes(),
    ];
    limits.into_iter().flatten().min().unwrap_or(FALLBACK_BYTES)
}

/// What this process holds; 0 where the system does not tell.
pub(crate) fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kibibytes.map_or(0, |kibibytes| kibibytes.saturating_mul(1024))
}

/// The file's number; `max` is none.
fn number_in(path: &Path) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn machine_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The shuffle store's part of the pool, with a limit of its own, so that operators always have something left.
#[derive(Debug)]
pub(crate) struct ShuffleBudget {
    reservation: MemoryReservation,
    limit: usize,
}

impl ShuffleBudget {
    pub(crate) fn new(pool: &Arc<dyn MemoryPool>, limit: u64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self { reservation: MemoryConsumer::new("shuffle").register(pool), limit }
    }
}

impl MemoryBudget for ShuffleBudget {
    fn try_grow(&self, bytes: u64) -> bool {
        let Ok(bytes) = usize::try_from(bytes) else { return false };
        let fits = self.reservation.size().checked_add(bytes).is_some_and(|size| size <= self.limit);
        fits && self.reservation.try_grow(bytes).is_ok()
    }

    fn shrink(&self, bytes: u64) {
        if let Ok(bytes) = usize::try_from(bytes) {
            // More than was taken cannot be given back; the books stay right either way.
            let _ = self.reservation.try_shrink(bytes);
        }
    }
}
