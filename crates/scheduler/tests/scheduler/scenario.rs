//! A scheduler driven by hand: events as method calls, actions as lines of text.

use firesteel_model::ids::{Attempt, ExecutorId, JobId, Partition, StageId, TaskAttempt, TaskId};
use firesteel_model::{SparkError, error_class};
use firesteel_scheduler::{
    Action, CancelScope, Event, ExecutorInfo, ExecutorLoss, JobOutcome, JobSpec, Locality, Preference, Replan,
    Scheduler, SchedulerConfig, StageSpec, TaskFailure, TaskOutcome,
};

use crate::oracle::Oracle;

pub(crate) struct Scenario {
    pub(crate) scheduler: Scheduler,
    oracle: Oracle,
    now_ms: u64,
    pub(crate) show_requests: bool,
}

/// `task("1.2#3")`: attempt 3 of partition 2 of stage 1.
pub(crate) fn task(name: &str) -> TaskAttempt {
    let (rest, attempt) = name.split_once('#').unwrap();
    let (stage, partition) = rest.split_once('.').unwrap();
    let task = TaskId { stage: StageId(stage.parse().unwrap()), partition: Partition(partition.parse().unwrap()) };
    TaskAttempt { task, attempt: Attempt(attempt.parse().unwrap()) }
}

pub(crate) fn stage(id: u64, tasks: u32, parents: &[u64]) -> StageSpec {
    StageSpec::new(StageId(id), tasks, parents.iter().map(|id| StageId(*id)).collect())
}

pub(crate) fn job(id: u64, stages: impl Into<Vec<StageSpec>>) -> JobSpec {
    JobSpec::new(JobId(id), stages.into())
}

pub(crate) fn prefer(partition: u32, executors: &[u64]) -> Preference {
    let executors = executors.iter().map(|id| ExecutorId(*id)).collect();
    Preference { partition: Partition(partition), executors }
}

pub(crate) fn retryable() -> SparkError {
    SparkError::new(&error_class::TASK_WRITE_FAILED).retryable()
}

impl Scenario {
    /// With this many executors of so many slots, numbered from 0.
    pub(crate) fn new(config: SchedulerConfig, executors: u64, slots: u32) -> Self {
        let oracle = Oracle::new(config.task_failures_max);
        let show_requests = config.allocation.dynamic;
        let mut scenario = Self { scheduler: Scheduler::new(config), oracle, now_ms: 0, show_requests };
        for id in 0..executors {
            scenario.join(id, slots);
        }
        scenario
    }

    pub(crate) fn apply(&mut self, event: Event) -> Vec<String> {
        self.oracle.before(&event);
        let actions = self.scheduler.apply(self.now_ms, event);
        self.oracle.after(&actions);
        assert_eq!(self.scheduler.audit(), Vec::<String>::new());
        let shown = |action: &&Action| self.show_requests || !matches!(action, Action::RequestExecutors { .. });
        actions.iter().filter(shown).map(line).collect()
    }

    pub(crate) fn submit(&mut self, job: JobSpec) -> Vec<String> {
        self.apply(Event::JobSubmitted(job))
    }

    /// Time passes, and the scheduler notices.
    pub(crate) fn wait(&mut self, ms: u64) -> Vec<String> {
        self.now_ms += ms;
        self.apply(Event::Tick)
    }

