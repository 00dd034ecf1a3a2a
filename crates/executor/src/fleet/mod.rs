//! Executors in other processes, as the driver sees them.
//!
//! ```text
//!   dispatcher --launch, kill, stop--> Fleet --orders--> Registry --DriverServer--> executor
//!        ^            how many there are |  \--plans and inputs once by hash--> BlobStore
//!        |                               v
//!        |                       ExecutorLauncher: processes here, pods elsewhere
//!        +--registered, reports, losses-- Handler (DriverServer), LossReporter (launcher)
//! ```
//!
//! An executor's number is used once: one that was given up for lost is refused if it comes back.

mod blobs;
mod cargo;
mod handler;
mod launcher;
mod processes;
mod registry;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, TcpListener};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firesteel_engine::codec::PlanCodec;
use firesteel_model::error_class::FIRESTEEL_JOB_ABORTED;
use firesteel_model::ids::{ExecutorId, TaskAttempt};
use firesteel_model::{ExecutorLoss, Result, SparkError};
use firesteel_rpc::{ApplicationAuthority, DriverServer, Order, Stop, Undelivered, Welcome};
use firesteel_scheduler::{Event, StopReason, TaskFailure};
use firesteel_shuffle::ShuffleStore;
use futures::FutureExt;
use tokio::sync::{mpsc, oneshot};
use tracing::{info, warn};

use crate::attempt::panicked;
use crate::dispatch::{Command, Job};
use crate::runner::Executors;
use blobs::BlobStore;
use cargo::Cargo;
use handler::Handler;
use registry::Registry;

pub(crate) use blobs::Blob;
pub use launcher::{ExecutorLauncher, LauncherContext, LauncherFactory, LossReporter};
pub use processes::ProcessLauncher;

/// Executors that may fail one after the other before any task has run on one; then there is no hope. At least so many,
/// and two for each that is wanted.
const FAILURES_MIN: u32 = 5;

/// How long the next executor waits after one that failed to start, at first and at most.
const BACKOFF: Duration = Duration::from_millis(200);
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// Executors in other processes.
///
/// Guarantees: `Debug` shows no secret.
#[derive(Clone)]
pub struct FleetConfig {
    /// Tasks that each runs at once.
    pub slots: u32,
    /// What operators, shuffle and cache of each divide.
    pub pool_bytes: u64,
    /// Address of the driver on which executors reach it.
    pub bind: IpAddr,
    /// Writes plans.
    pub codec: Arc<PlanCodec>,
    /// What executors need to know of the application, secrets included; sent to each over the wire.
    pub application: Bytes,
    /// How often executors report at least.
    pub heartbeat_interval: Duration,
    /// How long an executor may take to come back when its connection breaks.
    pub reconnect_grace: Duration,
    /// Executors that may end by their own fault before jobs fail; without it there is no limit.
    pub faults_max: Option<u32>,
    /// Starts them.
    pub launcher: Arc<dyn LauncherFactory>,
}

impl fmt::Debug for FleetConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slots, pool_bytes, launcher, .. } = self;
        f.debug_struct("FleetConfig")
            .field("slots", slots)
            .field("pool_bytes", pool_bytes)
            .field("launcher", launcher)
            .finish_non_exhaustive()
    }
}

impl FleetConfig {
    /// What one task of an executor may hold of a join's side.
    pub(crate) fn hash_join_bytes_max(&self) -> u64 {
        self.pool_bytes / u64::from(self.slots.max(1)) / 3
    }
}

/// How far an executor has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    /// It was asked for.
    Starting,
    /// It has registered.
    There,
    /// It has told of an attempt's end.
    Proven,
}

impl Member {
    /// Whether its loss says that the next one may be lost the same way.
    fn has_failed(self, reason: ExecutorLoss) -> bool {
        match self {
            Self::Starting => true,
            Self::There => reason.is_application_fault(),
            Self::Proven => false,
        }
    }
}

pub(crate) struct Fleet {
    registry: Arc<Registry>,
    cargo: Cargo,
    launcher: Arc<dyn ExecutorLauncher>,
    losses: LossReporter,
    wanted: u32,
    members: BTreeMap<ExecutorId, Member>,
    /// Those that were told to end and have not.
    ending: BTreeSet<ExecutorId>,
    next: u64,
    /// Members that failed since one has proved itself.
    failures: u32,
    /// Executors that ended by their own fault.
    faults: u32,
    faults_max: Option<u32>,
    gave_up: bool,
    /// Hears when all have ended; there are no new ones then.
    closed: Option<oneshot::Sender<()>>,
    is_closing: bool,
    /// Executors cannot reach the driver without it.
    _server: DriverServer,
}

