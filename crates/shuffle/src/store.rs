//! The rules every store keeps.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use firesteel_model::ids::{StageId, TaskAttempt};
use futures::stream::BoxStream;

use crate::retained::{Hold, Residence};
use crate::{MapOutput, RequestCounts, Result};

/// The rows of some partitions, in order.
pub type BatchStream = BoxStream<'static, Result<RecordBatch>>;

/// Keeps map outputs.
///
/// Guarantees: an output is readable from the moment its writer finished until it is removed; a reader that had begun
/// then either gets all its rows or [`crate::ShuffleError::FetchFailed`]; rows come back in the order they were written,
/// partition by partition.
#[async_trait]
pub trait ShuffleStore: Send + Sync + fmt::Debug {
    /// Begins the output of an attempt.
    fn writer(&self, attempt: TaskAttempt, schema: SchemaRef, partitions: usize) -> Result<Box<dyn MapWriter>>;

    /// The rows of all partitions that the outputs tell of, output by output; see [`MapOutput::slice`]. A lost or
    /// damaged output is [`crate::ShuffleError::FetchFailed`].
    fn read(&self, schema: &SchemaRef, outputs: Vec<MapOutput>) -> BatchStream;

    /// Hears of an output that another process wrote, so that it can be removed.
    fn record(&self, _output: &MapOutput) {}

    /// An output stays beyond its job; it cannot be thrown away for want of memory while the answer is held.
    fn retain(&self, _attempt: TaskAttempt, _residence: Residence) -> Hold {
        Hold::default()
    }

    /// Holds an output that stays, for somebody who is about to read it; none if it is not there any more.
    fn hold(&self, _attempt: TaskAttempt) -> Option<Hold> {
        None
    }

    /// Hears that somebody could not read an output; one that does not stay is no concern of this.
    fn lose(&self, _attempt: TaskAttempt) {}

    /// Throws one attempt's output away; one that is not there is no error.
    async fn remove(&self, attempt: TaskAttempt);

    /// Throws all outputs of a stage away.
    async fn remove_stage(&self, stage: StageId);

    /// Throws everything away that the application wrote, and waits for it; the last call to a store.
    async fn remove_application(&self);

    /// Requests so far.
    fn counts(&self) -> RequestCounts {
        RequestCounts::default()
    }
}

/// Writes one map output. Dropped unfinished, it leaves nothing behind.
#[async_trait]
pub trait MapWriter: Send {
    /// Appends rows to a partition.
    async fn write(&mut self, partition: usize, batch: RecordBatch) -> Result<()>;

    /// Makes the output readable.
    async fn finish(self: Box<Self>) -> Result<MapOutput>;
}

/// Memory that outputs may take; refused memory means spilling.
pub trait MemoryBudget: Send + Sync + fmt::Debug {
    /// Takes so many bytes, or none.
    fn try_grow(&self, bytes: u64) -> bool;

    /// Gives bytes back.
    fn shrink(&self, bytes: u64);
}

/// A budget of its own, independent of any pool.
#[derive(Debug)]
pub struct FixedBudget {
    limit: u64,
    used: AtomicU64,
}

impl FixedBudget {
    /// So many bytes; 0 writes everything to disk.
    pub fn new(limit: u64) -> Self {
        Self { limit, used: AtomicU64::new(0) }
    }

    /// Bytes taken now.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

impl MemoryBudget for FixedBudget {
    fn try_grow(&self, bytes: u64) -> bool {
        let fits = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
    }

    fn shrink(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}
