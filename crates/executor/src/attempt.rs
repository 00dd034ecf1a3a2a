//! One attempt of a task, from its plan to its output or its error.

use std::any::Any;
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::common::DataFusionError;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::TaskContext;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricValue;
use datafusion::prelude::SessionConfig;
use firesteel_engine::error::{ExecutionError, execution_error};
use firesteel_engine::stages::StageNo;
use firesteel_engine::task::{TaskEnvironment, TaskOutput};
use firesteel_functions::task::cancellable;
use firesteel_model::SparkError;
use firesteel_model::ids::TaskAttempt;
use firesteel_python::WorkerPool;
use firesteel_scheduler::TaskFailure;
use firesteel_shuffle::{MapOutput, ShuffleStore};
use futures::StreamExt;
use tokio::task::JoinError;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long a cancelled attempt has for giving back what it holds elsewhere, such as uploads to a store.
const CLEAN_UP: Duration = Duration::from_secs(1);

/// Everything an attempt needs.
pub(crate) struct AttemptWork {
    pub(crate) attempt: TaskAttempt,
    /// With the writing on top, prepared by [`firesteel_engine::in_task`].
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    /// The plan's partition; not the task's where the stage runs only some of them.
    pub(crate) partition: usize,
    pub(crate) inputs: HashMap<StageNo, Arc<Vec<MapOutput>>>,
    pub(crate) config: SessionConfig,
    pub(crate) cancel: CancellationToken,
}

/// An executor's last word on an attempt.
pub(crate) struct AttemptEnd {
    pub(crate) result: Result<TaskOutput, TaskFailure>,
    pub(crate) metrics: TaskMetrics,
}

impl AttemptEnd {
    /// Of an attempt around whose run something panicked.
    pub(crate) fn of_panic(panic: &(dyn Any + Send)) -> Self {
        let error = panicked("an executor's thread", panic);
        Self { result: Err(TaskFailure::Error(error)), metrics: TaskMetrics::default() }
    }
}

/// What an attempt did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskMetrics {
    /// Rows that it gave.
    pub rows: u64,
    /// Their size.
    pub bytes: u64,
    /// Bytes read from files.
    pub scanned_bytes: u64,
    /// Bytes that operators and shuffle wrote to disk for want of memory.
    pub spilled_bytes: u64,
    /// How long it took.
    pub duration: Duration,
}

/// Runs an attempt to its end. A panic in it is a failure of this attempt and of nothing else; a cancelled one leaves
/// nothing behind.
pub(crate) async fn run(
    work: AttemptWork,
    store: Arc<dyn ShuffleStore>,
    runtime: Arc<RuntimeEnv>,
    workers: Arc<WorkerPool>,
) -> AttemptEnd {
    let started = Instant::now();
    let AttemptWork { attempt, plan, partition, inputs, config, cancel } = work;
    let environment = Arc::new(TaskEnvironment::new(attempt, Arc::clone(&store), inputs, cancel.clone()));
    let config =
        config.with_extension(Arc::clone(&environment)).with_extension(Arc::new(attempt)).with_extension(workers);
    let context = Arc::new(task_context(attempt, config, runtime));
    let work = execute(Arc::clone(&plan), partition, context, Arc::clone(&environment));
    let mut running = tokio::spawn(until_cancelled(cancel.clone(), work));
    let joined = tokio::select! {
        biased;
        joined = &mut running => joined,
        () = cancel.cancelled() => match timeout(CLEAN_UP, &mut running).await {
            Ok(joined) => joined,
            Err(_) => {
                running.abort();
                running.await
            }
        }
    };
    let result = match joined.unwrap_or_else(|error| Err(lost_thread(error))) {
        // Whatever it failed with, that is why.
        Err(_) if cancel.is_cancelled() => Err(TaskFailure::Killed),
        result => result,
    };
    if result.is_err() {
        store.remove(attempt).await;
    }
    let written = result.as_ref().map_or(0, |output| output.map.spilled_bytes);
    let (scanned_bytes, spilled) = plan_metrics(&plan, partition);
    let metrics = TaskMetrics {
        rows: environment.counters.rows(),
        bytes: environment.counters.bytes(),
        scanned_bytes,
        spilled_bytes: spilled + written,
        duration: started.elapsed(),
    };
    AttemptEnd { result, metrics }
}

/// The work, in whose plan everything can see that it is cancelled. Dropping a future that is being polled has to wait
/// for the poll to end, which may take as long as the task would.
async fn until_cancelled<T>(cancel: CancellationToken, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|cx| cancellable(&cancel, || work.as_mut().poll(cx))).await
}

async fn execute(
    plan: Arc<dyn ExecutionPlan>,
    partition: usize,
    context: Arc<TaskContext>,
    environment: Arc<TaskEnvironment>,
) -> Result<TaskOutput, TaskFailure> {
    let mut rows = plan.execute(partition, context).map_err(failure)?;
    while let Some(batch) = rows.next().await {
        batch.map_err(failure)?;
    }
    let missing = || TaskFailure::Error(SparkError::internal("a task ended without its output"));
    environment.take_output().ok_or_else(missing)
}

fn task_context(attempt: TaskAttempt, config: SessionConfig, runtime: Arc<RuntimeEnv>) -> TaskContext {
    let empty = (HashMap::new(), HashMap::new(), HashMap::new(), HashMap::new());
    let (scalar, higher_order, aggregate, window) = empty;
    let id = attempt.to_string();
    TaskContext::new(Some(id.clone()), id, config, scalar, higher_order, aggregate, window, runtime)
}

fn failure(error: DataFusionError) -> TaskFailure {
    match execution_error(error) {
        ExecutionError::FetchFailed(output) => TaskFailure::FetchFailed { input: output.task, attempt: output.attempt },
        ExecutionError::Spark(error) => TaskFailure::Error(error),
    }
}

fn lost_thread(error: JoinError) -> TaskFailure {
    if error.is_cancelled() {
        return TaskFailure::Killed;
    }
    TaskFailure::Error(panicked("a task", &*error.into_panic()))
}

/// What a panic says, as the error of what did it; another try may fare better.
pub(crate) fn panicked(who: &str, panic: &(dyn Any + Send)) -> SparkError {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    SparkError::internal(format!("{who} panicked: {text}")).retryable()
}

/// Bytes scanned and spilled by a partition of a plan that its tasks share.
fn plan_metrics(plan: &Arc<dyn ExecutionPlan>, partition: usize) -> (u64, u64) {
    let (mut scanned, mut spilled) = (0, 0);
    let mut add = |node: &Arc<dyn ExecutionPlan>| {
        let Some(metrics) = node.metrics() else { return };
        for metric in metrics.iter().filter(|metric| metric.partition() == Some(partition)) {
            match metric.value() {
                MetricValue::SpilledBytes(bytes) => spilled += bytes.value() as u64,
                MetricValue::Count { name, count } if name == "bytes_scanned" => scanned += count.value() as u64,
                _ => {}
            }
        }
    };
    // Walking a plan only to look cannot fail.
    let _ = plan.apply(|node| {
        add(node);
        Ok(TreeNodeRecursion::Continue)
    });
    (scanned, spilled)
}
