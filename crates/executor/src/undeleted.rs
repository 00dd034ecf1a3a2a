//! [`Undeleted`]: a shuffle store whose outputs stay where they are, for looking at them afterwards.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use firesteel_model::ids::{StageId, TaskAttempt};
use firesteel_shuffle::{BatchStream, Hold, MapOutput, MapWriter, RequestCounts, Residence, Result, ShuffleStore};

/// Does everything that the store within does, but removes nothing.
#[derive(Debug)]
pub(crate) struct Undeleted(pub(crate) Arc<dyn ShuffleStore>);

#[async_trait]
impl ShuffleStore for Undeleted {
    fn writer(&self, attempt: TaskAttempt, schema: SchemaRef, partitions: usize) -> Result<Box<dyn MapWriter>> {
        self.0.writer(attempt, schema, partitions)
    }

    fn read(&self, schema: &SchemaRef, outputs: Vec<MapOutput>) -> BatchStream {
        self.0.read(schema, outputs)
    }

    fn record(&self, output: &MapOutput) {
        self.0.record(output);
    }

    fn retain(&self, attempt: TaskAttempt, residence: Residence) -> Hold {
        self.0.retain(attempt, residence)
    }

    fn hold(&self, attempt: TaskAttempt) -> Option<Hold> {
        self.0.hold(attempt)
    }

    fn lose(&self, attempt: TaskAttempt) {
        self.0.lose(attempt);
    }

    async fn remove(&self, _attempt: TaskAttempt) {}

    async fn remove_stage(&self, _stage: StageId) {}

    async fn remove_application(&self) {}

    fn counts(&self) -> RequestCounts {
        self.0.counts()
    }
}
