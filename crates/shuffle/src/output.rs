//! What the driver remembers of a finished map attempt.

use std::ops::Range;

use firesteel_model::ids::TaskAttempt;
use serde::{Deserialize, Serialize};

use crate::{Result, ShuffleError};

/// Rows and bytes of one reduce partition in one map output, and where they lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionSize {
    /// Number of rows.
    pub rows: u64,
    /// Size in memory, not counting what the batches' buffers hold beyond their rows.
    pub bytes: u64,
    /// Where its blocks begin in the object; 0 in stores without objects.
    pub offset: u64,
    /// How many bytes of the object they take; 0 in stores without objects.
    pub length: u64,
    /// Checksum over the checksums of its blocks; 0 in stores without objects.
    pub crc: u32,
}

/// The output of one attempt of a map task, or some neighbouring partitions of it: enough for anyone with the same
/// kind of store to read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapOutput {
    /// Who wrote it.
    pub attempt: TaskAttempt,
    /// Where the store put it; only the store knows what it means.
    pub key: String,
    /// The version that was written, if the store tells versions apart; no other one is read.
    pub version: Option<String>,
    /// The first partition that `partitions` tells of; 0 for a whole output.
    pub first_partition: usize,
    /// One entry for each reduce partition, in order.
    pub partitions: Vec<PartitionSize>,
    /// Bytes written to disk because memory was short.
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

    /// The partitions that it tells of.
    pub fn range(&self) -> Range<usize> {
        self.first_partition..self.first_partition + self.partitions.len()
    }

    /// The part of it that a reader of these partitions needs.
    ///
    /// Errors: [`ShuffleError::Misuse`] for partitions that it does not tell of.
    pub fn slice(&self, partitions: Range<usize>) -> Result<Self> {
        let from = partitions.start.checked_sub(self.first_partition);
        let found = from.and_then(|from| self.partitions.get(from..from + partitions.len()));
        let Some(found) = found else {
            let known = self.range();
            return Err(ShuffleError::Misuse(format!("partitions {partitions:?} of {known:?} in {}", self.attempt)));
        };
        Ok(Self {
            attempt: self.attempt,
            key: self.key.clone(),
            version: self.version.clone(),
            first_partition: partitions.start,
            partitions: found.to_vec(),
            spilled_bytes: self.spilled_bytes,
        })
    }
}
