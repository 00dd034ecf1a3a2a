//! What the scheduler is told and what it answers.

use std::fmt;

use firesteel_model::ids::{Attempt, ExecutorId, JobId, StageId, TaskAttempt, TaskId};
use firesteel_model::{ExecutorLoss, SparkError, error_class};

use crate::config::AllocationConfig;
use crate::graph::{GraphError, JobSpec, PoolSpec, StageSpec};

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A job is to be run. An id that is running already is ignored.
    JobSubmitted(JobSpec),
    /// The driver's answer to [`Action::StageCompleted`] that awaits one.
    StageReplanned(Replan),
    /// Jobs are to end now.
    Cancelled(CancelScope),
    /// An executor's last word on an attempt.
    TaskFinished {
        /// Where it ran.
        executor: ExecutorId,
        /// Which attempt.
        attempt: TaskAttempt,
        /// How it went.
        outcome: TaskOutcome,
    },
    /// A committed output is missing or corrupt, whoever noticed. Ignored unless `attempt` is the committed one.
    OutputLost {
        /// Whose output.
        task: TaskId,
        /// The attempt that wrote it.
        attempt: Attempt,
    },
    /// An executor is there, for the first time or again.
    ExecutorRegistered(ExecutorInfo),
    /// An executor is alive.
    ExecutorHeartbeat(ExecutorId),
    /// An executor is gone, whoever noticed first.
    ExecutorLost {
        /// Which.
        executor: ExecutorId,
        /// Why.
        reason: ExecutorLoss,
    },
    /// An executor is to leave: it gets no more tasks and is stopped once idle.
    ExecutorDraining(ExecutorId),
    /// Whether an executor holds cached blocks, which keeps it from being removed while idle.
    ExecutorHoldsBlocks {
        /// Which.
        executor: ExecutorId,
        /// Whether it holds any.
        holds_blocks: bool,
    },
    /// A pool's shares.
    PoolDefined(PoolSpec),
    /// Another number of executors is wanted from now on.
    Resized(AllocationConfig),
    /// Time has passed.
    Tick,
}

/// What an executor says when it registers.
#[derive(Clone, Debug)]
pub struct ExecutorInfo {
    /// Who it is; the same when it comes back.
    pub id: ExecutorId,
    /// How many tasks it runs at once.
    pub slots: u32,
    /// The attempts it is running; empty the first time. Those of ours that it does not name are lost.
    pub running: Vec<TaskAttempt>,
}

/// How the driver changed a job after a stage completed.
#[derive(Clone, Debug)]
pub struct Replan {
    /// The job.
    pub job: JobId,
    /// The completed stage that is answered; its consumers may start now.
    pub completed: StageId,
    /// Stages that are not wanted any more; one that runs is killed.
    pub remove: Vec<StageId>,
    /// Stages that are new, or that take the id of a removed one that had not started.
    pub add: Vec<StageSpec>,
}

/// Which jobs to cancel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelScope {
    /// One.
    Job(JobId),
    /// All with this tag.
    Tag(String),
    /// All of this group.
    Group(String),
    /// All.
    All,
}

/// How an attempt went.
#[derive(Clone, Debug)]
pub enum TaskOutcome {
    /// Its output is there, to be committed or discarded.
    Succeeded,
    /// There is no output.
    Failed(TaskFailure),
}

/// Why an attempt failed.
#[derive(Clone, Debug)]
pub enum TaskFailure {
    /// The task's own fault. If the error is not retryable the job fails at once, else the failure is counted.
    Error(SparkError),
    /// An input is missing or corrupt: that map task runs again, then this one; not counted.
    FetchFailed {
        /// The map task.
        input: TaskId,
        /// Whose output it was to read.
        attempt: Attempt,
    },
    /// It was killed, by us or because its executor leaves; not counted.
    Killed,
    /// It never ran: the message did not arrive or the executor would not take it; not counted.
    Refused,
}

/// Something the driver has to do.
#[derive(Clone, Debug)]
pub enum Action {
    /// A stage's inputs are complete and its first tasks are about to be launched.
    StageStarted {
        /// Its job.
        job: JobId,
        /// The stage.
        stage: StageId,
    },
    /// Send an attempt to an executor.
    LaunchTask {
        /// Where to.
        executor: ExecutorId,
        /// Which attempt; unique for ever.
        attempt: TaskAttempt,
        /// How well the place fits.
        locality: Locality,
        /// Whether it is a copy of a slow attempt.
        speculative: bool,
    },
    /// Stop an attempt; its slot stays taken until the executor's last word on it, which it gives even if it does
    /// not run that attempt.
    KillTask {
        /// Where it runs.
        executor: ExecutorId,
        /// Which attempt.
        attempt: TaskAttempt,
        /// Why.
        reason: KillReason,
    },
    /// This attempt's output is the task's output from now on.
    CommitTask(TaskAttempt),
    /// Another attempt's output stands; this one's can be deleted.
    DiscardOutput(TaskAttempt),
    /// This attempt's output was committed and is lost; the task runs again.
    InvalidateOutput(TaskAttempt),
    /// All tasks of a stage are committed (again, if an output had been lost).
    StageCompleted {
        /// Its job.
        job: JobId,
        /// The stage.
        stage: StageId,
        /// Whether consumers wait for [`Event::StageReplanned`]; only for the first completion in an adaptive job.
        awaits_replan: bool,
    },
    /// A job is over; nothing but [`Action::KillTask`] for late attempts follows.
    JobEnded {
        /// Which.
        job: JobId,
        /// How.
        outcome: JobOutcome,
    },
    /// How many executors there ought to be: starting, registered, draining and excluded ones together.
    RequestExecutors {
        /// That many.
        total: u32,
    },
    /// End an executor; it is forgotten here.
    StopExecutor {
        /// Which.
        executor: ExecutorId,
        /// Why.
        reason: StopReason,
    },
    /// An executor was silent for too long; its tasks run elsewhere. It may register again.
    ExecutorTimedOut(ExecutorId),
    /// An executor that is not known here was heard of; ask it to register.
    AskToRegister(ExecutorId),
    /// An executor gets no tasks any more, of one stage or at all, until the time given.
    ExecutorExcluded {
        /// Which.
        executor: ExecutorId,
        /// Of this stage only.
        stage: Option<StageId>,
        /// Until then; `None` until the stage is complete.
        until_ms: Option<u64>,
    },
    /// An executor gets tasks again, if it is there.
    ExecutorIncluded(ExecutorId),
}

