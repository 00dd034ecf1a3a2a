//! [`Executors`]: what the dispatcher has others do; and the executor of this process as one of them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use firesteel_model::SparkError;
use firesteel_model::ids::{ExecutorId, TaskAttempt};
use firesteel_scheduler::{Event, ExecutorInfo, StopReason, TaskFailure};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::dispatch::{Command, Job};
use crate::local::LocalExecutor;

/// Executors wherever they are. Nothing here waits: what comes of it is told to the dispatcher as a command.
pub(crate) trait Executors: Send + Sync + fmt::Debug {
    /// Begins; gives the first events for the scheduler.
    fn start(&mut self) -> Vec<Event>;

    /// Has an attempt run.
    ///
    /// Errors: why it cannot even be begun.
    fn launch(&mut self, executor: ExecutorId, attempt: TaskAttempt, job: &mut Job) -> Result<(), TaskFailure>;

    /// Has an attempt end early.
    fn kill(&mut self, executor: ExecutorId, attempt: TaskAttempt);

    /// Hears that an attempt is over.
    fn ended(&mut self, attempt: TaskAttempt);

    /// Whether there may be more or fewer of them later.
    fn come_and_go(&self) -> bool {
        false
    }

    /// Hears that there is work again, whatever went wrong before.
    fn job_submitted(&mut self) {}

    /// Hears of an event before the scheduler does; an error if there cannot be executors any more.
    fn observe(&mut self, _event: &Event) -> Option<SparkError> {
        None
    }

    /// Hears that everything that came of an event is done.
    fn settle(&mut self) {}

    /// Has as many executors as this, those included that are there.
    fn request(&mut self, _total: u32) {}

    /// Ends an executor.
    fn stop(&mut self, _executor: ExecutorId, _reason: StopReason) {}

    /// Gives an executor up that was silent for too long.
    fn give_up(&mut self, _executor: ExecutorId) {}

    /// Ends all executors for good, and tells when they have ended.
    fn close(&mut self, closed: oneshot::Sender<()>) {
        // Nobody may wait any more.
        let _ = closed.send(());
    }

    /// Asks an executor who it is.
    fn ask_to_register(&mut self, _executor: ExecutorId) {}
}

/// The executor of this process. It is always there, and nothing is known of others.
#[derive(Debug)]
pub(crate) struct OwnExecutor {
    executor: Arc<LocalExecutor>,
    reports: mpsc::WeakSender<Command>,
    running: HashMap<TaskAttempt, CancellationToken>,
}

impl OwnExecutor {
    pub(crate) fn new(executor: Arc<LocalExecutor>, reports: mpsc::WeakSender<Command>) -> Self {
        Self { executor, reports, running: HashMap::new() }
    }
}

impl Executors for OwnExecutor {
    fn start(&mut self) -> Vec<Event> {
        let info = ExecutorInfo { id: self.executor.id, slots: self.executor.slots, running: Vec::new() };
        vec![Event::ExecutorRegistered(info)]
    }

    fn launch(&mut self, executor: ExecutorId, attempt: TaskAttempt, job: &mut Job) -> Result<(), TaskFailure> {
        let cancel = CancellationToken::new();
        let work = job.work(attempt, cancel.clone()).map_err(TaskFailure::Error)?;
        self.running.insert(attempt, cancel);
        let reports = self.reports.clone();
        let store = Arc::clone(&self.executor.store);
        self.executor.launch(work, store, move |attempt, end| async move {
            if let Some(reports) = reports.upgrade() {
                // A closed channel means that nobody schedules any more.
                let _ = reports.send(Command::AttemptEnded(executor, attempt, Box::new(end))).await;
            }
        });
        Ok(())
    }

    fn kill(&mut self, _: ExecutorId, attempt: TaskAttempt) {
        if let Some(cancel) = self.running.get(&attempt) {
            cancel.cancel();
        }
    }

    fn ended(&mut self, attempt: TaskAttempt) {
        self.running.remove(&attempt);
    }
}

impl Drop for OwnExecutor {
    fn drop(&mut self) {
        for cancel in self.running.values() {
            cancel.cancel();
        }
    }
}
