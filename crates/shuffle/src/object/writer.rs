//! Writes one map output as an object.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;
use firesteel_model::ids::TaskAttempt;
use object_store::path::Path;

use super::buffers::Buffers;
use super::index;
use super::request::Failure;
use super::store::Written;
use super::upload::Upload;
use crate::store::MapWriter;
use crate::{MapOutput, Result, ShuffleError};

pub(crate) struct ObjectWriter {
    pub(crate) attempt: TaskAttempt,
    pub(crate) path: Path,
    pub(crate) schema_message: Vec<u8>,
    pub(crate) buffers: Buffers,
    pub(crate) upload: Upload,
    /// An output of a single partition that is large for certain goes up while it is computed.
    pub(crate) streaming: bool,
    pub(crate) written: Arc<Written>,
}

impl ObjectWriter {
    async fn relieve(&mut self) -> Result<()> {
        let single = self.buffers.partitions() == 1;
        if single
            && (self.streaming || self.buffers.spilled_bytes() + self.buffers.held() >= self.upload.put_bytes_max())
        {
            self.streaming = true;
            return self.send().await;
        }
        self.buffers.spill()
    }

    async fn send(&mut self) -> Result<()> {
        let mut taken = self.buffers.take()?;
        while let Some(bytes) = taken.next()? {
            self.upload.push(bytes).await.map_err(failed)?;
        }
        Ok(())
    }
}

#[async_trait]
impl MapWriter for ObjectWriter {
    async fn write(&mut self, partition: usize, batch: RecordBatch) -> Result<()> {
        self.buffers.push(partition, batch)?;
        if self.buffers.is_short_of_memory() {
            self.relieve().await?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<MapOutput> {
        self.send().await?;
        let Self { attempt, path, schema_message, buffers, mut upload, written, .. } = *self;
        let partitions = buffers.placed();
        upload.push(Bytes::from(index::encode(&schema_message, &partitions))).await.map_err(failed)?;
        let version = upload.finish().await.map_err(failed)?;
        let spilled_bytes = buffers.spilled_bytes();
        let key = path.to_string();
        written.add(attempt, path);
        Ok(MapOutput { attempt, key, version, first_partition: 0, partitions, spilled_bytes })
    }
}

fn failed(failure: Failure) -> ShuffleError {
    ShuffleError::Store { action: "write a map output", source: failure.source }
}
