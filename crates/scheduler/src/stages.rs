//! One stage: its tasks, their attempts and what it waits for.

use std::collections::{BTreeMap, BTreeSet};

use firesteel_model::ids::{Attempt, ExecutorId, JobId, Partition, StageId, TaskAttempt, TaskId};

use crate::events::Locality;
use crate::executors::Executors;
use crate::graph::StageSpec;
use crate::pools::PoolId;
use crate::queues::Queues;
use crate::speculation::Pace;

/// How many slow attempts are looked at for one free slot.
const COPIES_LOOKED_AT: usize = 64;

/// How far a stage is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageProgress {
    /// Partitions.
    pub tasks: u32,
    /// Partitions with a committed output.
    pub committed: u32,
    /// Attempts that run, copies included.
    pub running: u32,
    /// Partitions that wait for a slot.
    pub pending: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Pending,
    Running,
    /// The attempt that won.
    Committed(u32),
}

/// One partition. There may be a hundred thousand: whatever most tasks do not need lies in maps of the stage.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) phase: Phase,
    /// Attempts launched so far, which is also the number of the next.
    pub(crate) attempts: u32,
    /// Application faults.
    pub(crate) failures: u16,
    /// Other faults.
    pub(crate) losses: u16,
}

impl Task {
    pub(crate) fn is_fresh(&self) -> bool {
        self.phase == Phase::Pending && self.attempts == 0
    }

    pub(crate) fn awaits_retry(&self) -> bool {
        self.phase == Phase::Pending && self.attempts > 0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Not started; its graph may still change.
    Waiting,
    /// Started and not all committed.
    Active,
    /// All committed.
    Complete,
}

/// A live attempt: launched, not heard of, not killed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    pub(crate) executor: ExecutorId,
    pub(crate) since_ms: u64,
}

/// What the stage knew of an attempt that ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ended {
    /// It was live.
    Live(Running),
    /// It had been given up for lost.
    Stray,
    /// It was killed, has ended before, or never was.
    Unknown,
}

/// A task for a slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pick {
    pub(crate) partition: u32,
    pub(crate) locality: Locality,
    pub(crate) speculative: bool,
}

#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) id: StageId,
    pub(crate) job: JobId,
    pub(crate) pool: PoolId,
    pub(crate) parents: Vec<StageId>,
    pub(crate) consumers: Vec<StageId>,
    pub(crate) task_count: u32,
    pub(crate) determinate: bool,
    pub(crate) status: Status,
    pub(crate) completed_before: bool,
    /// Whether the driver has had its say, so that consumers may start.
    pub(crate) acknowledged: bool,
    /// Whether consumers count it as done.
    pub(crate) settled: bool,
    /// Parents that are not settled.
    pub(crate) missing_parents: usize,
    /// Its part of the scheduler's backlog.
    pub(crate) listed: u64,
    pub(crate) starved_since_ms: Option<u64>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) uncommitted: u32,
    pub(crate) pending: u32,
    pub(crate) queues: Queues,
    pub(crate) running: BTreeMap<(u32, u32), Running>,
    /// Attempts given up for lost that may still report or come back.
    pub(crate) strays: BTreeSet<(u32, u32)>,
    /// Slow attempts that wait for a slot to be copied into, one per partition.
    pub(crate) slow: BTreeMap<u32, u32>,
    /// Executors that a task failed on.
    pub(crate) failed_on: BTreeMap<u32, Vec<ExecutorId>>,
    /// When tasks failed, by executor; kept if executors can be excluded.
    pub(crate) faults: BTreeMap<ExecutorId, Vec<u64>>,
    pub(crate) excluded: BTreeSet<ExecutorId>,
    /// How often outputs were lost, by partition.
    pub(crate) recomputes: BTreeMap<u32, u32>,
    pub(crate) pace: Option<Pace>,
    preferences: BTreeMap<u32, Vec<ExecutorId>>,
    last_local_ms: u64,
}

