//! What every object store does for the shuffle: memory, local files, the embedded S3, and the environment's S3.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;
use firesteel_shuffle::{MapOutput, ObjectShuffleStore, ShuffleError, ShuffleStore};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::places::Place;
use crate::rows::{attempt, batch, expected, joined, read, schema, write};

/// Objects of the tests' applications below one store.
async fn objects(store: &dyn ObjectStore, application: &str) -> Vec<Path> {
    let all: Vec<_> = store.list(None).map_ok(|object| object.location).try_collect().await.unwrap();
    all.into_iter().filter(|path| path.as_ref().contains(application)).collect()
}

async fn check_rows(store: &ObjectShuffleStore, name: &str, batches: i32, rows: i32, spills: bool) {
    const PARTITIONS: usize = 7;
    let before = store.counts();
    let output = write(store, attempt(3, 5, 1), PARTITIONS, batches, rows).await.unwrap();
    let written = store.counts().since(&before);
    assert_eq!((written.puts, written.requests()), (1, 1), "{name}: an output is one PUT");
    assert_eq!(output.rows(), (batches * rows) as u64, "{name}");
    assert_eq!(output.spilled_bytes > 0, spills, "{name}: only a short budget spills");
    for range in [0..1, 2..3, 1..5, 0..7, 6..7, 3..3] {
        let before = store.counts();
        let found = read(store, vec![output.slice(range.clone()).unwrap()]).await.unwrap();
        let wanted = expected(range.clone(), PARTITIONS, batches, rows);
        assert_eq!(joined(&found), joined(&wanted), "{name}: partitions {range:?} of {batches} x {rows}");
        let gets = store.counts().since(&before).gets;
        assert_eq!(gets, u64::from(!wanted.is_empty()), "{name}: neighbouring partitions are one GET");
    }
    assert!(output.slice(5..9).is_err());
    assert_eq!(store.recover(output.attempt, &output.key).await.unwrap(), MapOutput { spilled_bytes: 0, ..output });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_come_back_in_order_from_one_object() {
    for place in Place::all().await {
        for memory in [0, u64::MAX] {
            let store = place.shuffle(memory);
            check_rows(&store, place.name, 12, 1, false).await;
            check_rows(&store, place.name, 20, 3000, memory == 0).await;
            check_rows(&store, place.name, 3, 50_000, memory == 0).await;
            store.remove_application().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reducer_reads_all_maps_with_one_request_each() {
    for place in Place::all().await {
        let store = place.shuffle(u64::MAX);
        let mut outputs = Vec::new();
        for map in 0..8 {
            outputs.push(write(&store, attempt(1, map, 0), 4, 6, 100).await.unwrap());
        }
        let wire = serde_json::to_string(&outputs[0]).unwrap();
        assert_eq!(serde_json::from_str::<MapOutput>(&wire).unwrap(), outputs[0]);
        let before = store.counts();
        let slices = outputs.iter().map(|output| output.slice(1..3).unwrap()).collect();
        let found = read(&store, slices).await.unwrap();
        let wanted: Vec<RecordBatch> = (0..8).flat_map(|_| expected(1..3, 4, 6, 100)).collect();
        assert_eq!(joined(&found), joined(&wanted), "{}", place.name);
        assert_eq!(store.counts().since(&before).gets, 8, "{}", place.name);
        store.remove_application().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_objects_go_up_in_parts() {
    // Numbers that do not compress.
    let noise = |seed: u32| {
        let next = |state: &mut u32| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some(*state as i32 ^ (*state >> 13) as i32)
        };
        let numbers: Vec<i32> = std::iter::repeat(()).scan(seed, |state, ()| next(state)).take(1 << 20).collect();
        let column = Arc::new(arrow::array::Int32Array::from(numbers));
        RecordBatch::try_from_iter([("n", column as _)]).unwrap()
    };
    for place in Place::all().await {
        for partitions in [1, 3] {
            let store = place.shuffle(u64::MAX);
            let mut writer = store.writer(attempt(0, 0, 0), noise(0).schema(), partitions).unwrap();
            for round in 0..30 {
                writer.write(round % partitions, noise(round as u32)).await.unwrap();
            }
            let output = writer.finish().await.unwrap();
            let counts = store.counts();
            assert_eq!((counts.puts, counts.multiparts), (0, 2), "{}: begun and completed", place.name);
            assert!(counts.parts >= 2, "{}: {counts:?}", place.name);
            let last = output.slice(partitions - 1..partitions).unwrap();
            let found: Vec<RecordBatch> = store.read(&noise(0).schema(), vec![last]).try_collect().await.unwrap();
            let wanted: Vec<RecordBatch> =
                (0..30).filter(|n| n % partitions == partitions - 1).map(|n| noise(n as u32)).collect();
            let joined = |batches: &[RecordBatch]| arrow::compute::concat_batches(&noise(0).schema(), batches).unwrap();
            assert!(joined(&found) == joined(&wanted), "{}: other rows", place.name);
            store.remove_application().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_removed_is_gone_and_nothing_is_left() {
    for place in Place::all().await {
        let location = place.location();
        let application = location.application.clone();
        let store = place.shuffle_at(location.clone(), u64::MAX);
        let first = write(&store, attempt(1, 0, 0), 2, 4, 10).await.unwrap();
        let second = write(&store, attempt(1, 0, 1), 2, 4, 10).await.unwrap();
        let other = write(&store, attempt(2, 0, 0), 2, 4, 10).await.unwrap();
        // An executor that is lost without a word.
        let lost = place.shuffle_at(location, u64::MAX);
        write(&lost, attempt(2, 1, 0), 2, 4, 10).await.unwrap();
        drop(lost);
        drop(store.writer(attempt(4, 0, 0), schema(), 2).unwrap());
        assert_eq!(objects(place.store.as_ref(), &application).await.len(), 4, "{}", place.name);
        store.remove(first.attempt).await;
        until(async || objects(place.store.as_ref(), &application).await.len() == 3).await;
        assert_fetch_failed(&store, first).await;
        read(&store, vec![second.clone()]).await.unwrap();
        store.remove_stage(second.attempt.task.stage).await;
        until(async || objects(place.store.as_ref(), &application).await.len() == 2).await;
        read(&store, vec![other]).await.unwrap();
        store.remove_application().await;
        assert_eq!(objects(place.store.as_ref(), &application).await, [], "{}", place.name);
    }
}

/// Removal goes on in the background.
async fn until(done: impl AsyncFn() -> bool) {
    for _ in 0..200 {
        if done().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("it did not happen");
}

async fn assert_fetch_failed(store: &ObjectShuffleStore, output: MapOutput) {
    let attempt = output.attempt;
    match read(store, vec![output]).await {
        Err(ShuffleError::FetchFailed { attempt: named, .. }) => assert_eq!(named, attempt),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_or_damaged_object_fails_its_map_only() {
    for place in Place::all().await {
        let store = place.shuffle(u64::MAX);
        let mut outputs = Vec::new();
        for map in 0..3 {
            outputs.push(write(&store, attempt(1, map, 0), 3, 6, 5000).await.unwrap());
        }
        let path = Path::from(outputs[1].key.as_str());
        let mut bytes = place.store.get(&path).await.unwrap().bytes().await.unwrap().to_vec();
        // Another version with the same rows is not what the driver committed.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let same = place.store.put(&path, bytes.clone().into()).await.unwrap().e_tag;
        if same != outputs[1].version {
            assert_fetch_failed(&store, outputs[1].clone()).await;
        }
        for at in [3, 100, bytes.len() / 2] {
            bytes[at] ^= 0x10;
            let version = place.store.put(&path, bytes.clone().into()).await.unwrap().e_tag;
            bytes[at] ^= 0x10;
            let damaged = MapOutput { version, ..outputs[1].clone() };
            assert_fetch_failed(&store, damaged.clone()).await;
            let slice =
                [outputs[0].clone(), damaged, outputs[2].clone()].iter().map(|o| o.slice(2..3).unwrap()).collect();
            assert_eq!(read(&store, slice).await.unwrap(), [], "{}: the empty partition is not touched", place.name);
        }
        let others = vec![outputs[0].clone(), outputs[2].clone()];
        assert_eq!(joined(&read(&store, others).await.unwrap()).num_rows(), 2 * 6 * 5000);
        store.remove_application().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_without_columns_are_counted() {
    let place = Place::memory();
    let store = place.shuffle(u64::MAX);
    let empty = Arc::new(Schema::empty());
    let options = RecordBatchOptions::new().with_row_count(Some(5));
    let mut writer = store.writer(attempt(0, 0, 0), Arc::clone(&empty), 1).unwrap();
    for _ in 0..2 {
        writer
            .write(0, RecordBatch::try_new_with_options(Arc::clone(&empty), vec![], &options).unwrap())
            .await
            .unwrap();
    }
    let output = writer.finish().await.unwrap();
    let batches: Vec<RecordBatch> = store.read(&empty, vec![output]).try_collect().await.unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unfinished_writer_leaves_nothing() {
    for place in Place::all().await {
        let location = place.location();
        let application = location.application.clone();
        let store = place.shuffle_at(location, 0);
        let mut writer = store.writer(attempt(0, 0, 0), schema(), 2).unwrap();
        for round in 0..8 {
            writer.write(0, batch(round, 20_000)).await.unwrap();
        }
        drop(writer);
        assert_eq!(objects(place.store.as_ref(), &application).await, []);
        let left =
            std::fs::read_dir(place.folder.path()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_file());
        assert_eq!(left.count(), 0, "{}: a spill is left", place.name);
    }
}
