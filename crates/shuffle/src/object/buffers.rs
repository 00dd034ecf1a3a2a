//! The rows of one output on their way into an object: collected into blocks, spilled as runs, read out in order.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;

use super::memory::Memory;
use crate::block::{BlockEncoder, chained};
use crate::{PartitionSize, Result, ShuffleError, batch_bytes};

/// A block is closed when it has so many rows or bytes.
const BLOCK_ROWS: usize = 8192;
const BLOCK_BYTES: u64 = 1 << 20;

/// A larger batch becomes several blocks.
const BLOCK_BYTES_MAX: u64 = 4 << 20;

/// How much of a run is read at once.
const RUN_READ_BYTES: u64 = 1 << 20;

/// Rows and blocks of all partitions.
pub(crate) struct Buffers {
    encoder: BlockEncoder,
    sizes: Vec<PartitionSize>,
    pending: Vec<Pending>,
    /// Finished blocks in memory.
    blocks: Vec<Vec<Bytes>>,
    runs: Vec<Run>,
    file: Option<File>,
    file_length: u64,
    spilled_bytes: u64,
    directory: PathBuf,
    memory: Memory,
}

#[derive(Default)]
struct Pending {
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: u64,
}

/// Partition-ordered blocks in the spill file.
struct Run {
    offset: u64,
    lengths: Vec<u64>,
}

impl Buffers {
    /// Holds no more than `memory` allows.
    pub(crate) fn new(encoder: BlockEncoder, partitions: usize, directory: PathBuf, memory: Memory) -> Self {
        Self {
            encoder,
            sizes: vec![PartitionSize::default(); partitions],
            pending: std::iter::repeat_with(Pending::default).take(partitions).collect(),
            blocks: vec![Vec::new(); partitions],
            runs: Vec::new(),
            file: None,
            file_length: 0,
            spilled_bytes: 0,
            directory,
            memory,
        }
    }

    pub(crate) fn push(&mut self, partition: usize, batch: RecordBatch) -> Result<()> {
        let bytes = batch_bytes(&batch);
        let count = self.sizes.len();
        let (size, pending) = self
            .sizes
            .get_mut(partition)
            .zip(self.pending.get_mut(partition))
            .ok_or_else(|| ShuffleError::Misuse(format!("partition {partition} of {count}")))?;
        size.rows += batch.num_rows() as u64;
        size.bytes += bytes;
        pending.rows += batch.num_rows();
        pending.bytes += bytes;
        pending.batches.push(batch);
        self.memory.add(bytes);
        if pending.rows >= BLOCK_ROWS || pending.bytes >= BLOCK_BYTES {
            self.close_block(partition)?;
        }
        Ok(())
    }

    /// Whether rows must leave memory now.
    pub(crate) fn is_short_of_memory(&mut self) -> bool {
        self.memory.is_short()
    }

    /// Bytes that would be freed.
    pub(crate) fn held(&self) -> u64 {
        self.memory.held()
    }

    pub(crate) fn partitions(&self) -> usize {
        self.sizes.len()
    }

    pub(crate) fn spilled_bytes(&self) -> u64 {
        self.spilled_bytes
    }

    fn close_block(&mut self, partition: usize) -> Result<()> {
        let Some(pending) = self.pending.get_mut(partition) else { return Ok(()) };
        let Pending { batches, rows, bytes } = std::mem::take(pending);
        if rows == 0 {
            return Ok(());
        }
        for batch in block_batches(&batches, rows, bytes)? {
            let block = self.encoder.encode(&[batch])?;
            if let Some((size, blocks)) = self.sizes.get_mut(partition).zip(self.blocks.get_mut(partition)) {
                size.crc = chained(size.crc, block.crc);
                size.length += block.bytes.len() as u64;
                self.memory.add(block.bytes.len() as u64);
                blocks.push(block.bytes.into());
            }
        }
        self.memory.free(bytes);
        Ok(())
    }

