//! [`LocalCluster`]: plans in, rows out.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::limit::GlobalLimitExec;
use datafusion::prelude::SessionConfig;
use firesteel_engine::error::spark_error;
use firesteel_engine::session_config;
use firesteel_engine::settings::ExecutionSettings;
use firesteel_engine::stages::{self, StageGraph};
use firesteel_model::ids::JobId;
use firesteel_model::{Result, SparkError};
use firesteel_scheduler::CancelScope;
use firesteel_shuffle::ShuffleStore;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::config::ClusterConfig;
use crate::dispatch::{Command, Dispatcher, Stores, Submission};
use crate::fleet::Fleet;
use crate::local::LocalExecutor;
use crate::parcel::Parcel;
use crate::progress::{Both, ProgressSink};
use crate::results::{JobStream, PartitionResult, ResultBoard};
use crate::runner::{Executors, OwnExecutor};

/// Messages that may wait for the dispatcher; far more than there are slots and clients.
const COMMANDS_MAX: usize = 4096;

/// Threads for the dispatcher and what executors elsewhere say and send.
const FLEET_THREADS: usize = 4;

/// How long executors may take to end.
const CLOSE: Duration = Duration::from_secs(10);

/// How a job stands among others and what is wanted of it.
#[derive(Clone, Debug, Default)]
pub struct JobOptions {
    /// `setJobGroup`.
    pub group: Option<String>,
    /// `addJobTag`, operation and session tags.
    pub tags: Vec<String>,
    /// `spark.scheduler.pool`.
    pub pool: Option<String>,
    /// Text for people.
    pub description: Option<String>,
    /// Ends the job when it is cancelled.
    pub cancel: Option<CancellationToken>,
    /// Hears of progress.
    pub progress: Option<Arc<dyn ProgressSink>>,
    /// No more rows than these are wanted: partitions run one after the other, a few more each time, until there are
    /// enough.
    pub limit: Option<usize>,
    /// Files that tasks on other machines find where they lie at the driver.
    pub files: Option<Arc<Parcel>>,
    /// Later jobs read the rows, not the driver.
    pub keeps_rows: bool,
    /// The end is told when no attempt runs any more, or a while after all were told to end: somebody cleans up then.
    pub waits_for_attempts: bool,
    /// Settings of the session.
    pub settings: ExecutionSettings,
    /// DataFusion's configuration in tasks; without it the one that follows from the settings.
    pub config: Option<SessionConfig>,
}

/// A cluster: its dispatcher in this process, and its executor here or executors elsewhere.
///
/// Guarantees: jobs run on threads of its own, so a caller's runtime stays responsive; memory and directories are given
/// back when it is dropped. Dropping it ends all jobs.
#[derive(Debug)]
pub struct LocalCluster {
    executor: Arc<LocalExecutor>,
    commands: mpsc::Sender<Command>,
    next_job: AtomicU64,
    control: Option<Runtime>,
    slots_per_executor: usize,
    hash_join_bytes_max: u64,
    listener: Option<Arc<dyn ProgressSink>>,
}

impl LocalCluster {
    /// Starts threads, memory and store.
    pub fn start(config: ClusterConfig) -> Result<Arc<Self>> {
        let executor = Arc::new(LocalExecutor::start(&config)?);
        let control = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(if config.fleet.is_some() { FLEET_THREADS } else { 1 })
            .thread_name("firesteel-control")
            .enable_all()
            .build();
        let control =
            control.map_err(|error| SparkError::internal("failed to start the control thread").source(error))?;
        let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
        // A weak sender: the loop ends when the cluster and all streams are gone.
        let (reports, stores) =
            (commands.downgrade(), Stores::new(Arc::clone(&executor.store), Arc::clone(&executor.results)));
        let executors: Box<dyn Executors> = match &config.fleet {
            None => Box::new(OwnExecutor::new(Arc::clone(&executor), reports)),
            Some(fleet) => {
                let _control = control.enter();
                let (directory, results) = (executor.directory().to_owned(), Arc::clone(&executor.results));
                Box::new(Fleet::open(fleet, directory, results, reports)?)
            }
        };
        let dispatcher = Dispatcher::new(config.scheduler, executors, stores);
        control.spawn(dispatcher.run(inbox));
        let (slots_per_executor, hash_join_bytes_max) = match &config.fleet {
            Some(fleet) => (fleet.slots as usize, fleet.hash_join_bytes_max()),
            None => (executor.slots as usize, executor.hash_join_bytes_max()),
        };
        let (next_job, control) = (AtomicU64::new(0), Some(control));
        let listener = config.listener;
        Ok(Arc::new(Self { executor, commands, next_job, control, slots_per_executor, hash_join_bytes_max, listener }))
    }

    /// Memory, disk, caches and object stores of tasks; plans must be made with the same.
    pub fn runtime_env(&self) -> Arc<RuntimeEnv> {
        Arc::clone(&self.executor.runtime_env)
    }

    /// How many tasks run at once.
    pub fn slots(&self) -> usize {
        self.executor.slots as usize
    }

    /// How many tasks run at once on each executor.
    pub fn slots_per_executor(&self) -> usize {
        self.slots_per_executor
    }

