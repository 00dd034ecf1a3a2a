//! The store of one machine: batches in memory within a budget, the rest in one file for each map attempt. Outputs that
//! stay beyond their job are the first to give way when memory is short.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use firesteel_model::ids::{StageId, TaskAttempt};
use futures::{StreamExt, TryStreamExt, stream};

use crate::block::{BlockDecoder, Frame};
use crate::local_writer::LocalWriter;
use crate::retained::{Hold, Residence, Retained, YieldingBudget};
use crate::store::{BatchStream, MapWriter, MemoryBudget, ShuffleStore};
use crate::{MapOutput, Result, ShuffleError};

/// Keeps outputs for executors of this process.
///
/// Guarantees: a batch is never copied on its way through memory; what is on disk is checked by CRC on every read;
/// memory and files of an output are given back when it has been removed and its last reader is gone.
#[derive(Clone, Debug)]
pub struct LocalStore {
    directory: Arc<Path>,
    budget: Arc<dyn MemoryBudget>,
    outputs: Outputs,
    retained: Arc<Retained>,
}

pub(crate) type StoredOutputs = HashMap<TaskAttempt, Arc<StoredOutput>>;
pub(crate) type Outputs = Arc<Mutex<StoredOutputs>>;

/// Where a block lies in its file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockRef {
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// A part of a partition's rows.
#[derive(Clone, Debug)]
pub(crate) enum Chunk {
    Memory(RecordBatch),
    Disk(BlockRef),
}

/// A finished output; dropping it gives its memory and file back.
#[derive(Debug)]
pub(crate) struct StoredOutput {
    pub(crate) partitions: Vec<Vec<Chunk>>,
    pub(crate) file: Option<PathBuf>,
    pub(crate) memory: u64,
    pub(crate) budget: Arc<dyn MemoryBudget>,
    pub(crate) schema: SchemaRef,
}

