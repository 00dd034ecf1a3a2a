//! A job's rows on their way to whoever asked for them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use firesteel_engine::stages::ResultLimit;
use firesteel_model::ids::JobId;
use firesteel_model::{Result, SparkError};
use firesteel_scheduler::CancelScope;
use firesteel_shuffle::{BatchStream, MapOutput, ShuffleStore};
use futures::{Stream, StreamExt, stream};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::dispatch::Command;
use crate::keep::KeptRows;

/// Rows of one partition of the result.
#[derive(Clone, Debug)]
pub struct ResultBatch {
    /// Which partition.
    pub partition: usize,
    /// Some of its rows.
    pub batch: RecordBatch,
}

/// All rows of one partition of the result.
#[derive(Clone, Debug)]
pub struct PartitionResult {
    /// Which partition.
    pub partition: usize,
    /// Its rows.
    pub batches: Vec<RecordBatch>,
}

/// What the dispatcher and the reader of a result share.
#[derive(Debug, Default)]
pub(crate) struct ResultBoard {
    state: Mutex<BoardState>,
    changed: Notify,
    over: CancellationToken,
}

#[derive(Debug, Default)]
struct BoardState {
    /// Committed outputs of result tasks by their order.
    outputs: BTreeMap<usize, MapOutput>,
    ended: Option<Result<()>>,
}

impl ResultBoard {
    fn locked(&self) -> MutexGuard<'_, BoardState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn commit(&self, task: usize, output: MapOutput) {
        self.locked().outputs.insert(task, output);
        self.changed.notify_one();
    }

    pub(crate) fn withdraw(&self, task: usize) {
        self.locked().outputs.remove(&task);
    }

    pub(crate) fn end(&self, result: Result<()>) {
        self.locked().ended.get_or_insert(result);
        self.changed.notify_one();
        self.over.cancel();
    }

    /// Waits for the end of the job.
    pub(crate) async fn ended(&self) {
        self.over.cancelled().await;
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.locked().ended.is_some()
    }

    /// The output of a task as soon as there is one; none when the job ended without.
    async fn output(&self, task: usize) -> Result<Option<MapOutput>> {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.locked();
                if let Some(Err(error)) = &state.ended {
                    return Err(error.clone());
                }
                if let Some(output) = state.outputs.remove(&task) {
                    return Ok(Some(output));
                }
                if state.ended.is_some() {
                    return Ok(None);
                }
            }
            changed.await;
        }
    }
}

/// The rows of a job, partition by partition in order. Later partitions wait in the shuffle store, so memory stays
/// bounded however slowly they are read.
///
/// Dropping it cancels the job and throws away what was not read.
#[derive(Debug)]
pub struct JobStream {
    job: JobId,
    schema: SchemaRef,
    board: Arc<ResultBoard>,
    store: Arc<dyn ShuffleStore>,
    commands: mpsc::Sender<Command>,
    wanted: Wanted,
    next_task: usize,
    next_partition: usize,
    current: Option<Current>,
    failed: bool,
}

#[derive(Debug)]
struct Wanted {
    skip: usize,
    rows: usize,
}

/// The output being read.
struct Current {
    output: MapOutput,
    partitions: Range<usize>,
    rows: Option<BatchStream>,
}

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.output.attempt, self.partitions)
    }
}

impl JobStream {
    pub(crate) fn new(
        job: JobId,
        schema: SchemaRef,
        limit: Option<ResultLimit>,
        board: Arc<ResultBoard>,
        store: Arc<dyn ShuffleStore>,
        commands: mpsc::Sender<Command>,
    ) -> Self {
        let wanted =
            limit.map_or(Wanted { skip: 0, rows: usize::MAX }, |limit| Wanted { skip: limit.skip, rows: limit.fetch });
        Self {
            job,
            schema,
            board,
            store,
            commands,
            wanted,
            next_task: 0,
            next_partition: 0,
            current: None,
            failed: false,
        }
    }

    /// Which job.
    pub fn job(&self) -> JobId {
        self.job
    }

