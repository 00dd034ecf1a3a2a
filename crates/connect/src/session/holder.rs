//! [`SessionHolder`]: a session of the engine, and what the server keeps beside it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use firesteel_model::SparkError;
use tokio::time::Instant;
use tonic::{Response, Status};
use uuid::Uuid;

use crate::artifact::ArtifactStore;
use crate::engine::{Session, SessionKey};
use crate::error::details::ErrorStore;
use crate::operation::OperationRegistry;

/// See the module.
pub(crate) struct SessionHolder {
    /// Whose it is.
    pub(crate) key: SessionKey,
    /// Our id for it, which never changes.
    pub(crate) server_side_id: String,
    /// The engine's part.
    pub(crate) session: Arc<dyn Session>,
    /// What the client uploaded.
    pub(crate) artifacts: Arc<ArtifactStore>,
    /// What it runs.
    pub(crate) operations: OperationRegistry,
    /// Its latest errors.
    pub(crate) errors: Arc<ErrorStore>,
    used: Mutex<Instant>,
}

impl SessionHolder {
    /// A session that has just been opened.
    pub(crate) fn new(
        key: SessionKey,
        session: Arc<dyn Session>,
        artifacts: Arc<ArtifactStore>,
        operations: OperationRegistry,
    ) -> Self {
        Self {
            key,
            server_side_id: Uuid::new_v4().to_string(),
            session,
            artifacts,
            operations,
            errors: Arc::default(),
            used: Mutex::new(Instant::now()),
        }
    }

    /// The answer to a call, with any error kept for its details to be fetched.
    pub(crate) fn answer<T>(&self, result: Result<T, SparkError>) -> Result<Response<T>, Status> {
        self.checked(result).map(Response::new)
    }

    /// A result, with any error kept for its details to be fetched.
    pub(crate) fn checked<T>(&self, result: Result<T, SparkError>) -> Result<T, Status> {
        result.map_err(|error| self.errors.status(&error))
    }

    /// Somebody used it just now.
    pub(crate) fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Whether nobody has used it for this time and nothing runs.
    pub(crate) fn is_idle(&self, timeout: Duration) -> bool {
        let used = *self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.elapsed() >= timeout && !self.operations.is_busy()
    }

    /// Cancels what runs and tells the engine that it is over.
    pub(crate) async fn close(&self) {
        self.operations.interrupt(|_| true);
        self.session.close().await;
    }
}