impl Stage {
    pub(crate) fn new(spec: StageSpec, job: JobId, pool: PoolId, acknowledged: bool) -> Self {
        Self {
            id: spec.id,
            job,
            pool,
            parents: spec.parents,
            consumers: Vec::new(),
            task_count: spec.tasks,
            determinate: spec.determinate,
            status: Status::Waiting,
            completed_before: false,
            acknowledged,
            settled: false,
            missing_parents: 0,
            listed: 0,
            starved_since_ms: None,
            tasks: Vec::new(),
            uncommitted: spec.tasks,
            pending: 0,
            queues: Queues::default(),
            running: BTreeMap::new(),
            strays: BTreeSet::new(),
            slow: BTreeMap::new(),
            failed_on: BTreeMap::new(),
            faults: BTreeMap::new(),
            excluded: BTreeSet::new(),
            recomputes: BTreeMap::new(),
            pace: None,
            preferences: spec.preferences.into_iter().map(|p| (p.partition.0, p.executors)).collect(),
            last_local_ms: 0,
        }
    }

    /// Queues every task; a preference for executors that cannot be used now is dropped.
    pub(crate) fn start(&mut self, now_ms: u64, executors: &Executors, pace: Option<Pace>) {
        let fresh = Task { phase: Phase::Pending, attempts: 0, failures: 0, losses: 0 };
        self.status = Status::Active;
        self.tasks = vec![fresh; self.task_count as usize];
        self.pending = self.task_count;
        self.last_local_ms = now_ms;
        self.pace = pace;
        let mut preferences = std::mem::take(&mut self.preferences);
        preferences.retain(|_, places| {
            places.retain(|place| executors.is_usable(*place));
            !places.is_empty()
        });
        self.queues.fill(self.task_count, &preferences);
    }

    /// Launches it would take if there were slots.
    pub(crate) fn wanted(&self) -> u64 {
        if self.status == Status::Active && self.missing_parents == 0 {
            u64::from(self.pending) + self.slow.len() as u64
        } else {
            0
        }
    }

    /// A task for a free slot of `executor`, if the stage has one for it.
    pub(crate) fn pick(
        &mut self,
        executor: ExecutorId,
        now_ms: u64,
        locality_wait_ms: u64,
        executors: &Executors,
    ) -> Option<Pick> {
        if self.excluded.contains(&executor) {
            return None;
        }
        let plain = |partition, locality| Some(Pick { partition, locality, speculative: false });
        if self.pending > 0 {
            if let Some(partition) = self.queues.take_local(executor, &self.tasks) {
                self.last_local_ms = now_ms;
                return plain(partition, Locality::Preferred);
            }
            let (failed_on, excluded) = (&self.failed_on, &self.excluded);
            let fits = |partition| !better_elsewhere(failed_on, excluded, partition, executor, executors);
            if let Some(partition) = self.queues.take_retry(&self.tasks, fits) {
                return plain(partition, Locality::NoPreference);
            }
            if let Some(partition) = self.queues.take_fresh(&self.tasks) {
                return plain(partition, Locality::NoPreference);
            }
            if now_ms.saturating_sub(self.last_local_ms) >= locality_wait_ms
                && let Some(partition) = self.queues.take_preferring(&self.tasks)
            {
                return plain(partition, Locality::Any);
            }
        }
        self.pick_copy(executor, executors)
    }

    /// A slow attempt on another executor.
    fn pick_copy(&mut self, executor: ExecutorId, executors: &Executors) -> Option<Pick> {
        let (&partition, _) = self.slow.iter().take(COPIES_LOOKED_AT).find(|(partition, attempt)| {
            self.running.get(&(**partition, **attempt)).is_some_and(|running| running.executor != executor)
                && !better_elsewhere(&self.failed_on, &self.excluded, **partition, executor, executors)
        })?;
        Some(Pick { partition, locality: Locality::Any, speculative: true })
    }

    /// Books a launch and gives the attempt its number.
    pub(crate) fn launch(&mut self, pick: Pick, executor: ExecutorId, now_ms: u64) -> Option<TaskAttempt> {
        let task = self.tasks.get_mut(pick.partition as usize)?;
        let attempt = task.attempts;
        task.attempts += 1;
        if task.phase == Phase::Pending {
            task.phase = Phase::Running;
            self.pending -= 1;
        }
        self.slow.remove(&pick.partition);
        self.starved_since_ms = None;
        self.running.insert((pick.partition, attempt), Running { executor, since_ms: now_ms });
        if let Some(pace) = &mut self.pace
            && !pick.speculative
        {
            pace.launched(now_ms, pick.partition, attempt);
        }
        Some(self.name(pick.partition, attempt))
    }

