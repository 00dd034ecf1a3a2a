//! What must hold after every event, judged from events and actions alone.

use std::collections::{BTreeMap, BTreeSet};

use firesteel_model::ids::{ExecutorId, JobId, StageId, TaskAttempt, TaskId};
use firesteel_scheduler::{Action, Event, JobOutcome, JobSpec, Replan, StageSpec, TaskFailure, TaskOutcome};

pub(crate) struct StageView {
    pub(crate) job: JobId,
    pub(crate) tasks: u32,
    pub(crate) parents: Vec<StageId>,
    pub(crate) committed: BTreeMap<TaskId, TaskAttempt>,
    pub(crate) started: bool,
    pub(crate) completed: bool,
    pub(crate) acknowledged: bool,
}

#[derive(Default)]
pub(crate) struct ExecutorView {
    pub(crate) slots: usize,
    pub(crate) draining: bool,
    pub(crate) held: BTreeSet<TaskAttempt>,
}

#[derive(Default)]
pub(crate) struct Oracle {
    pub(crate) jobs: BTreeMap<JobId, bool>,
    pub(crate) ended: BTreeMap<JobId, JobOutcome>,
    pub(crate) stages: BTreeMap<StageId, StageView>,
    pub(crate) executors: BTreeMap<ExecutorId, ExecutorView>,
    excluded: BTreeSet<(ExecutorId, Option<StageId>)>,
    launched: BTreeSet<TaskAttempt>,
    live: BTreeMap<TaskAttempt, ExecutorId>,
    succeeded: BTreeSet<TaskAttempt>,
    spent: BTreeSet<TaskAttempt>,
    faults: BTreeMap<TaskId, u32>,
    /// Kinds of things that happened.
    pub(crate) seen: BTreeMap<String, u64>,
    faults_max: u32,
}

impl Oracle {
    pub(crate) fn new(faults_max: u32) -> Self {
        Self { faults_max, ..Self::default() }
    }

    pub(crate) fn before(&mut self, event: &Event) {
        match event {
            Event::JobSubmitted(spec) => self.submitted(spec),
            Event::StageReplanned(replan) => self.replanned(replan),
            Event::TaskFinished { executor, attempt, outcome } => self.finished(*executor, *attempt, outcome),
            Event::ExecutorRegistered(info) => {
                self.live.retain(|_, executor| *executor != info.id);
                let draining = self.executors.get(&info.id).is_some_and(|view| view.draining);
                let held: BTreeSet<_> = info.running.iter().copied().collect();
                self.live.extend(held.iter().map(|attempt| (*attempt, info.id)));
                self.executors.insert(info.id, ExecutorView { slots: info.slots as usize, draining, held });
            }
            Event::ExecutorLost { executor, reason } => {
                if reason.is_application_fault() {
                    for attempt in self.live.iter().filter(|(_, on)| *on == executor).map(|(attempt, _)| attempt) {
                        *self.faults.entry(attempt.task).or_default() += 1;
                    }
                }
                self.forget(*executor);
            }
            Event::ExecutorDraining(executor) => {
                if let Some(view) = self.executors.get_mut(executor) {
                    view.draining = true;
                }
            }
            _ => {}
        }
    }

    fn submitted(&mut self, spec: &JobSpec) {
        if self.jobs.insert(spec.id, spec.adaptive).is_none() {
            for stage in &spec.stages {
                self.add_stage(spec.id, stage);
            }
        }
    }

    fn add_stage(&mut self, job: JobId, spec: &StageSpec) {
        let view = StageView {
            job,
            tasks: spec.tasks,
            parents: spec.parents.clone(),
            committed: BTreeMap::new(),
            started: false,
            completed: false,
            acknowledged: !self.jobs[&job],
        };
        self.stages.entry(spec.id).or_insert(view);
    }

    fn replanned(&mut self, replan: &Replan) {
        let Some(stage) = self.stages.get_mut(&replan.completed) else { return };
        if stage.acknowledged || !stage.completed || self.ended.contains_key(&replan.job) {
            return;
        }
        stage.acknowledged = true;
        for stage in &replan.remove {
            self.stages.remove(stage);
            self.live.retain(|attempt, _| attempt.task.stage != *stage);
        }
        for spec in &replan.add {
            self.add_stage(replan.job, spec);
        }
    }

    fn finished(&mut self, executor: ExecutorId, attempt: TaskAttempt, outcome: &TaskOutcome) {
        if let Some(view) = self.executors.get_mut(&executor) {
            view.held.remove(&attempt);
        }
        let was_live = self.live.get(&attempt) == Some(&executor) && self.live.remove(&attempt).is_some();
        match outcome {
            TaskOutcome::Succeeded => {
                self.succeeded.insert(attempt);
            }
            TaskOutcome::Failed(TaskFailure::Error(_)) if was_live => {
                *self.faults.entry(attempt.task).or_default() += 1;
            }
            TaskOutcome::Failed(_) => {}
        }
    }

    fn forget(&mut self, executor: ExecutorId) {
        self.executors.remove(&executor);
        self.live.retain(|_, on| *on != executor);
    }

    pub(crate) fn after(&mut self, actions: &[Action]) {
        for action in actions {
            self.check(action);
        }
        for (id, view) in &self.executors {
            assert!(view.held.len() <= view.slots, "executor {id} holds {:?} in {} slots", view.held, view.slots);
        }
    }

