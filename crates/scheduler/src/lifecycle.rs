//! Jobs and stages from submission to end.

use firesteel_model::ids::{ExecutorId, JobId, StageId, TaskAttempt};

use crate::events::{Action, CancelScope, JobFailure, JobOutcome, KillReason};
use crate::graph::JobSpec;
use crate::jobs::Job;
use crate::speculation::Pace;
use crate::stages::Status;
use crate::state::Scheduler;

impl Scheduler {
    pub(crate) fn submit_job(&mut self, spec: JobSpec) {
        let id = spec.id;
        if self.jobs.contains_key(&id) {
            return;
        }
        let pool = self.pools.find_or_add(&spec.pool);
        self.jobs.insert(id, Job::new(&spec, pool));
        self.allocation.saw_job = true;
        match self.add_stages(id, spec.stages).and_then(|()| self.link(id)) {
            Ok(()) => self.start_waiting(id),
            Err(error) => self.end_job(id, JobOutcome::Failed(JobFailure::InvalidGraph(error))),
        }
    }

    pub(crate) fn cancel(&mut self, scope: &CancelScope) {
        let jobs: Vec<JobId> = self.jobs.values().filter(|job| job.is_in(scope)).map(|job| job.id).collect();
        for job in jobs {
            self.end_job(job, JobOutcome::Cancelled);
        }
    }

    /// Starts every stage of a job whose parents are settled, and ends the job if nothing is left.
    pub(crate) fn start_waiting(&mut self, job: JobId) {
        let Some(stages) = self.jobs.get(&job).map(|job| job.stages.clone()) else { return };
        for stage in stages {
            self.start_stage(stage);
        }
        self.end_if_settled(job);
    }

    /// Starts a stage if it waits for nothing. One without tasks is complete at once, and so may its consumers be.
    fn start_stage(&mut self, id: StageId) {
        let Some(stage) = self.stages.get_mut(&id) else { return };
        if stage.status != Status::Waiting || stage.missing_parents > 0 {
            return;
        }
        let pace = self.config.speculation.map(|_| Pace::default());
        stage.start(self.now_ms, &self.executors, pace);
        self.actions.push(Action::StageStarted { job: stage.job, stage: id });
        if stage.task_count == 0 {
            self.complete_stage(id);
        } else {
            self.sync_ready(id);
        }
    }

    /// Every task of the stage is committed.
    pub(crate) fn complete_stage(&mut self, id: StageId) {
        self.promote_faults(id);
        let Some(stage) = self.stages.get_mut(&id) else { return };
        stage.status = Status::Complete;
        stage.queues.clear();
        let awaits_replan = !stage.completed_before && !stage.acknowledged;
        stage.completed_before = true;
        self.actions.push(Action::StageCompleted { job: stage.job, stage: id, awaits_replan });
        self.sync_ready(id);
        self.review_settled(id);
    }

    /// A stage is settled when it is complete and the driver has had its say; consumers and job count on it.
    pub(crate) fn review_settled(&mut self, id: StageId) {
        let Some(stage) = self.stages.get_mut(&id) else { return };
        let settled = stage.status == Status::Complete && stage.acknowledged;
        if settled == stage.settled {
            return;
        }
        stage.settled = settled;
        let (job, consumers) = (stage.job, stage.consumers.clone());
        let count = |number: &mut usize| if settled { *number -= 1 } else { *number += 1 };
        if let Some(job) = self.jobs.get_mut(&job) {
            count(&mut job.unsettled);
        }
        for consumer in &consumers {
            if let Some(stage) = self.stages.get_mut(consumer) {
                count(&mut stage.missing_parents);
            }
            self.sync_ready(*consumer);
        }
        if settled {
            for consumer in consumers {
                self.start_stage(consumer);
            }
            self.end_if_settled(job);
        }
    }

    fn end_if_settled(&mut self, job: JobId) {
        if self.jobs.get(&job).is_some_and(|job| job.unsettled == 0) {
            self.end_job(job, JobOutcome::Succeeded);
        }
    }

    /// Kills what runs, forgets the job and says so; does nothing if it has ended.
    pub(crate) fn end_job(&mut self, id: JobId, outcome: JobOutcome) {
        let Some(job) = self.jobs.remove(&id) else { return };
        for stage in job.stages {
            self.drop_stage(stage, KillReason::JobEnded);
        }
        self.actions.push(Action::JobEnded { job: id, outcome });
    }

    /// Kills a stage's attempts and forgets it. Their slots stay taken until the executors' last word.
    pub(crate) fn drop_stage(&mut self, id: StageId, reason: KillReason) {
        let Some(stage) = self.stages.remove(&id) else { return };
        self.ready.remove(&(stage.job, id));
        self.backlog -= stage.listed;
        self.pools.sub_running(stage.pool, stage.running.len() as u64);
        for (&(partition, attempt), running) in &stage.running {
            let (executor, attempt) = (running.executor, stage.name(partition, attempt));
            self.kill(executor, attempt, reason);
        }
    }

    /// Tells an executor that is there to stop an attempt that the books have forgotten.
    pub(crate) fn kill(&mut self, executor: ExecutorId, attempt: TaskAttempt, reason: KillReason) {
        if self.executors.holds(executor, attempt) {
            self.actions.push(Action::KillTask { executor, attempt, reason });
        }
    }
}