    /// Time passes unnoticed.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
    }

    pub(crate) fn join(&mut self, id: u64, slots: u32) -> Vec<String> {
        self.rejoin(id, slots, &[])
    }

    pub(crate) fn rejoin(&mut self, id: u64, slots: u32, running: &[&str]) -> Vec<String> {
        let running = running.iter().map(|name| task(name)).collect();
        self.apply(Event::ExecutorRegistered(ExecutorInfo { id: ExecutorId(id), slots, running }))
    }

    pub(crate) fn lose(&mut self, id: u64, reason: ExecutorLoss) -> Vec<String> {
        self.apply(Event::ExecutorLost { executor: ExecutorId(id), reason })
    }

    pub(crate) fn drain(&mut self, id: u64) -> Vec<String> {
        self.apply(Event::ExecutorDraining(ExecutorId(id)))
    }

    pub(crate) fn beat(&mut self, id: u64) -> Vec<String> {
        self.apply(Event::ExecutorHeartbeat(ExecutorId(id)))
    }

    /// `ok("1.0#0 on 0")`.
    pub(crate) fn ok(&mut self, attempt: &str) -> Vec<String> {
        self.finish(attempt, TaskOutcome::Succeeded)
    }

    pub(crate) fn fail(&mut self, attempt: &str, failure: TaskFailure) -> Vec<String> {
        self.finish(attempt, TaskOutcome::Failed(failure))
    }

    /// An error that may be gone the next time.
    pub(crate) fn err(&mut self, attempt: &str) -> Vec<String> {
        self.fail(attempt, TaskFailure::Error(retryable()))
    }

    pub(crate) fn fetch_failed(&mut self, attempt: &str, input: &str) -> Vec<String> {
        let input = task(input);
        self.fail(attempt, TaskFailure::FetchFailed { input: input.task, attempt: input.attempt })
    }

    fn finish(&mut self, attempt: &str, outcome: TaskOutcome) -> Vec<String> {
        let (attempt, executor) = attempt.split_once(" on ").unwrap();
        let executor = ExecutorId(executor.parse().unwrap());
        self.apply(Event::TaskFinished { executor, attempt: task(attempt), outcome })
    }

    pub(crate) fn cancel(&mut self, scope: CancelScope) -> Vec<String> {
        self.apply(Event::Cancelled(scope))
    }

    pub(crate) fn replan(&mut self, job: u64, completed: u64, remove: &[u64], add: Vec<StageSpec>) -> Vec<String> {
        let remove = remove.iter().map(|id| StageId(*id)).collect();
        self.apply(Event::StageReplanned(Replan { job: JobId(job), completed: StageId(completed), remove, add }))
    }
}

fn line(action: &Action) -> String {
    match action {
        Action::StageStarted { stage, .. } => format!("start {stage}"),
        Action::LaunchTask { executor, attempt, locality, speculative } => {
            let copy = if *speculative { " as copy" } else { "" };
            let place = match locality {
                Locality::Preferred => " preferred",
                Locality::Any if !speculative => " far",
                _ => "",
            };
            format!("launch {attempt} on {executor}{place}{copy}")
        }
        Action::KillTask { executor, attempt, reason } => format!("kill {attempt} on {executor}: {reason:?}"),
        Action::CommitTask(attempt) => format!("commit {attempt}"),
        Action::DiscardOutput(attempt) => format!("discard {attempt}"),
        Action::InvalidateOutput(attempt) => format!("invalidate {attempt}"),
        Action::StageCompleted { stage, awaits_replan: false, .. } => format!("complete {stage}"),
        Action::StageCompleted { stage, .. } => format!("complete {stage}, replan?"),
        Action::JobEnded { job, outcome: JobOutcome::Failed(failure) } => format!("job {job} failed: {failure}"),
        Action::JobEnded { job, outcome } => format!("job {job} {outcome:?}"),
        Action::RequestExecutors { total } => format!("want {total} executors"),
        Action::StopExecutor { executor, reason } => format!("stop executor {executor}: {reason:?}"),
        Action::ExecutorTimedOut(executor) => format!("executor {executor} timed out"),
        Action::AskToRegister(executor) => format!("executor {executor} must register"),
        Action::ExecutorExcluded { executor, stage: Some(stage), .. } => {
            format!("exclude executor {executor} from stage {stage}")
        }
        Action::ExecutorExcluded { executor, .. } => format!("exclude executor {executor}"),
        Action::ExecutorIncluded(executor) => format!("include executor {executor}"),
    }
}