    fn note(&mut self, action: &Action) {
        let name = |value: &dyn std::fmt::Debug| {
            format!("{value:?}").split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
        };
        let detail = match action {
            Action::KillTask { reason, .. } => name(reason),
            Action::StopExecutor { reason, .. } => name(reason),
            Action::LaunchTask { speculative: true, .. } => "Copy".to_owned(),
            Action::LaunchTask { locality, .. } => name(locality),
            Action::JobEnded { outcome: JobOutcome::Failed(failure), .. } => name(failure),
            Action::JobEnded { outcome, .. } => name(outcome),
            _ => String::new(),
        };
        *self.seen.entry(format!("{} {detail}", name(action))).or_default() += 1;
    }

    fn check(&mut self, action: &Action) {
        self.note(action);
        match action {
            Action::LaunchTask { executor, attempt, speculative, .. } => self.launch(*executor, *attempt, *speculative),
            Action::KillTask { executor, attempt, .. } => {
                assert!(self.executors[executor].held.contains(attempt), "killed {attempt} where it does not run");
                self.live.remove(attempt);
            }
            Action::CommitTask(attempt) => {
                let stage = self.running_stage(attempt.task.stage);
                let before = stage.committed.insert(attempt.task, *attempt);
                assert!(before.is_none(), "{attempt} replaces {before:?}");
                assert!(self.succeeded.contains(attempt), "{attempt} did not succeed");
                assert!(self.spent.insert(*attempt), "{attempt} is committed twice");
            }
            Action::DiscardOutput(attempt) => {
                let stage = self.running_stage(attempt.task.stage);
                assert_ne!(stage.committed.get(&attempt.task), Some(attempt), "discards what is committed");
            }
            Action::InvalidateOutput(attempt) => {
                let stage = self.running_stage(attempt.task.stage);
                assert_eq!(stage.committed.remove(&attempt.task), Some(*attempt));
            }
            Action::StageStarted { stage, .. } => {
                self.check_parents(*stage);
                let stage = self.running_stage(*stage);
                assert!(!std::mem::replace(&mut stage.started, true), "started twice");
            }
            Action::StageCompleted { stage, awaits_replan, .. } => {
                self.excluded.retain(|(_, of)| *of != Some(*stage));
                let stage = self.running_stage(*stage);
                assert_eq!(stage.committed.len(), stage.tasks as usize);
                assert!(!awaits_replan || (!stage.acknowledged && !stage.completed));
                stage.completed = true;
            }
            Action::JobEnded { job, outcome } => self.job_ended(*job, outcome),
            Action::StopExecutor { executor, .. } => {
                let held = self.executors.get(executor).map_or(0, |view| view.held.len());
                assert_eq!(held, 0, "stopped executor {executor} while it worked");
                self.forget(*executor);
            }
            Action::ExecutorTimedOut(executor) => self.forget(*executor),
            Action::ExecutorExcluded { executor, stage, .. } => {
                self.excluded.insert((*executor, *stage));
            }
            Action::ExecutorIncluded(executor) => {
                self.excluded.remove(&(*executor, None));
            }
            Action::AskToRegister(_) | Action::RequestExecutors { .. } => {}
        }
    }

    fn launch(&mut self, executor: ExecutorId, attempt: TaskAttempt, speculative: bool) {
        assert!(self.launched.insert(attempt), "{attempt} is launched twice");
        self.check_parents(attempt.task.stage);
        let excluded = [None, Some(attempt.task.stage)].iter().any(|of| self.excluded.contains(&(executor, *of)));
        assert!(!excluded, "{attempt} is launched on an excluded executor");
        let stage = self.running_stage(attempt.task.stage);
        assert!(stage.started && attempt.task.partition.0 < stage.tasks);
        assert!(!stage.committed.contains_key(&attempt.task), "{attempt} is launched but its task is done");
        let copies: Vec<_> = self.live.iter().filter(|(other, _)| other.task == attempt.task).collect();
        assert_eq!(copies.is_empty(), !speculative, "{attempt} beside {copies:?}");
        assert!(copies.iter().all(|(_, on)| **on != executor), "a copy on the same executor");
        let faults = self.faults.get(&attempt.task).copied().unwrap_or(0);
        assert!(faults < self.faults_max, "{attempt} after {faults} faults");
        let view = self.executors.get_mut(&executor).expect("launched on a known executor");
        assert!(!view.draining, "{attempt} is launched on a draining executor");
        view.held.insert(attempt);
        self.live.insert(attempt, executor);
    }

    fn check_parents(&self, stage: StageId) {
        for parent in &self.stages[&stage].parents {
            let parent = &self.stages[parent];
            assert_eq!(parent.committed.len(), parent.tasks as usize, "stage {stage} before its parents");
            assert!(parent.completed && parent.acknowledged, "stage {stage} before the driver's answer");
        }
    }

    fn job_ended(&mut self, job: JobId, outcome: &JobOutcome) {
        if let JobOutcome::Succeeded = outcome {
            for stage in self.stages.values().filter(|stage| stage.job == job) {
                assert_eq!(stage.committed.len(), stage.tasks as usize, "job {job} ended before its stages");
                assert!(stage.acknowledged);
            }
        }
        assert!(self.ended.insert(job, outcome.clone()).is_none(), "job {job} ended twice");
        let stages = &self.stages;
        let of_job = |attempt: &TaskAttempt| stages.get(&attempt.task.stage).is_some_and(|stage| stage.job == job);
        let left: Vec<_> = self.live.keys().filter(|attempt| of_job(attempt)).collect();
        assert!(left.is_empty(), "job {job} ended and left {left:?}");
    }

    fn running_stage(&mut self, id: StageId) -> &mut StageView {
        let stage = self.stages.get_mut(&id).expect("a known stage");
        assert!(!self.ended.contains_key(&stage.job), "an action for ended job {}", stage.job);
        stage
    }
}
