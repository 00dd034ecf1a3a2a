//! Outputs that stay: where they go when memory is short, and when they go for good.

use std::sync::Arc;

use firesteel_model::ids::StageId;
use firesteel_shuffle::{FixedBudget, LocalStore, MapOutput, Residence, ShuffleStore};
use futures::TryStreamExt;
use tempfile::TempDir;

use crate::rows::{attempt, schema, write};

const BATCHES: i32 = 4;
const ROWS: i32 = 1000;

struct Fixture {
    directory: TempDir,
    budget: Arc<FixedBudget>,
    store: LocalStore,
}

impl Fixture {
    fn new(limit: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let budget = Arc::new(FixedBudget::new(limit));
        let store = LocalStore::new(directory.path(), budget.clone());
        Self { directory, budget, store }
    }

    /// Room for two outputs and a half.
    async fn tight() -> Self {
        let one = Self::new(u64::MAX);
        one.write(0).await;
        Self::new(one.budget.used() * 5 / 2)
    }

    async fn write(&self, task: u32) -> MapOutput {
        write(&self.store, attempt(7, task, 0), 2, BATCHES, ROWS).await.unwrap()
    }

    async fn kept(&self, task: u32, residence: Residence) -> MapOutput {
        let output = self.write(task).await;
        drop(self.store.retain(output.attempt, residence));
        output
    }

    async fn rows(&self, output: &MapOutput) -> usize {
        let batches: Vec<_> = self.store.read(&schema(), vec![output.clone()]).try_collect().await.unwrap();
        batches.iter().map(|batch| batch.num_rows()).sum()
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.directory.path()).unwrap().count()
    }
}

const ALL: usize = (BATCHES * ROWS) as usize;

#[tokio::test]
async fn what_was_used_longest_ago_moves_to_disk_first() {
    let place = Fixture::tight().await;
    let first = place.kept(0, Residence::MemoryAndDisk).await;
    let second = place.kept(1, Residence::MemoryAndDisk).await;
    assert!(place.store.hold(first.attempt).is_some());
    let third = place.write(2).await;
    assert_eq!(third.spilled_bytes, 0, "the new output got the room of an old one");
    assert!(place.directory.path().join("kept-7-00000001-0.arrow").exists() && place.files() == 1);
    for output in [&first, &second, &third] {
        assert_eq!(place.rows(output).await, ALL);
        assert!(place.store.hold(output.attempt).is_some() || output.attempt == third.attempt);
    }
    place.store.remove_stage(StageId(7)).await;
    assert_eq!((place.files(), place.budget.used()), (0, 0));
}

#[tokio::test]
async fn what_may_only_be_in_memory_goes_unless_it_is_held() {
    let place = Fixture::tight().await;
    let first = place.kept(0, Residence::Memory).await;
    let second = place.kept(1, Residence::Memory).await;
    let hold = place.store.hold(first.attempt).unwrap();
    let third = place.kept(2, Residence::Memory).await;
    assert!(place.store.hold(second.attempt).is_none(), "nobody held it");
    assert!(!hold.is_lost());
    assert_eq!(place.rows(&first).await + place.rows(&third).await, 2 * ALL);
}

#[tokio::test]
async fn what_finds_no_place_in_memory_is_there_for_those_who_hold_it() {
    let place = Fixture::new(0);
    let output = place.write(0).await;
    let hold = place.store.retain(output.attempt, Residence::Memory);
    assert_eq!(place.rows(&output).await, ALL);
    assert!(place.store.hold(output.attempt).is_some());
    drop(hold);
    assert!(place.store.hold(output.attempt).is_none());
    assert_eq!(place.files(), 0);
}

#[tokio::test]
async fn what_is_to_be_on_disk_takes_no_memory() {
    let place = Fixture::new(u64::MAX);
    let output = place.kept(0, Residence::Disk).await;
    assert_eq!((place.files(), place.budget.used()), (1, 0));
    assert_eq!(place.rows(&output).await, ALL);
}

#[tokio::test]
async fn a_lost_file_and_a_damaged_one_are_noticed() {
    let place = Fixture::new(u64::MAX);
    let (gone, damaged) = (place.kept(0, Residence::Disk).await, place.kept(1, Residence::Disk).await);
    let path = |task: u32| place.directory.path().join(format!("kept-7-{task:08}-0.arrow"));
    std::fs::remove_file(path(0)).unwrap();
    assert!(place.store.hold(gone.attempt).is_none());

    let hold = place.store.hold(damaged.attempt).unwrap();
    let mut bytes = std::fs::read(path(1)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path(1), bytes).unwrap();
    let read: Result<Vec<_>, _> = place.store.read(&schema(), vec![damaged.clone()]).try_collect().await;
    assert!(read.is_err() && !hold.is_lost());
    place.store.lose(damaged.attempt);
    assert!(hold.is_lost());
    assert!(place.store.hold(damaged.attempt).is_none());
}
