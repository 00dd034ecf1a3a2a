//! [`Memory`]: what one output holds, and the part of it that the budget knows.

use std::sync::Arc;

use crate::MemoryBudget;

/// What a writer may hold although the budget refuses, so that a short budget does not mean tiny blocks.
const UNBUDGETED_BYTES_MAX: u64 = 1 << 20;

/// Bytes held. Dropped, it gives back what it was granted.
pub(crate) struct Memory {
    budget: Arc<dyn MemoryBudget>,
    held: u64,
    granted: u64,
    limit: u64,
}

impl Memory {
    /// Nothing yet; never short of memory while it holds at most `limit` bytes and the budget grants them.
    pub(crate) fn new(budget: Arc<dyn MemoryBudget>, limit: u64) -> Self {
        Self { budget, held: 0, granted: 0, limit }
    }

    pub(crate) fn held(&self) -> u64 {
        self.held
    }

    pub(crate) fn add(&mut self, bytes: u64) {
        self.held += bytes;
    }

    pub(crate) fn free(&mut self, bytes: u64) {
        self.held = self.held.saturating_sub(bytes);
        let surplus = self.granted.saturating_sub(self.held);
        self.budget.shrink(surplus);
        self.granted -= surplus;
    }

    /// Everything that it holds, which goes on elsewhere.
    pub(crate) fn take(&mut self) -> Self {
        let (held, granted) = (std::mem::take(&mut self.held), std::mem::take(&mut self.granted));
        Self { budget: Arc::clone(&self.budget), held, granted, limit: self.limit }
    }

    /// Whether what is held is more than may be held.
    pub(crate) fn is_short(&mut self) -> bool {
        if self.claim() && self.held <= self.limit {
            return false;
        }
        self.held - self.granted > UNBUDGETED_BYTES_MAX || self.held > self.limit
    }

    /// Tells the budget what is held, so that others get less; it may refuse to hear of all of it.
    pub(crate) fn claim(&mut self) -> bool {
        let missing = self.held.saturating_sub(self.granted);
        if missing > 0 && !self.budget.try_grow(missing) {
            return false;
        }
        self.granted += missing;
        true
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.budget.shrink(self.granted);
    }
}
