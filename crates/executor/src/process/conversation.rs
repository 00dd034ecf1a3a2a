//! One executor's side of the talk with the driver, over as many connections as it takes.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use firesteel_engine::stages::StageNo;
use firesteel_model::ids::TaskAttempt;
use firesteel_rpc::{
    AttemptReport, Hello, Launch, Link, LinkEvent, Load, Metrics, Order, Outcome, Report, RpcError, Session, Stop,
};
use firesteel_scheduler::TaskFailure;
use firesteel_shuffle::ShuffleStore;
use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::exhaustion::end_if_exhausted;
use super::plans::{Extend, FetchError, Plans};
use super::results::DriverResults;
use super::{Leave, ProcessParts};
use crate::attempt::{AttemptEnd, AttemptWork, TaskMetrics, panicked};
use crate::local::LocalExecutor;
use crate::memory;
use crate::wire;

/// Ends of attempts that may wait to be reported; far more than there are slots.
const ENDS_MAX: usize = 1024;

/// Ends in one report.
const ENDS_PER_REPORT: usize = 256;

/// Why a connection is not used any more.
pub(super) enum Over {
    /// The driver ends the executor.
    Stopped(Stop),
    /// It was told to leave, and nothing runs any more or its time is over.
    Left,
    /// It broke; another may do.
    Broken(RpcError),
    /// The driver wants to hear Hello again.
    AskedToRegister,
}

/// How long what still runs has for giving back what it holds elsewhere, such as uploads to a store.
const WIND_UP: Duration = Duration::from_secs(2);

type Running = HashMap<TaskAttempt, CancellationToken>;

pub(super) struct Conversation {
    hello: Hello,
    runner: Arc<Runner>,
    heartbeat: Duration,
    running: Running,
    ends: mpsc::Receiver<AttemptReport>,
    /// Sent, and not yet acknowledged.
    unacknowledged: VecDeque<(u64, Vec<AttemptReport>)>,
    next_report: u64,
    leave_at: Option<Instant>,
}

/// What starting an attempt takes.
struct Runner {
    executor: LocalExecutor,
    plans: Plans,
    results: Arc<dyn ShuffleStore>,
    reports: mpsc::Sender<AttemptReport>,
}

impl Conversation {
    pub(super) fn new(
        link: Link,
        hello: Hello,
        executor: LocalExecutor,
        parts: ProcessParts,
        heartbeat: Duration,
    ) -> Self {
        let (reports, ends) = mpsc::channel(ENDS_MAX);
        let shuffle = Arc::clone(&executor.store);
        let results = Arc::new(DriverResults { shuffle, link: link.clone(), executor: hello.executor });
        let (extend, kept_for_merging) = (parts.extend, executor.sort_reservation_bytes());
        let extend: Extend = Arc::new(move |config| {
            let mut config = extend(config);
            let kept = &mut config.options_mut().execution.sort_spill_reservation_bytes;
            *kept = kept_for_merging.min(*kept);
            config
        });
        let plans = Plans::new(link, parts.codec, Arc::clone(&executor.runtime_env), extend);
        let runner = Arc::new(Runner { executor, plans, results, reports });
        let unacknowledged = VecDeque::new();
        Self { hello, runner, heartbeat, running: HashMap::new(), ends, unacknowledged, next_report: 1, leave_at: None }
    }

    /// Who it is now: with everything that the driver must not give up for lost.
    pub(super) fn hello(&self) -> Hello {
        let told = self.unacknowledged.iter().flat_map(|(_, ended)| ended).map(|end| end.attempt);
        let running = self.running.keys().copied().chain(told).collect();
        Hello { running, draining: self.leave_at.is_some(), ..self.hello.clone() }
    }

