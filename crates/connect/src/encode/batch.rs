//! Batches into Arrow IPC streams of one batch each, no larger than the client can take.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use bytes::Bytes;
use firesteel_model::runtime_conf::RuntimeConf;
use firesteel_model::{Result, SparkError, conf};
use spark_connect_proto::execute_plan_response::ArrowBatch;

/// Spark fills a batch to this share of its limit, since sizes are estimates.
const FILL_PERCENT: u64 = 70;
const CHUNK_BYTES_MIN: u64 = 1 << 10;

/// How large what is sent may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BatchLimits {
    /// Rows in a batch.
    pub(crate) rows: usize,
    /// Bytes in a batch, about.
    pub(crate) bytes: u64,
    /// Bytes in a chunk of a batch, where the client takes chunks.
    pub(crate) chunk_bytes: Option<usize>,
}

impl BatchLimits {
    /// From the settings, and what the client said of chunks.
    pub(crate) fn new(settings: &RuntimeConf, allow_chunks: bool, preferred_chunk_bytes: Option<i64>) -> Self {
        let rows = settings.int(&conf::ARROW_MAX_RECORDS_PER_BATCH);
        let bytes = settings.bytes(&conf::CONNECT_GRPC_ARROW_MAX_BATCH_SIZE).max(CHUNK_BYTES_MIN);
        let preferred = preferred_chunk_bytes.and_then(|bytes| u64::try_from(bytes).ok());
        let chunk = preferred.filter(|chunk| (CHUNK_BYTES_MIN..=bytes).contains(chunk)).unwrap_or(bytes);
        Self {
            rows: usize::try_from(rows).ok().filter(|rows| *rows > 0).unwrap_or(usize::MAX),
            bytes: (bytes * FILL_PERCENT / 100).max(1),
            chunk_bytes: if allow_chunks { usize::try_from(chunk).ok() } else { None },
        }
    }
}

/// A batch in pieces within the limits, in order.
pub(crate) fn slices(batch: &RecordBatch, limits: BatchLimits) -> Vec<RecordBatch> {
    let rows = batch.num_rows();
    let size: u64 =
        batch.columns().iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or(0) as u64).sum();
    let by_size = if size > limits.bytes {
        let share = u128::from(limits.bytes) * rows as u128 / u128::from(size);
        usize::try_from(share).unwrap_or(usize::MAX).max(1)
    } else {
        usize::MAX
    };
    let step = limits.rows.min(by_size);
    if rows <= step {
        return vec![batch.clone()];
    }
    (0..rows).step_by(step).map(|start| batch.slice(start, step.min(rows - start))).collect()
}

/// The messages for a batch that starts at a row of the result: one, or its chunks.
pub(crate) fn messages(batch: &RecordBatch, start: i64, limits: BatchLimits) -> Result<Vec<ArrowBatch>> {
    let data = stream(&batch.schema(), std::slice::from_ref(batch))?;
    let row_count = i64::try_from(batch.num_rows()).unwrap_or(i64::MAX);
    let whole = ArrowBatch { row_count, data, start_offset: Some(start), chunk_index: None, num_chunks_in_batch: None };
    let Some(chunk_bytes) = limits.chunk_bytes else { return Ok(vec![whole]) };
    let count = whole.data.len().div_ceil(chunk_bytes).max(1);
    let chunk = |index: usize| ArrowBatch {
        data: whole.data.slice(index * chunk_bytes..((index + 1) * chunk_bytes).min(whole.data.len())),
        chunk_index: Some(index as i64),
        num_chunks_in_batch: Some(count as i64),
        ..whole.clone()
    };
    Ok((0..count).map(chunk).collect())
}

/// Batches of one schema as an Arrow IPC stream.
pub(crate) fn stream(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Bytes> {
    let write = || -> std::result::Result<Vec<u8>, ArrowError> {
        let mut writer = StreamWriter::try_new_with_options(Vec::new(), schema, IpcWriteOptions::default())?;
        for batch in batches {
            writer.write(batch)?;
        }
        writer.into_inner()
    };
    write()
        .map(Bytes::from)
        .map_err(|error| SparkError::internal(format!("a result cannot be written as Arrow: {error}")).source(error))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};
    use arrow::ipc::reader::StreamReader;

    use super::*;

    fn batch(rows: i64) -> RecordBatch {
        let fields = vec![Field::new("a", DataType::Int64, false), Field::new("b", DataType::Utf8, true)];
        let text: StringArray = (0..rows).map(|row| (row % 3 > 0).then(|| "x".repeat(100))).collect();
        RecordBatch::try_new(
            Arc::new(Schema::new(fields)),
            vec![Arc::new(Int64Array::from_iter_values(0..rows)), Arc::new(text)],
        )
        .unwrap()
    }

    #[test]
    fn batches_are_cut_by_rows_and_by_bytes() {
        let limits = BatchLimits { rows: 10, bytes: 1 << 20, chunk_bytes: None };
        let rows = |limits| slices(&batch(25), limits).iter().map(RecordBatch::num_rows).collect::<Vec<_>>();
        assert_eq!(rows(limits), [10, 10, 5]);
        assert_eq!(rows(BatchLimits { rows: 100, ..limits }), [25]);
        let by_bytes = rows(BatchLimits { rows: 100, bytes: 500, ..limits });
        assert!(by_bytes.len() > 3 && by_bytes.iter().sum::<usize>() == 25, "{by_bytes:?}");
        assert_eq!(slices(&batch(0), limits).len(), 1);
    }

    #[test]
    fn chunks_put_together_are_the_stream() {
        let limits = BatchLimits { rows: 100, bytes: 1 << 20, chunk_bytes: Some(300) };
        let slice = batch(40).slice(10, 20);
        let chunks = messages(&slice, 7, limits).unwrap();
        assert!(chunks.len() > 3);
        let mut data = Vec::new();
        for (index, chunk) in chunks.iter().enumerate() {
            assert_eq!((chunk.row_count, chunk.start_offset), (20, Some(7)));
            assert_eq!(chunk.chunk_index, Some(index as i64));
            assert_eq!(chunk.num_chunks_in_batch, Some(chunks.len() as i64));
            data.extend_from_slice(&chunk.data);
        }
        let read: Vec<_> = StreamReader::try_new(data.as_slice(), None).unwrap().map(|b| b.unwrap()).collect();
        assert_eq!(read, [slice]);
    }
}
