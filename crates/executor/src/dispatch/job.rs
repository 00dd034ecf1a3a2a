//! One running job: its stages, where their outputs are, and what it tells about itself.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::prelude::SessionConfig;
use firesteel_engine::key_filters::{KeyFilter, KeysId};
use firesteel_engine::partition::Sample;
use firesteel_engine::stages::{CompletedStages, StageGraph, StageNo};
use firesteel_model::ids::{JobId, StageId, TaskAttempt};
use firesteel_model::{Result, SparkError};
use firesteel_scheduler::{Event, JobSpec, StageSpec};
use firesteel_shuffle::MapOutput;
use tokio_util::sync::CancellationToken;

use super::Submission;
use super::stage::StageRun;
use crate::attempt::AttemptWork;
use crate::cluster::JobOptions;
use crate::fleet::Blob;
use crate::progress::ProgressEvent;
use crate::results::ResultBoard;

pub(crate) struct Job {
    pub(crate) id: JobId,
    pub(crate) graph: StageGraph,
    pub(crate) options: JobOptions,
    pub(crate) board: Arc<ResultBoard>,
    /// What to fail with, if the job is ended for a reason that the scheduler does not know.
    pub(crate) error: Option<SparkError>,
    pub(crate) result_dropped: bool,
    /// The job's files as executors ask for them, for as long as they may.
    pub(crate) sent_files: Option<Arc<Blob>>,
    config: SessionConfig,
    /// By stage number.
    ids: Vec<StageId>,
    pub(super) runs: HashMap<StageId, StageRun>,
}

impl Job {
    pub(crate) fn new(submission: Submission, next_stage: &mut u64) -> Self {
        let Submission { job, graph, config, options, board } = submission;
        let first = *next_stage;
        // As many again for the later parts of a result that is computed bit by bit.
        *next_stage += (graph.stages.len() + RESULT_PARTS_MAX) as u64;
        let ids: Vec<StageId> = (first..).map(StageId).take(graph.stages.len()).collect();
        let mut created = Self {
            id: job,
            graph,
            options,
            board,
            error: None,
            result_dropped: false,
            sent_files: None,
            config,
            ids,
            runs: HashMap::new(),
        };
        for index in 0..created.graph.stages.len() {
            created.prepare(StageNo(index));
        }
        created
    }

    /// Makes a stage ready to run as its plan is now; again after the plan has changed.
    pub(super) fn prepare(&mut self, no: StageNo) {
        let Some((stage, id)) = self.graph.stages.get(no.0).zip(self.id_of(no)) else { return };
        let tasks = match self.graph.limit {
            Some(_) if self.is_result(no) => stage.tasks().min(1),
            _ => stage.tasks(),
        };
        self.runs.insert(id, StageRun::new(stage, 0, tasks));
    }

    pub(crate) fn spec(&self) -> JobSpec {
        let stages = (0..self.ids.len()).filter_map(|index| self.stage_spec(StageNo(index))).collect();
        let mut spec = JobSpec::new(self.id, stages);
        spec.group = self.options.group.clone();
        spec.tags = self.options.tags.clone();
        spec.adaptive = self.ids.len() > 1 || self.graph.limit.is_some();
        if let Some(pool) = &self.options.pool {
            spec.pool.clone_from(pool);
        }
        spec
    }

    pub(super) fn stage_spec(&self, no: StageNo) -> Option<StageSpec> {
        let (stage, id) = self.graph.stages.get(no.0).zip(self.id_of(no))?;
        let tasks = u32::try_from(self.stage(id)?.tasks()).unwrap_or(u32::MAX);
        let parents = stage.parents.iter().filter_map(|parent| self.id_of(*parent)).collect();
        let mut spec = StageSpec::new(id, tasks, parents);
        spec.determinate = stage.is_determinate();
        Some(spec)
    }

    /// Every stage with the number of tasks planned so far.
    pub(crate) fn planned(&self) -> Vec<(StageId, usize)> {
        self.ids.iter().filter_map(|id| Some((*id, self.stage(*id)?.tasks()))).collect()
    }

    pub(super) fn id_of(&self, no: StageNo) -> Option<StageId> {
        self.ids.get(no.0).copied()
    }

    pub(super) fn is_result(&self, no: StageNo) -> bool {
        no.0 + 1 == self.graph.stages.len()
    }

    /// The id of a further part of the result.
    pub(super) fn part_id(&self, part: usize) -> Option<StageId> {
        let last = self.ids.last()?;
        (part <= RESULT_PARTS_MAX).then(|| StageId(last.0 + part as u64))
    }

    pub(crate) fn stage(&self, id: StageId) -> Option<&StageRun> {
        self.runs.get(&id)
    }

    pub(crate) fn stage_mut(&mut self, id: StageId) -> Option<&mut StageRun> {
        self.runs.get_mut(&id)
    }

