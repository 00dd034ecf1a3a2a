//! Collects rows until every partition gets a batch worth writing.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::{concat, take};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryLimit;
use firesteel_shuffle::batch_bytes;

/// Rows wait here up to this size, for each task, and as many again are being divided.
const BUFFER_BYTES_MAX: u64 = 8 << 20;

/// Or up to this part of an executor's memory, of which no pool hears.
const MEMORY_PART: u64 = 16;

/// Or until a partition has this many of them on average.
const ROWS_PER_PARTITION: usize = 2048;

/// Rows on their way to partitions; the order of rows within a partition is the order of arrival.
pub(crate) struct Scatter {
    schema: SchemaRef,
    /// Of each column what has arrived, batch by batch.
    columns: Vec<Vec<ArrayRef>>,
    /// Where each row goes.
    routes: Vec<u32>,
    /// How many rows go to each partition.
    counts: Vec<usize>,
    bytes: u64,
    bytes_max: u64,
}

impl Scatter {
    /// For a task of an executor whose tasks divide so much memory.
    pub(crate) fn new(schema: SchemaRef, partitions: usize, memory: MemoryLimit) -> Self {
        let bytes_max = match memory {
            MemoryLimit::Finite(bytes) => BUFFER_BYTES_MAX.min(bytes as u64 / MEMORY_PART),
            MemoryLimit::Infinite | MemoryLimit::Unknown => BUFFER_BYTES_MAX,
        };
        let columns = vec![Vec::new(); schema.fields().len()];
        Self { schema, columns, routes: Vec::new(), counts: vec![0; partitions], bytes: 0, bytes_max }
    }

    /// Takes a batch, every row of which has a route.
    pub(crate) fn push(&mut self, batch: &RecordBatch, routes: &[usize]) {
        for partition in routes {
            self.counts[*partition] += 1;
        }
        self.routes.extend(routes.iter().map(|partition| *partition as u32));
        self.bytes += batch_bytes(batch);
        for (arrived, column) in self.columns.iter_mut().zip(batch.columns()) {
            arrived.push(Arc::clone(column));
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= self.bytes_max || self.routes.len() >= ROWS_PER_PARTITION * self.counts.len()
    }

    /// Everything collected, by partition. Columns go one after the other, so that hardly more is held than has arrived.
    pub(crate) fn drain(&mut self) -> Result<Vec<(usize, RecordBatch)>> {
        if self.routes.is_empty() {
            return Ok(Vec::new());
        }
        let parts = self.parts();
        let mut divided = vec![Vec::with_capacity(self.columns.len()); parts.len()];
        for arrived in &mut self.columns {
            let column = joined(std::mem::take(arrived))?;
            for ((_, rows), columns) in parts.iter().zip(&mut divided) {
                columns.push(take(&column, rows, None)?);
            }
        }
        let batch = |((partition, rows), columns): ((usize, UInt32Array), Vec<ArrayRef>)| {
            let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
            Ok((partition, RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?))
        };
        self.bytes = 0;
        parts.into_iter().zip(divided).map(batch).collect()
    }

    /// The rows of each partition that has some, by their numbers; forgets all routes.
    fn parts(&mut self) -> Vec<(usize, UInt32Array)> {
        let following = |end: &mut usize, count: &usize| {
            *end += count;
            Some(*end - count)
        };
        let starts: Vec<usize> = self.counts.iter().scan(0, following).collect();
        let mut ends = starts.clone();
        let mut sorted = vec![0; self.routes.len()];
        for (row, partition) in self.routes.drain(..).enumerate() {
            let end = &mut ends[partition as usize];
            sorted[*end] = row as u32;
            *end += 1;
        }
        self.counts.fill(0);
        let sorted = UInt32Array::from(sorted);
        let spans = starts.into_iter().zip(ends).enumerate().filter(|(_, (start, end))| start < end);
        spans.map(|(partition, (start, end))| (partition, sorted.slice(start, end - start))).collect()
    }
}

fn joined(arrived: Vec<ArrayRef>) -> Result<ArrayRef> {
    match <[ArrayRef; 1]>::try_from(arrived) {
        Ok([only]) => Ok(only),
        Err(arrived) => {
            let arrays: Vec<&dyn Array> = arrived.iter().map(AsRef::as_ref).collect();
            Ok(concat(&arrays)?)
        }
    }
}
