//! Why an executor is gone: one type for pod status, heartbeat and connection.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The status with which an executor ends by itself that gets no more memory or threads; Spark's end with the same.
pub const EXIT_OUT_OF_MEMORY: i32 = 52;

/// Why an executor is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ExecutorLoss {
    /// The container went over its memory limit, or the process got no more memory or threads.
    OutOfMemory,
    /// It did not come into being.
    NotStarted,
    /// It did not come into being, because its image could not be pulled.
    ImagePullFailed,
    /// It did not come into being, because no node had room for it.
    Unschedulable,
    /// The process ended by itself with this status.
    Exited(i32),
    /// Somebody else ended the process with this signal.
    Killed(i32),
    /// The node ran short of something and the pod had to go.
    Evicted,
    /// The node is gone or not ready.
    NodeLost,
    /// Somebody deleted the pod.
    PodDeleted,
    /// It was told to leave and its time was over.
    Decommissioned,
    /// The connection broke and did not come back.
    ConnectionLost,
    /// It was silent for too long.
    HeartbeatTimeout,
    /// We stopped it.
    Stopped,
}

impl ExecutorLoss {
    /// What the status of a process that ended by itself says.
    pub fn of_exit(status: i32) -> Self {
        match status {
            0 => Self::Decommissioned,
            EXIT_OUT_OF_MEMORY => Self::OutOfMemory,
            status => Self::Exited(status),
        }
    }

    /// Whether the tasks that ran there may have caused it, so that it counts towards their failure limit.
    pub fn is_application_fault(self) -> bool {
        matches!(self, Self::OutOfMemory | Self::Exited(_))
    }
}

impl fmt::Display for ExecutorLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfMemory => f.write_str("out of memory"),
            Self::Exited(status) => write!(f, "exited with status {status}"),
            Self::NotStarted => f.write_str("not started"),
            Self::ImagePullFailed => f.write_str("not started: its image cannot be pulled"),
            Self::Unschedulable => f.write_str("not started: no node has room for it"),
            Self::Killed(signal) => write!(f, "killed by signal {signal}"),
            Self::Evicted => f.write_str("evicted"),
            Self::NodeLost => f.write_str("node lost"),
            Self::PodDeleted => f.write_str("pod deleted"),
            Self::Decommissioned => f.write_str("decommissioned"),
            Self::ConnectionLost => f.write_str("connection lost"),
            Self::HeartbeatTimeout => f.write_str("no heartbeat"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}
