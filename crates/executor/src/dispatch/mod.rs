//! The loop that owns the scheduler and all jobs: commands in, actions carried out.

mod adapt;
mod job;
mod settle;
mod stage;
mod stores;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::prelude::SessionConfig;
use firesteel_engine::stages::StageGraph;
use firesteel_engine::task::TaskOutput;
use firesteel_model::SparkError;
use firesteel_model::error_class::OPERATION_CANCELED;
use firesteel_model::ids::{ExecutorId, JobId, StageId, TaskAttempt};
use firesteel_scheduler::{
    Action, CancelScope, Event, JobOutcome, Scheduler, SchedulerConfig, TaskFailure, TaskOutcome,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;
use tracing::{debug, info};

use crate::attempt::AttemptEnd;
use crate::cluster::JobOptions;
use crate::progress::{ProgressEvent, TaskEnd};
use crate::results::ResultBoard;
use crate::runner::Executors;

use settle::Settling;

pub(crate) use job::Job;
pub(crate) use stores::Stores;

const TICK: Duration = Duration::from_millis(100);

/// What the loop is told.
pub(crate) enum Command {
    /// Run a job.
    Submit(Box<Submission>),
    /// End jobs.
    Cancel(CancelScope),
    /// An attempt is over.
    AttemptEnded(ExecutorId, TaskAttempt, Box<AttemptEnd>),
    /// Something else that the scheduler has to know.
    Happened(Event),
    /// Nobody will read a job's result any more.
    ResultDropped(JobId),
    /// End all executors, and tell when they have.
    Close(oneshot::Sender<()>),
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
    executors: Box<dyn Executors>,
    stores: Stores,
    started: Instant,
    jobs: HashMap<JobId, Job>,
    stage_jobs: HashMap<StageId, JobId>,
    /// Result stages of jobs that are over and whose result is still being read.
    unread: HashMap<JobId, Vec<StageId>>,
    settling: Settling,
    next_stage: u64,
}

impl Dispatcher {
    pub(crate) fn new(config: SchedulerConfig, executors: Box<dyn Executors>, stores: Stores) -> Self {
        Self {
            scheduler: Scheduler::new(config),
            executors,
            stores,
            started: Instant::now(),
            jobs: HashMap::new(),
            stage_jobs: HashMap::new(),
            unread: HashMap::new(),
            settling: Settling::default(),
            next_stage: 0,
        }
    }

    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        for event in self.executors.start() {
            self.apply(event).await;
        }
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                command = inbox.recv() => match command {
                    Some(command) => self.obey(command).await,
                    None => return,
                },
                _ = ticks.tick(), if self.wants_ticks() => {
                    self.apply(Event::Tick).await;
                    self.settling.tell();
                }
            }
        }
    }

    /// The executor of this process neither falls silent nor goes when it is idle.
    fn wants_ticks(&self) -> bool {
        !self.scheduler.is_idle()
            || !self.settling.is_idle()
            || (self.executors.come_and_go() && self.scheduler.wants_ticks())
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Submit(submission) => self.submit(*submission).await,
            Command::Cancel(scope) => self.apply(Event::Cancelled(scope)).await,
            Command::AttemptEnded(executor, attempt, end) => self.attempt_ended(executor, attempt, *end).await,
            Command::Happened(event) => self.happened(event).await,
            Command::Close(closed) => self.executors.close(closed),
            Command::ResultDropped(job) => match self.jobs.get_mut(&job) {
                Some(job) => job.result_dropped = true,
                None => {
                    let stages = self.unread.remove(&job).unwrap_or_default();
                    self.forget_outputs(stages).await;
                }
            },
        }
    }

    async fn happened(&mut self, event: Event) {
        let hopeless = self.executors.observe(&event);
        if let Event::ExecutorLost { executor, .. } = &event {
            self.settling.lost(*executor);
        }
        self.apply(event).await;
        if let Some(error) = hopeless {
            for job in self.jobs.values_mut() {
                job.error = Some(error.clone());
            }
            self.apply(Event::Cancelled(CancelScope::All)).await;
        }
    }

    async fn submit(&mut self, submission: Submission) {
        self.executors.job_submitted();
        let job = Job::new(submission, &mut self.next_stage);
        let (id, spec) = (job.id, job.spec());
        info!(job = %id, stages = spec.stages.len(), "job submitted");
        self.stage_jobs.extend(spec.stages.iter().map(|stage| (stage.id, id)));
        job.tell(ProgressEvent::JobStarted { job: id, stages: job.planned() });
        self.jobs.insert(id, job);
        self.apply(Event::JobSubmitted(spec)).await;
    }

    async fn attempt_ended(&mut self, executor: ExecutorId, attempt: TaskAttempt, end: AttemptEnd) {
        self.executors.ended(attempt);
        self.settling.ended(attempt);
        let AttemptEnd { result, metrics } = end;
        let (outcome, told) = match result {
            Ok(output) => {
                self.stores.record(&output.map);
                self.keep(attempt, output).await;
                (TaskOutcome::Succeeded, TaskEnd::Succeeded)
            }
            Err(failure) => {
                debug!(%attempt, ?failure, "attempt failed");
                let told = match &failure {
                    TaskFailure::Error(error) => TaskEnd::Failed(error.clone()),
                    TaskFailure::FetchFailed { input, attempt } => {
                        let lost = TaskAttempt { task: *input, attempt: *attempt };
                        self.stores.lose(lost);
                        TaskEnd::FetchFailed(lost)
                    }
                    TaskFailure::Killed | TaskFailure::Refused => TaskEnd::Killed,
                };
                (TaskOutcome::Failed(failure), told)
            }
        };
        self.tell(attempt.task.stage, ProgressEvent::TaskFinished { attempt, end: told, metrics });
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
        self.executors.settle();
    }

    async fn perform(&mut self, action: Action) -> Vec<Event> {
        match action {
            Action::StageStarted { stage, .. } => {
                let tasks = self.job_of(stage).and_then(|job| job.stage(stage)).map_or(0, |stage| stage.tasks());
                self.tell(stage, ProgressEvent::StageStarted { stage, tasks });
                Vec::new()
            }
            Action::LaunchTask { executor, attempt, .. } => self.launch(executor, attempt),
            Action::KillTask { executor, attempt, .. } => {
                self.executors.kill(executor, attempt);
                Vec::new()
            }
            Action::CommitTask(attempt) => {
                if let Some(job) = self.job_of_mut(attempt.task.stage) {
                    job.commit(attempt);
                }
                Vec::new()
            }
            Action::DiscardOutput(attempt) => {
                self.stores.remove(attempt).await;
                Vec::new()
            }
            Action::InvalidateOutput(attempt) => {
                self.stores.remove(attempt).await;
                self.job_of_mut(attempt.task.stage).map(|job| job.invalidate(attempt)).unwrap_or_default()
            }
            Action::StageCompleted { job, stage, awaits_replan } => self.completed(job, stage, awaits_replan).await,
            Action::JobEnded { job, outcome } => {
                self.ended(job, outcome).await;
                Vec::new()
            }
            other => {
                self.perform_on_executors(&other);
                Vec::new()
            }
        }
    }

    fn perform_on_executors(&mut self, action: &Action) {
        match action {
            Action::RequestExecutors { total } => self.executors.request(*total),
            Action::StopExecutor { executor, reason } => self.executors.stop(*executor, *reason),
            Action::ExecutorTimedOut(executor) => {
                self.settling.lost(*executor);
                self.executors.give_up(*executor);
            }
            Action::AskToRegister(executor) => self.executors.ask_to_register(*executor),
            // Whom the scheduler avoids is its own affair.
            _ => {}
        }
    }

    fn launch(&mut self, executor: ExecutorId, attempt: TaskAttempt) -> Vec<Event> {
        let job = self.stage_jobs.get(&attempt.task.stage).and_then(|job| self.jobs.get_mut(job));
        let launched = match job {
            Some(job) => self.executors.launch(executor, attempt, job),
            None => Err(TaskFailure::Refused),
        };
        match launched {
            Ok(()) => {
                self.settling.launched(attempt, executor);
                self.tell(attempt.task.stage, ProgressEvent::TaskStarted(attempt));
                Vec::new()
            }
            Err(failure) => {
                vec![Event::TaskFinished { executor, attempt, outcome: TaskOutcome::Failed(failure) }]
            }
        }
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
        if job.options.waits_for_attempts {
            let stages = results.iter().chain(&others).copied().collect();
            self.settling.end(id, stages, Arc::clone(&job.board), result);
        } else {
            job.board.end(result);
        }
        self.forget_outputs(others).await;
        if keep {
            self.unread.insert(id, results);
        } else {
            self.forget_outputs(results).await;
        }
    }

    async fn forget_outputs(&self, stages: Vec<StageId>) {
        for stage in stages {
            self.stores.remove_stage(stage).await;
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
            None if !is_unread => self.stores.remove(attempt).await,
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
    }
}
