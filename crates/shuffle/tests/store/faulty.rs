//! An object store that goes wrong on purpose, the same way for the same seed.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, stream};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartId, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// 500.
    Internal,
    /// 503 SlowDown.
    SlowDown,
    /// No answer for a long time.
    Silence,
    /// It is done, and the answer is an error.
    LostAnswer,
    /// Some bytes are missing, here or in the store.
    Truncation,
    /// A bit differs, here or in the store.
    BitFlip,
    /// Success, says the status; the body is an error. Nothing was done.
    ErrorBody,
}

const ALL: [Fault; 7] = [
    Fault::Internal,
    Fault::SlowDown,
    Fault::Silence,
    Fault::LostAnswer,
    Fault::Truncation,
    Fault::BitFlip,
    Fault::ErrorBody,
];

const ERROR_BODY: &str = "<Error><Code>InternalError</Code><Message>We encountered an error.</Message></Error>";

/// Longer than any test lets a request take.
const SILENCE: Duration = Duration::from_secs(3600);

/// A store with faults between it and the user.
pub(crate) struct Faulty {
    store: Arc<dyn ObjectStore>,
    multipart: Option<Arc<dyn MultipartStore>>,
    plan: Mutex<Plan>,
    pub(crate) injected: AtomicU64,
}

enum Plan {
    Random(StdRng, f64),
    Script(VecDeque<Option<Fault>>),
}

impl Faulty {
    /// So many of a hundred requests go wrong.
    pub(crate) fn random(
        store: Arc<dyn ObjectStore>,
        multipart: Option<Arc<dyn MultipartStore>>,
        seed: u64,
        percent: u32,
    ) -> Arc<Self> {
        let plan = Plan::Random(StdRng::seed_from_u64(seed), f64::from(percent) / 100.0);
        Arc::new(Self { store, multipart, plan: Mutex::new(plan), injected: AtomicU64::new(0) })
    }

    /// The next requests go so.
    pub(crate) fn script(store: Arc<dyn ObjectStore>, faults: &[Option<Fault>]) -> Arc<Self> {
        let plan = Plan::Script(faults.iter().copied().collect());
        Arc::new(Self { store, multipart: None, plan: Mutex::new(plan), injected: AtomicU64::new(0) })
    }

    pub(crate) fn then(&self, faults: &[Option<Fault>]) {
        *self.plan.lock().unwrap() = Plan::Script(faults.iter().copied().collect());
    }

    fn fault(&self) -> Option<Fault> {
        let fault = match &mut *self.plan.lock().unwrap() {
            Plan::Random(random, share) => random.random_bool(*share).then(|| *ALL.choose(random).unwrap()),
            Plan::Script(faults) => faults.pop_front().flatten(),
        };
        self.injected.fetch_add(u64::from(fault.is_some()), Ordering::Relaxed);
        fault
    }

    /// A place in some bytes to damage.
    fn at(&self, length: usize) -> usize {
        match &mut *self.plan.lock().unwrap() {
            Plan::Random(random, _) => random.random_range(0..length.max(1)),
            Plan::Script(_) => length / 2,
        }
    }

    fn damaged(&self, fault: Fault, bytes: &Bytes) -> Bytes {
        let at = self.at(bytes.len());
        match fault {
            Fault::Truncation => bytes.slice(..at),
            Fault::BitFlip if !bytes.is_empty() => {
                let mut flipped = bytes.to_vec();
                flipped[at] ^= 1 << (at % 8);
                flipped.into()
            }
            Fault::ErrorBody => Bytes::from_static(ERROR_BODY.as_bytes()),
            _ => bytes.clone(),
        }
    }

    /// Requests without a body worth damaging.
    async fn simple<T>(&self, request: impl Future<Output = Result<T>>) -> Result<T> {
        match self.fault() {
            None => request.await,
            Some(Fault::Silence) => {
                tokio::time::sleep(SILENCE).await;
                Err(failed())
            }
            Some(Fault::LostAnswer) => {
                request.await?;
                Err(failed())
            }
            Some(_) => Err(failed()),
        }
    }
}

fn failed() -> Error {
    Error::Generic { store: "faulty", source: "500 or 503".into() }
}

fn joined(payload: PutPayload) -> Bytes {
    payload.into_iter().flatten().collect()
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Faulty({})", self.store)
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Faulty({})", self.store)
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        match self.fault() {
            None => self.store.put_opts(location, payload, opts).await,
            Some(Fault::Internal | Fault::SlowDown) => Err(failed()),
            Some(Fault::Silence) => {
                tokio::time::sleep(SILENCE).await;
                Err(failed())
            }
            Some(Fault::LostAnswer) => {
                self.store.put_opts(location, payload, opts).await?;
                Err(failed())
            }
            Some(Fault::ErrorBody) => Ok(PutResult { e_tag: None, version: None }),
            Some(fault) => {
                let damaged = self.damaged(fault, &joined(payload));
                self.store.put_opts(location, damaged.into(), opts).await
            }
        }
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.simple(self.store.put_multipart_opts(location, opts)).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        match self.fault() {
            None => self.store.get_opts(location, options).await,
            Some(Fault::Internal | Fault::SlowDown | Fault::LostAnswer) => Err(failed()),
            Some(Fault::Silence) => {
                tokio::time::sleep(SILENCE).await;
                Err(failed())
            }
            Some(fault) => {
                let answer = self.store.get_opts(location, options).await?;
                let (meta, range, attributes) = (answer.meta.clone(), answer.range.clone(), answer.attributes.clone());
                let damaged = self.damaged(fault, &answer.bytes().await?);
                let payload = GetResultPayload::Stream(stream::iter([Ok(damaged)]).boxed());
                Ok(GetResult { payload, meta, range, attributes })
            }
        }
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        match self.fault() {
            None => self.store.delete_stream(locations),
            Some(Fault::Silence) => {
                async { tokio::time::sleep(SILENCE).await }.map(|()| Err(failed())).into_stream().boxed()
            }
            Some(_) => stream::iter([Err(failed())]).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.fault() {
            None => self.store.list(prefix),
            Some(Fault::Truncation) => self.store.list(prefix).take(1).chain(stream::iter([Err(failed())])).boxed(),
            Some(_) => stream::iter([Err(failed())]).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

#[async_trait]
impl MultipartStore for Faulty {
    async fn create_multipart(&self, path: &Path) -> Result<MultipartId> {
        self.simple(self.multipart.as_ref().unwrap().create_multipart(path)).await
    }

    async fn put_part(&self, path: &Path, id: &MultipartId, part_idx: usize, data: PutPayload) -> Result<PartId> {
        let multipart = self.multipart.as_ref().unwrap();
        match self.fault() {
            Some(fault @ (Fault::BitFlip | Fault::Truncation)) => {
                let damaged = self.damaged(fault, &joined(data));
                multipart.put_part(path, id, part_idx, damaged.into()).await
            }
            None => multipart.put_part(path, id, part_idx, data).await,
            Some(_) => Err(failed()),
        }
    }

    async fn complete_multipart(&self, path: &Path, id: &MultipartId, parts: Vec<PartId>) -> Result<PutResult> {
        self.simple(self.multipart.as_ref().unwrap().complete_multipart(path, id, parts)).await
    }

    async fn abort_multipart(&self, path: &Path, id: &MultipartId) -> Result<()> {
        self.simple(self.multipart.as_ref().unwrap().abort_multipart(path, id)).await
    }
}
