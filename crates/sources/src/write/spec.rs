//! What a write is, as plain data: the request, the job's description, what tasks report.

use firesteel_model::{Result, SparkError};
use serde::{Deserialize, Serialize};

use crate::formats::Format;
use crate::options::Options;
use crate::settings::Settings;

/// What happens to what is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WriteMode {
    /// Files are added.
    Append,
    /// Files are replaced: all, or those of the partitions written.
    Overwrite {
        /// `spark.sql.sources.partitionOverwriteMode` is DYNAMIC.
        dynamic: bool,
    },
    /// The write fails if there is anything.
    ErrorIfExists,
    /// The write does nothing if there is anything.
    Ignore,
}

/// What to write.
#[derive(Clone, Debug)]
pub struct WriteRequest {
    /// The format.
    pub format: Format,
    /// The directory.
    pub path: String,
    /// Spark's options of the format; without `compression` the session's setting counts.
    pub options: Options,
    /// What happens to what is there already.
    pub mode: WriteMode,
    /// Columns whose values become directories.
    pub partition_by: Vec<String>,
    /// A column of the rows that holds each row's bucket; it is not written.
    pub bucket_column: Option<String>,
    /// The session's settings.
    pub settings: Settings,
}

/// A write as tasks see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WriteJobSpec {
    /// A UUID, part of every file's name.
    pub job_id: String,
    /// The format.
    pub format: Format,
    /// Its options.
    pub options: Options,
    /// The session's settings.
    pub settings: Settings,
    /// The store: scheme and bucket.
    pub url: String,
    /// The directory in the store.
    pub path: String,
    /// What happens to what is there already.
    pub mode: WriteMode,
    /// Columns whose values become directories.
    pub partition_by: Vec<String>,
    /// A column that holds each row's bucket; it is not written.
    pub bucket_column: Option<String>,
    /// Most rows in a file.
    pub max_records_per_file: Option<u64>,
}

/// What a task wrote; it shows once the job commits it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskCommit {
    /// The task.
    pub partition: usize,
    /// The attempt.
    pub attempt: u32,
    /// The files.
    pub files: Vec<CommittedFile>,
    /// Rows in all files.
    pub rows: u64,
    /// Bytes in all files.
    pub bytes: u64,
}

/// A file that waits to be published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommittedFile {
    /// Where it will be in the store.
    pub path: String,
    /// Its partition directory below the job's, or empty.
    pub directory: String,
    /// Its size.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
    /// Where its bytes are.
    pub upload: Upload,
}

/// Where the bytes of a file wait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Upload {
    /// In a multipart upload that is not completed.
    Multipart {
        /// The upload.
        id: String,
        /// Its parts.
        parts: Vec<String>,
    },
    /// In a file of another name.
    Staged {
        /// The name.
        path: String,
    },
}

impl TaskCommit {
    /// As bytes for the driver.
    pub fn encode(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| SparkError::internal(error.to_string()))
    }

    /// From a task's bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|error| SparkError::internal(error.to_string()))
    }
}
