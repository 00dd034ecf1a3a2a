//! One object on its way up: a single PUT while it is small, parts sent beside the computation when it is large.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{MultipartId, MultipartUpload, ObjectStoreExt, PutPayload};
use tokio::task::{JoinError, JoinSet};

use super::counts::one;
use super::limits::Limits;
use super::memory::Memory;
use super::request::{Failure, Requests, SharedMultipart};

/// After so many parts they are twice as large.
const PARTS_PER_SIZE: usize = 2_000;

/// An object being written. Dropped unfinished, it leaves no object.
pub(crate) struct Upload {
    requests: Arc<Requests>,
    path: Path,
    waiting: Vec<Bytes>,
    waiting_bytes: u64,
    limits: Limits,
    /// What waits or is on its way.
    memory: Memory,
    large: Option<Parts>,
}

struct Parts {
    way: Way,
    sent: usize,
    in_flight: JoinSet<Sent>,
    done: Vec<(usize, PartId)>,
}

/// A part that is on its way no more.
struct Sent {
    at: usize,
    bytes: u64,
    result: Result<PartId, Failure>,
}

enum Way {
    /// Parts with names, so that each can be sent again.
    Named(SharedMultipart, MultipartId),
    /// What a store without such parts offers: a local file.
    Plain(Box<dyn MultipartUpload>),
}

impl Upload {
    pub(crate) fn new(requests: Arc<Requests>, path: Path, limits: Limits, memory: Memory) -> Self {
        Self { requests, path, waiting: Vec::new(), waiting_bytes: 0, limits, memory, large: None }
    }

    /// Objects that become larger than this go up in parts.
    pub(crate) fn put_bytes_max(&self) -> u64 {
        self.limits.put
    }

    fn part_bytes(&self, parts: &Parts) -> u64 {
        self.limits.part << (parts.sent / PARTS_PER_SIZE).min(6)
    }

    /// Adds bytes at the end; waits while too much is on its way.
    pub(crate) async fn push(&mut self, bytes: Bytes) -> Result<(), Failure> {
        self.waiting_bytes += bytes.len() as u64;
        self.memory.add(bytes.len() as u64);
        self.memory.claim();
        self.waiting.push(bytes);
        match self.large.as_ref().map(|parts| self.part_bytes(parts)) {
            Some(size) if self.waiting_bytes >= size => self.send_part().await,
            None if self.waiting_bytes > self.limits.put => {
                self.begin_parts().await?;
                self.send_part().await
            }
            _ => Ok(()),
        }
    }

    /// Makes the object readable; gives its version.
    pub(crate) async fn finish(mut self) -> Result<Option<String>, Failure> {
        if self.large.is_none() {
            return self.put().await;
        }
        if self.waiting_bytes > 0 {
            self.send_part().await?;
        }
        while let Some(done) = self.next_done().await {
            done?;
        }
        let version = match self.complete().await {
            // A try whose answer was lost may have completed it.
            Err(failure) if failure.gone => self.version_of_completed().await,
            version => version,
        };
        if version.is_ok() {
            self.large = None;
        }
        version.map(Some)
    }

    async fn complete(&mut self) -> Result<String, Failure> {
        let Some(parts) = &mut self.large else { return Err(interrupted()) };
        parts.done.sort_by_key(|(at, _)| *at);
        let ids: Vec<PartId> = parts.done.drain(..).map(|(_, id)| id).collect();
        match &mut parts.way {
            Way::Named(store, id) => {
                let complete = self.requests.tried(|| {
                    one(&self.requests.counters.multiparts);
                    let (store, id, ids, path) = (store.clone(), id.clone(), ids.clone(), self.path.clone());
                    async move { store.0.complete_multipart(&path, &id, ids).await?.e_tag.ok_or_else(no_version) }
                });
                complete.await
            }
            Way::Plain(upload) => {
                one(&self.requests.counters.multiparts);
                let version = upload.complete().await.map_err(once)?.e_tag;
                version.ok_or_else(|| once(no_version()))
            }
        }
    }

    async fn put(&mut self) -> Result<Option<String>, Failure> {
        let payload = PutPayload::from_iter(std::mem::take(&mut self.waiting));
        let version = self.requests.tried(|| {
            one(&self.requests.counters.puts);
            let (store, path, payload) = (Arc::clone(&self.requests.store), self.path.clone(), payload.clone());
            // An answer without a version is none: every store that we write to gives one.
            async move { store.put(&path, payload).await?.e_tag.ok_or_else(no_version) }
        });
        let version = version.await?;
        self.requests.counters.bytes_written.fetch_add(self.waiting_bytes, Ordering::Relaxed);
        Ok(Some(version))
    }

