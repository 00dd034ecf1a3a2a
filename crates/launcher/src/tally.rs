//! [`Tally`]: how much of an application's work is done, counted from what its jobs tell.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use firesteel_executor::{ProgressEvent, ProgressSink, TaskEnd};
use firesteel_k8s::status::Progress;
use firesteel_model::ids::{JobId, StageId};

/// Counts stages and tasks of all jobs.
///
/// Guarantees: what a job turned out not to need does not count once it has ended, so that a finished application has
/// done everything.
#[derive(Debug, Default)]
pub struct Tally {
    work: Mutex<Work>,
}

#[derive(Debug, Default)]
struct Work {
    /// Of jobs that have ended.
    stages_done: u64,
    tasks_done: u64,
    running: BTreeMap<JobId, Vec<StageId>>,
    stages: BTreeMap<StageId, Stage>,
}

#[derive(Debug, Default)]
struct Stage {
    tasks: u64,
    done: u64,
    is_complete: bool,
}

impl Tally {
    /// How much is done; nothing before the first job.
    pub fn progress(&self) -> Option<Progress> {
        let work = self.locked();
        let sum = |of: fn(&Stage) -> u64| work.stages.values().map(of).sum::<u64>();
        let tasks_done = work.tasks_done + sum(|stage| stage.done);
        let tasks_total = work.tasks_done + sum(|stage| stage.tasks.max(stage.done));
        (tasks_total > 0).then(|| Progress {
            summary: format!("{tasks_done}/{tasks_total}"),
            stages_done: work.stages_done + sum(|stage| u64::from(stage.is_complete)),
            stages_total: work.stages_done + work.stages.len() as u64,
            tasks_done,
            tasks_total,
        })
    }

    fn locked(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProgressSink for Tally {
    fn on_event(&self, event: ProgressEvent) {
        self.locked().apply(event);
    }
}

impl Work {
    fn apply(&mut self, event: ProgressEvent) {
        match event {
            ProgressEvent::JobStarted { job, stages } => {
                self.running.insert(job, stages.iter().map(|(stage, _)| *stage).collect());
                for (stage, tasks) in stages {
                    self.stages.entry(stage).or_default().tasks = tasks as u64;
                }
            }
            ProgressEvent::StageStarted { stage, tasks } => self.stages.entry(stage).or_default().tasks = tasks as u64,
            ProgressEvent::TaskFinished { attempt, end: TaskEnd::Succeeded, .. } => {
                if let Some(stage) = self.stages.get_mut(&attempt.task.stage) {
                    stage.done += 1;
                }
            }
            ProgressEvent::TaskStarted(_) | ProgressEvent::TaskFinished { .. } | ProgressEvent::Reported(_) => {}
            ProgressEvent::StageCompleted(stage) => {
                if let Some(stage) = self.stages.get_mut(&stage) {
                    // A task whose output was lost is done twice.
                    stage.done = stage.tasks;
                    stage.is_complete = true;
                }
            }
            ProgressEvent::JobEnded { job, .. } => self.ended(job),
        }
    }

    fn ended(&mut self, job: JobId) {
        let mut stages = self.running.remove(&job).unwrap_or_default();
        if self.running.is_empty() {
            // Those too that were not known when their job began.
            stages.extend(self.stages.keys().copied());
        }
        for stage in stages {
            if let Some(stage) = self.stages.remove(&stage) {
                self.stages_done += u64::from(stage.is_complete);
                self.tasks_done += stage.done;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use firesteel_executor::TaskMetrics;
    use firesteel_model::ids::{Attempt, Partition, TaskAttempt, TaskId};

    use super::*;

    fn finished(stage: u64, partition: u32, end: TaskEnd) -> ProgressEvent {
        let task = TaskId { stage: StageId(stage), partition: Partition(partition) };
        let attempt = TaskAttempt { task, attempt: Attempt(0) };
        ProgressEvent::TaskFinished { attempt, end, metrics: TaskMetrics::default() }
    }

    fn shown(tally: &Tally) -> (String, u64, u64) {
        let progress = tally.progress().unwrap_or_default();
        (progress.summary, progress.stages_done, progress.stages_total)
    }

    #[test]
    fn what_was_planned_and_not_needed_does_not_count_in_the_end() {
        let tally = Tally::default();
        assert_eq!(tally.progress(), None);
        let stages = vec![(StageId(0), 2), (StageId(1), 200)];
        tally.on_event(ProgressEvent::JobStarted { job: JobId(0), stages });
        tally.on_event(finished(0, 0, TaskEnd::Succeeded));
        tally.on_event(finished(0, 1, TaskEnd::Killed));
        assert_eq!(shown(&tally), ("1/202".to_owned(), 0, 2));
        tally.on_event(finished(0, 1, TaskEnd::Succeeded));
        tally.on_event(ProgressEvent::StageCompleted(StageId(0)));
        tally.on_event(ProgressEvent::StageStarted { stage: StageId(1), tasks: 1 });
        assert_eq!(shown(&tally), ("2/3".to_owned(), 1, 2));
        // A part of the result that was added on the way.
        tally.on_event(ProgressEvent::StageStarted { stage: StageId(2), tasks: 4 });
        tally.on_event(finished(1, 0, TaskEnd::Succeeded));
        tally.on_event(ProgressEvent::StageCompleted(StageId(1)));
        tally.on_event(ProgressEvent::JobEnded { job: JobId(0), error: None });
        assert_eq!(shown(&tally), ("3/3".to_owned(), 2, 2));
    }

    #[test]
    fn a_task_that_is_done_again_counts_once() {
        let tally = Tally::default();
        tally.on_event(ProgressEvent::JobStarted { job: JobId(0), stages: vec![(StageId(0), 1)] });
        tally.on_event(finished(0, 0, TaskEnd::Succeeded));
        tally.on_event(finished(0, 0, TaskEnd::Succeeded));
        tally.on_event(ProgressEvent::StageCompleted(StageId(0)));
        assert_eq!(shown(&tally), ("1/1".to_owned(), 1, 1));
    }
}