/// How well a place fits a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locality {
    /// One of its preferred executors.
    Preferred,
    /// It has no preference, or lost it.
    NoPreference,
    /// Another executor, because the preferred ones were busy for too long.
    Any,
}

/// Why an attempt is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KillReason {
    /// Another attempt of the task was committed.
    AnotherAttemptSucceeded,
    /// Its job is over.
    JobEnded,
    /// Its stage was replanned away.
    StageRemoved,
    /// It may have read rows of an indeterminate output that is computed anew.
    InputChanged,
    /// It was given up for lost and is not wanted any more.
    Stale,
}

/// Why an executor is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// It had nothing to do for too long.
    Idle,
    /// It was draining and its last task is done.
    Drained,
    /// It was stopped before and came back.
    AlreadyStopped,
}

/// How a job ended.
#[derive(Clone, Debug)]
pub enum JobOutcome {
    /// All stages are complete.
    Succeeded,
    /// It could not be completed.
    Failed(JobFailure),
    /// Somebody wanted it to end.
    Cancelled,
}

/// Why a job failed.
#[derive(Clone, Debug)]
pub enum JobFailure {
    /// An attempt failed with an error that no other attempt can avoid, or too many failed.
    TaskFailed {
        /// The last attempt.
        attempt: TaskAttempt,
        /// Failures that counted.
        failures: u32,
        /// The last error.
        error: SparkError,
    },
    /// Too many executors died with the task.
    ExecutorsDied {
        /// The last attempt.
        attempt: TaskAttempt,
        /// Failures that counted.
        failures: u32,
        /// How the last one died.
        reason: ExecutorLoss,
    },
    /// The task was lost too often through no fault of its own.
    TaskLost {
        /// The last attempt.
        attempt: TaskAttempt,
        /// How often.
        losses: u32,
    },
    /// A map output was lost too often.
    OutputUnstable {
        /// The map task.
        task: TaskId,
        /// How often.
        losses: u32,
    },
    /// A map output was lost that cannot be computed again with the same rows, after a consumer had used it.
    IndeterminateOutputLost(TaskId),
    /// There was no executor for too long.
    NoExecutors {
        /// How long.
        waited_ms: u64,
    },
    /// All executors were excluded from the stage for too long.
    AllExecutorsExcluded {
        /// The stage.
        stage: StageId,
        /// How long.
        waited_ms: u64,
    },
    /// The graph makes no sense.
    InvalidGraph(GraphError),
}

impl JobFailure {
    /// What the user sees: the task's own error where there is one.
    pub fn to_spark_error(&self) -> SparkError {
        match self {
            Self::TaskFailed { error, .. } => error.clone(),
            Self::InvalidGraph(error) => SparkError::internal(error.to_string()).source(*error),
            other => SparkError::new(&error_class::FIRESTEEL_JOB_ABORTED).param("reason", other.to_string()),
        }
    }
}

impl fmt::Display for JobFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TaskFailed { attempt, failures, error } => {
                write!(f, "task {attempt} failed, {failures} failures in all: {error}")
            }
            Self::ExecutorsDied { attempt, failures, reason } => {
                write!(f, "the executor of task {attempt} died, {failures} failures in all: {reason}")
            }
            Self::TaskLost { attempt, losses } => write!(f, "task {attempt} was lost {losses} times"),
            Self::OutputUnstable { task, losses } => write!(f, "the output of task {task} was lost {losses} times"),
            Self::IndeterminateOutputLost(task) => {
                write!(f, "the output of task {task} was lost and computing it again could give other rows")
            }
            Self::NoExecutors { waited_ms } => write!(f, "there was no executor for {waited_ms} ms"),
            Self::AllExecutorsExcluded { stage, waited_ms } => {
                write!(f, "every executor was excluded from stage {stage} for {waited_ms} ms")
            }
            Self::InvalidGraph(error) => write!(f, "{error}"),
        }
    }
}
