//! The loop that owns the scheduler and all jobs: commands in, actions carried out.

mod adapt;
mod job;
mod stage;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::prelude::SessionConfig;
use firesteel_engine::stages::StageGraph;
use firesteel_engine::task::TaskOutput;
use firesteel_model::SparkError;
use firesteel_model::error_class::OPERATION_CANCELED;
use firesteel_model::ids::{JobId, StageId, TaskAttempt};
use firesteel_scheduler::{
    Action, CancelScope, Event, ExecutorInfo, JobOutcome, Scheduler, SchedulerConfig, TaskFailure, TaskOutcome,
};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use crate::attempt::AttemptEnd;
use crate::cluster::JobOptions;
use crate::local::LocalExecutor;
use crate::progress::{ProgressEvent, TaskEnd};
use crate::results::ResultBoard;
use job::Job;

const TICK: Duration = Duration::from_millis(100);

/// What the loop is told.
pub(crate) enum Command {
    /// Run a job.
    Submit(Box<Submission>),
    /// End jobs.
    Cancel(CancelScope),
    /// An attempt is over.
    AttemptEnded(TaskAttempt, Box<AttemptEnd>),
    /// Nobody will read a job's result any more.
    ResultDropped(JobId),
}

/// A job, cut and ready.
pub(crate) struct Submission {
    pub(crate) job: JobId,
    pub(crate) graph: StageGraph,
    pub(crate) config: SessionConfig,
    pub(crate) options: JobOptions,
    pub(crate) board: Arc<ResultBoard>,
}

/// Owns everything that changes while jobs run. Dropping it ends every job with an error.
pub(crate) struct Dispatcher {
    scheduler: Scheduler,
    executor: Arc<LocalExecutor>,
    reports: mpsc::WeakSender<Command>,
    started: Instant,
    jobs: HashMap<JobId, Job>,
    stage_jobs: HashMap<StageId, JobId>,
    running: HashMap<TaskAttempt, CancellationToken>,
    /// Result stages of jobs that are over and whose result is still being read.
    unread: HashMap<JobId, Vec<StageId>>,
    next_stage: u64,
}

