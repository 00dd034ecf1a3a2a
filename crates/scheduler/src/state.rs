//! The state machine itself: what it holds and how an event goes through it.

use std::collections::{BTreeMap, BTreeSet};

use firesteel_model::ids::{Attempt, ExecutorId, JobId, StageId, TaskId};

use crate::allocation::Allocation;
use crate::config::SchedulerConfig;
use crate::events::{Action, Event};
use crate::exclusion::Exclusions;
use crate::executors::Executors;
use crate::jobs::Job;
use crate::pools::Pools;
use crate::stages::{Stage, StageProgress};

/// The scheduler of one application.
///
/// Flow: an event changes the books, then free slots are filled, then the wanted number of executors is reviewed.
///
/// Guarantees: the first attempt to report success is committed and stays so until its output is lost; no task is
/// launched that has a committed output or whose stage has incomplete parents; an executor never holds more attempts
/// than slots; every retry is bounded; a job ends once. The work per event does not depend on the number of tasks.
///
/// Assumptions: the driver delivers each action, and reports an attempt's end at least once or its executor's loss.
#[derive(Debug)]
pub struct Scheduler {
    pub(crate) config: SchedulerConfig,
    pub(crate) now_ms: u64,
    pub(crate) jobs: BTreeMap<JobId, Job>,
    pub(crate) stages: BTreeMap<StageId, Stage>,
    pub(crate) executors: Executors,
    pub(crate) stopped: BTreeSet<ExecutorId>,
    pub(crate) pools: Pools,
    /// Stages that want slots, oldest job first.
    pub(crate) ready: BTreeSet<(JobId, StageId)>,
    /// Launches that wait for a slot.
    pub(crate) backlog: u64,
    pub(crate) exclusions: Exclusions,
    pub(crate) allocation: Allocation,
    pub(crate) actions: Vec<Action>,
    /// Executors whose slots became free in this event.
    pub(crate) freed: Vec<ExecutorId>,
    /// Whether a task may now fit a slot that was free before.
    pub(crate) look_everywhere: bool,
}

impl Scheduler {
    /// An empty one. The first event of any kind asks for the initial executors.
    pub fn new(config: SchedulerConfig) -> Self {
        Self {
            config,
            now_ms: 0,
            jobs: BTreeMap::new(),
            stages: BTreeMap::new(),
            executors: Executors::default(),
            stopped: BTreeSet::new(),
            pools: Pools::default(),
            ready: BTreeSet::new(),
            backlog: 0,
            exclusions: Exclusions::default(),
            allocation: Allocation::default(),
            actions: Vec::new(),
            freed: Vec::new(),
            look_everywhere: false,
        }
    }

    /// Takes an event and says what to do, in that order. Time never runs backwards here, whatever `now_ms` says.
    pub fn apply(&mut self, now_ms: u64, event: Event) -> Vec<Action> {
        self.now_ms = self.now_ms.max(now_ms);
        match event {
            Event::JobSubmitted(spec) => self.submit_job(spec),
            Event::StageReplanned(replan) => self.replan(replan),
            Event::Cancelled(scope) => self.cancel(&scope),
            Event::TaskFinished { executor, attempt, outcome } => self.task_finished(executor, attempt, outcome),
            Event::OutputLost { task, attempt } => {
                self.output_lost(task, attempt);
            }
            Event::ExecutorRegistered(info) => self.executor_registered(info),
            Event::ExecutorHeartbeat(executor) => self.executor_heard(executor),
            Event::ExecutorLost { executor, reason } => self.executor_lost(executor, reason),
            Event::ExecutorDraining(executor) => self.executor_draining(executor),
            Event::ExecutorHoldsBlocks { executor, holds_blocks } => {
                self.executors.change(executor, |state| state.holds_blocks = holds_blocks);
            }
            Event::PoolDefined(spec) => self.pools.define(&spec),
            Event::Resized(allocation) => self.resize(allocation),
            Event::Tick => self.tick(),
        }
        self.place_tasks();
        self.review_allocation();
        std::mem::take(&mut self.actions)
    }

    /// Whether anything depends on time passing.
    pub fn wants_ticks(&self) -> bool {
        !self.jobs.is_empty() || self.executors.len() > 0
    }

    /// Whether no job is running.
    pub fn is_idle(&self) -> bool {
        self.jobs.is_empty()
    }

    /// The attempt whose output a consumer is to read.
    pub fn committed(&self, task: TaskId) -> Option<Attempt> {
        self.stages.get(&task.stage)?.committed(task.partition.0).map(Attempt)
    }

    /// How far a stage of a running job is.
    pub fn progress(&self, stage: StageId) -> Option<StageProgress> {
        self.stages.get(&stage).map(Stage::progress)
    }

    /// Launches that wait for a slot.
    pub fn backlog(&self) -> u64 {
        self.backlog
    }

    fn tick(&mut self) {
        self.expire_silent_executors();
        self.expire_exclusions();
        self.find_slow_attempts();
        self.review_starvation();
        self.stop_idle_executors();
        self.look_everywhere = true;
    }

    /// Brings the ready list and the backlog up to date with a stage.
    pub(crate) fn sync_ready(&mut self, id: StageId) {
        let Some(stage) = self.stages.get_mut(&id) else { return };
        let wanted = stage.wanted();
        if wanted == stage.listed {
            return;
        }
        self.look_everywhere |= wanted > stage.listed;
        self.backlog = self.backlog - stage.listed + wanted;
        if stage.listed == 0 {
            self.ready.insert((stage.job, id));
        } else if wanted == 0 {
            self.ready.remove(&(stage.job, id));
        }
        stage.listed = wanted;
        if wanted == 0 {
            stage.starved_since_ms = None;
        }
    }
}
