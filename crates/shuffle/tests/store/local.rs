//! The local store, in memory and on disk.

use std::sync::Arc;

use arrow::array::{Int32Array, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use firesteel_model::ids::{Attempt, Partition, StageId, TaskAttempt, TaskId};
use firesteel_shuffle::{FixedBudget, LocalStore, MapOutput, MemoryBudget, ShuffleError, ShuffleStore};
use futures::TryStreamExt;

fn schema() -> SchemaRef {
    let fields = vec![Field::new("n", DataType::Int32, true), Field::new("s", DataType::Utf8, true)];
    Arc::new(Schema::new(fields))
}

fn batch(from: i32, rows: i32) -> RecordBatch {
    let numbers = Int32Array::from_iter_values(from..from + rows);
    let texts = StringArray::from_iter((from..from + rows).map(|n| (n % 3 != 0).then(|| format!("row {n}"))));
    RecordBatch::try_new(schema(), vec![Arc::new(numbers), Arc::new(texts)]).unwrap()
}

fn attempt(partition: u32, attempt: u32) -> TaskAttempt {
    TaskAttempt { task: TaskId { stage: StageId(7), partition: Partition(partition) }, attempt: Attempt(attempt) }
}

async fn write(store: &LocalStore, who: TaskAttempt, rows: i32) -> MapOutput {
    let mut writer = store.writer(who, schema(), 3).unwrap();
    for round in 0..4 {
        for partition in 0..2 {
            writer.write(partition, batch(round * rows + partition as i32, rows)).await.unwrap();
        }
    }
    writer.finish().await.unwrap()
}

async fn numbers(store: &LocalStore, output: &MapOutput, partitions: std::ops::Range<usize>) -> Vec<i32> {
    let batches: Vec<RecordBatch> =
        store.read(&schema(), vec![output.slice(partitions).unwrap()]).try_collect().await.unwrap();
    let column = |batch: &RecordBatch| batch.column(0).as_any().downcast_ref::<Int32Array>().unwrap().values().to_vec();
    batches.iter().flat_map(column).collect()
}

async fn check(limit: u64, rows: i32) {
    let directory = tempfile::tempdir().unwrap();
    let budget = Arc::new(FixedBudget::new(limit));
    let store = LocalStore::new(directory.path(), budget.clone());
    let output = write(&store, attempt(0, 0), rows).await;
    assert_eq!(output.rows(), 8 * rows as u64);
    let first: Vec<i32> = (0..4).flat_map(|round| round * rows..(round + 1) * rows).collect();
    let second: Vec<i32> = first.iter().map(|n| n + 1).collect();
    assert_eq!(numbers(&store, &output, 0..1).await, first);
    assert_eq!(numbers(&store, &output, 1..3).await, second);
    assert_eq!(numbers(&store, &output, 2..3).await, Vec::<i32>::new());
    assert_eq!(output.spilled_bytes > 0, limit == 0, "only a short budget spills");
    store.remove_stage(StageId(7)).await;
    assert!(store.is_empty());
    assert_eq!(budget.used(), 0);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn rows_come_back_in_order_from_memory_and_disk() {
    for limit in [0, u64::MAX] {
        for rows in [1, 1000, 100_000] {
            check(limit, rows).await;
        }
    }
}

#[tokio::test]
async fn rows_without_columns_are_counted() {
    for limit in [0, u64::MAX] {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::new(directory.path(), Arc::new(FixedBudget::new(limit)));
        let empty: SchemaRef = Arc::new(Schema::empty());
        let mut writer = store.writer(attempt(0, 0), empty.clone(), 1).unwrap();
        let options = RecordBatchOptions::new().with_row_count(Some(5));
        writer.write(0, RecordBatch::try_new_with_options(empty.clone(), vec![], &options).unwrap()).await.unwrap();
        let output = writer.finish().await.unwrap();
        let batches: Vec<RecordBatch> = store.read(&empty, vec![output]).try_collect().await.unwrap();
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 5);
    }
}

#[tokio::test]
async fn damage_and_loss_name_the_map_task() {
    let directory = tempfile::tempdir().unwrap();
    let store = LocalStore::new(directory.path(), Arc::new(FixedBudget::new(0)));
    let output = write(&store, attempt(3, 1), 1000).await;
    let file = std::fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 4;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    for _ in 0..2 {
        let read: Result<Vec<RecordBatch>, _> = store.read(&schema(), vec![output.clone()]).try_collect().await;
        let Err(ShuffleError::FetchFailed { attempt: named, .. }) = read else { panic!("the damage went unseen") };
        assert_eq!(named, attempt(3, 1));
        store.remove(named).await;
    }
}

#[tokio::test]
async fn an_unfinished_writer_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let budget = Arc::new(FixedBudget::new(4 << 20));
    let store = LocalStore::new(directory.path(), budget.clone());
    let mut writer = store.writer(attempt(0, 0), schema(), 2).unwrap();
    for round in 0..8 {
        writer.write(0, batch(round, 100_000)).await.unwrap();
    }
    assert!(std::fs::read_dir(directory.path()).unwrap().count() > 0);
    drop(writer);
    assert_eq!(budget.used(), 0);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    assert!(budget.try_grow(4 << 20));
}