impl Fleet {
    /// Listens for executors; none is started yet.
    ///
    /// Assumptions: it is called in a tokio runtime, on which it then runs.
    pub(crate) fn open(
        config: &FleetConfig,
        directory: PathBuf,
        results: Arc<dyn ShuffleStore>,
        commands: mpsc::WeakSender<Command>,
    ) -> Result<Self> {
        let listener = TcpListener::bind((config.bind, 0));
        let listener = listener.map_err(|error| SparkError::internal("cannot listen for executors").source(error))?;
        let authority = Arc::new(ApplicationAuthority::new()?);
        let registry = Arc::new(Registry::default());
        let blobs = Arc::new(BlobStore::default());
        let losses = LossReporter::new(commands.clone());
        let handler = Handler {
            registry: Arc::clone(&registry),
            blobs: Arc::clone(&blobs),
            results,
            commands,
            losses: losses.clone(),
            welcome: Welcome { heartbeat_interval: config.heartbeat_interval, application: config.application.clone() },
            reconnect_grace: config.reconnect_grace,
        };
        let server = DriverServer::start(listener, authority.driver()?, Arc::new(handler))?;
        let (driver, slots) = (server.address(), config.slots);
        let context = LauncherContext { driver, slots, authority, losses: losses.clone(), directory };
        let launcher = config.launcher.launcher(context)?;
        Ok(Self {
            registry,
            cargo: Cargo::new(Arc::clone(&config.codec), blobs),
            launcher,
            losses,
            wanted: 0,
            members: BTreeMap::new(),
            ending: BTreeSet::new(),
            next: 1,
            failures: 0,
            faults: 0,
            faults_max: config.faults_max,
            gave_up: false,
            closed: None,
            is_closing: false,
            _server: server,
        })
    }

    /// Not before the scheduler has said how many it wants now: one that leaves had been replaced before.
    fn fill(&mut self) {
        while !self.gave_up && !self.is_closing && self.members.len() < self.wanted as usize {
            let executor = ExecutorId(self.next);
            self.next += 1;
            self.members.insert(executor, Member::Starting);
            self.registry.announce(executor);
            let wait = match self.failures {
                0 => Duration::ZERO,
                failures => BACKOFF_MAX.min(BACKOFF * 2_u32.saturating_pow(failures - 1)),
            };
            let (launcher, losses) = (Arc::clone(&self.launcher), self.losses.clone());
            let registry = Arc::clone(&self.registry);
            info!(%executor, "starting an executor");
            tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                if !registry.expects(executor) {
                    losses.lost(executor, ExecutorLoss::Stopped).await;
                    return;
                }
                let started = AssertUnwindSafe(launcher.start(executor)).catch_unwind().await;
                if let Err(error) = started.unwrap_or_else(|panic| Err(panicked("starting an executor", &*panic))) {
                    warn!(%executor, %error, "an executor cannot be started");
                    losses.lost(executor, ExecutorLoss::NotStarted).await;
                }
            });
        }
    }

    /// Ends one that is not a member any more.
    fn end(&self, executor: ExecutorId, lost: Option<ExecutorLoss>) {
        let launcher = Arc::clone(&self.launcher);
        tokio::spawn(async move { launcher.stop(executor, lost).await });
    }

    fn lost(&mut self, executor: ExecutorId, reason: ExecutorLoss) -> Option<SparkError> {
        self.has_ended(executor);
        let member = self.members.remove(&executor)?;
        let load = self.registry.forget(executor);
        let (running, resident_bytes, pool_bytes) = (load.running, load.resident_bytes, load.pool_bytes);
        warn!(%executor, %reason, running, resident_bytes, pool_bytes, "executor lost");
        // Whatever the reason, it must not come back.
        self.end(executor, Some(reason));
        self.failures += u32::from(member.has_failed(reason));
        self.faults += u32::from(reason.is_application_fault());
        if let Some(error) = self.hopeless(reason) {
            self.gave_up = true;
            return Some(error);
        }
        None
    }

    /// Why further executors would fare no better; `last` is how the last one fared.
    fn hopeless(&self, last: ExecutorLoss) -> Option<SparkError> {
        let reason = if self.failures >= FAILURES_MIN.max(self.wanted.saturating_mul(2)) {
            format!("{} executors failed before they ran a task, the last one: {last}", self.failures)
        } else if self.faults_max.is_some_and(|most| self.faults > most) {
            format!("{} executors failed by their own fault, the last one: {last}", self.faults)
        } else {
            return None;
        };
        Some(SparkError::new(&FIRESTEEL_JOB_ABORTED).param("reason", reason))
    }

    fn has_ended(&mut self, executor: ExecutorId) {
        self.ending.remove(&executor);
        if self.ending.is_empty()
            && let Some(closed) = self.closed.take()
        {
            // Nobody may wait any more.
            let _ = closed.send(());
        }
    }

    fn dismiss(&mut self, executor: ExecutorId, stop: Stop) {
        // Nobody here asked one that has drained to leave.
        let lost = (stop == Stop::Drained).then_some(ExecutorLoss::Decommissioned);
        let _ = self.registry.send(executor, Order::Stop(stop));
        self.members.remove(&executor);
        self.ending.insert(executor);
        self.registry.forget(executor);
        self.end(executor, lost);
    }
}

