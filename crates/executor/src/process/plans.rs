//! Plans and lists of inputs that tasks of this process share; each is fetched once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::prelude::SessionConfig;
use firesteel_engine::codec::PlanCodec;
use firesteel_engine::error::spark_error;
use firesteel_engine::{in_task, session_config};
use firesteel_model::ids::TaskAttempt;
use firesteel_model::{Result, SparkError};
use firesteel_rpc::{BlobHash, Link, RpcError};
use firesteel_shuffle::MapOutput;
use tokio::sync::OnceCell;

use crate::parcel;
use crate::wire::{self, ReadPlan};

/// Plans, or lists, kept for the next task: how many, and about how many bytes.
const KEPT_MAX: usize = 64;
const KEPT_BYTES_MAX: u64 = 64 << 20;

/// How often a fetch is tried.
const TRIES: u32 = 3;

/// Between two tries; longer before later ones.
const PAUSE: Duration = Duration::from_millis(500);

/// A stage's plan as this process runs it.
pub(super) struct StagePlan {
    /// As the codec wrote it.
    bytes: u64,
    template: Arc<dyn ExecutionPlan>,
    pub(super) config: SessionConfig,
    /// The copy that first attempts share while any of them runs, so that a broadcast side is built once.
    shared: Mutex<Option<Weak<dyn ExecutionPlan>>>,
}

impl StagePlan {
    /// The plan for an attempt. Later attempts of a task get a copy of their own: state left by a failed one must not
    /// fail the next.
    pub(super) fn for_attempt(&self, attempt: TaskAttempt) -> Result<Arc<dyn ExecutionPlan>> {
        let fresh = || reset_plan_states(Arc::clone(&self.template)).and_then(in_task).map_err(spark_error);
        if attempt.attempt.0 > 0 {
            return fresh();
        }
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = shared.as_ref().and_then(Weak::upgrade) {
            return Ok(plan);
        }
        let plan = fresh()?;
        *shared = Some(Arc::downgrade(&plan));
        Ok(plan)
    }
}

/// Adds what tasks find in their configuration beside the settings.
pub type Extend = Arc<dyn Fn(SessionConfig) -> SessionConfig + Send + Sync>;

/// Fetches, and keeps the last ones used.
pub(super) struct Plans {
    link: Link,
    codec: Arc<PlanCodec>,
    runtime: Arc<RuntimeEnv>,
    extend: Extend,
    plans: Kept<StagePlan>,
    outputs: Kept<Vec<MapOutput>>,
    laid: Kept<Laid>,
}

/// Files that lie where functions look for them.
struct Laid;

/// Does work that may take long, while other tasks are waiting for the thread.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T, FetchError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(SparkError::internal("reading a plan panicked"))).map_err(FetchError::Broken)
}

impl Plans {
    pub(super) fn new(link: Link, codec: Arc<PlanCodec>, runtime: Arc<RuntimeEnv>, extend: Extend) -> Self {
        Self { link, codec, runtime, extend, plans: Kept::default(), outputs: Kept::default(), laid: Kept::default() }
    }

    pub(super) async fn plan(&self, hash: BlobHash) -> Result<Arc<StagePlan>, FetchError> {
        let cell = self.plans.cell(hash);
        let plan = cell.get_or_try_init(|| async {
            let bytes = self.fetch(hash).await?;
            let ReadPlan { settings, plan, files } = aside(move || wire::plan_from_bytes(&bytes)).await?;
            if let Some(files) = files {
                self.lay(files).await?;
            }
            let (codec, runtime) = (Arc::clone(&self.codec), Arc::clone(&self.runtime));
            let extend = Arc::clone(&self.extend);
            aside(move || {
                let config = extend(session_config(&settings));
                let template = codec.decode(&plan, config.clone(), runtime)?;
                Ok(Arc::new(StagePlan { bytes: plan.len() as u64, template, config, shared: Mutex::default() }))
            })
            .await
        });
        plan.await.cloned()
    }

    /// Lays files where functions look for them; each parcel once.
    async fn lay(&self, hash: BlobHash) -> Result<(), FetchError> {
        let cell = self.laid.cell(hash);
        let laid = cell.get_or_try_init(|| async {
            let bytes = self.fetch(hash).await?;
            aside(move || parcel::unpack(&bytes)).await.map(|()| Arc::new(Laid))
        });
        laid.await.map(|_| ())
    }

    pub(super) async fn outputs(&self, hash: BlobHash) -> Result<Arc<Vec<MapOutput>>, FetchError> {
        let cell = self.outputs.cell(hash);
        let outputs = cell.get_or_try_init(|| async {
            let bytes = self.fetch(hash).await?;
            wire::outputs_from_bytes(&bytes).map(Arc::new).map_err(FetchError::Broken)
        });
        outputs.await.cloned()
    }

    async fn fetch(&self, hash: BlobHash) -> Result<Bytes, FetchError> {
        let mut tries = 1;
        loop {
            match self.link.fetch(hash).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) if error.is_retryable() && tries < TRIES => {
                    tokio::time::sleep(PAUSE * tries).await;
                    tries += 1;
                }
                Err(error) if error.is_retryable() => return Err(FetchError::Broken(error.into())),
                // The driver does not want the task any more.
                Err(error) => return Err(FetchError::Gone(error)),
            }
        }
    }
}

/// Why an attempt cannot be begun.
#[derive(Debug)]
pub(super) enum FetchError {
    /// What it needs cannot be had.
    Gone(RpcError),
    /// What it needs makes no sense, or the driver is not reached.
    Broken(SparkError),
}

/// How much memory something takes, about.
trait Footprint {
    fn bytes(&self) -> u64;
}

impl Footprint for StagePlan {
    fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Footprint for Laid {
    fn bytes(&self) -> u64 {
        0
    }
}

impl Footprint for Vec<MapOutput> {
    fn bytes(&self) -> u64 {
        self.iter().map(|output| (size_of::<MapOutput>() + size_of_val(output.partitions.as_slice())) as u64).sum()
    }
}

/// The last ones used; those that are being fetched are kept anyway.
struct Kept<T> {
    cells: Mutex<VecDeque<(BlobHash, Arc<OnceCell<Arc<T>>>)>>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { cells: Mutex::default() }
    }
}

impl<T: Footprint> Kept<T> {
    fn cell(&self, hash: BlobHash) -> Arc<OnceCell<Arc<T>>> {
        let mut cells: MutexGuard<'_, VecDeque<_>> = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let known = cells.iter().position(|(known, _)| *known == hash).and_then(|place| cells.remove(place));
        let entry = known.unwrap_or_else(|| (hash, Arc::default()));
        let cell = Arc::clone(&entry.1);
        let bytes = |cells: &VecDeque<(BlobHash, Arc<OnceCell<Arc<T>>>)>| {
            cells.iter().filter_map(|(_, cell)| cell.get()).map(|kept| kept.bytes()).sum::<u64>()
        };
        while cells.len() >= KEPT_MAX || bytes(&cells) > KEPT_BYTES_MAX {
            cells.pop_front();
        }
        cells.push_back(entry);
        cell
    }
}
