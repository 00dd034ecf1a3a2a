//! A driver, a cluster and a network that misbehave as told.

use std::collections::{BTreeMap, BTreeSet};

use firesteel_model::SparkError;
use firesteel_model::ids::{Attempt, ExecutorId, JobId, Partition, StageId, TaskAttempt, TaskId};
use firesteel_scheduler::{
    Action, CancelScope, Event, ExecutorInfo, ExecutorLoss, JobSpec, Preference, Replan, Scheduler, SchedulerConfig,
    StageSpec, TaskFailure, TaskOutcome,
};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::oracle::Oracle;
use crate::scenario::retryable;

/// How often what goes wrong, each from 0 to 1 per occasion.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chaos {
    pub(crate) error: f64,
    pub(crate) fatal: f64,
    pub(crate) fetch_failed: f64,
    pub(crate) slow: f64,
    pub(crate) refused: f64,
    pub(crate) kill_node: f64,
    pub(crate) cut_node: f64,
    pub(crate) drain: f64,
    pub(crate) false_loss: f64,
    pub(crate) doubled: f64,
    pub(crate) cancel: f64,
    pub(crate) output_lost: f64,
}

/// An executor process as it really is.
struct Node {
    slots: u32,
    connected: bool,
    running: BTreeMap<TaskAttempt, u64>,
    /// Results that could not be sent.
    unsent: Vec<Event>,
}

pub(crate) struct World {
    pub(crate) rng: StdRng,
    pub(crate) chaos: Chaos,
    pub(crate) now_ms: u64,
    scheduler: Scheduler,
    pub(crate) oracle: Oracle,
    nodes: BTreeMap<ExecutorId, Node>,
    /// On their way to the scheduler, with the time of arrival.
    mail: Vec<(u64, Event)>,
    wanted_executors: u32,
    starting: usize,
    next_executor: u64,
    next_stage: u64,
    next_job: u64,
    pub(crate) events: u64,
}

impl World {
    pub(crate) fn new(rng: StdRng, config: SchedulerConfig, chaos: Chaos) -> Self {
        let oracle = Oracle::new(config.task_failures_max);
        let (nodes, mail) = (BTreeMap::new(), Vec::new());
        let scheduler = Scheduler::new(config);
        let (now_ms, wanted_executors, starting, events) = (0, 0, 0, 0);
        let (next_executor, next_stage, next_job) = (0, 0, 0);
        #[rustfmt::skip]
        let world = Self {
            rng, chaos, now_ms, scheduler, oracle, nodes, mail, wanted_executors, starting, next_executor, next_stage,
            next_job, events,
        };
        world
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.scheduler.is_idle()
    }

    pub(crate) fn jobs_submitted(&self) -> u64 {
        self.next_job
    }

