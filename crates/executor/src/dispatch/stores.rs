//! Where outputs lie.

use std::sync::Arc;

use firesteel_model::ids::{StageId, TaskAttempt};
use firesteel_shuffle::{MapOutput, ShuffleStore};

/// Outputs that tasks read, and outputs that the driver reads; one store for both where tasks run in this process.
#[derive(Clone, Debug)]
pub(crate) struct Stores {
    shuffle: Arc<dyn ShuffleStore>,
    results: Arc<dyn ShuffleStore>,
}

impl Stores {
    pub(crate) fn new(shuffle: Arc<dyn ShuffleStore>, results: Arc<dyn ShuffleStore>) -> Self {
        Self { shuffle, results }
    }

    /// What the driver reads.
    pub(crate) fn results(&self) -> &Arc<dyn ShuffleStore> {
        &self.results
    }

    fn are_one(&self) -> bool {
        Arc::ptr_eq(&self.shuffle, &self.results)
    }

    /// Remembers an output, so that it can be removed.
    pub(crate) fn record(&self, output: &MapOutput) {
        self.shuffle.record(output);
    }

    /// Hears that a task could not read an output.
    pub(crate) fn lose(&self, attempt: TaskAttempt) {
        self.shuffle.lose(attempt);
    }

    pub(crate) async fn remove(&self, attempt: TaskAttempt) {
        self.shuffle.remove(attempt).await;
        if !self.are_one() {
            self.results.remove(attempt).await;
        }
    }

    pub(crate) async fn remove_stage(&self, stage: StageId) {
        self.shuffle.remove_stage(stage).await;
        if !self.are_one() {
            self.results.remove_stage(stage).await;
        }
    }
}
