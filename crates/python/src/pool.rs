//! [`WorkerPool`]: daemons by key, idle workers, bounds on both.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use firesteel_model::{Result, SparkError};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::daemon::Daemon;
use crate::error::failed;
use crate::worker::{Hold, Idle, Worker, WorkerKey};

/// How long a daemon may take to fork.
const FORK_TIMEOUT: Duration = Duration::from_secs(60);
/// How long an idle worker is kept, as in Spark.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// A socket's path has at most 107 bytes, of which directory and name take 57.
const PARENT_BYTES_MAX: usize = 50;

/// Bounds of a pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    /// Workers that may be busy at once.
    pub busy_max: usize,
    /// Workers of a key kept while nobody needs them.
    pub idle_max: usize,
    /// Daemons kept; the one that was used longest ago goes first.
    pub daemons_max: usize,
}

impl PoolLimits {
    /// Bounds of an executor that runs so many tasks at once; a task may hold a worker for each function it calls.
    pub fn of_slots(slots: usize) -> Self {
        let slots = slots.max(1);
        Self { busy_max: 32 * slots + 64, idle_max: 2 * slots, daemons_max: 16 }
    }
}

/// Workers of an executor.
///
/// Guarantees: no more workers are busy than the limit, beyond which a request fails rather than waits, since a task may
/// hold several; processes end when the pool is dropped.
#[derive(Debug)]
pub struct WorkerPool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    limits: PoolLimits,
    directory: TempDir,
    busy: Arc<Semaphore>,
    kinds: Mutex<HashMap<Arc<WorkerKey>, Kind>>,
}

/// The workers of one key.
#[derive(Debug)]
struct Kind {
    daemon: Arc<tokio::sync::Mutex<Option<Arc<Daemon>>>>,
    idle: Vec<Idle>,
    used: Instant,
}

/// Where a worker goes back to.
#[derive(Debug)]
pub(crate) struct Returned {
    pool: Weak<Shared>,
    _busy: OwnedSemaphorePermit,
}

impl WorkerPool {
    /// An empty pool whose sockets lie below `parent`, or below the system's temporary directory where that is too long
    /// a path for a socket.
    pub fn new(limits: PoolLimits, parent: Option<&Path>) -> Result<Self> {
        let directory = match parent.filter(|parent| parent.as_os_str().len() <= PARENT_BYTES_MAX) {
            Some(parent) => TempDir::with_prefix_in("python-", parent),
            None => TempDir::with_prefix("python-"),
        };
        let directory = directory.map_err(|error| SparkError::internal("no directory for sockets").source(error))?;
        let busy = Arc::new(Semaphore::new(limits.busy_max));
        Ok(Self { shared: Arc::new(Shared { limits, directory, busy, kinds: Mutex::default() }) })
    }

    /// A worker that waits for a request: an idle one, else a new one.
    ///
    /// Errors: the Python cannot run workers; too many are busy.
    pub async fn lend(&self, key: &WorkerKey) -> Result<Worker> {
        let shared = &self.shared;
        let permit = Arc::clone(&shared.busy).try_acquire_owned().map_err(|_| {
            failed(format!("{} Python workers are busy, as many as are allowed", shared.limits.busy_max))
        })?;
        let returns = Returned { pool: Arc::downgrade(shared), _busy: permit };
        let (key, daemon, idle) = shared.take(key);
        if let Some(idle) = idle {
            return idle.lend(key, returns);
        }
        let daemon = running(&daemon, &key, shared).await?;
        let (stream, pid) = tokio::time::timeout(FORK_TIMEOUT, connect(&daemon))
            .await
            .map_err(|_| failed(format!("the Python daemon did not fork within {} s", FORK_TIMEOUT.as_secs())))??;
        Ok(Worker { stream, hold: Hold { pid, daemon, returns: Some(returns), key } })
    }
}

/// The daemon of a key, started if need be; others of the key wait meanwhile.
async fn running(
    slot: &tokio::sync::Mutex<Option<Arc<Daemon>>>,
    key: &Arc<WorkerKey>,
    shared: &Arc<Shared>,
) -> Result<Arc<Daemon>> {
    let mut slot = slot.lock().await;
    if let Some(daemon) = slot.as_ref().filter(|daemon| daemon.is_alive()) {
        return Ok(Arc::clone(daemon));
    }
    let (key, shared) = (Arc::clone(key), Arc::clone(shared));
    let started = tokio::task::spawn_blocking(move || Daemon::start(&key, shared.directory.path())).await;
    let daemon = Arc::new(started.map_err(|error| SparkError::internal("starting a daemon panicked").source(error))??);
    *slot = Some(Arc::clone(&daemon));
    Ok(daemon)
}

async fn connect(daemon: &Daemon) -> Result<(UnixStream, i32)> {
    let broken = |error: std::io::Error| failed(format!("the Python daemon forks no worker: {error}")).source(error);
    let mut stream = UnixStream::connect(&daemon.socket).await.map_err(broken)?;
    let pid = stream.read_i32().await.map_err(broken)?;
    // Where a fork fails the daemon sends the error's number, and ends the connection.
    Ok((stream, pid))
}

impl Shared {
    /// What there is for a key; forgets what has been idle for too long.
    fn take(&self, key: &WorkerKey) -> (Arc<WorkerKey>, Arc<tokio::sync::Mutex<Option<Arc<Daemon>>>>, Option<Idle>) {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        for kind in kinds.values_mut() {
            kind.idle.retain(|idle| idle.since.elapsed() < IDLE_MAX);
        }
        if !kinds.contains_key(key) && kinds.len() >= self.limits.daemons_max {
            let oldest = kinds.iter().min_by_key(|(_, kind)| kind.used).map(|(key, _)| Arc::clone(key));
            oldest.and_then(|key| kinds.remove(&key));
        }
        let shared_key = kinds.get_key_value(key).map_or_else(|| Arc::new(key.clone()), |(key, _)| Arc::clone(key));
        let kind = kinds.entry(Arc::clone(&shared_key)).or_insert_with(|| Kind {
            daemon: Arc::default(),
            idle: Vec::new(),
            used: Instant::now(),
        });
        kind.used = Instant::now();
        let mut idle = None;
        while let Some(candidate) = kind.idle.pop() {
            if candidate.is_usable() {
                idle = Some(candidate);
                break;
            }
        }
        (shared_key, Arc::clone(&kind.daemon), idle)
    }
}

impl Returned {
    pub(crate) fn put(self, key: &Arc<WorkerKey>, idle: Idle) {
        let Some(pool) = self.pool.upgrade() else { return };
        let mut kinds = pool.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kind) = kinds.get_mut(key).filter(|kind| kind.idle.len() < pool.limits.idle_max) {
            kind.idle.push(idle);
        }
    }
}
