//! What the driver remembers of a finished map attempt.

use firesteel_model::ids::TaskAttempt;

/// Rows and bytes of one reduce partition in one map output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartitionSize {
    /// Number of rows.
    pub rows: u64,
    /// Size in memory, not counting what the batches' buffers hold beyond their rows.
    pub bytes: u64,
}

/// The output of one attempt of a map task: enough for anyone with the same kind of store to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapOutput {
    /// Who wrote it.
    pub attempt: TaskAttempt,
    /// Where the store put it; only the store knows what it means.
    pub key: String,
    /// One entry for each reduce partition, in order.
    pub partitions: Vec<PartitionSize>,
    /// Bytes written to disk or network because memory was short.
    pub spilled_bytes: u64,
}

impl MapOutput {
    /// Rows in all partitions.
    pub fn rows(&self) -> u64 {
        self.partitions.iter().map(|size| size.rows).sum()
    }

    /// Bytes in all partitions.
    pub fn bytes(&self) -> u64 {
        self.partitions.iter().map(|size| size.bytes).sum()
    }
}
