//! Newtypes for everything that is counted or named.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! numbered {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    )*};
}

numbered! {
    /// One action of an application (a collect, a write), numbered from 0.
    JobId(u64);
    /// A part of a job between two exchanges, numbered from 0 over the application.
    StageId(u64);
    /// The partition of a stage that a task computes.
    Partition(u32);
    /// One try of a task, numbered from 0.
    Attempt(u32);
    /// The output of a map stage, numbered from 0 over the application.
    ShuffleId(u64);
    /// An executor, numbered from 0 over the application and never reused.
    ExecutorId(u64);
}

/// A partition of a stage: what has to be computed, whatever the number of attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskId {
    /// The stage it belongs to.
    pub stage: StageId,
    /// The partition it computes.
    pub partition: Partition,
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.stage, self.partition)
    }
}

/// One try at a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskAttempt {
    /// The task being tried.
    pub task: TaskId,
    /// Which try it is.
    pub attempt: Attempt,
}

impl fmt::Display for TaskAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.task, self.attempt)
    }
}