    /// Finishes all blocks.
    pub(crate) fn close_blocks(&mut self) -> Result<()> {
        (0..self.partitions()).try_for_each(|partition| self.close_block(partition))
    }

    /// Writes everything that is in memory to disk, in the order of the partitions.
    pub(crate) fn spill(&mut self) -> Result<()> {
        self.close_blocks()?;
        let mut run = Run { offset: self.file_length, lengths: Vec::with_capacity(self.partitions()) };
        if self.file.is_none() {
            let file = tempfile::tempfile_in(&self.directory);
            self.file = Some(file.map_err(ShuffleError::store("create a file for a spill"))?);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        for blocks in &mut self.blocks {
            let mut length = 0;
            for block in blocks.drain(..) {
                file.write_all(&block).map_err(ShuffleError::store("spill a block"))?;
                length += block.len() as u64;
            }
            run.lengths.push(length);
            self.file_length += length;
            self.spilled_bytes += length;
        }
        self.runs.push(run);
        self.memory.free(self.memory.held());
        Ok(())
    }

    /// Takes what there is so far, in the order of the partitions: every partition's blocks from all runs and from
    /// memory.
    pub(crate) fn take(&mut self) -> Result<Taken> {
        self.close_blocks()?;
        let mut chunks = Vec::new();
        for (partition, blocks) in self.blocks.iter_mut().enumerate() {
            for run in &mut self.runs {
                let Some(length) = run.lengths.get_mut(partition) else { continue };
                let (mut from, end) = (run.offset, run.offset + *length);
                while from < end {
                    let to = end.min(from + RUN_READ_BYTES);
                    chunks.push(Chunk::Disk { offset: from, length: to - from });
                    from = to;
                }
                run.offset = end;
            }
            chunks.extend(blocks.drain(..).map(Chunk::Memory));
        }
        self.runs.clear();
        let file = self.file.take();
        self.file_length = 0;
        // Still in memory until it is sent; what comes next has its own share.
        Ok(Taken { chunks: chunks.into(), file, memory: self.memory.take() })
    }

    /// Sizes of the partitions, with their places in the object.
    pub(crate) fn placed(&self) -> Vec<PartitionSize> {
        let mut offset = 0;
        let place = |size: &PartitionSize| {
            let placed = PartitionSize { offset, ..*size };
            offset += size.length;
            placed
        };
        self.sizes.iter().map(place).collect()
    }
}

/// The batches of one or more blocks.
fn block_batches(batches: &[RecordBatch], rows: usize, bytes: u64) -> Result<Vec<RecordBatch>> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let whole = match batches.len() {
        1 => first.clone(),
        _ => concat_batches(&first.schema(), batches)?,
    };
    let pieces = usize::try_from(bytes.div_ceil(BLOCK_BYTES_MAX)).unwrap_or(usize::MAX).clamp(1, rows);
    let step = rows.div_ceil(pieces);
    Ok((0..rows).step_by(step).map(|from| whole.slice(from, step.min(rows - from))).collect())
}

enum Chunk {
    Memory(Bytes),
    Disk { offset: u64, length: u64 },
}

/// Bytes of an object, in order.
pub(crate) struct Taken {
    chunks: std::collections::VecDeque<Chunk>,
    file: Option<File>,
    memory: Memory,
}

impl Taken {
    /// The next bytes; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(chunk) = self.chunks.pop_front() else { return Ok(None) };
        let (offset, length) = match chunk {
            Chunk::Memory(bytes) => {
                // Whoever takes them holds them from here.
                self.memory.free(bytes.len() as u64);
                return Ok(Some(bytes));
            }
            Chunk::Disk { offset, length } => (offset, length),
        };
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        if let Some(file) = &self.file {
            file.read_exact_at(&mut bytes, offset).map_err(ShuffleError::store("read a spill back"))?;
        }
        Ok(Some(bytes.into()))
    }
}
