//! Rows to write, and how they are written and read.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, DictionaryArray, Int32Array, ListArray, RecordBatch, StringArray, StringViewArray};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use firesteel_model::ids::{Attempt, Partition, StageId, TaskAttempt, TaskId};
use firesteel_shuffle::{MapOutput, Result, ShuffleStore};
use futures::TryStreamExt;

pub(crate) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("n", DataType::Int32, true),
        Field::new("s", DataType::Utf8, true),
        Field::new("v", DataType::Utf8View, true),
        Field::new("d", DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), true),
        Field::new("l", DataType::List(Arc::new(Field::new_list_field(DataType::Int32, true))), true),
    ]))
}

/// Rows that all differ and say which they are.
pub(crate) fn batch(from: i32, rows: i32) -> RecordBatch {
    let range = || from..from + rows;
    let text = |n: i32| (n % 3 != 0).then(|| format!("row {n} {}", n.wrapping_mul(2_654_435)));
    let lists = range().map(|n| (n % 5 != 0).then(|| (0..n % 4).map(Some).collect::<Vec<_>>()));
    let dictionary: DictionaryArray<Int32Type> =
        range().map(|n| (n % 7 != 0).then(|| ["red", "green", "blue"][n.unsigned_abs() as usize % 3])).collect();
    let columns: Vec<Arc<dyn Array>> = vec![
        Arc::new(Int32Array::from_iter_values(range())),
        Arc::new(StringArray::from_iter(range().map(text))),
        Arc::new(StringViewArray::from_iter(range().map(text))),
        Arc::new(dictionary),
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists)),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

pub(crate) fn attempt(stage: u64, partition: u32, attempt: u32) -> TaskAttempt {
    let task = TaskId { stage: StageId(stage), partition: Partition(partition) };
    TaskAttempt { task, attempt: Attempt(attempt) }
}

/// Writes batches `from..` round robin over the partitions but the last, which stays empty.
pub(crate) async fn write(
    store: &dyn ShuffleStore,
    who: TaskAttempt,
    partitions: usize,
    batches: i32,
    rows: i32,
) -> Result<MapOutput> {
    let mut writer = store.writer(who, schema(), partitions)?;
    for round in 0..batches {
        let partition = round as usize % (partitions - 1).max(1);
        writer.write(partition, batch(round * rows, rows)).await?;
    }
    writer.finish().await
}

/// The rows that [`write`] put into some partitions, in order.
pub(crate) fn expected(partitions: Range<usize>, of: usize, batches: i32, rows: i32) -> Vec<RecordBatch> {
    let here = |partition: usize| (0..batches).filter(move |round| *round as usize % (of - 1).max(1) == partition);
    partitions.flat_map(here).map(|round| batch(round * rows, rows)).collect()
}

pub(crate) async fn read(store: &dyn ShuffleStore, outputs: Vec<MapOutput>) -> Result<Vec<RecordBatch>> {
    store.read(&schema(), outputs).try_collect().await
}

/// One batch of all, so that only rows matter and not how they are cut.
pub(crate) fn joined(batches: &[RecordBatch]) -> RecordBatch {
    arrow::compute::concat_batches(&schema(), batches).unwrap()
}
