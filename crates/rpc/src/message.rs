//! What is said, in plain types.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use firesteel_model::SparkError;
use firesteel_model::ids::{ExecutorId, TaskAttempt};

/// Names bytes by what they are: plans and lists of inputs are sent to an executor once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobHash(pub [u8; 32]);

impl fmt::Debug for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(6).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// An executor says who it is, for the first time or again.
#[derive(Clone, Debug)]
pub struct Hello {
    /// The number it was started under.
    pub executor: ExecutorId,
    /// Tasks that it runs at once.
    pub slots: u32,
    /// Memory of its operators and shuffle.
    pub memory_bytes: u64,
    /// Where it runs, for people.
    pub address: String,
    /// Attempts that it runs or has not reported.
    pub running: Vec<TaskAttempt>,
    /// Whether it was told to leave.
    pub draining: bool,
}

/// The driver's answer.
///
/// Guarantees: `Debug` shows no secret.
#[derive(Clone, Default)]
pub struct Welcome {
    /// How often to report at least.
    pub heartbeat_interval: Duration,
    /// What the application's executors need to know, secrets included.
    pub application: Bytes,
}

impl fmt::Debug for Welcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Welcome").field("heartbeat_interval", &self.heartbeat_interval).finish_non_exhaustive()
    }
}

/// What the driver wants done.
#[derive(Clone, Debug)]
pub enum Order {
    /// Run an attempt.
    Launch(Launch),
    /// End an attempt.
    Kill(TaskAttempt),
    /// End the process.
    Stop(Stop),
    /// Open a new stream with [`Hello`].
    RegisterAgain,
}

/// Why an executor is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It had nothing to do for too long.
    Idle,
    /// It asked to leave and may.
    Drained,
    /// The application is over, or does not want it any more.
    ApplicationEnded,
}

/// An attempt to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Which.
    pub attempt: TaskAttempt,
    /// The plan's partition.
    pub partition: u32,
    /// The stage's plan.
    pub plan: BlobHash,
    /// The outputs it reads.
    pub inputs: Vec<InputRef>,
    /// Its rows go to the driver rather than to the shuffle store.
    pub to_driver: bool,
}

/// The committed outputs of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputRef {
    /// The stage's place in its job.
    pub stage: u32,
    /// Their list.
    pub outputs: BlobHash,
}

/// What an executor tells: ends of attempts, or only that it lives.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Ends since the last report.
    pub ended: Vec<AttemptReport>,
    /// What it has to do.
    pub load: Load,
    /// Whether it was told to leave.
    pub draining: bool,
}

/// How busy an executor is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Attempts that run.
    pub running: u32,
    /// Bytes that operators and shuffle hold.
    pub pool_bytes: u64,
    /// Bytes that the process holds.
    pub resident_bytes: u64,
}

/// The end of an attempt.
#[derive(Clone, Debug)]
pub struct AttemptReport {
    /// Which.
    pub attempt: TaskAttempt,
    /// How it ended.
    pub outcome: Outcome,
    /// What it did.
    pub metrics: Metrics,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// With an output, of which this is the record.
    Succeeded(Bytes),
    /// With an error.
    Failed(SparkError),
    /// Because this output of a map task is lost.
    FetchFailed(TaskAttempt),
    /// Because nobody wanted it any more.
    Killed,
    /// It was never begun.
    Refused,
}

/// What an attempt did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Rows that it gave.
    pub rows: u64,
    /// Their size.
    pub bytes: u64,
    /// Bytes read from files.
    pub scanned_bytes: u64,
    /// Bytes written to disk for want of memory.
    pub spilled_bytes: u64,
    /// How long it took.
    pub duration: Duration,
}

/// What comes before the rows of a result.
#[derive(Clone, Debug)]
pub struct ResultHeader {
    /// Who sends.
    pub executor: ExecutorId,
    /// Whose rows.
    pub attempt: TaskAttempt,
    /// In how many partitions.
    pub partitions: u32,
    /// Their columns.
    pub schema: Bytes,
}
