//! Rows that wait for the columns which a worker computes of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, RecordBatchOptions};
use arrow::compute::{BatchCoalescer, concat};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use futures::stream::{BoxStream, StreamExt};

use super::batches::conformed;

/// Rows in a batch put together of small ones.
const BATCH_ROWS: usize = 8192;

/// Rows whose computed columns have not come yet; their size is asked of the task's memory.
#[derive(Clone, Debug)]
pub(crate) struct Pending(Arc<Mutex<Queue>>);

#[derive(Debug)]
struct Queue {
    batches: VecDeque<RecordBatch>,
    /// Rows of the first batch that are taken already.
    used: usize,
    reservation: MemoryReservation,
}

impl Pending {
    /// None yet.
    pub(crate) fn new(name: &'static str, context: &TaskContext) -> Self {
        let reservation = MemoryConsumer::new(name).register(context.memory_pool());
        Self(Arc::new(Mutex::new(Queue { batches: VecDeque::new(), used: 0, reservation })))
    }

    /// Adds rows.
    ///
    /// Errors: the task's memory is used up.
    pub(crate) fn push(&self, batch: RecordBatch) -> Result<()> {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queue.reservation.try_grow(batch.get_array_memory_size())?;
        queue.batches.push_back(batch);
        Ok(())
    }

    /// The next rows, in one or several pieces.
    fn take(&self, mut rows: usize) -> Result<Vec<RecordBatch>> {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pieces = Vec::new();
        while rows > 0 {
            let used = queue.used;
            let Some(first) = queue.batches.front() else {
                return internal_err!("a Python function gave more rows than it took");
            };
            let (size, step) = (first.num_rows(), rows.min(first.num_rows() - used));
            pieces.push(first.slice(used, step));
            rows -= step;
            queue.used += step;
            if queue.used == size {
                let bytes = queue.batches.pop_front().map_or(0, |batch| batch.get_array_memory_size());
                queue.reservation.shrink(bytes);
                queue.used = 0;
            }
        }
        Ok(pieces)
    }

    /// Rows with what was computed of them: the first columns of the waiting rows, then the computed ones.
    pub(crate) fn joined(
        self,
        computed: BoxStream<'static, Result<RecordBatch>>,
        schema: SchemaRef,
        kept: usize,
    ) -> BoxStream<'static, Result<RecordBatch>> {
        let added = Arc::new(Schema::new(schema.fields()[kept..].to_vec()));
        computed.map(move |batch| self.join(&batch?, &added, &schema, kept)).boxed()
    }

    fn join(&self, computed: &RecordBatch, added: &SchemaRef, schema: &SchemaRef, kept: usize) -> Result<RecordBatch> {
        let rows = computed.num_rows();
        let fields: Vec<_> = computed.schema().fields().iter().cloned().collect();
        let computed = conformed("a Python function", &fields, computed.columns().to_vec(), rows, added)?;
        let pieces = self.take(rows)?;
        let column = |index: usize| -> Result<ArrayRef> {
            let parts: Vec<_> = pieces.iter().map(|piece| piece.column(index)).collect();
            match parts.as_slice() {
                [one] => Ok(ArrayRef::clone(one)),
                several => Ok(concat(&several.iter().map(|part| part.as_ref()).collect::<Vec<_>>())?),
            }
        };
        let mut columns = (0..kept).map(column).collect::<Result<Vec<_>>>()?;
        columns.extend(computed.columns().iter().cloned());
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
    }
}

/// Puts small batches together, as functions over groups give them.
pub(crate) fn gathered(
    batches: BoxStream<'static, Result<RecordBatch>>,
    schema: &SchemaRef,
) -> BoxStream<'static, Result<RecordBatch>> {
    if schema.fields().is_empty() {
        return batches;
    }
    let coalescer = BatchCoalescer::new(Arc::clone(schema), BATCH_ROWS);
    futures::stream::try_unfold((batches, coalescer, false), |(mut batches, mut coalescer, mut done)| async move {
        loop {
            if let Some(batch) = coalescer.next_completed_batch() {
                return Ok(Some((batch, (batches, coalescer, done))));
            }
            if done {
                return Ok(None);
            }
            match batches.next().await {
                Some(batch) => coalescer.push_batch(batch?)?,
                None => {
                    coalescer.finish_buffered_batch()?;
                    done = true;
                }
            }
        }
    })
    .boxed()
}
