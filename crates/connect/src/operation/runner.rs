//! Runs an operation as a task of its own, so that it outlives the call that started it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use firesteel_model::{Result, SparkError, error_class};
use futures::FutureExt;

use super::registry::Execution;
use super::sink::{ResultSink, Wanted};
use crate::decode::command::Execution as Decoded;
use crate::engine::Session;
use crate::request::Request;

/// How long a cancelled operation may clean up before it is dropped.
const CANCEL_GRACE: Duration = Duration::from_secs(5);

/// What is needed to start an operation.
pub(crate) struct Start {
    /// The operation and its responses.
    pub(crate) execution: Arc<Execution>,
    /// The session to run it.
    pub(crate) session: Arc<dyn Session>,
    /// What to run, or what to answer.
    pub(crate) what: Decoded,
    /// Where the results go.
    pub(crate) sink: ResultSink,
}

/// Starts an operation.
pub(crate) fn start(start: Start) {
    tokio::spawn(run(start));
}

async fn run(start: Start) {
    let Start { execution, session, what, sink } = start;
    let cancellation = execution.operation.cancellation().clone();
    let operation = execution.operation.clone();
    let mut work = AssertUnwindSafe(perform(session, operation, what, sink)).catch_unwind().boxed();
    tokio::select! {
        biased;
        () = cancellation.cancelled() => {
            // The client is told at once; the engine gets time to put things in order.
            execution.finish(Err(cancelled()));
            if tokio::time::timeout(CANCEL_GRACE, work).await.is_err() {
                tracing::warn!(operation = execution.operation.id(), "a cancelled operation did not stop in time");
            }
        }
        end = &mut work => execution.finish(unless_cancelled(end.unwrap_or_else(|_| Err(panicked())), &execution)),
    }
}

async fn perform(
    session: Arc<dyn Session>,
    operation: Arc<super::Operation>,
    what: Decoded,
    sink: ResultSink,
) -> Result<()> {
    let wanted = match what {
        Decoded::Reply(reply) => {
            sink.reply(reply).await?;
            Wanted::Nothing
        }
        Decoded::Run(request) => {
            let wanted = match &request {
                Request::Query(_) => Wanted::Rows,
                Request::Sql(_) => Wanted::SqlAnswer,
                Request::Command(_) => Wanted::Nothing,
            };
            session.execute(request, operation.clone(), sink.clone()).await?;
            // An engine that stopped because it was told to has not given the whole result.
            if operation.cancellation().is_cancelled() {
                return Err(cancelled());
            }
            wanted
        }
    };
    sink.complete(wanted).await
}

fn unless_cancelled(end: Result<()>, execution: &Execution) -> Result<()> {
    if end.is_err() && execution.operation.cancellation().is_cancelled() { Err(cancelled()) } else { end }
}

fn cancelled() -> SparkError {
    SparkError::new(&error_class::OPERATION_CANCELED)
}

fn panicked() -> SparkError {
    SparkError::internal("the engine broke down while running this operation")
}
