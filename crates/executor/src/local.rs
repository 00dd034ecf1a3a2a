//! [`LocalExecutor`]: the executor of this process.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use firesteel_engine::error::spark_error;
use firesteel_model::ids::{ExecutorId, TaskAttempt};
use firesteel_model::{Result, SparkError};
use firesteel_python::{PoolLimits, WorkerPool};
use firesteel_shuffle::{LocalStore, ObjectShuffleStore, ShuffleStore};
use futures::FutureExt;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tracing::warn;

use crate::attempt::{self, AttemptEnd, AttemptWork};
use crate::config::ClusterConfig;
use crate::memory::{self, ShuffleBudget};
use crate::undeleted::Undeleted;

/// Threads that move bytes of the shuffle while tasks compute.
const IO_THREADS: usize = 2;

/// How long the end of the application may take to throw its shuffle outputs away.
const CLEAN_UP: Duration = Duration::from_secs(60);

/// Deep plans recurse.
const STACK_BYTES: usize = 8 << 20;

/// Threads for tasks, memory, a directory and the shuffle store.
///
/// Dropping it stops its threads as soon as the tasks on them yield, and removes the directory and what the shuffle
/// store holds.
#[derive(Debug)]
pub(crate) struct LocalExecutor {
    pub(crate) id: ExecutorId,
    pub(crate) slots: u32,
    pub(crate) runtime_env: Arc<RuntimeEnv>,
    pub(crate) store: Arc<dyn ShuffleStore>,
    /// Processes that run Python functions.
    pub(crate) workers: Arc<WorkerPool>,
    /// Where the driver keeps what it reads itself; the same store where tasks run in this process.
    pub(crate) results: Arc<dyn ShuffleStore>,
    /// Whether what the store holds stays when this executor is gone: others go on with it, or somebody clears it.
    keeps_shuffle: AtomicBool,
    threads: Option<Runtime>,
    io: Option<Runtime>,
    directory: TempDir,
}

