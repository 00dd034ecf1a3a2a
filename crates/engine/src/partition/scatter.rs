//! Collects rows until every partition gets a batch worth writing.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::{concat, take};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryLimit;
use firesteel_shuffle::batch_bytes;

use super::spread::spread;

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
    pub(crate) fn push(&mut self, batch: &RecordBatch, routes: &[u32]) {
        for partition in routes {
            self.counts[*partition as usize] += 1;
        }
        self.routes.extend_from_slice(routes);
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
        let (routes, partitions) = (std::mem::take(&mut self.routes), self.counts.len());
        let counts = std::mem::replace(&mut self.counts, vec![0; partitions]);
        self.bytes = 0;
        if routes.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows = None;
        let mut divided: Vec<Vec<ArrayRef>> = vec![Vec::with_capacity(self.columns.len()); partitions];
        for arrived in &mut self.columns {
            let arrived = std::mem::take(arrived);
            let parts = match spread(&arrived, &routes, &counts) {
                Some(parts) => parts,
                None => gathered(&arrived, rows.get_or_insert_with(|| rows_by_partition(&routes, &counts)))?,
            };
            divided.iter_mut().zip(parts).for_each(|(columns, column)| columns.push(column));
        }
        let batch = |(partition, (columns, count)): (usize, (Vec<ArrayRef>, &usize))| {
            let options = RecordBatchOptions::new().with_row_count(Some(*count));
            Ok((partition, RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?))
        };
        let batches = divided.into_iter().zip(&counts).enumerate();
        batches.filter(|(_, (_, count))| **count > 0).map(batch).collect()
    }
}

/// The rows of each partition, by their numbers.
fn rows_by_partition(routes: &[u32], counts: &[usize]) -> Vec<UInt32Array> {
    let mut rows: Vec<Vec<u32>> = counts.iter().map(|count| Vec::with_capacity(*count)).collect();
    for (row, partition) in routes.iter().enumerate() {
        rows[*partition as usize].push(row as u32);
    }
    rows.into_iter().map(UInt32Array::from).collect()
}

/// The column of each partition, from where its rows are.
fn gathered(arrived: &[ArrayRef], rows: &[UInt32Array]) -> Result<Vec<ArrayRef>> {
    let arrays: Vec<&dyn Array> = arrived.iter().map(AsRef::as_ref).collect();
    let column = concat(&arrays)?;
    rows.iter().map(|rows| Ok(take(&column, rows, None)?)).collect()
}