    /// Talks over one connection until it is over.
    pub(super) async fn hold(&mut self, session: &mut Session, leave: &Leave, drain: Duration) -> Over {
        for (number, ended) in &self.unacknowledged {
            let report = Report { ended: ended.clone(), load: self.load(), draining: self.leave_at.is_some() };
            if let Err(error) = session.report(&report, *number).await {
                return Over::Broken(error);
            }
        }
        let mut heartbeat = tokio::time::interval(self.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let leave_at = self.leave_at;
            let time_is_over = async move {
                match leave_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let ended = tokio::select! {
                biased;
                () = leave.now.cancelled() => return Over::Left,
                () = time_is_over => return Over::Left,
                () = leave.gently.cancelled(), if self.leave_at.is_none() => {
                    self.leave_at = Some(Instant::now() + drain);
                    Vec::new()
                }
                events = session.next() => match events {
                    Ok(events) => match self.obey(events) {
                        Some(over) => return over,
                        None => continue,
                    },
                    Err(error) => return Over::Broken(error),
                },
                Some(end) = self.ends.recv() => self.gathered(end),
                _ = heartbeat.tick() => Vec::new(),
            };
            if let Err(error) = self.report(session, ended).await {
                return Over::Broken(error);
            }
        }
    }

    /// How long it still may take, if it was told to leave.
    pub(super) fn time_left(&self) -> Option<Duration> {
        self.leave_at.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Cancels what still runs, and waits a moment for it.
    pub(super) async fn wind_up(&mut self) {
        for cancel in self.running.values() {
            cancel.cancel();
        }
        let (running, ends) = (&mut self.running, &mut self.ends);
        let all_ended = async {
            while !running.is_empty() {
                match ends.recv().await {
                    Some(end) => running.remove(&end.attempt),
                    None => return,
                };
            }
        };
        // What takes longer ends with the process.
        let _ = tokio::time::timeout(WIND_UP, all_ended).await;
    }

    fn gathered(&mut self, first: AttemptReport) -> Vec<AttemptReport> {
        let mut ended = vec![first];
        while ended.len() < ENDS_PER_REPORT {
            let Ok(end) = self.ends.try_recv() else { break };
            ended.push(end);
        }
        for end in &ended {
            self.running.remove(&end.attempt);
        }
        ended
    }

    async fn report(&mut self, session: &Session, ended: Vec<AttemptReport>) -> Result<(), RpcError> {
        let number = self.next_report;
        self.next_report += 1;
        if !ended.is_empty() {
            self.unacknowledged.push_back((number, ended.clone()));
        }
        session.report(&Report { ended, load: self.load(), draining: self.leave_at.is_some() }, number).await
    }

    fn load(&self) -> Load {
        let pool_bytes = self.runner.executor.runtime_env.memory_pool.reserved() as u64;
        let running = u32::try_from(self.running.len()).unwrap_or(u32::MAX);
        Load { running, pool_bytes, resident_bytes: memory::resident_bytes() }
    }

    fn obey(&mut self, events: Vec<LinkEvent>) -> Option<Over> {
        for event in events {
            match event {
                LinkEvent::Acknowledged(number) => {
                    while self.unacknowledged.front().is_some_and(|(sent, _)| *sent <= number) {
                        self.unacknowledged.pop_front();
                    }
                }
                LinkEvent::Order(Order::Launch(launch)) => self.launch(launch),
                LinkEvent::Order(Order::Kill(attempt)) => self.kill(attempt),
                LinkEvent::Order(Order::Stop(stop)) => return Some(Over::Stopped(stop)),
                LinkEvent::Order(Order::RegisterAgain) => return Some(Over::AskedToRegister),
            }
        }
        None
    }

    fn launch(&mut self, launch: Launch) {
        let cancel = CancellationToken::new();
        self.running.insert(launch.attempt, cancel.clone());
        let runner = Arc::clone(&self.runner);
        tokio::spawn(async move {
            let attempt = launch.attempt;
            // The driver waits for a word on every launch, so a panic is one too.
            let begun = AssertUnwindSafe(runner.begin(launch, cancel)).catch_unwind().await;
            let not_begun = match begun {
                Ok(Ok(())) => return,
                Ok(Err(outcome)) => outcome,
                Err(panic) => Outcome::Failed(panicked("the launch of a task", &*panic)),
            };
            if matches!(not_begun, Outcome::Failed(_)) {
                end_if_exhausted();
            }
            let report = AttemptReport { attempt, outcome: not_begun, metrics: Metrics::default() };
            // The receiver lives as long as the process.
            let _ = runner.reports.send(report).await;
        });
    }

    /// The driver waits for a last word even on an attempt that does not run here.
    fn kill(&mut self, attempt: TaskAttempt) {
        let told = self.unacknowledged.iter().flat_map(|(_, ended)| ended).any(|end| end.attempt == attempt);
        match self.running.get(&attempt) {
            Some(cancel) => cancel.cancel(),
            None if told => {}
            None => {
                let report = AttemptReport { attempt, outcome: Outcome::Killed, metrics: Metrics::default() };
                // A full queue means that reports are under way; the driver forgets what it killed with its stage.
                let _ = self.runner.reports.try_send(report);
            }
        }
    }
}

impl Runner {
    /// Fetches what the attempt needs, and has it run; from then on its end reports itself.
    ///
    /// Errors: how it ended before it ran.
    async fn begin(&self, launch: Launch, cancel: CancellationToken) -> Result<(), Outcome> {
        let work = tokio::select! {
            work = self.work(&launch, cancel.clone()) => work,
            () = cancel.cancelled() => return Err(Outcome::Killed),
        };
        match work {
            Ok(work) => {
                self.run(work, launch.to_driver);
                Ok(())
            }
            Err(FetchError::Gone(error)) => {
                debug!(attempt = %launch.attempt, %error, "what the attempt needs cannot be had");
                Err(Outcome::Refused)
            }
            Err(FetchError::Broken(error)) => Err(Outcome::Failed(error)),
        }
    }

    /// Fetches what the attempt needs.
    async fn work(&self, launch: &Launch, cancel: CancellationToken) -> Result<AttemptWork, FetchError> {
        let stage = self.plans.plan(launch.plan).await?;
        let mut inputs = HashMap::new();
        for input in &launch.inputs {
            inputs.insert(StageNo(input.stage as usize), self.plans.outputs(input.outputs).await?);
        }
        let plan = stage.for_attempt(launch.attempt).map_err(FetchError::Broken)?;
        Ok(AttemptWork {
            attempt: launch.attempt,
            plan,
            partition: launch.partition as usize,
            inputs,
            config: stage.config.clone(),
            cancel,
        })
    }

    fn run(&self, work: AttemptWork, to_driver: bool) {
        let store = if to_driver { Arc::clone(&self.results) } else { Arc::clone(&self.executor.store) };
        let reports = self.reports.clone();
        self.executor.launch(work, store, move |attempt, end| async move {
            if matches!(end.result, Err(TaskFailure::Error(_))) {
                end_if_exhausted();
            }
            // The receiver lives as long as the process.
            let _ = reports.send(report_of(attempt, end)).await;
        });
    }
}

fn report_of(attempt: TaskAttempt, end: AttemptEnd) -> AttemptReport {
    let outcome = match end.result {
        Ok(output) => wire::record_to_bytes(&output).map_or_else(Outcome::Failed, Outcome::Succeeded),
        Err(TaskFailure::Error(error)) => Outcome::Failed(error),
        Err(TaskFailure::FetchFailed { input, attempt }) => Outcome::FetchFailed(TaskAttempt { task: input, attempt }),
        Err(TaskFailure::Killed) => Outcome::Killed,
        Err(TaskFailure::Refused) => Outcome::Refused,
    };
    let TaskMetrics { rows, bytes, scanned_bytes, spilled_bytes, duration } = end.metrics;
    AttemptReport { attempt, outcome, metrics: Metrics { rows, bytes, scanned_bytes, spilled_bytes, duration } }
}