impl LocalExecutor {
    pub(crate) fn start(config: &ClusterConfig) -> Result<Self> {
        let broken = |action: &'static str| {
            move |error: std::io::Error| SparkError::internal(format!("failed to {action}: {error}")).source(error)
        };
        let directory = match &config.directory {
            Some(parent) => TempDir::with_prefix_in("firesteel-", parent),
            None => TempDir::with_prefix("firesteel-"),
        };
        let directory = directory.map_err(broken("make a directory for spills"))?;
        let (spills, shuffle) = (directory.path().join("spill"), directory.path().join("shuffle"));
        for path in [&spills, &shuffle] {
            std::fs::create_dir(path).map_err(broken("make a directory for spills"))?;
        }
        let bytes = config.memory_bytes.unwrap_or_else(memory::default_pool_bytes);
        let slots = config.slots.max(1);
        let pool = memory::pool(bytes);
        let shuffle_memory = config.shuffle_memory_bytes.unwrap_or(bytes / 4);
        let budget = ShuffleBudget::new(&pool, shuffle_memory);
        let disk = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![spills]))
            .with_max_temp_directory_size(u64::MAX)
            .with_max_spill_merge_fan_in(memory::merge_fan_in(bytes / slots as u64));
        let mut runtime_env =
            RuntimeEnvBuilder::new().with_memory_pool(Arc::clone(&pool)).with_disk_manager_builder(disk);
        if let Some(stores) = &config.object_stores {
            runtime_env = runtime_env.with_object_store_registry(Arc::clone(stores));
        }
        // A driver whose tasks run elsewhere has none itself.
        let thread_count = if config.fleet.is_some() { 1 } else { slots };
        let threads = runtime("firesteel-task", thread_count).map_err(broken("start threads for tasks"))?;
        let local = LocalStore::new(&shuffle, Arc::new(ShuffleBudget::new(&pool, shuffle_memory)));
        let local: Arc<dyn ShuffleStore> = Arc::new(local);
        let (store, io): (Arc<dyn ShuffleStore>, _) = match config.shuffle.clone() {
            None => (Arc::clone(&local), None),
            Some(location) => {
                let io = runtime("firesteel-io", IO_THREADS).map_err(broken("start threads for the shuffle"))?;
                let handle = io.handle().clone();
                let share = bytes / slots as u64;
                let store = ObjectShuffleStore::new(location, shuffle, Arc::new(budget), slots, share, handle);
                let store: Arc<dyn ShuffleStore> = Arc::new(store);
                (if config.leaves_shuffle { Arc::new(Undeleted(store)) } else { store }, Some(io))
            }
        };
        let workers = Arc::new(WorkerPool::new(PoolLimits::of_slots(slots), Some(directory.path()))?);
        Ok(Self {
            id: ExecutorId(0),
            workers,
            slots: u32::try_from(slots).unwrap_or(u32::MAX),
            runtime_env: runtime_env.build_arc().map_err(spark_error)?,
            results: if config.fleet.is_some() { local } else { Arc::clone(&store) },
            store,
            keeps_shuffle: AtomicBool::new(config.keeps_shuffle),
            threads: Some(threads),
            io,
            directory,
        })
    }

    /// What one task may hold of a join's side: a third of its share, for the table of keys and what is around it.
    pub(crate) fn hash_join_bytes_max(&self) -> u64 {
        self.task_share().map_or(u64::MAX, |bytes| bytes as u64 / 3)
    }

    /// What a sort keeps for merging what it spilled: little enough for several sorts in one task.
    pub(crate) fn sort_reservation_bytes(&self) -> usize {
        self.task_share().map_or(usize::MAX, |bytes| bytes / 16)
    }

    /// The pool's bytes for each slot.
    fn task_share(&self) -> Option<usize> {
        match self.runtime_env.memory_pool.memory_limit() {
            MemoryLimit::Finite(bytes) => Some(bytes / (self.slots.max(1) as usize)),
            MemoryLimit::Infinite | MemoryLimit::Unknown => None,
        }
    }

    /// Where spills and shuffle files are.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// From now on [`Self::clean_up`] is the caller's to call, and dropping the executor waits for no store.
    pub(crate) fn leave_shuffle(&self) {
        self.keeps_shuffle.store(true, Ordering::Relaxed);
    }

    /// Throws everything away that the shuffle store holds; the last thing that is done with an executor.
    pub(crate) async fn clean_up(&self) {
        clean_up(Arc::clone(&self.store)).await;
    }

    /// Runs an attempt on the task threads, its output into `store`; `report` hears of its end, whatever it is, a panic
    /// outside of the attempt's own work included.
    pub(crate) fn launch<F, R>(&self, work: AttemptWork, store: Arc<dyn ShuffleStore>, report: F)
    where
        F: FnOnce(TaskAttempt, AttemptEnd) -> R + Send + 'static,
        R: Future<Output = ()> + Send,
    {
        let Some(threads) = &self.threads else { return };
        let (runtime_env, workers) = (Arc::clone(&self.runtime_env), Arc::clone(&self.workers));
        threads.spawn(async move {
            let attempt = work.attempt;
            let run = AssertUnwindSafe(attempt::run(work, store, runtime_env, workers)).catch_unwind().await;
            report(attempt, run.unwrap_or_else(|panic| AttemptEnd::of_panic(&*panic))).await;
        });
    }
}

/// Throws everything away that the store holds, unless that takes too long.
async fn clean_up(store: Arc<dyn ShuffleStore>) {
    if tokio::time::timeout(CLEAN_UP, store.remove_application()).await.is_err() {
        warn!("shuffle outputs are left in their bucket: removing them took too long");
    }
}

fn runtime(name: &str, threads: usize) -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name(name)
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
}

impl Drop for LocalExecutor {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
        if let Some(io) = self.io.take() {
            if self.keeps_shuffle.load(Ordering::Relaxed) {
                io.shutdown_background();
                return;
            }
            let store = Arc::clone(&self.store);
            // On a thread of its own, because this may run on one that must not wait.
            let done = std::thread::spawn(move || {
                io.block_on(clean_up(store));
                io.shutdown_background();
            });
            // It does not panic; if it did, there would be nothing left to do.
            let _ = done.join();
        }
    }
}
