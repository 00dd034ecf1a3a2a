//! The seam to the engine: what the server asks of whoever plans and runs.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use firesteel_model::Result;
use firesteel_model::runtime_conf::RuntimeConf;

use crate::artifact::ArtifactStore;
use crate::operation::{Operation, ResultSink};
use crate::request::{Analyze, Analyzed, Request};

/// Whose session it is: one user may have many, and two users may choose the same id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey {
    /// The client's user id; empty when it gave none.
    pub user_id: String,
    /// The client's session id, a UUID.
    pub session_id: String,
}

/// What a new session starts from.
#[derive(Clone)]
pub enum SessionSeed {
    /// Nothing.
    New,
    /// Configuration, views, functions and current schema of another session, copied.
    CloneOf(Arc<dyn Session>),
}

/// Makes sessions.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Opens a session. `artifacts` holds what the client uploads and lives as long as the session.
    async fn open_session(
        &self,
        key: &SessionKey,
        seed: SessionSeed,
        artifacts: Arc<ArtifactStore>,
    ) -> Result<Arc<dyn Session>>;
}

/// One user's session in the engine.
///
/// `Any` is there so that an engine can find its own type again in [`SessionSeed::CloneOf`]:
/// `let any: Arc<dyn Any + Send + Sync> = session; any.downcast::<Mine>()`.
#[async_trait]
pub trait Session: Any + Send + Sync {
    /// The session's settings, read and changed by the Config call.
    fn conf(&self) -> &RuntimeConf;

    /// Runs a request to its end and hands what comes out to `sink`.
    ///
    /// Guarantees: the future is polled by one task and dropped a grace time after `operation` is cancelled.
    /// Assumptions, by kind of request:
    /// - [`Request::Query`]: `sink.schema` once, then `sink.batch` as often as it likes, in order;
    /// - [`Request::Sql`]: `sink.sql_query` once the text is known to be a query and has been analysed, or
    ///   `sink.sql_rows` with the rows of a command that has been run;
    /// - [`Request::Command`]: nothing, or `sink.checkpoint` for `Command::Checkpoint`.
    async fn execute(&self, request: Request, operation: Arc<Operation>, sink: ResultSink) -> Result<()>;

    /// Answers a question about a plan. The answer is of the question's own kind.
    async fn analyze(&self, question: Analyze) -> Result<Analyzed>;

    /// The session is over: its operations have been cancelled and nothing will be asked again.
    async fn close(&self);
}
