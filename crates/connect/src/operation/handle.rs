//! [`Operation`]: what the engine knows of the operation it runs.

use tokio_util::sync::CancellationToken;

/// One execution of a request.
#[derive(Clone, Debug)]
pub struct Operation {
    id: String,
    tags: Vec<String>,
    cancellation: CancellationToken,
}

impl Operation {
    /// An operation that nobody has cancelled yet.
    pub fn new(id: String, tags: Vec<String>) -> Self {
        Self { id, tags, cancellation: CancellationToken::new() }
    }

    /// The client's id for it, a UUID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the client tagged it with.
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// Cancelled when the client interrupts, releases or gives up the operation or its session ends.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }
}