    /// Whether no slot is held and no message under way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.mail.is_empty() && self.oracle.executors.values().all(|view| view.held.is_empty())
    }

    fn chance(&mut self, chance: f64) -> bool {
        chance > 0.0 && self.rng.random_bool(chance)
    }

    fn post(&mut self, event: Event) {
        let delay_ms = if self.rng.random_bool(0.7) { 0 } else { self.rng.random_range(0..600) };
        // The driver submits a job once; everything else may be told twice.
        if !matches!(event, Event::JobSubmitted(_)) && self.chance(self.chaos.doubled) {
            let again_ms = self.now_ms + self.rng.random_range(0..2_000);
            self.mail.push((again_ms, event.clone()));
        }
        self.mail.push((self.now_ms + delay_ms, event));
    }

    pub(crate) fn deliver(&mut self, event: Event) {
        self.events += 1;
        self.oracle.before(&event);
        let actions = self.scheduler.apply(self.now_ms, event);
        self.oracle.after(&actions);
        assert_eq!(self.scheduler.audit(), Vec::<String>::new());
        for action in actions {
            self.perform(action);
        }
    }

    /// Some time passes: results, heartbeats, new executors, messages in any order, one tick.
    pub(crate) fn step(&mut self) {
        self.now_ms += self.rng.random_range(1..300);
        self.finish_tasks();
        self.misbehave();
        self.start_executors();
        let ids: Vec<ExecutorId> = self.nodes.iter().filter(|(_, node)| node.connected).map(|(id, _)| *id).collect();
        for id in ids {
            self.deliver(Event::ExecutorHeartbeat(id));
        }
        let now_ms = self.now_ms;
        while let Some(due) = {
            let due: Vec<usize> = (0..self.mail.len()).filter(|at| self.mail[*at].0 <= now_ms).collect();
            due.choose(&mut self.rng).copied()
        } {
            let (_, event) = self.mail.swap_remove(due);
            self.receive(event);
        }
        self.deliver(Event::Tick);
    }

    /// Fills in what the driver decides when a message arrives rather than when it was sent.
    fn receive(&mut self, event: Event) {
        match event {
            Event::StageReplanned(replan) => {
                let replan = self.decide(replan);
                self.deliver(Event::StageReplanned(replan));
            }
            Event::ExecutorRegistered(info) if info.running.is_empty() && !self.nodes.contains_key(&info.id) => {
                self.starting = self.starting.saturating_sub(1);
                let (slots, running, unsent) = (info.slots, BTreeMap::new(), Vec::new());
                self.nodes.insert(info.id, Node { slots, connected: true, running, unsent });
                self.deliver(Event::ExecutorRegistered(info));
            }
            // A registration describes a moment; one that was overtaken by later launches is never sent.
            Event::ExecutorRegistered(info) => self.register(info.id),
            other => self.deliver(other),
        }
    }

    fn register(&mut self, id: ExecutorId) {
        let Some(node) = self.nodes.get(&id).filter(|node| node.connected) else { return };
        let running = node.running.keys().copied().collect();
        self.deliver(Event::ExecutorRegistered(ExecutorInfo { id, slots: node.slots, running }));
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::LaunchTask { executor, attempt, .. } => self.launch(executor, attempt),
            Action::KillTask { executor, attempt, .. } => {
                if let Some(node) = self.nodes.get_mut(&executor).filter(|node| node.connected) {
                    let outcome = match node.running.remove(&attempt) {
                        Some(_) if self.rng.random_bool(0.2) => TaskOutcome::Succeeded,
                        _ => TaskOutcome::Failed(TaskFailure::Killed),
                    };
                    self.post(Event::TaskFinished { executor, attempt, outcome });
                }
            }
            Action::StageCompleted { job, stage, awaits_replan: true } => {
                let (remove, add) = (Vec::new(), Vec::new());
                self.post(Event::StageReplanned(Replan { job, completed: stage, remove, add }));
            }
            Action::RequestExecutors { total } => self.wanted_executors = total,
            // One that cannot be reached learns of it when it registers again.
            Action::StopExecutor { executor, .. } => self.nodes.retain(|id, node| *id != executor || !node.connected),
            Action::AskToRegister(executor) if self.nodes.contains_key(&executor) => self.register(executor),
            _ => {}
        }
    }

    fn launch(&mut self, executor: ExecutorId, attempt: TaskAttempt) {
        let refused = self.chance(self.chaos.refused);
        let slow = self.chance(self.chaos.slow);
        let runtime_ms = self.rng.random_range(1..500) + if slow { 8_000 } else { 0 };
        let Some(node) = self.nodes.get_mut(&executor).filter(|node| node.connected) else { return };
        if refused {
            let outcome = TaskOutcome::Failed(TaskFailure::Refused);
            self.post(Event::TaskFinished { executor, attempt, outcome });
        } else {
            node.running.insert(attempt, self.now_ms + runtime_ms);
            assert!(node.running.len() <= node.slots as usize, "node {executor} really runs more than it can");
        }
    }

    fn finish_tasks(&mut self) {
        let mut done = Vec::new();
        for (id, node) in &mut self.nodes {
            let ready: Vec<_> = node.running.iter().filter(|(_, end)| **end <= self.now_ms).map(|(a, _)| *a).collect();
            for attempt in ready {
                node.running.remove(&attempt);
                done.push((*id, attempt));
            }
        }
        for (executor, attempt) in done {
            let outcome = self.outcome(attempt);
            let event = Event::TaskFinished { executor, attempt, outcome };
            match self.nodes.get_mut(&executor) {
                Some(node) if !node.connected => node.unsent.push(event),
                _ => self.post(event),
            }
        }
    }

    fn outcome(&mut self, attempt: TaskAttempt) -> TaskOutcome {
        let chaos = self.chaos;
        if self.chance(chaos.error) {
            return TaskOutcome::Failed(TaskFailure::Error(retryable()));
        }
        if self.chance(chaos.fatal) {
            return TaskOutcome::Failed(TaskFailure::Error(SparkError::internal("hopeless")));
        }
        if self.chance(chaos.fetch_failed)
            && let Some(input) = self.some_input(attempt.task.stage)
        {
            return TaskOutcome::Failed(TaskFailure::FetchFailed { input: input.task, attempt: input.attempt });
        }
        TaskOutcome::Succeeded
    }

    /// A committed output that the stage reads, now and then a wrong attempt of it.
    fn some_input(&mut self, stage: StageId) -> Option<TaskAttempt> {
        let parents = self.oracle.stages.get(&stage)?.parents.clone();
        let parent = self.oracle.stages.get(parents.choose(&mut self.rng)?)?;
        let inputs: Vec<TaskAttempt> = parent.committed.values().copied().collect();
        let mut input = *inputs.choose(&mut self.rng)?;
        if self.rng.random_bool(0.1) {
            input.attempt = Attempt(input.attempt.0 + 1);
        }
        Some(input)
    }

    fn misbehave(&mut self) {
        let chaos = self.chaos;
        let ids: Vec<ExecutorId> = self.nodes.keys().copied().collect();
        let Some(&id) = ids.choose(&mut self.rng) else { return };
        if self.chance(chaos.kill_node) {
            self.nodes.remove(&id);
            let reasons = [ExecutorLoss::OutOfMemory, ExecutorLoss::Evicted, ExecutorLoss::NodeLost];
            let reason = *reasons.choose(&mut self.rng).unwrap();
            self.post(Event::ExecutorLost { executor: id, reason });
        } else if self.chance(chaos.cut_node) {
            self.toggle_connection(id);
        } else if self.chance(chaos.drain) {
            self.post(Event::ExecutorDraining(id));
        } else if self.chance(chaos.false_loss) {
            self.post(Event::ExecutorLost { executor: id, reason: ExecutorLoss::ConnectionLost });
        }
        if self.chance(chaos.cancel) {
            let scopes = [
                CancelScope::Job(JobId(self.rng.random_range(0..=self.next_job))),
                CancelScope::Tag("even".to_owned()),
                CancelScope::Group("all".to_owned()),
            ];
            let scope = scopes.choose(&mut self.rng).unwrap().clone();
            self.post(Event::Cancelled(scope));
        }
        if self.chance(chaos.output_lost) {
            let outputs: Vec<TaskAttempt> =
                self.oracle.stages.values().flat_map(|stage| stage.committed.values().copied()).collect();
            if let Some(output) = outputs.choose(&mut self.rng) {
                self.post(Event::OutputLost { task: output.task, attempt: output.attempt });
            }
        }
    }

    fn toggle_connection(&mut self, id: ExecutorId) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.connected = !node.connected;
        if node.connected {
            for event in std::mem::take(&mut node.unsent) {
                self.post(event);
            }
            self.register(id);
        }
    }

    /// Nothing goes wrong from now on.
    pub(crate) fn calm(&mut self) {
        self.chaos = Chaos::default();
        let cut: Vec<ExecutorId> = self.nodes.iter().filter(|(_, node)| !node.connected).map(|(id, _)| *id).collect();
        for id in cut {
            self.toggle_connection(id);
        }
    }

    fn start_executors(&mut self) {
        // Executors that nobody reported lost are still counted, as a launcher does.
        while self.oracle.executors.len() + self.starting < self.wanted_executors.min(12) as usize {
            self.starting += 1;
            let id = ExecutorId(self.next_executor);
            self.next_executor += 1;
            let info = ExecutorInfo { id, slots: self.rng.random_range(1..4), running: Vec::new() };
            let delay_ms = self.rng.random_range(0..2_000);
            self.mail.push((self.now_ms + delay_ms, Event::ExecutorRegistered(info)));
        }
    }

    pub(crate) fn submit(&mut self, adaptive: bool) {
        let id = JobId(self.next_job);
        self.next_job += 1;
        let mut stages: Vec<StageSpec> = Vec::new();
        for _ in 0..self.rng.random_range(1..5) {
            let earlier: Vec<StageId> = stages.iter().map(|stage| stage.id).collect();
            let stage = self.stage(earlier);
            stages.push(stage);
        }
        let mut spec = JobSpec::new(id, stages);
        spec.adaptive = adaptive;
        spec.pool = ["default", "other"].choose(&mut self.rng).unwrap().to_string();
        spec.tags = if id.0.is_multiple_of(2) { vec!["even".to_owned()] } else { Vec::new() };
        spec.group = Some("all".to_owned());
        self.post(Event::JobSubmitted(spec));
    }

    fn stage(&mut self, earlier: Vec<StageId>) -> StageSpec {
        let id = StageId(self.next_stage);
        self.next_stage += 1;
        let parents = earlier.into_iter().filter(|_| self.rng.random_bool(0.5)).collect();
        let mut stage = StageSpec::new(id, self.rng.random_range(0..12), parents);
        stage.determinate = self.rng.random_bool(0.9);
        let likes = self.rng.random_bool(0.3);
        let executors: BTreeSet<ExecutorId> =
            (0..3).map(|_| ExecutorId(self.rng.random_range(0..=self.next_executor))).collect();
        for partition in (0..stage.tasks).filter(|_| likes) {
            if self.rng.random_bool(0.7) {
                let executors = executors.iter().copied().collect();
                stage.preferences.push(Preference { partition: Partition(partition), executors });
            }
        }
        stage
    }

    /// What an adaptive driver might do: resize a consumer, drop a last stage, add one.
    fn decide(&mut self, mut replan: Replan) -> Replan {
        let stages = &self.oracle.stages;
        let waiting: Vec<StageId> = (stages.iter())
            .filter(|(_, stage)| stage.job == replan.job && !stage.started && stage.parents.contains(&replan.completed))
            .map(|(id, _)| *id)
            .collect();
        let Some(&id) = waiting.choose(&mut self.rng) else {
            if self.rng.random_bool(0.1) {
                replan.add = vec![self.stage(vec![replan.completed])];
            }
            return replan;
        };
        let parents = self.oracle.stages[&id].parents.clone();
        let is_last = !self.oracle.stages.values().any(|stage| stage.parents.contains(&id));
        match self.rng.random_range(0..4) {
            0 => {
                replan.remove = vec![id];
                replan.add = vec![StageSpec::new(id, self.rng.random_range(0..6), parents)];
            }
            1 if is_last => replan.remove = vec![id],
            _ => {}
        }
        replan
    }

    /// A task of a stage that exists, for looking at the scheduler's own record.
    pub(crate) fn check_records(&self) {
        for stage in self.oracle.stages.values().filter(|stage| !self.oracle.ended.contains_key(&stage.job)) {
            for (task, attempt) in &stage.committed {
                let task: TaskId = *task;
                assert_eq!(self.scheduler.committed(task), Some(attempt.attempt));
            }
        }
    }
}
