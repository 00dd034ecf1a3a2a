//! Requests that end: each try has a time-out, tries are counted and bounded, slow reads are asked for twice.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use tokio::runtime::Handle;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

use super::counts::{Counters, one};
use super::throttle::Throttle;

/// Bounds of requests.
#[derive(Clone, Copy, Debug)]
pub struct RequestPolicy {
    /// How long one try may take.
    pub timeout: Duration,
    /// How many tries a request has.
    pub tries_max: u32,
    /// The wait after the first failed try; it doubles with each further one.
    pub backoff: Duration,
    /// And grows no longer than this.
    pub backoff_max: Duration,
    /// A read is not asked for twice before this.
    pub hedge_after_min: Duration,
}

impl Default for RequestPolicy {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            tries_max: 7,
            backoff: Duration::from_millis(50),
            backoff_max: Duration::from_secs(5),
            hedge_after_min: Duration::from_millis(250),
        }
    }
}

/// Why a request failed for good.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What it asked for does not exist, or not in the version that was asked for.
    pub(crate) gone: bool,
    pub(crate) source: io::Error,
}

/// One bucket's client, its throttle and its counters.
#[derive(Debug)]
pub(crate) struct Requests {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) multipart: Option<SharedMultipart>,
    pub(crate) policy: RequestPolicy,
    pub(crate) counters: Counters,
    pub(crate) io: Handle,
    throttle: Throttle,
    latency: Latency,
}

/// A store of parts; its `Debug` shows nothing.
#[derive(Clone)]
pub(crate) struct SharedMultipart(pub(crate) Arc<dyn MultipartStore>);

impl std::fmt::Debug for SharedMultipart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedMultipart")
    }
}

enum Verdict {
    Gone,
    Refused,
    Transient,
}

impl Requests {
    pub(crate) fn new(
        store: Arc<dyn ObjectStore>,
        multipart: Option<Arc<dyn MultipartStore>>,
        policy: RequestPolicy,
        io: Handle,
    ) -> Self {
        let (throttle, latency) = (Throttle::new(), Latency::default());
        let multipart = multipart.map(SharedMultipart);
        Self { store, multipart, policy, counters: Counters::default(), io, throttle, latency }
    }

    /// Tries until there is an answer, a failure that will not go away, or no try left.
    pub(crate) async fn tried<T, F, R>(&self, request: F) -> Result<T, Failure>
    where
        F: Fn() -> R,
        R: Future<Output = object_store::Result<T>> + Send + 'static,
        T: Send + 'static,
    {
        self.tried_by(|| async { self.spawned(request()).await }).await
    }

