//! How large a batch is.

use arrow::array::Array;
use arrow::record_batch::RecordBatch;

/// Bytes of a batch's rows: of a slice only its share, so that one row kept from a large batch counts as one row.
pub fn batch_bytes(batch: &RecordBatch) -> u64 {
    let columns = batch.columns().iter().map(|column| {
        let data = column.to_data();
        data.get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size()) as u64
    });
    columns.sum()
}
