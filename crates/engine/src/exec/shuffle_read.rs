//! [`ShuffleReadExec`]: the leaf through which a task reads what earlier stages wrote.

use std::ops::Range;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, Partitioning};
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::sorts::streaming_merge::StreamingMergeBuilder;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties};
use firesteel_shuffle::{MapOutput, ShuffleError, ShuffleStore};
use futures::TryStreamExt;

use super::{display_label, no_input};
use crate::stages::StageNo;
use crate::task::TaskEnvironment;

/// Which rows make up a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadMode {
    /// These reduce partitions of every map output, map by map.
    Ranges(Vec<Range<usize>>),
    /// The same, some of them of some map outputs only.
    Slices(Vec<Slice>),
    /// All of one map output; so many there are.
    Maps(usize),
}

/// Some reduce partitions of some map outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The reduce partitions.
    pub partitions: Range<usize>,
    /// The map outputs; none for all.
    pub maps: Option<Range<usize>>,
}

impl Slice {
    /// The outputs that it reads.
    pub fn of<'a>(&self, outputs: &'a [MapOutput]) -> &'a [MapOutput] {
        match &self.maps {
            Some(maps) => outputs.get(maps.clone()).unwrap_or_default(),
            None => outputs,
        }
    }
}

/// Reads the outputs of a stage. Plain data; where the outputs lie is in the task's environment.
#[derive(Clone, Debug)]
pub struct ShuffleReadExec {
    stage: StageNo,
    mode: ReadMode,
    merge: Option<LexOrdering>,
    fixed: bool,
    metrics: ExecutionPlanMetricsSet,
    properties: Arc<PlanProperties>,
}

impl ShuffleReadExec {
    /// One partition for each of the stage's reduce partitions.
    pub fn new(stage: StageNo, equivalences: EquivalenceProperties, partitioning: Partitioning) -> Self {
        let mode = ReadMode::Ranges((0..partitioning.partition_count()).map(|index| index..index + 1).collect());
        let properties =
            PlanProperties::new(equivalences, partitioning, EmissionType::Incremental, Boundedness::Bounded);
        let metrics = ExecutionPlanMetricsSet::new();
        Self { stage, mode, merge: None, fixed: false, metrics, properties: Arc::new(properties) }
    }

    /// Merges the map outputs, each of which is sorted so, instead of reading one after the other.
    #[must_use]
    pub fn with_merge(mut self, ordering: LexOrdering) -> Self {
        self.merge = Some(ordering);
        self
    }

    /// Keeps the number of partitions while the job runs.
    #[must_use]
    pub fn with_fixed(mut self, fixed: bool) -> Self {
        self.fixed = fixed;
        self
    }

    /// The same with other partitions.
    #[must_use]
    pub fn with_mode(&self, mode: ReadMode) -> Self {
        let count = match &mode {
            ReadMode::Ranges(ranges) => ranges.len(),
            ReadMode::Slices(slices) => slices.len(),
            ReadMode::Maps(maps) => *maps,
        };
        let partitioning = match &self.properties.partitioning {
            Partitioning::Hash(exprs, _) if matches!(mode, ReadMode::Ranges(_)) => {
                Partitioning::Hash(exprs.clone(), count)
            }
            _ => Partitioning::UnknownPartitioning(count),
        };
        let properties = self.properties.as_ref().clone().with_partitioning(partitioning);
        Self { mode, properties: Arc::new(properties), ..self.clone() }
    }

    /// Whose outputs.
    pub fn stage(&self) -> StageNo {
        self.stage
    }

    /// Which of their rows.
    pub fn mode(&self) -> &ReadMode {
        &self.mode
    }

    /// Whether the number of partitions must stay.
    pub fn is_fixed(&self) -> bool {
        self.fixed
    }

    pub(crate) fn merge(&self) -> Option<&LexOrdering> {
        self.merge.as_ref()
    }

    fn label(&self) -> String {
        let mode = match &self.mode {
            ReadMode::Ranges(ranges) => format!("partitions={}", ranges.len()),
            ReadMode::Slices(slices) => {
                let parts = slices.iter().filter(|slice| slice.maps.is_some()).count();
                format!("partitions={}, skewed={parts}", slices.len())
            }
            ReadMode::Maps(maps) => format!("maps={maps}"),
        };
        let merge = self.merge.as_ref().map(|ordering| format!(", merge=[{ordering}]")).unwrap_or_default();
        format!("ShuffleReadExec: stage={}, {mode}{merge}", self.stage.0)
    }

    /// What a partition reads of the outputs, in pieces that are each in order.
    fn sources(&self, partition: usize, outputs: &[MapOutput]) -> Result<Vec<MapOutput>> {
        match &self.mode {
            ReadMode::Ranges(ranges) => {
                let range = ranges.get(partition).cloned().unwrap_or_default();
                // Only a single partition of a single output is sorted.
                let parts: Vec<_> = match self.merge {
                    Some(_) => range.map(|index| index..index + 1).collect(),
                    None => vec![range],
                };
                let of = |output: &MapOutput| {
                    parts.iter().map(|part| output.slice(part.clone()).map_err(external)).collect::<Vec<_>>()
                };
                outputs.iter().flat_map(of).collect()
            }
            ReadMode::Slices(slices) => {
                let Some(slice) = slices.get(partition) else { return Ok(Vec::new()) };
                slice.of(outputs).iter().map(|map| map.slice(slice.partitions.clone()).map_err(external)).collect()
            }
            ReadMode::Maps(_) => Ok(outputs.get(partition).cloned().into_iter().collect()),
        }
    }

    fn open(&self, store: &dyn ShuffleStore, outputs: Vec<MapOutput>) -> SendableRecordBatchStream {
        let rows = store.read(&self.schema(), outputs).map_err(external);
        Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows))
    }
}

fn external(error: ShuffleError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

display_label!(ShuffleReadExec);

impl ExecutionPlan for ShuffleReadExec {
    fn name(&self) -> &'static str {
        "ShuffleReadExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    no_input!();

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self { metrics: ExecutionPlanMetricsSet::new(), ..self.as_ref().clone() }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let environment = TaskEnvironment::of(&context)?;
        let outputs = environment.outputs_of(self.stage)?;
        let sources = self.sources(partition, &outputs)?;
        let store = Arc::clone(&environment.store);
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        if let Some(ordering) = self.merge.as_ref().filter(|_| sources.len() > 1) {
            let streams = sources.into_iter().map(|output| self.open(store.as_ref(), vec![output]));
            let reservation = MemoryConsumer::new(format!("ShuffleMerge[{partition}]"));
            return StreamingMergeBuilder::new()
                .with_streams(streams.collect())
                .with_schema(self.schema())
                .with_expressions(ordering)
                .with_metrics(metrics)
                .with_batch_size(context.session_config().batch_size())
                .with_reservation(reservation.register(context.memory_pool()))
                .build();
        }
        let rows = self.open(store.as_ref(), sources);
        let rows = rows.inspect_ok(move |batch| metrics.record_output(batch.num_rows()));
        // Rows in memory never make a task wait, so it would not notice that it is cancelled.
        Ok(make_cooperative(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