    /// Stages whose outputs are the result, and the others.
    pub(crate) fn stages_by_use(&self) -> (Vec<StageId>, Vec<StageId>) {
        self.runs.keys().partition(|id| self.stage(**id).is_some_and(|run| self.is_result(run.no)))
    }

    pub(crate) fn commit(&mut self, attempt: TaskAttempt) {
        let Some(run) = self.runs.get_mut(&attempt.task.stage) else { return };
        let Some((task, output, reports)) = run.commit(attempt) else { return };
        if run.no.0 + 1 == self.graph.stages.len() {
            self.board.commit(task, output);
        }
        if !reports.is_empty() {
            self.tell(ProgressEvent::Reported(reports));
        }
    }

    /// An output is gone and its task runs again. If what that task reads was thrown away already, those tasks have to
    /// run again too.
    pub(crate) fn invalidate(&mut self, attempt: TaskAttempt) -> Vec<Event> {
        let Some(run) = self.runs.get_mut(&attempt.task.stage) else { return Vec::new() };
        run.invalidate(attempt);
        let no = run.no;
        if self.is_result(no) {
            let first = self.stage(attempt.task.stage).map_or(0, |run| run.first_partition);
            self.board.withdraw(first + attempt.task.partition.0 as usize);
        }
        let parents = self.graph.stages.get(no.0).map(|stage| stage.parents.clone()).unwrap_or_default();
        let mut lost = Vec::new();
        let parents: Vec<StageId> = parents.into_iter().filter_map(|parent| self.id_of(parent)).collect();
        for parent in parents {
            let Some(run) = self.runs.get_mut(&parent).filter(|run| run.forgotten) else { continue };
            run.forgotten = false;
            let outputs = run.outputs().map(|output| output.attempt);
            lost.extend(outputs.map(|lost| Event::OutputLost { task: lost.task, attempt: lost.attempt }));
        }
        lost
    }

    /// What an attempt needs to run.
    pub(crate) fn work(&mut self, attempt: TaskAttempt, cancel: CancellationToken) -> Result<AttemptWork> {
        let missing = || SparkError::internal(format!("stage {} is not part of its job", attempt.task.stage));
        let no = self.stage(attempt.task.stage).ok_or_else(missing)?.no;
        let parents = self.graph.stages.get(no.0).map(|stage| stage.parents.as_slice()).unwrap_or_default();
        let inputs = parents.iter().map(|parent| (*parent, self.outputs(*parent))).collect();
        let config = self.config.clone();
        let run = self.stage_mut(attempt.task.stage).ok_or_else(missing)?;
        let partition = run.first_partition + attempt.task.partition.0 as usize;
        Ok(AttemptWork { attempt, plan: run.plan(attempt)?, partition, inputs, config, cancel })
    }

    /// The attempt's stage, or a part of it.
    pub(crate) fn run_for(&mut self, attempt: TaskAttempt) -> Result<&mut StageRun> {
        let missing = || SparkError::internal(format!("stage {} is not part of its job", attempt.task.stage));
        self.stage_mut(attempt.task.stage).ok_or_else(missing)
    }

    /// A stage as a whole, as others read it.
    pub(crate) fn whole_run(&mut self, no: StageNo) -> Result<&mut StageRun> {
        let missing = || SparkError::internal(format!("the job has no stage {}", no.0));
        let id = self.id_of(no).ok_or_else(missing)?;
        self.stage_mut(id).ok_or_else(missing)
    }

    /// What a stage reads.
    pub(crate) fn parents_of(&self, no: StageNo) -> Vec<StageNo> {
        self.graph.stages.get(no.0).map(|stage| stage.parents.clone()).unwrap_or_default()
    }

    /// Whether no task but the driver reads the outputs of a stage.
    pub(crate) fn is_for_driver(&self, id: StageId) -> bool {
        let Some(no) = self.stage(id).map(|run| run.no) else { return false };
        let is_result = self.is_result(no) && !self.options.keeps_rows;
        is_result || self.graph.subqueries.iter().any(|link| link.stage == no)
    }

    pub(crate) fn tell(&self, event: ProgressEvent) {
        if let Some(sink) = &self.options.progress {
            sink.on_event(event);
        }
    }

    fn run_of(&self, no: StageNo) -> Option<&StageRun> {
        self.stage(self.id_of(no)?)
    }
}

/// Each part has several times as many tasks as the one before, so there are never many.
const RESULT_PARTS_MAX: usize = 32;

impl CompletedStages for Job {
    fn outputs(&self, stage: StageNo) -> Arc<Vec<MapOutput>> {
        self.run_of(stage).and_then(|run| run.complete.clone()).unwrap_or_default()
    }

    fn samples(&self, stage: StageNo) -> Vec<Sample> {
        self.run_of(stage).map(StageRun::samples).unwrap_or_default()
    }

    fn keys(&self, stage: StageNo, id: KeysId) -> Option<Arc<KeyFilter>> {
        self.run_of(stage)?.key_filter(id).map(Arc::new)
    }
}
