//! The bytes of one file on their way to the store.

use std::sync::Arc;

use firesteel_model::{Result, SparkError};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use tokio::task::JoinSet;

use super::spec::Upload;
use crate::error::from_store;
use crate::stores::Location;

/// Parts are of one size but for the last, as some services demand.
const PART_BYTES: usize = 8 << 20;
const PARTS_AT_ONCE: usize = 3;

/// A file that is being written and does not show.
///
/// Assumptions: `finish` or `abort` is called; dropping it leaves an unfinished upload or a staged file behind, which
/// the job's abort or the bucket's life-cycle rule removes.
pub(super) struct FileUpload {
    shown: String,
    target: Target,
    buffer: Vec<u8>,
    pub(super) bytes: u64,
}

enum Target {
    Multipart {
        store: Arc<dyn MultipartStore>,
        path: Path,
        id: String,
        parts: Vec<Option<String>>,
        running: JoinSet<(usize, object_store::Result<PartId>)>,
    },
    Staged {
        upload: Box<dyn MultipartUpload>,
        path: Path,
    },
}

impl FileUpload {
    /// Starts a file that will be at `location`; `staging` is where it waits in stores without open uploads.
    pub(super) async fn start(location: &Location, staging: &Path) -> Result<Self> {
        let shown = location.show();
        let target = match &location.multipart {
            Some(store) => {
                let id = store.create_multipart(&location.path).await.map_err(|error| from_store(error, &shown))?;
                let (store, path) = (Arc::clone(store), location.path.clone());
                Target::Multipart { store, path, id, parts: Vec::new(), running: JoinSet::new() }
            }
            None => {
                let upload = location.store.put_multipart(staging).await;
                Target::Staged { upload: upload.map_err(|error| from_store(error, &shown))?, path: staging.clone() }
            }
        };
        Ok(Self { shown, target, buffer: Vec::new(), bytes: 0 })
    }

    /// Adds bytes.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len() as u64;
        self.buffer.extend_from_slice(bytes);
        while self.buffer.len() >= PART_BYTES {
            let rest = self.buffer.split_off(PART_BYTES);
            let part = std::mem::replace(&mut self.buffer, rest);
            self.part(part).await?;
        }
        Ok(())
    }

    async fn part(&mut self, bytes: Vec<u8>) -> Result<()> {
        let payload = PutPayload::from(bytes);
        match &mut self.target {
            Target::Staged { upload, .. } => {
                upload.put_part(payload).await.map_err(|error| from_store(error, &self.shown))
            }
            Target::Multipart { store, path, id, parts, running } => {
                while running.len() >= PARTS_AT_ONCE {
                    join(running, parts, &self.shown).await?;
                }
                let (store, path, id, index) = (Arc::clone(store), path.clone(), id.clone(), parts.len());
                parts.push(None);
                running.spawn(async move { (index, store.put_part(&path, &id, index, payload).await) });
                Ok(())
            }
        }
    }

    /// Sends what is left. On an error the caller still has to abort.
    pub(super) async fn finish(&mut self) -> Result<Upload> {
        let is_empty = matches!(&self.target, Target::Multipart { parts, .. } if parts.is_empty());
        if is_empty || !self.buffer.is_empty() {
            let last = std::mem::take(&mut self.buffer);
            self.part(last).await?;
        }
        match &mut self.target {
            Target::Staged { upload, path } => {
                upload.complete().await.map_err(|error| from_store(error, &self.shown))?;
                Ok(Upload::Staged { path: path.to_string() })
            }
            Target::Multipart { id, parts, running, .. } => {
                while !running.is_empty() {
                    join(running, parts, &self.shown).await?;
                }
                let parts: Option<Vec<String>> = parts.drain(..).collect();
                let parts = parts.ok_or_else(|| SparkError::internal("a part of an upload is missing"))?;
                Ok(Upload::Multipart { id: id.clone(), parts })
            }
        }
    }

    /// Removes what was sent.
    pub(super) async fn abort(mut self, location: &Location) -> Result<()> {
        let aborted = match &mut self.target {
            Target::Staged { upload, path } => match upload.abort().await {
                Ok(()) => Ok(()),
                Err(_) => location.store.delete(path).await,
            },
            Target::Multipart { store, path, id, running, .. } => {
                running.shutdown().await;
                store.abort_multipart(path, id).await
            }
        };
        match aborted {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(from_store(error, &self.shown)),
        }
    }
}

async fn join(
    running: &mut JoinSet<(usize, object_store::Result<PartId>)>,
    parts: &mut [Option<String>],
    shown: &str,
) -> Result<()> {
    match running.join_next().await {
        None => Ok(()),
        Some(Err(error)) => Err(from_store(error.into(), shown)),
        Some(Ok((index, part))) => {
            parts[index] = Some(part.map_err(|error| from_store(error, shown))?.content_id);
            Ok(())
        }
    }
}
