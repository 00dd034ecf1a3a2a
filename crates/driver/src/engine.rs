//! The Connect server's engine: makes sessions.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use firesteel_connect::{ArtifactStore, Engine, Session, SessionKey, SessionSeed};
use firesteel_model::{Result, SparkError};

use crate::application::Application;
use crate::session::DriverSession;

/// Makes sessions of one application.
#[derive(Debug)]
pub(crate) struct DriverEngine {
    application: Arc<Application>,
}

impl DriverEngine {
    pub(crate) fn new(application: Arc<Application>) -> Self {
        Self { application }
    }
}

#[async_trait]
impl Engine for DriverEngine {
    async fn open_session(
        &self,
        key: &SessionKey,
        seed: SessionSeed,
        artifacts: Arc<ArtifactStore>,
    ) -> Result<Arc<dyn Session>> {
        let session = match seed {
            SessionSeed::New => DriverSession::new(Arc::clone(&self.application), &key.user_id, Some(artifacts)),
            SessionSeed::CloneOf(other) => {
                let other: Arc<dyn Any + Send + Sync> = other;
                let other = other.downcast::<DriverSession>();
                let other = other.map_err(|_| SparkError::internal("the session to clone is of another engine"))?;
                other.fork(&key.user_id, artifacts)
            }
        };
        Ok(Arc::new(session))
    }
}