    /// Takes the attempt out of the books.
    pub(crate) fn end_attempt(&mut self, partition: u32, attempt: u32, executor: ExecutorId) -> Ended {
        let key = (partition, attempt);
        if self.strays.remove(&key) {
            return Ended::Stray;
        }
        if self.running.get(&key).is_none_or(|running| running.executor != executor) {
            return Ended::Unknown;
        }
        if self.slow.get(&partition) == Some(&attempt) {
            self.slow.remove(&partition);
        }
        self.running.remove(&key).map_or(Ended::Unknown, Ended::Live)
    }

    /// Whether the attempt lives there.
    pub(crate) fn runs(&self, attempt: TaskAttempt, executor: ExecutorId) -> bool {
        let key = (attempt.task.partition.0, attempt.attempt.0);
        self.running.get(&key).is_some_and(|running| running.executor == executor)
    }

    /// Live attempts of a partition.
    pub(crate) fn copies(&self, partition: u32) -> impl Iterator<Item = (u32, ExecutorId)> + '_ {
        self.running.range((partition, 0)..=(partition, u32::MAX)).map(|((_, attempt), run)| (*attempt, run.executor))
    }

    /// Makes the attempt the winner. The task must not have one.
    pub(crate) fn commit(&mut self, partition: u32, attempt: u32) {
        let Some(task) = self.tasks.get_mut(partition as usize) else { return };
        if task.phase == Phase::Pending {
            self.pending -= 1;
        }
        task.phase = Phase::Committed(attempt);
        self.uncommitted -= 1;
        self.slow.remove(&partition);
        self.failed_on.remove(&partition);
    }

    /// Takes back a commit, so that the task runs again.
    pub(crate) fn uncommit(&mut self, partition: u32) {
        let Some(task) = self.tasks.get_mut(partition as usize) else { return };
        task.phase = Phase::Pending;
        self.status = Status::Active;
        self.uncommitted += 1;
        self.pending += 1;
        self.queues.retry(partition);
    }

    /// Queues the task again unless another attempt of it lives.
    pub(crate) fn requeue(&mut self, partition: u32) {
        let alone = self.copies(partition).next().is_none();
        let Some(task) = self.tasks.get_mut(partition as usize) else { return };
        if alone && task.phase == Phase::Running {
            task.phase = Phase::Pending;
            self.pending += 1;
            self.queues.retry(partition);
        }
    }

    /// Takes back an attempt that was given up for lost; `false` if it is not wanted.
    pub(crate) fn adopt(&mut self, partition: u32, attempt: u32, executor: ExecutorId, now_ms: u64) -> bool {
        let Some(task) = self.tasks.get_mut(partition as usize) else { return false };
        if matches!(task.phase, Phase::Committed(_)) || !self.strays.remove(&(partition, attempt)) {
            return false;
        }
        if task.phase == Phase::Pending {
            task.phase = Phase::Running;
            self.pending -= 1;
        }
        task.losses = task.losses.saturating_sub(1);
        self.slow.remove(&partition);
        self.running.insert((partition, attempt), Running { executor, since_ms: now_ms });
        true
    }

    pub(crate) fn committed(&self, partition: u32) -> Option<u32> {
        match self.tasks.get(partition as usize)?.phase {
            Phase::Committed(attempt) => Some(attempt),
            _ => None,
        }
    }

    pub(crate) fn name(&self, partition: u32, attempt: u32) -> TaskAttempt {
        let task = TaskId { stage: self.id, partition: Partition(partition) };
        TaskAttempt { task, attempt: Attempt(attempt) }
    }

    pub(crate) fn progress(&self) -> StageProgress {
        StageProgress {
            tasks: self.task_count,
            committed: self.task_count - self.uncommitted,
            running: self.running.len() as u32,
            pending: self.pending,
        }
    }
}

/// Whether the task failed on `executor` and there is another that could take it.
fn better_elsewhere(
    failed_on: &BTreeMap<u32, Vec<ExecutorId>>,
    excluded: &BTreeSet<ExecutorId>,
    partition: u32,
    executor: ExecutorId,
    executors: &Executors,
) -> bool {
    let Some(failed_on) = failed_on.get(&partition) else { return false };
    let unfit = failed_on.iter().filter(|id| !excluded.contains(id)).chain(excluded);
    failed_on.contains(&executor) && unfit.filter(|id| executors.is_usable(**id)).count() < executors.usable()
}
