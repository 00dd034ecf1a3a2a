//! [`LocalExecutor`]: the executor of this process.

use std::path::Path;
use std::sync::Arc;

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use firesteel_engine::error::spark_error;
use firesteel_model::ids::{ExecutorId, TaskAttempt};
use firesteel_model::{Result, SparkError};
use firesteel_python::{PoolLimits, WorkerPool};
use firesteel_shuffle::{LocalStore, ShuffleStore};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::attempt::{self, AttemptEnd, AttemptWork};
use crate::config::ClusterConfig;
use crate::memory::{self, ShuffleBudget};

/// Deep plans recurse.
const STACK_BYTES: usize = 8 << 20;

/// Threads for tasks, memory, a directory and the shuffle store.
///
/// Dropping it stops its threads as soon as the tasks on them yield, and removes the directory.
#[derive(Debug)]
pub(crate) struct LocalExecutor {
    pub(crate) id: ExecutorId,
    pub(crate) slots: u32,
    pub(crate) runtime_env: Arc<RuntimeEnv>,
    pub(crate) store: Arc<dyn ShuffleStore>,
    /// Processes that run Python functions.
    pub(crate) workers: Arc<WorkerPool>,
    threads: Option<Runtime>,
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
        let pool = memory::pool(bytes);
        let budget = ShuffleBudget::new(&pool, config.shuffle_memory_bytes.unwrap_or(bytes / 4));
        let disk = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![spills]))
            .with_max_temp_directory_size(u64::MAX);
        let mut runtime_env = RuntimeEnvBuilder::new().with_memory_pool(pool).with_disk_manager_builder(disk);
        if let Some(stores) = &config.object_stores {
            runtime_env = runtime_env.with_object_store_registry(Arc::clone(stores));
        }
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(config.slots.max(1))
            .thread_name("firesteel-task")
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()
            .map_err(broken("start threads for tasks"))?;
        let workers = Arc::new(WorkerPool::new(PoolLimits::of_slots(config.slots), Some(directory.path()))?);
        Ok(Self {
            id: ExecutorId(0),
            workers,
            slots: u32::try_from(config.slots.max(1)).unwrap_or(u32::MAX),
            runtime_env: runtime_env.build_arc().map_err(spark_error)?,
            store: Arc::new(LocalStore::new(shuffle, Arc::new(budget))),
            threads: Some(threads),
            directory,
        })
    }

    /// Where spills and shuffle files are.
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

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Runs an attempt on the task threads; `report` hears of its end, whatever it is.
    pub(crate) fn launch<F, R>(&self, work: AttemptWork, report: F)
    where
        F: FnOnce(TaskAttempt, AttemptEnd) -> R + Send + 'static,
        R: Future<Output = ()> + Send,
    {
        let Some(threads) = &self.threads else { return };
        let (store, runtime_env) = (Arc::clone(&self.store), Arc::clone(&self.runtime_env));
        let workers = Arc::clone(&self.workers);
        threads.spawn(async move {
            let attempt = work.attempt;
            let end = attempt::run(work, store, runtime_env, workers).await;
            report(attempt, end).await;
        });
    }
}

impl Drop for LocalExecutor {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}
