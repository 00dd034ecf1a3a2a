//! [`DriverResults`]: outputs that go to the driver, which reads them for the client.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use firesteel_model::SparkError;
use firesteel_model::ids::{ExecutorId, StageId, TaskAttempt};
use firesteel_rpc::{Link, ResultHeader, ResultSender, RpcError};
use firesteel_shuffle::{BatchStream, MapOutput, MapWriter, Result, ShuffleError, ShuffleStore, batch_bytes};

use crate::wire;

/// Rows are sent in pieces of about this size.
const PIECE_BYTES: u64 = 4 << 20;

/// Reads like the store of the shuffle, and writes to the driver.
#[derive(Debug)]
pub(super) struct DriverResults {
    pub(super) shuffle: Arc<dyn ShuffleStore>,
    pub(super) link: Link,
    pub(super) executor: ExecutorId,
}

#[async_trait]
impl ShuffleStore for DriverResults {
    fn writer(&self, attempt: TaskAttempt, schema: SchemaRef, partitions: usize) -> Result<Box<dyn MapWriter>> {
        let header = ResultHeader {
            executor: self.executor,
            attempt,
            partitions: u32::try_from(partitions).unwrap_or(u32::MAX),
            schema: wire::schema_to_bytes(&schema).map_err(|error| misuse(&error))?,
        };
        Ok(Box::new(ResultWriter { sender: self.link.put_result(header) }))
    }

    fn read(&self, schema: &SchemaRef, outputs: Vec<MapOutput>) -> BatchStream {
        self.shuffle.read(schema, outputs)
    }

    /// What the driver took is the driver's.
    async fn remove(&self, _: TaskAttempt) {}

    async fn remove_stage(&self, _: StageId) {}

    async fn remove_application(&self) {}
}

struct ResultWriter {
    sender: ResultSender,
}

#[async_trait]
impl MapWriter for ResultWriter {
    async fn write(&mut self, partition: usize, batch: RecordBatch) -> Result<()> {
        let partition = u32::try_from(partition).unwrap_or(u32::MAX);
        let pieces = usize::try_from(batch_bytes(&batch).div_ceil(PIECE_BYTES)).unwrap_or(usize::MAX).max(1);
        let rows = batch.num_rows().div_ceil(pieces).max(1);
        for from in (0..batch.num_rows()).step_by(rows) {
            let piece = batch.slice(from, rows.min(batch.num_rows() - from));
            let bytes = wire::rows_to_bytes(&piece).map_err(|error| misuse(&error))?;
            self.sender.send(partition, bytes).await.map_err(lost)?;
        }
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<MapOutput> {
        let record = self.sender.finish().await.map_err(lost)?;
        wire::map_from_bytes(&record).map_err(|error| misuse(&error))
    }
}

/// Another attempt may reach the driver.
fn lost(error: RpcError) -> ShuffleError {
    ShuffleError::Store { action: "send a result to the driver", source: std::io::Error::other(error) }
}

fn misuse(error: &SparkError) -> ShuffleError {
    ShuffleError::Misuse(error.to_string())
}