impl Executors for Fleet {
    fn start(&mut self) -> Vec<Event> {
        // The first answer to any event is how many executors there ought to be.
        vec![Event::Tick]
    }

    fn launch(&mut self, executor: ExecutorId, attempt: TaskAttempt, job: &mut Job) -> Result<(), TaskFailure> {
        let launch = self.cargo.load(attempt, job).map_err(TaskFailure::Error)?;
        self.registry.launched(attempt, executor);
        match self.registry.send(executor, Order::Launch(launch)) {
            // One that is away comes back and does not know the attempt, or is lost; either way the scheduler hears.
            Ok(()) | Err(Undelivered::Away) => Ok(()),
            Err(Undelivered::Full) => {
                self.registry.ended(attempt);
                Err(TaskFailure::Refused)
            }
        }
    }

    fn kill(&mut self, executor: ExecutorId, attempt: TaskAttempt) {
        // An executor that does not hear it is about to be lost.
        let _ = self.registry.send(executor, Order::Kill(attempt));
    }

    fn ended(&mut self, attempt: TaskAttempt) {
        let executor = self.registry.ended(attempt);
        if let Some(member) = executor.and_then(|executor| self.members.get_mut(&executor)) {
            *member = Member::Proven;
            self.failures = 0;
        }
    }

    fn come_and_go(&self) -> bool {
        true
    }

    fn job_submitted(&mut self) {
        if self.gave_up {
            (self.gave_up, self.failures, self.faults) = (false, 0, 0);
        }
    }

    fn observe(&mut self, event: &Event) -> Option<SparkError> {
        match event {
            Event::ExecutorRegistered(info) => {
                if let Some(member) = self.members.get_mut(&info.id).filter(|member| **member == Member::Starting) {
                    *member = Member::There;
                    self.launcher.registered(info.id);
                }
                None
            }
            Event::ExecutorLost { executor, reason } => self.lost(*executor, *reason),
            _ => None,
        }
    }

    fn settle(&mut self) {
        self.fill();
    }

    fn request(&mut self, total: u32) {
        self.wanted = total;
    }

    fn stop(&mut self, executor: ExecutorId, reason: StopReason) {
        let stop = match reason {
            StopReason::Idle => Stop::Idle,
            StopReason::Drained => Stop::Drained,
            StopReason::AlreadyStopped => Stop::ApplicationEnded,
        };
        info!(%executor, ?reason, "stopping an executor");
        self.dismiss(executor, stop);
    }

    fn close(&mut self, closed: oneshot::Sender<()>) {
        self.is_closing = true;
        let all: Vec<ExecutorId> = self.members.keys().copied().collect();
        info!(executors = all.len(), "stopping all executors");
        for executor in all {
            self.dismiss(executor, Stop::ApplicationEnded);
        }
        if self.ending.is_empty() {
            // Nobody may wait any more.
            let _ = closed.send(());
        } else {
            self.closed = Some(closed);
        }
    }

    fn give_up(&mut self, executor: ExecutorId) {
        // The scheduler knows already; only the executor itself is left.
        self.lost(executor, ExecutorLoss::HeartbeatTimeout);
    }

    fn ask_to_register(&mut self, executor: ExecutorId) {
        let _ = self.registry.send(executor, Order::RegisterAgain);
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").field("wanted", &self.wanted).field("members", &self.members).finish_non_exhaustive()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for executor in self.members.keys() {
            let _ = self.registry.send(*executor, Order::Stop(Stop::ApplicationEnded));
        }
    }
}
