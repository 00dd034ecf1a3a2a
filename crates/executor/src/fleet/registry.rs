//! Which executors are expected or connected, and what runs on them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use firesteel_model::ids::{ExecutorId, TaskAttempt};
use firesteel_rpc::{Load, Order, Orders, Undelivered};

#[derive(Debug, Default)]
pub(super) struct Registry {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    members: HashMap<ExecutorId, Member>,
    running: HashMap<TaskAttempt, ExecutorId>,
}

#[derive(Debug, Default)]
struct Member {
    orders: Option<Orders>,
    load: Load,
}

impl Registry {
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An executor of this number is going to come.
    pub(super) fn announce(&self, executor: ExecutorId) {
        self.locked().members.insert(executor, Member::default());
    }

    /// It is not wanted any more; gives how busy it was when last heard.
    pub(super) fn forget(&self, executor: ExecutorId) -> Load {
        let mut state = self.locked();
        state.running.retain(|_, on| *on != executor);
        state.members.remove(&executor).map(|member| member.load).unwrap_or_default()
    }

    /// Whether it is wanted.
    pub(super) fn expects(&self, executor: ExecutorId) -> bool {
        self.locked().members.contains_key(&executor)
    }

    /// It is there; false if nobody expects it.
    pub(super) fn connect(&self, executor: ExecutorId, orders: Orders, running: &[TaskAttempt]) -> bool {
        let mut state = self.locked();
        let Some(member) = state.members.get_mut(&executor) else { return false };
        member.orders = Some(orders);
        state.running.extend(running.iter().map(|attempt| (*attempt, executor)));
        true
    }

    /// Its connection of this number is gone; false if it has another one or is not wanted.
    pub(super) fn disconnect(&self, executor: ExecutorId, connection: u64) -> bool {
        let mut state = self.locked();
        let Some(member) = state.members.get_mut(&executor) else { return false };
        if member.orders.as_ref().is_none_or(|orders| orders.connection() != connection) {
            return false;
        }
        member.orders = None;
        true
    }

    /// Whether it is expected and not connected.
    pub(super) fn is_away(&self, executor: ExecutorId) -> bool {
        self.locked().members.get(&executor).is_some_and(|member| member.orders.is_none())
    }

    /// Keeps how busy it is.
    pub(super) fn note(&self, executor: ExecutorId, load: Load) {
        if let Some(member) = self.locked().members.get_mut(&executor) {
            member.load = load;
        }
    }

    /// Sends it an order.
    pub(super) fn send(&self, executor: ExecutorId, order: Order) -> Result<(), Undelivered> {
        let state = self.locked();
        let orders = state.members.get(&executor).and_then(|member| member.orders.as_ref());
        orders.map_or(Err(Undelivered::Away), |orders| orders.send(order))
    }

    pub(super) fn launched(&self, attempt: TaskAttempt, executor: ExecutorId) {
        self.locked().running.insert(attempt, executor);
    }

    /// Gives where it ran.
    pub(super) fn ended(&self, attempt: TaskAttempt) -> Option<ExecutorId> {
        self.locked().running.remove(&attempt)
    }

    /// Whether the attempt is wanted from this executor.
    pub(super) fn runs(&self, attempt: TaskAttempt, executor: ExecutorId) -> bool {
        self.locked().running.get(&attempt) == Some(&executor)
    }
}