    /// Its columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// More rows, or none when all were given. After an error there is nothing more.
    pub async fn next(&mut self) -> Option<Result<ResultBatch>> {
        if self.failed {
            return None;
        }
        match self.advance().await {
            Ok(batch) => batch.map(Ok),
            Err(error) => {
                self.failed = true;
                self.current = None;
                self.board.end(Err(error.clone()));
                Some(Err(error))
            }
        }
    }

    /// The same as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<ResultBatch>> + Send {
        stream::unfold(self, |mut rows| async move { rows.next().await.map(|batch| (batch, rows)) })
    }

    /// Runs to the end and gives the rows of every partition that has some.
    pub async fn collect(mut self) -> Result<Vec<PartitionResult>> {
        let mut partitions: Vec<PartitionResult> = Vec::new();
        while let Some(next) = self.next().await {
            let ResultBatch { partition, batch } = next?;
            match partitions.last_mut() {
                Some(last) if last.partition == partition => last.batches.push(batch),
                _ => partitions.push(PartitionResult { partition, batches: vec![batch] }),
            }
        }
        Ok(partitions)
    }

    /// Waits for the end of the job; its rows stay where they are until what this gives is dropped.
    pub(crate) async fn kept(mut self) -> Result<KeptRows> {
        self.board.ended().await;
        let mut outputs = Vec::new();
        while let Some(output) = self.board.output(self.next_task).await? {
            self.next_task += 1;
            outputs.push(output);
        }
        Ok(KeptRows::new(outputs, self))
    }

    async fn advance(&mut self) -> Result<Option<ResultBatch>> {
        loop {
            if self.wanted.rows == 0 {
                self.current = None;
                return self.settled().await;
            }
            let Some(current) = &mut self.current else {
                let Some(output) = self.board.output(self.next_task).await? else { return Ok(None) };
                let partitions = output.range();
                self.next_task += 1;
                self.current = Some(Current { output, partitions, rows: None });
                continue;
            };
            let Some(rows) = &mut current.rows else {
                match current.partitions.next() {
                    Some(partition) => {
                        let output = current.output.slice(partition..partition + 1).map_err(SparkError::from)?;
                        current.rows = Some(self.store.read(&self.schema, vec![output]));
                    }
                    None => {
                        self.store.remove(current.output.attempt).await;
                        self.current = None;
                    }
                }
                continue;
            };
            let Some(batch) = rows.next().await.transpose().map_err(SparkError::from)? else {
                current.rows = None;
                self.next_partition += 1;
                continue;
            };
            let partition = self.next_partition;
            if let Some(batch) = self.wanted.cut(batch) {
                return Ok(Some(ResultBatch { partition, batch }));
            }
        }
    }

    /// Enough rows were read: the job is to end well, not to be cancelled when this is dropped.
    async fn settled(&mut self) -> Result<Option<ResultBatch>> {
        loop {
            let output = self.board.output(self.next_task).await?;
            self.next_task += 1;
            if output.is_none() {
                return Ok(None);
            }
        }
    }
}

impl Wanted {
    /// The part of a batch that is wanted.
    fn cut(&mut self, batch: RecordBatch) -> Option<RecordBatch> {
        let skipped = self.skip.min(batch.num_rows());
        self.skip -= skipped;
        let taken = self.rows.min(batch.num_rows() - skipped);
        if self.rows != usize::MAX {
            self.rows -= taken;
        }
        (taken > 0).then(|| if taken == batch.num_rows() { batch.clone() } else { batch.slice(skipped, taken) })
    }
}

impl Drop for JobStream {
    fn drop(&mut self) {
        let cancel = (!self.board.has_ended()).then(|| Command::Cancel(CancelScope::Job(self.job)));
        let commands = cancel.into_iter().chain([Command::ResultDropped(self.job)]);
        for command in commands {
            // Full means busy, closed means over: then the store goes with the cluster.
            let _ = self.commands.try_send(command);
        }
    }
}