impl Dispatcher {
    pub(crate) fn new(
        config: SchedulerConfig,
        executor: Arc<LocalExecutor>,
        reports: mpsc::WeakSender<Command>,
    ) -> Self {
        Self {
            scheduler: Scheduler::new(config),
            executor,
            reports,
            started: Instant::now(),
            jobs: HashMap::new(),
            stage_jobs: HashMap::new(),
            running: HashMap::new(),
            unread: HashMap::new(),
            next_stage: 0,
        }
    }

    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        let info = ExecutorInfo { id: self.executor.id, slots: self.executor.slots, running: Vec::new() };
        self.apply(Event::ExecutorRegistered(info)).await;
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                command = inbox.recv() => match command {
                    Some(command) => self.obey(command).await,
                    None => return,
                },
                _ = ticks.tick(), if !self.scheduler.is_idle() => self.apply(Event::Tick).await,
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Submit(submission) => self.submit(*submission).await,
            Command::Cancel(scope) => self.apply(Event::Cancelled(scope)).await,
            Command::AttemptEnded(attempt, end) => self.attempt_ended(attempt, *end).await,
            Command::ResultDropped(job) => match self.jobs.get_mut(&job) {
                Some(job) => job.result_dropped = true,
                None => {
                    let stages = self.unread.remove(&job).unwrap_or_default();
                    self.forget_outputs(stages).await;
                }
            },
        }
    }

    async fn submit(&mut self, submission: Submission) {
        let job = Job::new(submission, &mut self.next_stage);
        let (id, spec) = (job.id, job.spec());
        info!(job = %id, stages = spec.stages.len(), "job submitted");
        self.stage_jobs.extend(spec.stages.iter().map(|stage| (stage.id, id)));
        job.tell(ProgressEvent::JobStarted { job: id, stages: job.planned() });
        self.jobs.insert(id, job);
        self.apply(Event::JobSubmitted(spec)).await;
    }

    async fn attempt_ended(&mut self, attempt: TaskAttempt, end: AttemptEnd) {
        self.running.remove(&attempt);
        let AttemptEnd { result, metrics } = end;
        let (outcome, told) = match result {
            Ok(output) => {
                self.executor.store.record(&output.map);
                self.keep(attempt, output).await;
                (TaskOutcome::Succeeded, TaskEnd::Succeeded)
            }
            Err(failure) => {
                debug!(%attempt, ?failure, "attempt failed");
                let told = match &failure {
                    TaskFailure::Error(error) => TaskEnd::Failed(error.clone()),
                    TaskFailure::FetchFailed { input, attempt } => {
                        TaskEnd::FetchFailed(TaskAttempt { task: *input, attempt: *attempt })
                    }
                    TaskFailure::Killed | TaskFailure::Refused => TaskEnd::Killed,
                };
                (TaskOutcome::Failed(failure), told)
            }
        };
        self.tell(attempt.task.stage, ProgressEvent::TaskFinished { attempt, end: told, metrics });
        let executor = self.executor.id;
        self.apply(Event::TaskFinished { executor, attempt, outcome }).await;
    }

    /// Tells the scheduler and does what it says; what comes of that is told in turn.
    async fn apply(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
            for action in self.scheduler.apply(now_ms, event) {
                events.extend(self.perform(action).await);
            }
        }
    }

    async fn perform(&mut self, action: Action) -> Vec<Event> {
        match action {
            Action::StageStarted { stage, .. } => {
                let tasks = self.job_of(stage).and_then(|job| job.stage(stage)).map_or(0, |stage| stage.tasks());
                self.tell(stage, ProgressEvent::StageStarted { stage, tasks });
                Vec::new()
            }
            Action::LaunchTask { attempt, .. } => self.launch(attempt),
            Action::KillTask { attempt, .. } => {
                if let Some(cancel) = self.running.get(&attempt) {
                    cancel.cancel();
                }
                Vec::new()
            }
            Action::CommitTask(attempt) => {
                if let Some(job) = self.job_of_mut(attempt.task.stage) {
                    job.commit(attempt);
                }
                Vec::new()
            }
            Action::DiscardOutput(attempt) => {
                self.executor.store.remove(attempt).await;
                Vec::new()
            }
            Action::InvalidateOutput(attempt) => {
                self.executor.store.remove(attempt).await;
                self.job_of_mut(attempt.task.stage).map(|job| job.invalidate(attempt)).unwrap_or_default()
            }
            Action::StageCompleted { job, stage, awaits_replan } => self.completed(job, stage, awaits_replan).await,
            Action::JobEnded { job, outcome } => {
                self.ended(job, outcome).await;
                Vec::new()
            }
            // There is one executor, it is always there and nothing is known of others.
            Action::RequestExecutors { .. }
            | Action::StopExecutor { .. }
            | Action::ExecutorTimedOut(_)
            | Action::AskToRegister(_)
            | Action::ExecutorExcluded { .. }
            | Action::ExecutorIncluded(_) => Vec::new(),
        }
    }

    fn launch(&mut self, attempt: TaskAttempt) -> Vec<Event> {
        let cancel = CancellationToken::new();
        let work = self.job_of_mut(attempt.task.stage).map(|job| job.work(attempt, cancel.clone()));
        let failure = match work {
            Some(Ok(work)) => {
                self.running.insert(attempt, cancel);
                self.tell(attempt.task.stage, ProgressEvent::TaskStarted(attempt));
                let reports = self.reports.clone();
                self.executor.launch(work, move |attempt, end| async move {
                    if let Some(reports) = reports.upgrade() {
                        // A closed channel means that nobody schedules any more.
                        let _ = reports.send(Command::AttemptEnded(attempt, Box::new(end))).await;
                    }
                });
                return Vec::new();
            }
            Some(Err(error)) => TaskFailure::Error(error),
            None => TaskFailure::Refused,
        };
        let executor = self.executor.id;
        vec![Event::TaskFinished { executor, attempt, outcome: TaskOutcome::Failed(failure) }]
    }

    async fn ended(&mut self, id: JobId, outcome: JobOutcome) {
        let Some(mut job) = self.jobs.remove(&id) else { return };
        let result = match (outcome, job.error.take()) {
            (_, Some(error)) => Err(error),
            (JobOutcome::Succeeded, None) => Ok(()),
            (JobOutcome::Failed(failure), None) => Err(failure.to_spark_error()),
            (JobOutcome::Cancelled, None) => Err(SparkError::new(&OPERATION_CANCELED)),
        };
        info!(job = %id, ok = result.is_ok(), "job ended");
        let (results, others) = job.stages_by_use();
        for stage in results.iter().chain(&others) {
            self.stage_jobs.remove(stage);
        }
        job.tell(ProgressEvent::JobEnded { job: id, error: result.as_ref().err().cloned() });
        let keep = result.is_ok() && !job.result_dropped;
        job.board.end(result);
        self.forget_outputs(others).await;
        if keep {
            self.unread.insert(id, results);
        } else {
            self.forget_outputs(results).await;
        }
    }

    async fn forget_outputs(&self, stages: Vec<StageId>) {
        for stage in stages {
            self.executor.store.remove_stage(stage).await;
        }
    }

    /// Notes an output for its stage; that of a job which is over was written after its stage was cleared.
    async fn keep(&mut self, attempt: TaskAttempt, output: TaskOutput) {
        let stage = attempt.task.stage;
        let is_unread = self.unread.values().any(|stages| stages.contains(&stage));
        match self.job_of_mut(stage) {
            Some(job) => {
                if let Some(run) = job.stage_mut(stage) {
                    run.finished(attempt, output);
                }
            }
            None if !is_unread => self.executor.store.remove(attempt).await,
            None => {}
        }
    }

    fn job_of(&self, stage: StageId) -> Option<&Job> {
        self.jobs.get(self.stage_jobs.get(&stage)?)
    }

    fn job_of_mut(&mut self, stage: StageId) -> Option<&mut Job> {
        self.jobs.get_mut(self.stage_jobs.get(&stage)?)
    }

    fn tell(&self, stage: StageId, event: ProgressEvent) {
        if let Some(job) = self.job_of(stage) {
            job.tell(event);
        }
    }
}

impl Drop for Dispatcher {
    fn drop(&mut self) {
        for job in self.jobs.values() {
            job.board.end(Err(SparkError::new(&OPERATION_CANCELED)));
        }
        for cancel in self.running.values() {
            cancel.cancel();
        }
    }
}
