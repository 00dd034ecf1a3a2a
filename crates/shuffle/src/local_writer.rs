//! Writes one output of the local store: into memory while the budget allows, in runs to its file beyond.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use firesteel_model::ids::TaskAttempt;

use crate::block::{BlockEncoder, Compression};
use crate::local::{BlockRef, Chunk, Outputs, StoredOutput, locked};
use crate::store::{MapWriter, MemoryBudget};
use crate::{MapOutput, PartitionSize, Result, ShuffleError, batch_bytes};

/// What a writer may hold although the budget refuses, so that a short budget does not mean tiny blocks.
const UNBUDGETED_BYTES_MAX: u64 = 1 << 20;

/// A block is closed at this size, which bounds what a reader decodes at once.
const BLOCK_BYTES: u64 = 4 << 20;

/// The rows of an output, all of them in a file of their own.
pub(crate) fn on_disk(attempt: TaskAttempt, stored: &StoredOutput, path: PathBuf) -> Result<StoredOutput> {
    let (schema, budget) = (Arc::clone(&stored.schema), Arc::clone(&stored.budget));
    let mut writer = LocalWriter::new(attempt, schema, 0, path.clone(), budget, Outputs::default());
    if let Some(old) = &stored.file {
        // What is there already keeps its place.
        writer.stored.file = Some(path.clone());
        writer.file_length = std::fs::copy(old, &path).map_err(ShuffleError::store("copy a file"))?;
        let file = File::options().append(true).open(&path);
        writer.file = Some(file.map_err(ShuffleError::store("open a file"))?);
    }
    writer.stored.partitions.clone_from(&stored.partitions);
    writer.spill()?;
    let LocalWriter { stored, .. } = writer;
    Ok(stored)
}

pub(crate) struct LocalWriter {
    attempt: TaskAttempt,
    schema: SchemaRef,
    path: PathBuf,
    outputs: Outputs,
    sizes: Vec<PartitionSize>,
    file: Option<File>,
    file_length: u64,
    buffered: u64,
    /// Holds the chunks and the memory they take; dropped unfinished it cleans up.
    stored: StoredOutput,
}

impl LocalWriter {
    pub(crate) fn new(
        attempt: TaskAttempt,
        schema: SchemaRef,
        partitions: usize,
        path: PathBuf,
        budget: Arc<dyn MemoryBudget>,
        outputs: Outputs,
    ) -> Self {
        let chunks = vec![Vec::new(); partitions];
        let stored = StoredOutput { partitions: chunks, file: None, memory: 0, budget, schema: Arc::clone(&schema) };
        let sizes = vec![PartitionSize::default(); partitions];
        Self { attempt, schema, path, outputs, sizes, file: None, file_length: 0, buffered: 0, stored }
    }

    fn reserve(&mut self, bytes: u64) -> bool {
        let granted = self.stored.budget.try_grow(bytes);
        if granted {
            self.stored.memory += bytes;
        }
        granted
    }

    /// Writes everything that is in memory to the file, partition by partition.
    fn spill(&mut self) -> Result<()> {
        for partition in 0..self.stored.partitions.len() {
            let Some(chunks) = self.stored.partitions.get_mut(partition) else { continue };
            let in_memory = chunks.iter().position(|chunk| matches!(chunk, Chunk::Memory(_)));
            let Some(first) = in_memory else { continue };
            let batches = chunks.split_off(first).into_iter().filter_map(|chunk| match chunk {
                Chunk::Memory(batch) => Some(batch),
                Chunk::Disk(_) => None,
            });
            let blocks = self.write_blocks(batches.collect())?;
            if let Some(chunks) = self.stored.partitions.get_mut(partition) {
                chunks.extend(blocks.into_iter().map(Chunk::Disk));
            }
        }
        self.stored.budget.shrink(self.stored.memory);
        self.stored.memory = 0;
        self.buffered = 0;
        Ok(())
    }

    fn write_blocks(&mut self, batches: Vec<RecordBatch>) -> Result<Vec<BlockRef>> {
        let mut blocks = Vec::new();
        let mut pending = Vec::new();
        let mut pending_bytes = 0;
        for batch in batches {
            pending_bytes += batch_bytes(&batch);
            pending.push(batch);
            if pending_bytes >= BLOCK_BYTES {
                blocks.push(self.write_block(&pending)?);
                pending.clear();
                pending_bytes = 0;
            }
        }
        if !pending.is_empty() {
            blocks.push(self.write_block(&pending)?);
        }
        Ok(blocks)
    }

    fn write_block(&mut self, batches: &[RecordBatch]) -> Result<BlockRef> {
        let bytes = BlockEncoder::new(Arc::clone(&self.schema), Compression::Lz4)?.encode(batches)?.bytes;
        if self.file.is_none() {
            self.file = Some(File::create(&self.path).map_err(ShuffleError::store("create a file"))?);
            self.stored.file = Some(self.path.clone());
        }
        if let Some(file) = &mut self.file {
            file.write_all(&bytes).map_err(ShuffleError::store("write a block"))?;
        }
        let block = BlockRef { offset: self.file_length, length: bytes.len() as u64 };
        self.file_length += block.length;
        Ok(block)
    }
}

#[async_trait]
impl MapWriter for LocalWriter {
    async fn write(&mut self, partition: usize, batch: RecordBatch) -> Result<()> {
        let bytes = batch_bytes(&batch);
        let Some(size) = self.sizes.get_mut(partition) else {
            return Err(ShuffleError::Misuse(format!("partition {partition} of {}", self.sizes.len())));
        };
        size.rows += batch.num_rows() as u64;
        size.bytes += bytes;
        if let Some(chunks) = self.stored.partitions.get_mut(partition) {
            chunks.push(Chunk::Memory(batch));
        }
        self.buffered += bytes;
        let unbudgeted = self.buffered - self.stored.memory;
        if !self.reserve(unbudgeted) && unbudgeted > UNBUDGETED_BYTES_MAX {
            self.spill()?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<MapOutput> {
        let unbudgeted = self.buffered - self.stored.memory;
        if unbudgeted > 0 && !self.reserve(unbudgeted) {
            self.spill()?;
        }
        let Self { attempt, outputs, sizes, file_length, stored, .. } = *self;
        let output = MapOutput {
            attempt,
            key: attempt.to_string(),
            version: None,
            first_partition: 0,
            partitions: sizes,
            spilled_bytes: file_length,
        };
        locked(&outputs).insert(attempt, Arc::new(stored));
        Ok(output)
    }
}
