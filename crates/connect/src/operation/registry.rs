//! The operations of a session: those that are known, and how those that are gone ended.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use firesteel_model::{Result, SparkError, error_class};
use spark_connect_proto::Plan;
use tokio::time::Instant;

use super::handle::Operation;
use super::log::{Reader, ResponseLog};

/// Operations known at once in a session at most.
const OPERATIONS_MAX: usize = 1000;

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OperationState {
    /// At work.
    Running,
    /// Cancelled and not yet over.
    Terminating,
    /// Over, with a result.
    Succeeded,
    /// Over, with an error.
    Failed,
    /// Over, because somebody cancelled it.
    Cancelled,
    /// Given up without client.
    Abandoned,
}

/// An operation and its responses.
#[derive(Debug)]
pub(crate) struct Execution {
    /// What the engine knows of it.
    pub(crate) operation: Arc<Operation>,
    /// Its responses.
    pub(crate) log: ResponseLog,
    /// Whether a client may come back to it.
    pub(crate) is_reattachable: bool,
    /// The plan, to recognise a request that the client sends again.
    pub(crate) plan: Option<Plan>,
    presence: Mutex<Presence>,
    state: Mutex<OperationState>,
}

#[derive(Debug)]
struct Presence {
    reader: Option<Reader>,
    since: Instant,
}

/// The operations of a session.
#[derive(Debug, Default)]
pub(crate) struct OperationRegistry(Mutex<Operations>);

#[derive(Debug, Default)]
struct Operations {
    known: HashMap<String, Arc<Execution>>,
    gone: VecDeque<(String, OperationState)>,
    gone_max: usize,
}

impl Execution {
    /// An operation that has not started.
    pub(crate) fn new(operation: Arc<Operation>, log: ResponseLog, is_reattachable: bool, plan: Option<Plan>) -> Self {
        Self {
            operation,
            log,
            is_reattachable,
            plan,
            presence: Mutex::new(Presence { reader: None, since: Instant::now() }),
            state: Mutex::new(OperationState::Running),
        }
    }

    /// Where it stands.
    pub(crate) fn state(&self) -> OperationState {
        let state = *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_cancelled = self.operation.cancellation().is_cancelled();
        if state == OperationState::Running && is_cancelled { OperationState::Terminating } else { state }
    }

    /// Ends it; only the first end counts.
    pub(crate) fn finish(&self, end: Result<()>) {
        let state = match &end {
            Ok(()) => OperationState::Succeeded,
            Err(error) if error.class() == &error_class::OPERATION_CANCELED => OperationState::Cancelled,
            Err(_) => OperationState::Failed,
        };
        if self.log.finish(end) {
            *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        }
    }

    /// Cancels it; returns whether it was running.
    pub(crate) fn cancel(&self) -> bool {
        let was_running = !self.log.is_finished() && !self.operation.cancellation().is_cancelled();
        self.operation.cancellation().cancel();
        was_running
    }

    /// A stream has started to read.
    pub(crate) fn mark_attached(&self, reader: Reader) {
        *self.presence.lock().unwrap_or_else(PoisonError::into_inner) =
            Presence { reader: Some(reader), since: Instant::now() };
    }

    /// A stream has gone; without a way back the operation goes too.
    pub(crate) fn mark_detached(&self, reader: Reader) {
        let mut presence = self.presence.lock().unwrap_or_else(PoisonError::into_inner);
        if presence.reader == Some(reader) {
            *presence = Presence { reader: None, since: Instant::now() };
            if !self.is_reattachable {
                self.operation.cancellation().cancel();
            }
        }
    }

    fn is_abandoned(&self, timeout: Duration) -> bool {
        let presence = self.presence.lock().unwrap_or_else(PoisonError::into_inner);
        // Without a way back there is nothing to wait for once it is over.
        let timeout = if self.is_reattachable || !self.log.is_finished() { timeout } else { Duration::ZERO };
        presence.reader.is_none() && presence.since.elapsed() >= timeout
    }
}

impl OperationRegistry {
    /// An empty registry that remembers so many operations that are gone.
    pub(crate) fn new(gone_max: usize) -> Self {
        Self(Mutex::new(Operations { gone_max, ..Operations::default() }))
    }