    async fn begin_parts(&mut self) -> Result<(), Failure> {
        let store = Arc::clone(&self.requests.store);
        let way = match self.requests.multipart.clone() {
            Some(multipart) => {
                let id = self.requests.tried(|| {
                    one(&self.requests.counters.multiparts);
                    let (store, path) = (multipart.clone(), self.path.clone());
                    async move { store.0.create_multipart(&path).await }
                });
                let id = id.await?;
                Way::Named(multipart, id)
            }
            None => {
                one(&self.requests.counters.multiparts);
                Way::Plain(store.put_multipart(&self.path).await.map_err(once)?)
            }
        };
        self.large = Some(Parts { way, sent: 0, in_flight: JoinSet::new(), done: Vec::new() });
        Ok(())
    }

    async fn send_part(&mut self) -> Result<(), Failure> {
        while self.large.as_ref().is_some_and(|parts| parts.in_flight.len() >= self.limits.parts_in_flight) {
            if let Some(done) = self.next_done().await {
                done?;
            }
        }
        let Some(parts) = &mut self.large else { return Ok(()) };
        let payload = PutPayload::from_iter(std::mem::take(&mut self.waiting));
        let bytes = std::mem::take(&mut self.waiting_bytes);
        let at = parts.sent;
        parts.sent += 1;
        let requests = Arc::clone(&self.requests);
        match &mut parts.way {
            Way::Named(store, id) => {
                let (store, path, id) = (store.clone(), self.path.clone(), id.clone());
                let part =
                    async move { Sent { at, bytes, result: send(&requests, store, path, id, at, payload).await } };
                parts.in_flight.spawn_on(part, &self.requests.io);
            }
            Way::Plain(upload) => {
                one(&requests.counters.parts);
                requests.counters.bytes_written.fetch_add(payload.content_length() as u64, Ordering::Relaxed);
                let sent = upload.put_part(payload);
                let unnamed = PartId { content_id: String::new() };
                let part = async move { Sent { at, bytes, result: sent.await.map(|()| unnamed).map_err(once) } };
                parts.in_flight.spawn_on(part, &self.requests.io);
            }
        }
        Ok(())
    }

    async fn next_done(&mut self) -> Option<Result<(), Failure>> {
        let parts = self.large.as_mut()?;
        let lost = |error: JoinError| Failure { gone: false, source: std::io::Error::other(error) };
        let Sent { at, bytes, result } = match parts.in_flight.join_next().await? {
            Ok(sent) => sent,
            Err(error) => return Some(Err(lost(error))),
        };
        self.memory.free(bytes);
        Some(result.map(|id| parts.done.push((at, id))))
    }

    async fn version_of_completed(&mut self) -> Result<String, Failure> {
        let head = self.requests.tried(|| {
            one(&self.requests.counters.heads);
            let (store, path) = (Arc::clone(&self.requests.store), self.path.clone());
            async move { store.head(&path).await?.e_tag.ok_or_else(no_version) }
        });
        head.await
    }
}

async fn send(
    requests: &Requests,
    store: SharedMultipart,
    path: Path,
    id: MultipartId,
    at: usize,
    payload: PutPayload,
) -> Result<PartId, Failure> {
    let bytes = payload.content_length() as u64;
    let part = requests.tried(|| {
        one(&requests.counters.parts);
        let (store, path, id, payload) = (store.clone(), path.clone(), id.clone(), payload.clone());
        async move { store.0.put_part(&path, &id, at, payload).await }
    });
    let part = part.await?;
    requests.counters.bytes_written.fetch_add(bytes, Ordering::Relaxed);
    Ok(part)
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(mut parts) = self.large.take() else { return };
        let (requests, path) = (Arc::clone(&self.requests), self.path.clone());
        self.requests.io.spawn(abandon(async move {
            parts.in_flight.shutdown().await;
            match parts.way {
                Way::Named(store, id) => {
                    let abort = requests.tried(|| {
                        one(&requests.counters.multiparts);
                        let (store, id, path) = (store.clone(), id.clone(), path.clone());
                        async move { store.0.abort_multipart(&path, &id).await }
                    });
                    abort.await
                }
                Way::Plain(mut upload) => upload.abort().await.map_err(once),
            }
        }));
    }
}

/// Gives parts up; if even that fails, the bucket's rule for unfinished uploads remains.
async fn abandon(abort: impl Future<Output = Result<(), Failure>>) {
    let _ = abort.await;
}

fn no_version() -> object_store::Error {
    object_store::Error::Generic { store: "shuffle", source: "the answer names no version".into() }
}

/// The failure of what cannot be tried again.
fn once(error: object_store::Error) -> Failure {
    Failure { gone: false, source: error.into() }
}

fn interrupted() -> Failure {
    Failure { gone: false, source: std::io::Error::from(std::io::ErrorKind::Interrupted) }
}
