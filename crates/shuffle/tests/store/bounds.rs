//! Time, requests and memory stay bounded whatever the store does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use firesteel_shuffle::{ObjectLocation, ObjectShuffleStore, RequestPolicy, ShuffleError, ShuffleStore};

use crate::faulty::{Fault, Faulty};
use crate::places::Place;
use crate::rows::{attempt, expected, joined, read, write};

fn policy() -> RequestPolicy {
    RequestPolicy {
        timeout: Duration::from_millis(500),
        tries_max: 5,
        backoff: Duration::from_millis(2),
        backoff_max: Duration::from_millis(20),
        hedge_after_min: Duration::from_millis(50),
    }
}

fn shuffle(place: &Place, faulty: &Arc<Faulty>) -> ObjectShuffleStore {
    let store = Arc::clone(faulty) as _;
    place.shuffle_at(ObjectLocation { store, multipart: None, policy: policy(), ..place.location() }, u64::MAX)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_down_is_waited_out() {
    let place = Place::memory();
    let faulty = Faulty::script(place.store.clone(), &[Some(Fault::SlowDown); 4]);
    let store = shuffle(&place, &faulty);
    let output = write(&store, attempt(0, 0, 0), 3, 4, 100).await.unwrap();
    faulty.then(&[Some(Fault::SlowDown), Some(Fault::Internal)]);
    let found = read(&store, vec![output]).await.unwrap();
    assert_eq!(joined(&found), joined(&expected(0..3, 3, 4, 100)));
    let counts = store.counts();
    assert_eq!((counts.puts, counts.gets, counts.retries), (5, 3, 6), "every try is counted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_only_fails_ends_in_an_error() {
    let place = Place::memory();
    let faulty = Faulty::script(place.store.clone(), &[Some(Fault::Internal); 5]);
    let store = shuffle(&place, &faulty);
    let failed = write(&store, attempt(0, 0, 0), 3, 4, 100).await;
    assert!(matches!(failed, Err(ShuffleError::Store { .. })), "{failed:?}");
    assert_eq!(store.counts().puts, 5);
    let output = write(&store, attempt(0, 0, 1), 3, 4, 100).await.unwrap();
    faulty.then(&[Some(Fault::Silence); 20]);
    let started = Instant::now();
    let failed = read(&store, vec![output]).await;
    assert!(matches!(failed, Err(ShuffleError::Store { .. })), "{failed:?}");
    // The GET and the HEAD that asks what became of the object: five tries of half a second each, and the waits.
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_answer_is_overtaken() {
    let place = Place::memory();
    let faulty = Faulty::script(place.store.clone(), &[]);
    let store = shuffle(&place, &faulty);
    let output = write(&store, attempt(0, 0, 0), 3, 4, 100).await.unwrap();
    for _ in 0..30 {
        read(&store, vec![output.clone()]).await.unwrap();
    }
    faulty.then(&[Some(Fault::Silence)]);
    let started = Instant::now();
    let found = read(&store, vec![output]).await.unwrap();
    assert_eq!(joined(&found), joined(&expected(0..3, 3, 4, 100)));
    assert!(started.elapsed() < Duration::from_millis(400), "{:?}", started.elapsed());
    assert_eq!((store.counts().hedges, store.counts().retries), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_on_the_way_is_asked_for_again() {
    for fault in [Fault::BitFlip, Fault::Truncation, Fault::ErrorBody] {
        let place = Place::memory();
        let faulty = Faulty::script(place.store.clone(), &[]);
        let store = shuffle(&place, &faulty);
        let output = write(&store, attempt(0, 0, 0), 3, 4, 100).await.unwrap();
        faulty.then(&[Some(fault)]);
        let found = read(&store, vec![output]).await.unwrap();
        assert_eq!(joined(&found), joined(&expected(0..3, 3, 4, 100)), "{fault:?}");
        assert_eq!(store.counts().gets, 2, "{fault:?}");
    }
}