    /// Adds an operation.
    ///
    /// Errors: `INVALID_HANDLE.OPERATION_ALREADY_EXISTS`, `INVALID_HANDLE.OPERATION_ABANDONED`, the limit.
    pub(crate) fn insert(&self, execution: Arc<Execution>) -> Result<()> {
        let mut operations = self.lock();
        let id = execution.operation.id();
        if operations.known.contains_key(id) {
            return Err(handle_error(&error_class::INVALID_HANDLE_OPERATION_ALREADY_EXISTS, id));
        }
        if operations.how_gone(id) == Some(OperationState::Abandoned) {
            return Err(handle_error(&error_class::INVALID_HANDLE_OPERATION_ABANDONED, id));
        }
        if operations.known.len() >= OPERATIONS_MAX {
            operations.give_up(|execution| execution.log.is_finished() && execution.is_abandoned(Duration::ZERO));
        }
        if operations.known.len() >= OPERATIONS_MAX {
            return Err(SparkError::new(&error_class::FIRESTEEL_LIMIT_EXCEEDED)
                .param("what", "operations in a session")
                .param("limit", OPERATIONS_MAX.to_string()));
        }
        operations.known.insert(id.to_owned(), execution);
        Ok(())
    }

    /// The operation, if it is known.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Execution>> {
        self.lock().known.get(id).cloned()
    }

    /// The operation.
    ///
    /// Errors: `INVALID_HANDLE.OPERATION_NOT_FOUND`, `INVALID_HANDLE.OPERATION_ABANDONED`.
    pub(crate) fn get(&self, id: &str) -> Result<Arc<Execution>> {
        let operations = self.lock();
        operations.known.get(id).cloned().ok_or_else(|| match operations.how_gone(id) {
            Some(OperationState::Abandoned) => handle_error(&error_class::INVALID_HANDLE_OPERATION_ABANDONED, id),
            _ => handle_error(&error_class::INVALID_HANDLE_OPERATION_NOT_FOUND, id),
        })
    }

    /// Cancels and forgets an operation; returns whether it was known.
    pub(crate) fn release(&self, id: &str) -> bool {
        let mut operations = self.lock();
        let Some(execution) = operations.known.remove(id) else { return false };
        execution.cancel();
        let state = match execution.state() {
            OperationState::Terminating | OperationState::Running => OperationState::Cancelled,
            over => over,
        };
        operations.bury(id.to_owned(), state);
        true
    }

    /// Cancels the running operations that `wanted` picks; their ids.
    pub(crate) fn interrupt(&self, wanted: impl Fn(&Operation) -> bool) -> Vec<String> {
        let mut interrupted: Vec<String> = self
            .lock()
            .known
            .values()
            .filter(|execution| wanted(&execution.operation) && execution.cancel())
            .map(|execution| execution.operation.id().to_owned())
            .collect();
        interrupted.sort();
        interrupted
    }

    /// Cancels and forgets the operations that no client has asked for in this time.
    pub(crate) fn give_up_abandoned(&self, timeout: Duration) -> usize {
        self.lock().give_up(|execution| execution.is_abandoned(timeout))
    }

    /// Where operations stand: those asked for, or all.
    pub(crate) fn states(&self, ids: &[String]) -> Vec<(String, Option<OperationState>)> {
        let operations = self.lock();
        let state = |id: &str| operations.known.get(id).map(|e| e.state()).or_else(|| operations.how_gone(id));
        if !ids.is_empty() {
            return ids.iter().map(|id| (id.clone(), state(id))).collect();
        }
        let known = operations.known.iter().map(|(id, execution)| (id.clone(), Some(execution.state())));
        known.chain(operations.gone.iter().map(|(id, state)| (id.clone(), Some(*state)))).collect()
    }

    /// Whether an operation is still at work.
    pub(crate) fn is_busy(&self) -> bool {
        self.lock().known.values().any(|execution| !execution.log.is_finished())
    }

    fn lock(&self) -> MutexGuard<'_, Operations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Operations {
    fn how_gone(&self, id: &str) -> Option<OperationState> {
        self.gone.iter().rev().find(|(gone, _)| gone == id).map(|(_, state)| *state)
    }

    fn give_up(&mut self, is_due: impl Fn(&Execution) -> bool) -> usize {
        let due: Vec<String> = self.known.values().filter(|e| is_due(e)).map(|e| e.operation.id().to_owned()).collect();
        for id in &due {
            if let Some(execution) = self.known.remove(id) {
                execution.cancel();
                self.bury(id.clone(), OperationState::Abandoned);
            }
        }
        due.len()
    }

    fn bury(&mut self, id: String, state: OperationState) {
        if self.gone.len() >= self.gone_max {
            self.gone.pop_front();
        }
        self.gone.push_back((id, state));
    }
}

fn handle_error(class: &'static firesteel_model::ErrorClass, id: &str) -> SparkError {
    SparkError::new(class).param("handle", id)
}