    /// The bytes of a range, all of them.
    pub(crate) async fn get(&self, path: &Path, version: Option<&String>, range: Range<u64>) -> Result<Bytes, Failure> {
        let one_try = || {
            let (store, path, range) = (Arc::clone(&self.store), path.clone(), range.clone());
            let options = GetOptions {
                if_match: version.cloned(),
                range: Some(GetRange::Bounded(range.clone())),
                ..Default::default()
            };
            one(&self.counters.gets);
            self.spawned(async move {
                let bytes = store.get_opts(&path, options).await?.bytes().await?;
                let wanted = range.end - range.start;
                if bytes.len() as u64 == wanted { Ok(bytes) } else { Err(short(bytes.len(), wanted)) }
            })
        };
        let bytes = match self.tried_by(|| self.hedged(&one_try)).await {
            // A range that ends beyond its object fails in ways that look like trouble of the store.
            Err(failure) if !failure.gone && self.is_shorter(path, range.end).await => {
                return Err(Failure { gone: true, ..failure });
            }
            bytes => bytes?,
        };
        self.counters.bytes_read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes)
    }

    /// Whether the object is certainly there and too short.
    async fn is_shorter(&self, path: &Path, end: u64) -> bool {
        let head = self.tried(|| {
            one(&self.counters.heads);
            let (store, path) = (Arc::clone(&self.store), path.clone());
            async move { store.head(&path).await }
        });
        head.await.is_ok_and(|object| object.size < end)
    }

    async fn tried_by<T, F, R>(&self, one_try: F) -> Result<T, Failure>
    where
        F: Fn() -> R,
        R: Future<Output = object_store::Result<T>>,
    {
        let mut tries = 0;
        loop {
            let permit = self.throttle.acquire().await;
            let result = tokio::time::timeout(self.policy.timeout, one_try()).await;
            drop(permit);
            let (transient, gone, source) = match result {
                Ok(Ok(answer)) => {
                    self.throttle.answered();
                    return Ok(answer);
                }
                Ok(Err(error)) => {
                    let verdict = verdict(&error);
                    let transient = matches!(verdict, Verdict::Transient);
                    (transient, matches!(verdict, Verdict::Gone), io::Error::from(error))
                }
                Err(_) => (true, false, io::Error::from(io::ErrorKind::TimedOut)),
            };
            tries += 1;
            if !transient || tries >= self.policy.tries_max {
                return Err(Failure { gone, source });
            }
            self.throttle.overloaded();
            one(&self.counters.retries);
            tokio::time::sleep(self.backoff(tries)).await;
        }
    }

    /// Runs on the threads for requests, so that a computing task does not hold them up.
    async fn spawned<T: Send + 'static>(
        &self,
        request: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> object_store::Result<T> {
        AbortOnDropHandle::new(self.io.spawn(request)).await.map_err(|source: JoinError| source.into()).flatten()
    }

    /// Asks a second time when the answer takes unusually long; the first answer of the two counts.
    async fn hedged<T, F, R>(&self, one_try: &F) -> object_store::Result<T>
    where
        F: Fn() -> R,
        R: Future<Output = object_store::Result<T>>,
    {
        let started = Instant::now();
        let mut asked = FuturesUnordered::from_iter([one_try()]);
        let slow = tokio::time::sleep(self.latency.unusual().max(self.policy.hedge_after_min));
        tokio::pin!(slow);
        let mut second = None;
        loop {
            tokio::select! {
                biased;
                Some(answer) = asked.next() => {
                    if answer.is_ok() {
                        self.latency.observe(started.elapsed());
                    }
                    if answer.is_ok() || asked.is_empty() {
                        return answer;
                    }
                }
                () = &mut slow, if second.is_none() => {
                    second = Some(self.throttle.try_acquire());
                    if matches!(second, Some(Some(_))) {
                        one(&self.counters.hedges);
                        asked.push(one_try());
                    }
                }
            }
        }
    }

    /// Between half of the wait and all of it, so that tasks that failed together do not come back together.
    fn backoff(&self, tries: u32) -> Duration {
        let wait = self.policy.backoff.saturating_mul(1 << tries.saturating_sub(1).min(16));
        wait.min(self.policy.backoff_max).mul_f64(0.5 + rand::random::<f64>() / 2.0)
    }
}

fn verdict(error: &object_store::Error) -> Verdict {
    use object_store::Error;
    match error {
        Error::NotFound { .. } | Error::Precondition { .. } | Error::NotModified { .. } => Verdict::Gone,
        Error::Generic { .. } | Error::JoinError { .. } | Error::AlreadyExists { .. } => Verdict::Transient,
        _ => Verdict::Refused,
    }
}

fn short(found: usize, wanted: u64) -> object_store::Error {
    let source = format!("{found} bytes came of {wanted}");
    object_store::Error::Generic { store: "shuffle", source: source.into() }
}

/// How long reads take: a moving mean and deviation.
#[derive(Debug, Default)]
struct Latency(Mutex<Option<(f64, f64)>>);

impl Latency {
    const WEIGHT: f64 = 0.1;
    /// Without any experience.
    const UNKNOWN: Duration = Duration::from_secs(2);

    fn observe(&self, took: Duration) {
        let took = took.as_secs_f64();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mean, deviation) = known.unwrap_or((took, took / 2.0));
        let deviation = deviation + Self::WEIGHT * ((took - mean).abs() - deviation);
        *known = Some((mean + Self::WEIGHT * (took - mean), deviation));
    }

    /// Longer than nearly all take.
    fn unusual(&self) -> Duration {
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.map_or(Self::UNKNOWN, |(mean, deviation)| Duration::from_secs_f64(mean + 4.0 * deviation))
    }
}
