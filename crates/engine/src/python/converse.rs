//! Talking with a worker: one task gives it rows while the stream takes what it answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::record_batch::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result, internal_datafusion_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use firesteel_model::{SparkError, conf};
use firesteel_python::{Input, Output, PythonSession, Request, Sent, TaskInfo, WorkerPool};
use futures::stream::{BoxStream, StreamExt};

use crate::task::TaskEnvironment;

/// Why rows stopped coming: an error of the input, which a worker only sees as an end.
#[derive(Clone, Debug, Default)]
pub(crate) struct InputFailure(Arc<Mutex<Option<DataFusionError>>>);

impl InputFailure {
    fn take(&self) -> Option<DataFusionError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The stream, its error kept here.
    pub(crate) fn watch(&self, input: SendableRecordBatchStream) -> BoxStream<'static, Result<RecordBatch>> {
        let kept = self.clone();
        let keep = move |error| {
            *kept.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            internal_datafusion_err!("the input of a Python function failed")
        };
        input.map(move |batch| batch.map_err(&keep)).boxed()
    }
}

/// What a task of a plan brings to a conversation.
#[derive(Clone, Debug)]
pub(crate) struct Speaker {
    pool: Arc<WorkerPool>,
    environment: Arc<TaskEnvironment>,
    pub(crate) task: TaskInfo,
}

impl Speaker {
    /// The task that runs a partition.
    pub(crate) fn of(context: &TaskContext, partition: usize) -> Result<Self> {
        let pool = context.session_config().get_extension::<WorkerPool>();
        let pool = pool.ok_or_else(|| internal_datafusion_err!("a Python function ran where there are no workers"))?;
        let environment = TaskEnvironment::of(context)?;
        let (task, attempt) = (environment.attempt.task, environment.attempt.attempt.0);
        let task = TaskInfo {
            stage: task.stage.0,
            partition,
            attempt,
            attempt_id: task.stage.0 << 32 | u64::from(task.partition.0) << 8 | u64::from(attempt),
            local_properties: BTreeMap::new(),
        };
        Ok(Self { pool, environment, task })
    }

    /// Sends a request and gives what the worker answers.
    ///
    /// `feed` gives the rows, on a task of its own; errors of its input must go through `failure`.
    pub(crate) fn converse<F>(
        self,
        session: Arc<PythonSession>,
        request: Request,
        failure: InputFailure,
        feed: impl FnOnce(Input) -> F + Send + 'static,
    ) -> BoxStream<'static, Result<RecordBatch>>
    where
        F: Future<Output = Result<Sent>> + Send + 'static,
    {
        let begin = async move {
            let worker = self.pool.lend(&session.worker).await.map_err(external)?;
            let (input, output) = worker.begin(&request).await.map_err(external)?;
            let feeder = SpawnedTask::spawn(feed(input));
            let is_profiled = session.conf.contains_key(conf::PYSPARK_UDF_PROFILER.name);
            let conversation = Conversation { output, feeder, failure, is_profiled, environment: self.environment };
            Ok(conversation.batches())
        };
        futures::stream::once(begin).flat_map(flattened).boxed()
    }
}

/// Talks only if there are rows to talk about: no worker is needed for an empty partition.
pub(crate) fn unless_empty(
    mut rows: BoxStream<'static, Result<RecordBatch>>,
    failure: InputFailure,
    talk: impl FnOnce(BoxStream<'static, Result<RecordBatch>>) -> BoxStream<'static, Result<RecordBatch>> + Send + 'static,
) -> BoxStream<'static, Result<RecordBatch>> {
    let begin = async move {
        loop {
            match rows.next().await {
                None => return Ok(futures::stream::empty().boxed()),
                Some(Ok(batch)) if batch.num_rows() == 0 => {}
                Some(Ok(batch)) => return Ok(talk(futures::stream::iter([Ok(batch)]).chain(rows).boxed())),
                Some(Err(error)) => return Err(failure.take().unwrap_or(error)),
            }
        }
    };
    futures::stream::once(begin).flat_map(flattened).boxed()
}

fn flattened(begun: Result<BoxStream<'static, Result<RecordBatch>>>) -> BoxStream<'static, Result<RecordBatch>> {
    begun.unwrap_or_else(|error| futures::stream::once(std::future::ready(Err(error))).boxed())
}

struct Conversation {
    output: Output,
    feeder: SpawnedTask<Result<Sent>>,
    failure: InputFailure,
    /// The client's profiler is the only one who reads what functions report.
    is_profiled: bool,
    environment: Arc<TaskEnvironment>,
}

impl Conversation {
    fn batches(self) -> BoxStream<'static, Result<RecordBatch>> {
        futures::stream::try_unfold(Some(self), |conversation| async move {
            let Some(mut conversation) = conversation else { return Ok(None) };
            match conversation.output.next().await {
                Ok(Some(batch)) => Ok(Some((batch, Some(conversation)))),
                Ok(None) => conversation.end().await.map(|()| None),
                // A worker whose input ends too soon complains too; the first cause is what counts.
                Err(error) => Err(conversation.failure.take().unwrap_or_else(|| external(error))),
            }
        })
        .boxed()
    }

    async fn end(self) -> Result<()> {
        let sent = match self.output.took_everything() {
            true => self.feeder.join().await.ok().and_then(Result::ok),
            // The function wanted no more rows.
            false => None,
        };
        let ended = self.output.end(sent);
        if self.is_profiled {
            self.environment.add_accumulators(ended.accumulators);
        }
        Ok(())
    }
}

/// An error of ours on its way through DataFusion.
pub(crate) fn external(error: SparkError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
