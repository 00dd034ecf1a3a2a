//! [`Worker`]: a process that calls functions, lent by the pool.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use firesteel_model::{Result, SparkError};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

use crate::daemon::Daemon;
use crate::input::Input;
use crate::output::Output;
use crate::pool::Returned;
use crate::request::Request;

/// What workers are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum WorkerRole {
    /// They call functions over rows.
    #[default]
    Functions,
    /// They answer questions about plans.
    Planning,
}

/// Which workers are the same: one executable, one environment, one purpose.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WorkerKey {
    /// The Python.
    pub executable: PathBuf,
    /// Variables beside those that every worker inherits.
    pub variables: BTreeMap<String, String>,
    /// What they are for.
    pub role: WorkerRole,
}

impl WorkerKey {
    /// Workers in the same surroundings that answer questions about plans.
    pub(crate) fn for_planning(&self) -> Self {
        Self { role: WorkerRole::Planning, ..self.clone() }
    }
}

/// A process that waits for a request.
///
/// Guarantees: it goes back to the pool when a request ended well; dropped otherwise, the process is killed.
#[derive(Debug)]
pub struct Worker {
    pub(crate) stream: UnixStream,
    pub(crate) hold: Hold,
}

/// What a borrowed worker owes: its return or its end.
#[derive(Debug)]
pub(crate) struct Hold {
    pub(crate) pid: i32,
    pub(crate) daemon: Arc<Daemon>,
    pub(crate) returns: Option<Returned>,
    pub(crate) key: Arc<WorkerKey>,
}

/// A worker between two requests.
#[derive(Debug)]
pub(crate) struct Idle {
    pub(crate) pid: i32,
    pub(crate) daemon: Arc<Daemon>,
    pub(crate) stream: std::os::unix::net::UnixStream,
    pub(crate) since: Instant,
}

impl Worker {
    /// Sends a request; what is left is to give rows and to take rows, at the same time.
    ///
    /// Errors: the function comes from another version of Python; the worker is gone.
    pub async fn begin(self, request: &Request) -> Result<(Input, Output)> {
        self.accepts(&request.python_version)?;
        let (read, mut write) = self.stream.into_split();
        let pid = self.hold.pid;
        write.write_all(&request.head.0).await.map_err(|error| crate::error::crashed(pid).source(error))?;
        Ok((Input::new(write), Output::new(read, self.hold, request.idle_timeout_s)))
    }

    /// Whether it can load what was pickled by a version of Python.
    pub(crate) fn accepts(&self, python_version: &str) -> Result<()> {
        self.hold.daemon.interpreter.accepts(python_version, &self.hold.key)
    }
}

impl Hold {
    /// The worker has said that it is ready for more.
    pub(crate) fn give_back(mut self, stream: UnixStream) {
        let Ok(stream) = stream.into_std() else { return };
        if let Some(returns) = self.returns.take() {
            let idle = Idle { pid: self.pid, daemon: Arc::clone(&self.daemon), stream, since: Instant::now() };
            returns.put(&self.key, idle);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.returns.is_some() {
            self.daemon.kill(self.pid);
        }
    }
}

impl Idle {
    /// Whether the process still waits at the other end.
    pub(crate) fn is_usable(&self) -> bool {
        // A worker says nothing between requests: bytes or an end mean that something went wrong. The socket does not
        // block, as tokio left it.
        let said = (&self.stream).read(&mut [0; 1]);
        said.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    pub(crate) fn lend(self, key: Arc<WorkerKey>, returns: Returned) -> Result<Worker> {
        let broken = |error: io::Error| SparkError::internal("a worker's socket cannot be used").source(error);
        let stream = UnixStream::from_std(self.stream).map_err(broken)?;
        Ok(Worker { stream, hold: Hold { pid: self.pid, daemon: self.daemon, returns: Some(returns), key } })
    }
}