    /// Where spills and shuffle files are.
    pub fn directory(&self) -> &Path {
        self.executor.directory()
    }

    /// Starts a job. Its rows come from the stream; dropping the stream cancels it.
    pub async fn submit(&self, plan: Arc<dyn ExecutionPlan>, mut options: JobOptions) -> Result<JobStream> {
        self.limit_joins(&mut options.settings);
        let plan = match options.limit {
            Some(rows) => limited(plan, rows),
            None => plan,
        };
        let graph = stages::cut(plan, &options.settings).map_err(spark_error)?;
        self.start_job(graph, options).await
    }

    /// What a task may hold of a join's side, where nobody said.
    pub(crate) fn limit_joins(&self, settings: &mut ExecutionSettings) {
        settings.adaptive.hash_join_bytes_max.get_or_insert(self.hash_join_bytes_max);
    }

    /// Where tasks leave rows for one another.
    pub(crate) fn shuffle(&self) -> &dyn ShuffleStore {
        self.executor.store.as_ref()
    }

    /// Starts a job that is cut already.
    pub(crate) async fn start_job(&self, graph: StageGraph, mut options: JobOptions) -> Result<JobStream> {
        options.progress = self.listeners(options.progress);
        let job = JobId(self.next_job.fetch_add(1, Ordering::Relaxed));
        let board = Arc::new(ResultBoard::default());
        let (schema, limit) = (Arc::clone(&graph.schema), graph.limit);
        let stream = JobStream::new(
            job,
            schema,
            limit,
            Arc::clone(&board),
            Arc::clone(&self.executor.results),
            self.commands.clone(),
        );
        if let Some(cancel) = options.cancel.clone() {
            self.watch(job, cancel, Arc::clone(&board));
        }
        let mut config = options.config.clone().unwrap_or_else(|| session_config(&options.settings));
        let kept_for_merging = &mut config.options_mut().execution.sort_spill_reservation_bytes;
        *kept_for_merging = self.executor.sort_reservation_bytes().min(*kept_for_merging);
        self.send(Command::Submit(Box::new(Submission { job, graph, config, options, board }))).await?;
        Ok(stream)
    }

    /// Runs a job to its end, as writes do, and gives the rows of every partition that has some.
    pub async fn run_to_completion(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        options: JobOptions,
    ) -> Result<Vec<PartitionResult>> {
        self.submit(plan, options).await?.collect().await
    }

    /// The first rows; only as many partitions run as it takes.
    pub async fn take(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        rows: usize,
        options: JobOptions,
    ) -> Result<Vec<PartitionResult>> {
        self.run_to_completion(plan, JobOptions { limit: Some(rows), ..options }).await
    }

    /// Ends the jobs of a group or with a tag, or all.
    pub async fn cancel(&self, scope: CancelScope) -> Result<()> {
        self.send(Command::Cancel(scope)).await
    }

    /// Ends all jobs and executors elsewhere, and throws away what they left in the shuffle store.
    pub async fn shutdown(&self) {
        self.executor.leave_shuffle();
        let (closed, all_closed) = oneshot::channel();
        let close = async {
            self.cancel(CancelScope::All).await?;
            self.send(Command::Close(closed)).await?;
            all_closed.await.map_err(|_| stopped())
        };
        match tokio::time::timeout(CLOSE, close).await {
            Ok(Ok(())) => {}
            // A cluster that has stopped has no jobs.
            Ok(Err(error)) => debug!(%error, "nothing was left to close"),
            Err(_) => warn!("executors that do not end are killed"),
        }
        self.executor.clean_up().await;
    }

    /// Who hears of a job: whoever wants to of this one, and whoever wants to of all.
    fn listeners(&self, own: Option<Arc<dyn ProgressSink>>) -> Option<Arc<dyn ProgressSink>> {
        match (own, self.listener.clone()) {
            (Some(own), Some(listener)) => Some(Arc::new(Both(own, listener))),
            (own, listener) => own.or(listener),
        }
    }

    async fn send(&self, command: Command) -> Result<()> {
        self.commands.send(command).await.map_err(|_| stopped())
    }

    /// Waits for whichever is first, the wish to cancel or the end of the job.
    fn watch(&self, job: JobId, cancel: CancellationToken, board: Arc<ResultBoard>) {
        let Some(control) = &self.control else { return };
        let commands = self.commands.downgrade();
        control.spawn(async move {
            tokio::select! {
                () = cancel.cancelled() => {
                    if let Some(commands) = commands.upgrade() {
                        // A closed channel means that the job is over already.
                        let _ = commands.send(Command::Cancel(CancelScope::Job(job))).await;
                    }
                }
                () = board.ended() => {}
            }
        });
    }
}

fn stopped() -> SparkError {
    SparkError::internal("the cluster has stopped")
}

fn limited(plan: Arc<dyn ExecutionPlan>, rows: usize) -> Arc<dyn ExecutionPlan> {
    let single: Arc<dyn ExecutionPlan> = Arc::new(CoalescePartitionsExec::new(plan));
    Arc::new(GlobalLimitExec::new(single, 0, Some(rows)))
}

impl Drop for LocalCluster {
    fn drop(&mut self) {
        if let Some(control) = self.control.take() {
            control.shutdown_background();
        }
    }
}
