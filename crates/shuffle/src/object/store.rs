//! [`ObjectShuffleStore`].

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use firesteel_model::ids::{StageId, TaskAttempt};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::buffers::Buffers;
use super::counts::{RequestCounts, one};
use super::fetch::spans;
use super::index::{self, Index};
use super::key::Keys;
use super::limits::Limits;
use super::memory::Memory;
use super::reader::ObjectReader;
use super::request::{Failure, RequestPolicy, Requests};
use super::upload::Upload;
use super::writer::ObjectWriter;
use crate::block::{BlockDecoder, BlockEncoder, Compression};
use crate::retained::{Hold, Residence, Staying};
use crate::store::{BatchStream, MapWriter, MemoryBudget, ShuffleStore};
use crate::{MapOutput, Result, ShuffleError};

/// Objects that one request deletes.
const DELETES_PER_REQUEST: usize = 1000;

/// How much of an object's end is read in search of its index.
const INDEX_GUESS_BYTES: u64 = 64 << 10;

/// Folders looked through at once when everything goes.
const FOLDERS_AT_ONCE: usize = 16;

/// Where an application's shuffle lies.
#[derive(Clone)]
pub struct ObjectLocation {
    /// The bucket; its client should not retry by itself, see [`RequestPolicy`].
    pub store: Arc<dyn ObjectStore>,
    /// Its uploads in parts; `None` where there are none, as in local files.
    pub multipart: Option<Arc<dyn MultipartStore>>,
    /// What all keys begin with.
    pub prefix: Path,
    /// Keeps applications of the same name apart.
    pub namespace: String,
    /// The application's id.
    pub application: String,
    /// How blocks are compressed.
    pub compression: Compression,
    /// Bounds of requests.
    pub policy: RequestPolicy,
}

impl std::fmt::Debug for ObjectLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { prefix, namespace, application, compression, .. } = self;
        f.debug_struct("ObjectLocation")
            .field("prefix", &prefix.as_ref())
            .field("namespace", namespace)
            .field("application", application)
            .field("compression", compression)
            .finish_non_exhaustive()
    }
}

/// Keeps each map output as one object.
///
/// Guarantees: an object is complete or absent, is never written twice, and is read only in the version that its
/// writer saw; every block is checked; no request waits or is repeated without bound.
#[derive(Debug)]
pub struct ObjectShuffleStore {
    keys: Keys,
    compression: Compression,
    requests: Arc<Requests>,
    directory: PathBuf,
    budget: Arc<dyn MemoryBudget>,
    limits: Limits,
    ahead: Arc<Semaphore>,
    written: Arc<Written>,
    staying: Staying,
    deleting: TaskTracker,
}

/// Objects of the application that this process knows of.
#[derive(Debug, Default)]
pub(crate) struct Written(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    stages: HashMap<StageId, Vec<(TaskAttempt, Path)>>,
    any: bool,
}

impl Written {
    pub(crate) fn add(&self, attempt: TaskAttempt, path: Path) {
        let mut known = self.locked();
        known.any = true;
        let stage = known.stages.entry(attempt.task.stage).or_default();
        if !stage.iter().any(|(_, old)| *old == path) {
            stage.push((attempt, path));
        }
    }

    fn take(&self, attempt: TaskAttempt) -> Vec<Path> {
        let mut known = self.locked();
        let Some(stage) = known.stages.get_mut(&attempt.task.stage) else { return Vec::new() };
        let (taken, kept) = std::mem::take(stage).into_iter().partition(|(of, _)| *of == attempt);
        *stage = kept;
        if stage.is_empty() {
            known.stages.remove(&attempt.task.stage);
        }
        paths(taken)
    }

    fn take_stage(&self, stage: StageId) -> Vec<Path> {
        paths(self.locked().stages.remove(&stage).unwrap_or_default())
    }

    fn take_all(&self) -> Vec<Path> {
        let stages = std::mem::take(&mut self.locked().stages);
        stages.into_values().flat_map(paths).collect()
    }