impl Drop for StoredOutput {
    fn drop(&mut self) {
        self.budget.shrink(self.memory);
        if let Some(path) = &self.file {
            // The directory goes with the application, so a file that cannot be removed now is not lost.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl LocalStore {
    /// A store with its files in `directory`, which must exist.
    pub fn new(directory: impl Into<PathBuf>, budget: Arc<dyn MemoryBudget>) -> Self {
        let directory: Arc<Path> = directory.into().into();
        let outputs = Outputs::default();
        let retained = Arc::new(Retained::new(Arc::clone(&directory), &outputs));
        let budget = Arc::new(YieldingBudget::new(budget, Arc::clone(&retained)));
        Self { directory, budget, outputs, retained }
    }

    /// How many outputs it holds.
    pub fn len(&self) -> usize {
        locked(&self.outputs).len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

pub(crate) fn locked(outputs: &Outputs) -> MutexGuard<'_, StoredOutputs> {
    outputs.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl ShuffleStore for LocalStore {
    fn writer(&self, attempt: TaskAttempt, schema: SchemaRef, partitions: usize) -> Result<Box<dyn MapWriter>> {
        let path = self.directory.join(file_name(attempt));
        let outputs = Arc::clone(&self.outputs);
        Ok(Box::new(LocalWriter::new(attempt, schema, partitions, path, Arc::clone(&self.budget), outputs)))
    }

    fn read(&self, schema: &SchemaRef, outputs: Vec<MapOutput>) -> BatchStream {
        let (all, schema) = (Arc::clone(&self.outputs), Arc::clone(schema));
        // Held from now, so that removal does not disturb; opened one after the other, so that there is one open file.
        let find = |output: MapOutput| (locked(&all).get(&output.attempt).cloned(), output);
        let found: Vec<_> = outputs.into_iter().map(find).collect();
        stream::iter(found)
            .map(move |(stored, output)| {
                let attempt = output.attempt;
                let missing = || ShuffleError::FetchFailed { attempt, reason: "the output is not there".to_owned() };
                let reader = Reader::open(attempt, stored.ok_or_else(missing)?, output.range(), &schema)?;
                Ok::<_, ShuffleError>(stream::iter(reader))
            })
            .try_flatten()
            .boxed()
    }

    fn retain(&self, attempt: TaskAttempt, residence: Residence) -> Hold {
        self.retained.retain(attempt, residence)
    }

    fn hold(&self, attempt: TaskAttempt) -> Option<Hold> {
        self.retained.hold(attempt)
    }

    fn lose(&self, attempt: TaskAttempt) {
        self.retained.lose(attempt);
    }

    async fn remove(&self, attempt: TaskAttempt) {
        self.retained.forget(attempt);
        locked(&self.outputs).remove(&attempt);
    }

    async fn remove_stage(&self, stage: StageId) {
        self.retained.forget_stage(stage);
        locked(&self.outputs).retain(|attempt, _| attempt.task.stage != stage);
    }

    async fn remove_application(&self) {
        self.retained.clear();
        locked(&self.outputs).clear();
    }
}

fn file_name(attempt: TaskAttempt) -> String {
    let TaskAttempt { task, attempt } = attempt;
    format!("shuffle-{}-{:08}-{}.arrow", task.stage, task.partition.0, attempt)
}

/// Goes through chunks one by one, so that no more than one block is in memory.
struct Reader {
    attempt: TaskAttempt,
    stored: Arc<StoredOutput>,
    file: Option<File>,
    partitions: Range<usize>,
    next_chunk: usize,
    decoder: BlockDecoder,
    decoded: VecDeque<RecordBatch>,
}

impl Reader {
    fn open(
        attempt: TaskAttempt,
        stored: Arc<StoredOutput>,
        partitions: Range<usize>,
        schema: &SchemaRef,
    ) -> Result<Self> {
        if partitions.end > stored.partitions.len() {
            let count = stored.partitions.len();
            return Err(ShuffleError::Misuse(format!("partitions {partitions:?} of {count} in {attempt}")));
        }
        // Opened now: the file's name goes when the output is removed, the file itself when the last reader closes it.
        let file = stored.file.as_ref().map(File::open).transpose();
        let file = file.map_err(|error| ShuffleError::FetchFailed { attempt, reason: error.to_string() })?;
        let decoder = BlockDecoder::new(schema)?;
        Ok(Self { attempt, stored, file, partitions, next_chunk: 0, decoder, decoded: VecDeque::new() })
    }

    fn next_chunk(&mut self) -> Option<Chunk> {
        while self.partitions.start < self.partitions.end {
            if let Some(chunk) = self.stored.partitions.get(self.partitions.start)?.get(self.next_chunk) {
                self.next_chunk += 1;
                return Some(chunk.clone());
            }
            self.partitions.start += 1;
            self.next_chunk = 0;
        }
        None
    }
}

impl Iterator for Reader {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.decoded.pop_front() {
                return Some(Ok(batch));
            }
            match self.next_chunk()? {
                Chunk::Memory(batch) => return Some(Ok(batch)),
                Chunk::Disk(block) => {
                    let read = match &mut self.file {
                        Some(file) => read_block(file, &block, &self.decoder),
                        None => Err("the output has no file".to_owned()),
                    };
                    match read {
                        Ok(batches) => self.decoded.extend(batches),
                        Err(reason) => {
                            self.partitions.start = self.partitions.end;
                            return Some(Err(ShuffleError::FetchFailed { attempt: self.attempt, reason }));
                        }
                    }
                }
            }
        }
    }
}

/// Reads a block back and checks it; the error says in words what is wrong.
fn read_block(file: &mut File, block: &BlockRef, decoder: &BlockDecoder) -> Result<Vec<RecordBatch>, String> {
    let length = usize::try_from(block.length).map_err(|_| "block is too long".to_owned())?;
    let mut bytes = vec![0; length];
    file.seek(SeekFrom::Start(block.offset)).map_err(|error| error.to_string())?;
    file.read_exact(&mut bytes).map_err(|error| error.to_string())?;
    let frame = Frame::read(&bytes)?.ok_or("a block is cut short")?;
    decoder.decode(frame, &bytes)
}
