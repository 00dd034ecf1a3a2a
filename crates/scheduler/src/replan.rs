//! Building a job's graph, at first and after the driver has changed it.

use std::collections::BTreeMap;

use firesteel_model::ids::{JobId, StageId};

use crate::events::{JobFailure, JobOutcome, KillReason, Replan};
use crate::graph::{GraphError, StageSpec};
use crate::stages::{Stage, Status};
use crate::state::Scheduler;

impl Scheduler {
    /// Takes the driver's answer to a completed stage. A second answer, or one to a stage that is not complete, is
    /// ignored; one that leaves no runnable graph fails the job.
    pub(crate) fn replan(&mut self, replan: Replan) {
        let Some(stage) = self.stages.get_mut(&replan.completed) else { return };
        if stage.job != replan.job || stage.acknowledged || !stage.completed_before {
            return;
        }
        stage.acknowledged = true;
        match self.change_graph(&replan) {
            Ok(()) => {
                self.review_settled(replan.completed);
                self.start_waiting(replan.job);
            }
            Err(error) => self.end_job(replan.job, JobOutcome::Failed(JobFailure::InvalidGraph(error))),
        }
    }

    fn change_graph(&mut self, replan: &Replan) -> Result<(), GraphError> {
        for id in &replan.remove {
            let Some(stage) = self.stages.get(id).filter(|stage| stage.job == replan.job) else { continue };
            // A stage that ran has attempts under its id; a new one of that id could not tell them from its own.
            if stage.status != Status::Waiting && replan.add.iter().any(|spec| spec.id == *id) {
                return Err(GraphError::Duplicate(*id));
            }
            self.drop_stage(*id, KillReason::StageRemoved);
            if let Some(job) = self.jobs.get_mut(&replan.job) {
                job.stages.remove(id);
            }
        }
        self.add_stages(replan.job, replan.add.clone())?;
        self.link(replan.job)
    }

    pub(crate) fn add_stages(&mut self, id: JobId, specs: Vec<StageSpec>) -> Result<(), GraphError> {
        let Some(job) = self.jobs.get_mut(&id) else { return Ok(()) };
        for spec in specs {
            if self.stages.contains_key(&spec.id) {
                return Err(GraphError::Duplicate(spec.id));
            }
            if spec.preferences.iter().any(|preference| preference.partition.0 >= spec.tasks) {
                return Err(GraphError::PreferenceOutOfRange(spec.id));
            }
            job.stages.insert(spec.id);
            self.stages.insert(spec.id, Stage::new(spec, id, job.pool, !job.adaptive));
        }
        Ok(())
    }

    /// Derives consumers and counts from the stages' parents.
    pub(crate) fn link(&mut self, id: JobId) -> Result<(), GraphError> {
        let Some(job) = self.jobs.get_mut(&id) else { return Ok(()) };
        let mut consumers: BTreeMap<StageId, Vec<StageId>> = BTreeMap::new();
        let mut missing: BTreeMap<StageId, usize> = BTreeMap::new();
        for stage in job.stages.iter().filter_map(|id| self.stages.get(id)) {
            for parent in &stage.parents {
                let Some(found) = self.stages.get(parent).filter(|found| found.job == stage.job) else {
                    return Err(GraphError::UnknownParent(stage.id, *parent));
                };
                consumers.entry(*parent).or_default().push(stage.id);
                *missing.entry(stage.id).or_default() += usize::from(!found.settled);
            }
        }
        job.unsettled = 0;
        for stage in &job.stages {
            if let Some(stage) = self.stages.get_mut(stage) {
                stage.consumers = consumers.remove(&stage.id).unwrap_or_default();
                stage.missing_parents = missing.get(&stage.id).copied().unwrap_or(0);
                job.unsettled += usize::from(!stage.settled);
            }
        }
        self.check_acyclic(id)
    }

    /// Removes stages whose parents are removed until none is left; what stays waits for itself.
    fn check_acyclic(&self, id: JobId) -> Result<(), GraphError> {
        let Some(job) = self.jobs.get(&id) else { return Ok(()) };
        let mut parents: BTreeMap<StageId, usize> = BTreeMap::new();
        for stage in job.stages.iter().filter_map(|id| self.stages.get(id)) {
            parents.insert(stage.id, stage.parents.len());
        }
        let mut free: Vec<StageId> = parents.iter().filter(|(_, count)| **count == 0).map(|(id, _)| *id).collect();
        while let Some(id) = free.pop() {
            parents.remove(&id);
            for consumer in self.stages.get(&id).map_or(&[][..], |stage| &stage.consumers) {
                if let Some(count) = parents.get_mut(consumer) {
                    *count -= 1;
                    if *count == 0 {
                        free.push(*consumer);
                    }
                }
            }
        }
        parents.first_key_value().map_or(Ok(()), |(stage, _)| Err(GraphError::Cycle(*stage)))
    }
}
