//! Shuffles through a store that goes wrong at every kind of request: rows are right, or the map at fault is named.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use firesteel_shuffle::{MapOutput, ObjectLocation, ObjectShuffleStore, RequestPolicy, ShuffleError, ShuffleStore};
use futures::TryStreamExt;
use object_store::ObjectStore;

use crate::faulty::Faulty;
use crate::places::Place;
use crate::rows::{attempt, expected, joined, read, write};

const MAPS: u32 = 5;
const PARTITIONS: usize = 4;
const BATCHES: i32 = 9;
const ROWS: i32 = 700;

/// Far more than a run with few faults needs.
const TRIES_MAX: u32 = 40;

fn impatient() -> RequestPolicy {
    RequestPolicy {
        timeout: Duration::from_millis(120),
        tries_max: 4,
        backoff: Duration::from_millis(1),
        backoff_max: Duration::from_millis(8),
        hedge_after_min: Duration::from_millis(30),
    }
}

/// Attempts of one map task until one commits.
async fn mapped(store: &ObjectShuffleStore, map: u32, attempts: &mut u32) -> MapOutput {
    loop {
        *attempts += 1;
        assert!(*attempts < TRIES_MAX, "map {map} does not end");
        match write(store, attempt(1, map, *attempts), PARTITIONS, BATCHES, ROWS).await {
            Ok(output) => return output,
            Err(ShuffleError::Store { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

async fn shuffled(place: &Place, seed: u64, percent: u32) -> u64 {
    let faulty = Faulty::random(place.store.clone(), place.multipart.clone(), seed, percent);
    let multipart = place.multipart.is_some().then(|| faulty.clone() as _);
    let location = ObjectLocation { store: faulty.clone(), multipart, policy: impatient(), ..place.location() };
    let application = location.application.clone();
    let store = place.shuffle_at(location, if seed.is_multiple_of(2) { 0 } else { u64::MAX });
    let started = Instant::now();
    let mut attempts = [0; MAPS as usize];
    let mut outputs = Vec::new();
    for map in 0..MAPS {
        outputs.push(mapped(&store, map, &mut attempts[map as usize]).await);
    }
    for reducer in 0..PARTITIONS {
        let wanted: Vec<_> =
            (0..MAPS).flat_map(|_| expected(reducer..reducer + 1, PARTITIONS, BATCHES, ROWS)).collect();
        for tries in 0.. {
            assert!(tries < TRIES_MAX, "reducer {reducer} does not end");
            let slices = outputs.iter().map(|output| output.slice(reducer..reducer + 1).unwrap()).collect();
            match read(&store, slices).await {
                Ok(found) => {
                    assert!(joined(&found) == joined(&wanted), "{} seed {seed}: wrong rows", place.name);
                    break;
                }
                Err(ShuffleError::FetchFailed { attempt, .. }) => {
                    let map = attempt.task.partition.0;
                    assert_eq!(outputs[map as usize].attempt, attempt, "the map that is at fault is named");
                    store.remove(attempt).await;
                    outputs[map as usize] = mapped(&store, map, &mut attempts[map as usize]).await;
                }
                Err(ShuffleError::Store { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }
    assert!(started.elapsed() < Duration::from_secs(60), "{} seed {seed}", place.name);
    faulty.then(&[]);
    store.remove_application().await;
    let left: Vec<_> = place.store.list(None).map_ok(|object| object.location).try_collect().await.unwrap();
    assert!(!left.iter().any(|path| path.as_ref().contains(&application)), "{}: {left:?}", place.name);
    faulty.injected.load(Ordering::Relaxed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_fault_makes_a_wrong_row() {
    let seeds = std::env::var("FIRESTEEL_TEST_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    for place in Place::all().await {
        let mut injected = 0;
        for seed in 0..seeds {
            injected += shuffled(&place, seed, 5 + (seed as u32 % 3) * 10).await;
        }
        println!("{}: {injected} faults in {seeds} runs", place.name);
        assert!(injected > seeds * 2);
    }
}