    fn locked(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn paths(known: Vec<(TaskAttempt, Path)>) -> Vec<Path> {
    known.into_iter().map(|(_, path)| path).collect()
}

impl ObjectShuffleStore {
    /// A store for so many tasks at once, each of which has so much memory for all that it does; it spills to `directory`
    /// and sends its requests on `io`.
    pub fn new(
        location: ObjectLocation,
        directory: impl Into<PathBuf>,
        budget: Arc<dyn MemoryBudget>,
        tasks: usize,
        task_bytes: u64,
        io: Handle,
    ) -> Self {
        let ObjectLocation { store, multipart, prefix, namespace, application, compression, policy } = location;
        let limits = Limits::of(task_bytes);
        let ahead = usize::try_from(limits.ahead).unwrap_or(usize::MAX).saturating_mul(tasks.max(1));
        Self {
            keys: Keys::new(prefix, &namespace, &application),
            compression,
            requests: Arc::new(Requests::new(store, multipart, policy, io)),
            directory: directory.into(),
            budget,
            limits,
            ahead: Arc::new(Semaphore::new(ahead.min(Semaphore::MAX_PERMITS))),
            written: Arc::default(),
            staying: Staying::default(),
            deleting: TaskTracker::new(),
        }
    }

    /// The record of an output of which only the key is known, from the object itself.
    pub async fn recover(&self, attempt: TaskAttempt, key: &str) -> Result<MapOutput> {
        let damaged = || ShuffleError::FetchFailed { attempt, reason: "the index is damaged".to_owned() };
        let failed = |failure: Failure| match failure.gone {
            true => ShuffleError::FetchFailed { attempt, reason: failure.source.to_string() },
            false => ShuffleError::Store { action: "look for a map output", source: failure.source },
        };
        let path = Path::from(key);
        let head = self.requests.tried(|| {
            one(&self.requests.counters.heads);
            let (store, path) = (Arc::clone(&self.requests.store), path.clone());
            async move { store.head(&path).await }
        });
        let head = head.await.map_err(failed)?;
        let (size, version) = (head.size, head.e_tag);
        let mut length = INDEX_GUESS_BYTES;
        loop {
            let range = size.saturating_sub(length)..size;
            let whole = range.start == 0;
            let end = self.requests.get(&path, version.as_ref(), range).await.map_err(failed)?;
            match index::decode(&end).ok_or_else(damaged)? {
                Index::Whole(partitions) => {
                    let key = key.to_owned();
                    return Ok(MapOutput { attempt, key, version, first_partition: 0, partitions, spilled_bytes: 0 });
                }
                Index::Longer(_) if whole => return Err(damaged()),
                Index::Longer(wanted) => length = wanted as u64,
            }
        }
    }

    /// Deletes in the background; the end of the application waits for it.
    fn delete(&self, paths: Vec<Path>) {
        if paths.is_empty() {
            return;
        }
        let requests = Arc::clone(&self.requests);
        // What cannot be deleted now is found again when the application ends.
        self.deleting.spawn_on(async move { delete(&requests, paths).await.unwrap_or_default() }, &self.requests.io);
    }

    /// Objects that are still there: those of lost executors, which nobody told us of.
    async fn forgotten(&self) -> Vec<Path> {
        let requests = &self.requests;
        let found = stream::iter(self.keys.folders()).map(|folder| async move {
            let listed = requests.tried(|| {
                one(&requests.counters.lists);
                let (store, folder) = (Arc::clone(&requests.store), folder.clone());
                async move { store.list(Some(&folder)).map_ok(|object| object.location).try_collect::<Vec<_>>().await }
            });
            // A folder that cannot be listed is left to the sweep of old applications.
            listed.await.unwrap_or_default()
        });
        found.buffer_unordered(FOLDERS_AT_ONCE).concat().await
    }
}

async fn delete(requests: &Requests, paths: Vec<Path>) -> Result<(), Failure> {
    for some in paths.chunks(DELETES_PER_REQUEST) {
        let deleted = requests.tried(|| {
            one(&requests.counters.deletes);
            let (store, some) = (Arc::clone(&requests.store), some.to_vec());
            async move {
                let mut answers = store.delete_stream(stream::iter(some).map(Ok).boxed());
                while let Some(answer) = answers.next().await {
                    match answer {
                        Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            }
        });
        deleted.await?;
    }
    Ok(())
}

#[async_trait]
impl ShuffleStore for ObjectShuffleStore {
    fn writer(&self, attempt: TaskAttempt, schema: SchemaRef, partitions: usize) -> Result<Box<dyn MapWriter>> {
        let path = self.keys.of(attempt);
        let encoder = BlockEncoder::new(Arc::clone(&schema), self.compression)?;
        let schema_message = encoder.schema_message()?;
        let memory = || Memory::new(Arc::clone(&self.budget), self.limits.buffered);
        let buffers = Buffers::new(encoder, partitions, self.directory.clone(), memory());
        let upload = Upload::new(Arc::clone(&self.requests), path.clone(), self.limits, memory());
        let written = Arc::clone(&self.written);
        Ok(Box::new(ObjectWriter { attempt, path, schema_message, buffers, upload, streaming: false, written }))
    }

    fn read(&self, schema: &SchemaRef, outputs: Vec<MapOutput>) -> BatchStream {
        let decoder = match BlockDecoder::new(schema) {
            Ok(decoder) => decoder,
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let (spans, ahead) = (spans(outputs), Arc::clone(&self.ahead));
        let reader = ObjectReader::new(Arc::clone(&self.requests), decoder, ahead, spans, self.limits.piece);
        let rows =
            stream::try_unfold(
                reader,
                |mut reader| async move { Ok(reader.next().await?.map(|batch| (batch, reader))) },
            );
        rows.boxed()
    }

    fn record(&self, output: &MapOutput) {
        let path = Path::from(output.key.as_str());
        // Results lie in another store where the driver is not where tasks run.
        if self.keys.owns(&path) {
            self.written.add(output.attempt, path);
        }
    }

    fn retain(&self, attempt: TaskAttempt, _: Residence) -> Hold {
        self.staying.retain(attempt)
    }

    fn hold(&self, attempt: TaskAttempt) -> Option<Hold> {
        self.staying.hold(attempt)
    }

    fn lose(&self, attempt: TaskAttempt) {
        self.staying.lose(attempt);
    }

    async fn remove(&self, attempt: TaskAttempt) {
        self.delete(self.written.take(attempt));
    }

    async fn remove_stage(&self, stage: StageId) {
        self.staying.forget_stage(stage);
        self.delete(self.written.take_stage(stage));
    }

    async fn remove_application(&self) {
        self.deleting.close();
        self.deleting.wait().await;
        if !std::mem::take(&mut self.written.locked().any) {
            return;
        }
        let mut paths = self.written.take_all();
        paths.extend(self.forgotten().await);
        // What is left after all tries is found by the sweep of old applications.
        delete(&self.requests, paths).await.unwrap_or_default();
    }

    fn counts(&self) -> RequestCounts {
        self.requests.counters.snapshot()
    }
}
