//! What a task does: rows into files that do not show yet.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use firesteel_model::{Result, SparkError};
use object_store::path::Path;
use uuid::Uuid;

use super::cluster::{Clusterer, Key};
use super::encode::{Encoder, encoder, extension};
use super::publish::discard;
use super::spec::{CommittedFile, TaskCommit, WriteJobSpec};
use super::upload::FileUpload;
use crate::stores::{Location, StoreRegistry};

/// More files than this are not open at once; sorted rows need one.
const OPEN_FILES_MAX: usize = 32;
/// What all open files may hold back together before the largest is ended.
const HELD_BYTES_MAX: usize = 512 << 20;

/// Writes the rows of one attempt of one task.
///
/// Guarantees: nothing it writes shows until the job commits what `finish` gives; `abort` removes all of it.
pub struct TaskWriter {
    spec: Arc<WriteJobSpec>,
    root: Location,
    staging: String,
    partition: usize,
    attempt: u32,
    clusterer: Clusterer,
    extension: String,
    open: HashMap<Key, OpenFile>,
    /// How many files each key has had.
    counts: HashMap<Key, u32>,
    done: Vec<CommittedFile>,
    clock: u64,
}

struct OpenFile {
    location: Location,
    encoder: Box<dyn Encoder>,
    upload: FileUpload,
    rows: u64,
    last_used: u64,
}

impl TaskWriter {
    /// A writer of rows of `schema`.
    pub fn new(
        stores: &StoreRegistry,
        spec: Arc<WriteJobSpec>,
        schema: &Schema,
        partition: usize,
        attempt: u32,
    ) -> Result<Self> {
        let root = stores.location_in(&spec.url, &spec.path)?;
        let nonce = Uuid::new_v4().simple();
        Ok(Self {
            staging: format!("{}/_temporary/{}/{partition:05}-{attempt}-{nonce}", spec.path, spec.job_id),
            clusterer: Clusterer::new(&spec, schema)?,
            extension: extension(&spec)?,
            spec,
            root,
            partition,
            attempt,
            open: HashMap::new(),
            counts: HashMap::new(),
            done: Vec::new(),
            clock: 0,
        })
    }

    /// Writes rows. On an error the caller still has to abort.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        for (key, rows) in self.clusterer.cluster(batch)? {
            self.append(key, rows).await?;
        }
        Ok(())
    }

    async fn append(&mut self, key: Key, rows: RecordBatch) -> Result<()> {
        let mut rows = rows;
        while rows.num_rows() > 0 {
            if !self.open.contains_key(&key) {
                self.make_room().await?;
                self.start(&key).await?;
            }
            self.clock += 1;
            let file = self.open.get_mut(&key).ok_or_else(|| SparkError::internal("a file is not open"))?;
            let room = self.spec.max_records_per_file.map_or(u64::MAX, |max| max.saturating_sub(file.rows));
            let count = rows.num_rows().min(usize::try_from(room).unwrap_or(usize::MAX));
            file.last_used = self.clock;
            file.rows += count as u64;
            file.encoder.write(&rows.slice(0, count))?;
            let bytes = file.encoder.take();
            file.upload.write(&bytes).await?;
            rows = rows.slice(count, rows.num_rows() - count);
            if self.spec.max_records_per_file.is_some_and(|max| file.rows >= max) {
                self.end(&key).await?;
            }
        }
        Ok(())
    }

    /// Ends the file that was not used for longest while too many are open, and the largest while too much is held.
    async fn make_room(&mut self) -> Result<()> {
        while self.open.len() >= OPEN_FILES_MAX {
            let oldest = self.open.iter().min_by_key(|(_, file)| file.last_used).map(|(key, _)| key.clone());
            let Some(key) = oldest else { break };
            self.end(&key).await?;
        }
        while self.open.values().map(|file| file.encoder.held_bytes()).sum::<usize>() > HELD_BYTES_MAX {
            let largest =
                self.open.iter().max_by_key(|(_, file)| file.encoder.held_bytes()).map(|(key, _)| key.clone());
            let Some(key) = largest else { break };
            self.end(&key).await?;
        }
        Ok(())
    }

    async fn start(&mut self, key: &Key) -> Result<()> {
        let count = self.counts.get(key).copied().unwrap_or_default();
        let name = self.name(key, count);
        self.counts.insert(key.clone(), count + 1);
        let below = if key.directory.is_empty() { name } else { format!("{}/{name}", key.directory) };
        let wrong = |error: object_store::path::Error| SparkError::internal(error.to_string());
        let path = [self.root.path.as_ref(), &below].join("/");
        let location = self.root.at(Path::parse(path).map_err(wrong)?);
        let staging = Path::parse(format!("{}/{below}", self.staging)).map_err(wrong)?;
        let encoder = encoder(&self.spec, &self.clusterer.schema)?;
        let upload = FileUpload::start(&location, &staging).await?;
        self.open.insert(key.clone(), OpenFile { location, encoder, upload, rows: 0, last_used: self.clock });
        Ok(())
    }

    fn name(&self, key: &Key, count: u32) -> String {
        let (partition, job, extension) = (self.partition, &self.spec.job_id, &self.extension);
        if self.clusterer.is_flat() {
            return format!("part-{partition:05}-{job}-c{count:03}{extension}");
        }
        let bucket = key.bucket.map(|bucket| format!("_{bucket:05}")).unwrap_or_default();
        format!("part-{partition:05}-{job}{bucket}.c{count:03}{extension}")
    }

    async fn end(&mut self, key: &Key) -> Result<()> {
        let Some(mut file) = self.open.remove(key) else { return Ok(()) };
        match complete(file.encoder, &mut file.upload).await {
            Ok(upload) => {
                self.done.push(CommittedFile {
                    path: file.location.path.to_string(),
                    directory: key.directory.clone(),
                    bytes: file.upload.bytes,
                    rows: file.rows,
                    upload,
                });
                Ok(())
            }
            Err(error) => {
                log_failure(file.upload.abort(&file.location).await);
                Err(error)
            }
        }
    }

    /// Ends all files. The first task writes a file even without rows, so that the directory tells its schema.
    pub async fn finish(&mut self) -> Result<TaskCommit> {
        if self.partition == 0 && self.clusterer.is_flat() && self.open.is_empty() && self.done.is_empty() {
            self.start(&Key::default()).await?;
        }
        let mut keys: Vec<Key> = self.open.keys().cloned().collect();
        keys.sort();
        for key in keys {
            self.end(&key).await?;
        }
        let files = std::mem::take(&mut self.done);
        Ok(TaskCommit {
            partition: self.partition,
            attempt: self.attempt,
            rows: files.iter().map(|file| file.rows).sum(),
            bytes: files.iter().map(|file| file.bytes).sum(),
            files,
        })
    }

    /// Removes everything.
    pub async fn abort(mut self) {
        for (_, file) in self.open.drain() {
            log_failure(file.upload.abort(&file.location).await);
        }
        for file in &self.done {
            log_failure(discard(&self.root, file).await);
        }
    }
}

async fn complete(encoder: Box<dyn Encoder>, upload: &mut FileUpload) -> Result<super::spec::Upload> {
    let last = encoder.finish()?;
    upload.write(&last).await?;
    upload.finish().await
}

/// A failed clean-up does not hide the error that led to it.
pub(super) fn log_failure(result: Result<()>) {
    if let Err(error) = result {
        tracing::warn!(%error, "an unfinished file could not be removed");
    }
}
