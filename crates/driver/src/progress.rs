//! Progress of a job, for the client's progress bar; and what Python functions reported, for its profiler.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use firesteel_connect::{ObservedMetrics, Progress, ResultSink, StageProgress};
use firesteel_executor::{ProgressEvent, ProgressSink, TaskEnd};
use firesteel_spec::Literal;

/// Under this name PySpark's client expects what Python functions reported.
const ACCUMULATORS: &str = "__python_accumulator__";

/// Turns a job's events into reports to the client.
pub(crate) struct Reporter {
    sink: ResultSink,
    state: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    stages: BTreeMap<u64, StageProgress>,
    running: i64,
}

impl Reporter {
    pub(crate) fn new(sink: ResultSink) -> Self {
        Self { sink, state: Mutex::default() }
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").finish_non_exhaustive()
    }
}

impl ProgressSink for Reporter {
    fn on_event(&self, event: ProgressEvent) {
        if let ProgressEvent::Reported(reports) = event {
            let values = reports.into_iter().map(|report| (String::new(), Literal::Binary(report))).collect();
            self.sink.observed(vec![ObservedMetrics { name: ACCUMULATORS.to_owned(), plan_id: 0, values }]);
            return;
        }
        let report = {
            let mut counts = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            counts.apply(event);
            Progress { stages: counts.stages.values().cloned().collect(), running_tasks: counts.running }
        };
        self.sink.progress(report);
    }
}

impl Counts {
    fn stage(&mut self, stage: u64) -> &mut StageProgress {
        let id = i64::try_from(stage).unwrap_or(i64::MAX);
        self.stages.entry(stage).or_insert_with(|| StageProgress { stage_id: id, ..StageProgress::default() })
    }

    fn apply(&mut self, event: ProgressEvent) {
        match event {
            ProgressEvent::JobStarted { stages, .. } => {
                for (stage, tasks) in stages {
                    self.stage(stage.0).tasks = count(tasks);
                }
            }
            ProgressEvent::StageStarted { stage, tasks } => self.stage(stage.0).tasks = count(tasks),
            ProgressEvent::TaskStarted(_) => self.running += 1,
            ProgressEvent::TaskFinished { attempt, end, .. } => {
                self.running -= 1;
                if matches!(end, TaskEnd::Succeeded) {
                    self.stage(attempt.task.stage.0).completed_tasks += 1;
                }
            }
            ProgressEvent::StageCompleted(stage) => self.stage(stage.0).is_done = true,
            ProgressEvent::Reported(_) | ProgressEvent::JobEnded { .. } => {}
        }
    }
}

fn count(tasks: usize) -> i64 {
    i64::try_from(tasks).unwrap_or(i64::MAX)
}
