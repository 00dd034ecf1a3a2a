//! Every derived number against a recount.

use std::collections::BTreeSet;

use crate::stages::{Phase, Stage, Status};
use crate::state::Scheduler;

impl Scheduler {
    /// What is inconsistent, in words; empty if all is well. Looks at everything, so it is for tests and diagnosis.
    pub fn audit(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        self.executors.audit(&mut wrong);
        for stage in self.stages.values() {
            self.audit_stage(stage, &mut wrong);
        }
        self.audit_sums(&mut wrong);
        wrong
    }

    fn audit_stage(&self, stage: &Stage, wrong: &mut Vec<String>) {
        let mut check = |holds: bool, what: &str| {
            if !holds {
                wrong.push(format!("stage {}: {what}", stage.id));
            }
        };
        let count = |phase: fn(&Phase) -> bool| stage.tasks.iter().filter(|task| phase(&task.phase)).count();
        if stage.status != Status::Waiting {
            let uncommitted = count(|phase| !matches!(phase, Phase::Committed(_)));
            check(uncommitted == stage.uncommitted as usize, "uncommitted tasks");
            check((stage.status == Status::Complete) == (uncommitted == 0), "completeness");
        }
        check(count(|phase| *phase == Phase::Pending) == stage.pending as usize, "pending tasks");
        for (partition, task) in stage.tasks.iter().enumerate() {
            let lives = stage.copies(partition as u32).next().is_some();
            check(lives == (task.phase == Phase::Running), "a task runs if and only if an attempt lives");
        }
        for (&(partition, attempt), running) in &stage.running {
            let name = stage.name(partition, attempt);
            let held = self.executors.holds(running.executor, name);
            check(held, "a live attempt holds a slot");
        }
        let missing = stage.parents.iter().filter(|id| self.stages.get(id).is_none_or(|parent| !parent.settled));
        check(missing.count() == stage.missing_parents, "missing parents");
        check(stage.listed == stage.wanted(), "backlog");
        check(stage.listed == 0 || self.ready.contains(&(stage.job, stage.id)), "ready list");
        check(self.jobs.get(&stage.job).is_some_and(|job| job.stages.contains(&stage.id)), "its job");
        let slow_lives =
            stage.slow.iter().all(|(partition, attempt)| stage.running.contains_key(&(*partition, *attempt)));
        check(slow_lives, "a slow attempt lives");
    }

    fn audit_sums(&self, wrong: &mut Vec<String>) {
        let mut check = |holds: bool, what: &str| {
            if !holds {
                wrong.push(what.to_owned());
            }
        };
        check(self.backlog == self.stages.values().map(|stage| stage.listed).sum::<u64>(), "backlog");
        check(
            self.pools.running() == self.stages.values().map(|stage| stage.running.len() as u64).sum::<u64>(),
            "pools",
        );
        let listed: BTreeSet<_> =
            self.stages.values().filter(|stage| stage.listed > 0).map(|stage| (stage.job, stage.id)).collect();
        check(listed == self.ready, "ready list");
        for job in self.jobs.values() {
            let unsettled = job.stages.iter().filter(|id| self.stages.get(id).is_none_or(|stage| !stage.settled));
            check(unsettled.count() == job.unsettled, "unsettled stages");
            check(job.unsettled > 0, "a job without unsettled stages has ended");
        }
    }
}
