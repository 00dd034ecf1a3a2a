//! One stage of a running job: its plan, and the outputs of its tasks.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use firesteel_engine::error::spark_error;
use firesteel_engine::in_task;
use firesteel_engine::key_filters::{KeyFilter, Keys, KeysId};
use firesteel_engine::partition::Sample;
use firesteel_engine::stages::{Stage, StageNo};
use firesteel_engine::task::TaskOutput;
use firesteel_model::Result;
use firesteel_model::ids::TaskAttempt;
use firesteel_shuffle::MapOutput;

use crate::fleet::Blob;

/// A stage, or a part of its tasks.
#[derive(Debug)]
pub(crate) struct StageRun {
    pub(crate) no: StageNo,
    /// Never run itself, so that an attempt can begin from a clean copy.
    template: Arc<dyn ExecutionPlan>,
    /// The copy that first attempts share, so that a broadcast side is built once for all of them.
    shared: Option<Arc<dyn ExecutionPlan>>,
    /// The partition of its first task.
    pub(crate) first_partition: usize,
    awaiting: HashMap<TaskAttempt, TaskOutput>,
    committed: Vec<Option<TaskOutput>>,
    /// Of all tasks that ever committed: more keys than there are do no harm.
    keys: BTreeMap<KeysId, Keys>,
    /// All outputs, once every task is done.
    pub(crate) complete: Option<Arc<Vec<MapOutput>>>,
    /// Its outputs were thrown away because all consumers are done.
    pub(crate) forgotten: bool,
    /// Its plan as executors elsewhere get it, once one has got it.
    pub(crate) sent_plan: Option<Arc<Blob>>,
    /// All outputs as executors elsewhere get them.
    pub(crate) sent_outputs: Option<Arc<Blob>>,
}

impl StageRun {
    pub(crate) fn new(stage: &Stage, first_partition: usize, tasks: usize) -> Self {
        Self {
            no: stage.no,
            template: Arc::new(stage.writer()),
            shared: None,
            first_partition,
            awaiting: HashMap::new(),
            committed: vec![None; tasks],
            keys: BTreeMap::new(),
            complete: None,
            forgotten: false,
            sent_plan: None,
            sent_outputs: None,
        }
    }

    /// The plan as no attempt has run it.
    pub(crate) fn template(&self) -> &Arc<dyn ExecutionPlan> {
        &self.template
    }

    pub(crate) fn tasks(&self) -> usize {
        self.committed.len()
    }

    /// The plan for an attempt. Later attempts of a task get a copy of their own: state left by a failed one must not
    /// fail the next.
    pub(crate) fn plan(&mut self, attempt: TaskAttempt) -> Result<Arc<dyn ExecutionPlan>> {
        let fresh = || reset_plan_states(Arc::clone(&self.template)).and_then(in_task).map_err(spark_error);
        if attempt.attempt.0 > 0 || self.complete.is_some() {
            return fresh();
        }
        let plan = match self.shared.take() {
            Some(plan) => plan,
            None => fresh()?,
        };
        self.shared = Some(Arc::clone(&plan));
        Ok(plan)
    }

    pub(crate) fn finished(&mut self, attempt: TaskAttempt, output: TaskOutput) {
        self.awaiting.insert(attempt, output);
    }

    /// Makes an attempt's output the task's; gives the task's partition, the output, and what Python functions reported.
    pub(crate) fn commit(&mut self, attempt: TaskAttempt) -> Option<(usize, MapOutput, Vec<Vec<u8>>)> {
        let mut output = self.awaiting.remove(&attempt)?;
        for (id, keys) in std::mem::take(&mut output.keys) {
            match self.keys.entry(id) {
                Entry::Vacant(entry) => drop(entry.insert(keys)),
                Entry::Occupied(mut entry) => entry.get_mut().merge(&keys),
            }
        }
        let task = attempt.task.partition.0 as usize;
        let (map, reports) = (output.map.clone(), std::mem::take(&mut output.accumulators));
        *self.committed.get_mut(task)? = Some(output);
        Some((self.first_partition + task, map, reports))
    }

    pub(crate) fn invalidate(&mut self, attempt: TaskAttempt) {
        let slot = self.committed.get_mut(attempt.task.partition.0 as usize);
        if let Some(slot) = slot.filter(|slot| slot.as_ref().is_some_and(|output| output.map.attempt == attempt)) {
            *slot = None;
        }
    }

    /// All tasks are done: what they share is not needed any more.
    pub(crate) fn completed(&mut self) {
        self.shared = None;
        let outputs = self.committed.iter().flatten().map(|output| output.map.clone());
        self.complete = Some(Arc::new(outputs.collect()));
        self.sent_outputs = None;
        self.forgotten = false;
    }

    pub(crate) fn outputs(&self) -> impl Iterator<Item = &MapOutput> {
        self.committed.iter().flatten().map(|output| &output.map)
    }

    pub(crate) fn rows(&self) -> u64 {
        self.outputs().map(MapOutput::rows).sum()
    }

    pub(crate) fn samples(&self) -> Vec<Sample> {
        self.committed.iter().flatten().filter_map(|output| output.sample.clone()).collect()
    }

    pub(crate) fn key_filter(&self, id: KeysId) -> Option<KeyFilter> {
        self.keys.get(&id)?.filter()
    }
}
