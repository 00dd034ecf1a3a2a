//! What a job consists of, as the driver describes it.

use std::fmt;

use firesteel_model::ids::{ExecutorId, JobId, Partition, StageId};

use crate::config::PoolOrder;

/// A job: its stages and how it stands among other jobs.
#[derive(Clone, Debug)]
pub struct JobSpec {
    /// Never used before.
    pub id: JobId,
    /// `spark.scheduler.pool`; a pool nobody defined has weight 1 and no minimum share.
    pub pool: String,
    /// `setJobGroup`.
    pub group: Option<String>,
    /// `addJobTag`, operation and session tags.
    pub tags: Vec<String>,
    /// Whether the driver answers every completed stage with [`crate::Event::StageReplanned`] before consumers start.
    pub adaptive: bool,
    /// The stages known so far, in any order.
    pub stages: Vec<StageSpec>,
}

impl JobSpec {
    /// A job in the default pool without tags, not adaptive.
    pub fn new(id: JobId, stages: Vec<StageSpec>) -> Self {
        Self { id, pool: "default".to_owned(), group: None, tags: Vec::new(), adaptive: false, stages }
    }
}

/// A stage: so many tasks, startable when the parents are complete.
#[derive(Clone, Debug)]
pub struct StageSpec {
    /// Never used before, except by a stage that was replaced before it started.
    pub id: StageId,
    /// Number of partitions; with none the stage is complete as soon as it starts.
    pub tasks: u32,
    /// Stages of the same job whose outputs it reads.
    pub parents: Vec<StageId>,
    /// Where tasks would like to run; tasks not named do not care.
    pub preferences: Vec<Preference>,
    /// Whether computing a task anew gives the same rows in the same partitions. If not, losing an output after a
    /// consumer has used it fails the job rather than giving a wrong result.
    pub determinate: bool,
}

impl StageSpec {
    /// A determinate stage without preferences.
    pub fn new(id: StageId, tasks: u32, parents: Vec<StageId>) -> Self {
        Self { id, tasks, parents, preferences: Vec::new(), determinate: true }
    }
}

/// Where a task would like to run.
#[derive(Clone, Debug)]
pub struct Preference {
    /// The task.
    pub partition: Partition,
    /// Any of these.
    pub executors: Vec<ExecutorId>,
}

/// A pool of `spark.scheduler.allocation.file`.
#[derive(Clone, Debug)]
pub struct PoolSpec {
    /// Its name.
    pub name: String,
    /// Order of jobs within it.
    pub order: PoolOrder,
    /// Share relative to other pools.
    pub weight: u32,
    /// Slots it gets before shares are looked at.
    pub min_share: u32,
}

/// Why a graph cannot be run; a defect of whoever built it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphError {
    /// The stage is there already, or was started before.
    Duplicate(StageId),
    /// The stage reads one that the job does not have.
    UnknownParent(StageId, StageId),
    /// The stage waits for itself.
    Cycle(StageId),
    /// The stage names a partition it does not have.
    PreferenceOutOfRange(StageId),
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate(stage) => write!(f, "stage {stage} is there twice"),
            Self::UnknownParent(stage, parent) => write!(f, "stage {stage} reads stage {parent}, which is not there"),
            Self::Cycle(stage) => write!(f, "stage {stage} waits for itself"),
            Self::PreferenceOutOfRange(stage) => write!(f, "stage {stage} prefers a place for a task it does not have"),
        }
    }
}

impl std::error::Error for GraphError {}
