//! Collects rows until every partition gets a batch worth writing.

use arrow::array::{Array, ArrayRef};
use arrow::compute::interleave;
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
    batches: Vec<RecordBatch>,
    routes: Vec<Vec<(usize, usize)>>,
    rows: usize,
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
        Self { schema, batches: Vec::new(), routes: vec![Vec::new(); partitions], rows: 0, bytes: 0, bytes_max }
    }

    pub(crate) fn push(&mut self, batch: RecordBatch, routes: &[usize]) {
        let number = self.batches.len();
        for (row, partition) in routes.iter().enumerate() {
            if let Some(rows) = self.routes.get_mut(*partition) {
                rows.push((number, row));
            }
        }
        self.rows += batch.num_rows();
        self.bytes += batch_bytes(&batch);
        self.batches.push(batch);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= self.bytes_max || self.rows >= ROWS_PER_PARTITION * self.routes.len()
    }

    /// Everything collected, by partition.
    pub(crate) fn drain(&mut self) -> Result<Vec<(usize, RecordBatch)>> {
        let mut scattered = Vec::new();
        for (partition, rows) in self.routes.iter_mut().enumerate() {
            if !rows.is_empty() {
                scattered.push((partition, gather(&self.schema, &self.batches, rows)?));
                rows.clear();
            }
        }
        self.batches.clear();
        self.rows = 0;
        self.bytes = 0;
        Ok(scattered)
    }
}

fn gather(schema: &SchemaRef, batches: &[RecordBatch], rows: &[(usize, usize)]) -> Result<RecordBatch> {
    let column = |index: usize| -> Result<ArrayRef> {
        let parts: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(index).as_ref()).collect();
        Ok(interleave(&parts, rows)?)
    };
    let columns = (0..schema.fields().len()).map(column).collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}
