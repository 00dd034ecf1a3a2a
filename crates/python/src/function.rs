//! What is known of a function and of the session it came from, in plain values that can be sent to an executor.

use std::collections::BTreeMap;
use std::path::PathBuf;

use firesteel_model::conf;
use serde::{Deserialize, Serialize};

use crate::eval_type::EvalType;
use crate::worker::WorkerKey;

/// A function as the client pickled it, passed on unread.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Serialize, Deserialize)]
pub struct PythonCommand {
    /// Its name, for people.
    pub name: String,
    /// How a worker calls it.
    pub eval_type: EvalType,
    /// Function and return type, pickled.
    pub command: Vec<u8>,
    /// Python's version in the client: `3.11`.
    pub python_version: String,
}

/// What the functions of a session share.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Serialize, Deserialize)]
pub struct PythonSession {
    /// Which workers may run them.
    pub worker: WorkerKey,
    /// Settings that workers read.
    pub conf: BTreeMap<String, String>,
    /// The directory of the session's files, the first entry of `sys.path`.
    pub files: PathBuf,
    /// More entries of `sys.path`: modules, archives of modules.
    pub includes: Vec<PathBuf>,
    /// Rows in a batch sent to a worker; 0 is as many as there are.
    pub batch_rows: usize,
    /// Bytes in a batch sent to a worker.
    pub batch_bytes: usize,
    /// Seconds without any output after which a worker counts as hung; 0 is never.
    pub idle_timeout_s: u64,
}

impl PythonSession {
    /// Rows of a batch, as PySpark's planning wants them.
    pub(crate) fn batch_rows_as_int(&self) -> i32 {
        i32::try_from(self.batch_rows_max()).unwrap_or(i32::MAX)
    }

    /// Whether binary values are `bytes` in Python.
    pub(crate) fn has_binary_as_bytes(&self) -> bool {
        self.conf.get(conf::PYSPARK_BINARY_AS_BYTES.name).is_none_or(|value| value == "true")
    }

    /// Rows of a batch, as a bound.
    pub fn batch_rows_max(&self) -> usize {
        if self.batch_rows == 0 { usize::MAX } else { self.batch_rows }
    }
}
