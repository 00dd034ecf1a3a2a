//! Rows collected into batches.

use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Schema, SchemaRef};
use firesteel_model::Result;

use super::chunks::Chunk;
use super::column::Column;
use crate::error::from_arrow;

/// Turns chunks of text into batches.
pub(crate) trait RowReader: Send {
    /// Reads the records of a chunk; what does not fill a batch is kept.
    fn read(&mut self, chunk: &Chunk) -> Result<Vec<RecordBatch>>;

    /// What is left.
    fn finish(&mut self) -> Result<Option<RecordBatch>>;
}

/// Batches that are full.
#[derive(Default)]
pub(crate) struct RowSink(Vec<RecordBatch>);

impl RowSink {
    pub(crate) fn into_batches(self) -> Vec<RecordBatch> {
        self.0
    }
}

/// Columns under construction and which of their rows count.
pub(crate) struct Rows {
    schema: SchemaRef,
    columns: Vec<Column>,
    kept: Vec<bool>,
    dropped: usize,
    batch_size: usize,
}

impl Rows {
    /// Empty columns of the projected schema.
    pub(crate) fn new(schema: &Schema, projection: &[usize], batch_size: usize) -> Result<Self> {
        let schema = Arc::new(schema.project(projection).map_err(from_arrow)?);
        let columns = schema.fields().iter().map(|field| Column::new(field.data_type(), batch_size.min(8192)));
        let columns = columns.collect::<Result<_>>()?;
        Ok(Self { schema, columns, kept: Vec::new(), dropped: 0, batch_size })
    }

    pub(crate) fn columns_mut(&mut self) -> impl Iterator<Item = &mut Column> {
        self.columns.iter_mut()
    }

    /// Ends a row in all columns.
    pub(crate) fn end_row(&mut self, keep: bool, sink: &mut RowSink) -> Result<()> {
        self.kept.push(keep);
        self.dropped += usize::from(!keep);
        if self.kept.len() >= self.batch_size {
            sink.0.extend(self.finish()?);
        }
        Ok(())
    }

    /// The rows so far, without the dropped ones; `None` if there is none.
    pub(crate) fn finish(&mut self) -> Result<Option<RecordBatch>> {
        if self.kept.is_empty() {
            return Ok(None);
        }
        let arrays = self.columns.iter_mut().map(Column::finish).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(self.kept.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options);
        let mut batch = batch.map_err(from_arrow)?;
        let kept = std::mem::take(&mut self.kept);
        if std::mem::take(&mut self.dropped) > 0 {
            batch = filter_record_batch(&batch, &BooleanArray::from(kept)).map_err(from_arrow)?;
        }
        Ok(Some(batch))
    }
}
