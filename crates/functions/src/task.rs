//! What an expression may ask of the task that evaluates it: the partition, state that lasts from batch to batch,
//! whether to stop.
//!
//! ```text
//!   attempt:  cancellable(token, poll)                    once for everything that the attempt polls
//!     node:   PartitionScope::enter(poll)                 the partition of the node, with states of its own
//!       kernel: with_state(place, first, next), check()
//! ```
//!
//! An expression is shared by all tasks of a stage, so it cannot hold such things itself. They are kept by thread while
//! a node is polled; polling is synchronous, so nothing of one task is ever seen by another.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use firesteel_model::error_class::OPERATION_CANCELED;
use firesteel_model::{Result, SparkError};
use tokio_util::sync::CancellationToken;

thread_local! {
    static PARTITION: RefCell<Option<PartitionScope>> = const { RefCell::new(None) };
    static CANCEL: RefCell<Option<CancellationToken>> = const { RefCell::new(None) };
}

/// One run of one node over one partition.
#[derive(Clone, Debug)]
pub struct PartitionScope(Arc<Run>);

#[derive(Debug)]
struct Run {
    partition: usize,
    /// By the place in the plan that they belong to.
    states: Mutex<HashMap<usize, Box<dyn Any + Send>>>,
}

impl PartitionScope {
    /// A run that begins.
    pub fn new(partition: usize) -> Self {
        Self(Arc::new(Run { partition, states: Mutex::default() }))
    }

    /// Does work in this run.
    pub fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = Entered::new(&PARTITION, self.clone());
        work()
    }
}

/// Does work that is to stop when `cancel` says so.
pub fn cancellable<T>(cancel: &CancellationToken, work: impl FnOnce() -> T) -> T {
    let _entered = Entered::new(&CANCEL, cancel.clone());
    work()
}

/// Whether somebody decides already when this thread's work is to stop.
pub fn is_cancellable() -> bool {
    CANCEL.with_borrow(Option::is_some)
}

/// Fails with `OPERATION_CANCELED` where this thread's work is to stop; loops that may run long ask now and then.
pub fn check() -> Result<()> {
    let stop = CANCEL.with_borrow(|cancel| cancel.as_ref().is_some_and(CancellationToken::is_cancelled));
    if stop { Err(SparkError::new(&OPERATION_CANCELED)) } else { Ok(()) }
}

/// The state that `place` has in this run, made from the partition the first time; `next` uses it.
///
/// Assumptions: two uses of a function in a node are two places.
pub(crate) fn with_state<S: Send + 'static, T>(
    place: usize,
    first: impl FnOnce(usize) -> S,
    next: impl FnOnce(&mut S) -> T,
) -> Result<T> {
    let unbound = || SparkError::internal("a function of the task ran outside of a task");
    let scope = PARTITION.with_borrow(Clone::clone).ok_or_else(unbound)?;
    let mut states = scope.0.states.lock().unwrap_or_else(PoisonError::into_inner);
    let state = states.entry(place).or_insert_with(|| Box::new(first(scope.0.partition)));
    state.downcast_mut().map(next).ok_or_else(unbound)
}

/// The partition of the node that runs.
pub(crate) fn partition() -> Result<usize> {
    let partition = PARTITION.with_borrow(|scope| scope.as_ref().map(|scope| scope.0.partition));
    partition.ok_or_else(|| SparkError::internal("a function of the task ran outside of a task"))
}

/// Puts back what was there before, also when the work panics.
struct Entered<T: 'static> {
    key: &'static std::thread::LocalKey<RefCell<Option<T>>>,
    before: Option<T>,
}

impl<T> Entered<T> {
    fn new(key: &'static std::thread::LocalKey<RefCell<Option<T>>>, value: T) -> Self {
        Self { key, before: key.replace(Some(value)) }
    }
}

impl<T> Drop for Entered<T> {
    fn drop(&mut self) {
        self.key.set(self.before.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_has_states_of_its_own() {
        let count = |place| with_state(place, |partition| partition * 10, |n: &mut usize| std::mem::replace(n, *n + 1));
        assert!(count(0).is_err());
        let (first, second) = (PartitionScope::new(1), PartitionScope::new(2));
        assert_eq!(first.enter(|| (count(0).unwrap(), count(0).unwrap(), count(7).unwrap())), (10, 11, 10));
        assert_eq!(first.enter(|| second.enter(|| count(0).unwrap())), 20);
        assert_eq!(first.enter(|| (count(0).unwrap(), partition().unwrap())), (12, 1));
        assert!(partition().is_err());
    }

    #[test]
    fn work_is_told_to_stop() {
        let cancel = CancellationToken::new();
        cancellable(&cancel, || {
            assert!(is_cancellable() && check().is_ok());
            cancel.cancel();
            assert_eq!(check().unwrap_err().class().name, "OPERATION_CANCELED");
        });
        assert!(!is_cancellable() && check().is_ok());
    }
}
