//! [`CoalesceExec`]: fewer partitions without moving rows between executors.

use std::ops::Range;
use std::sync::Arc;

use datafusion::common::{Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::Partitioning;
use datafusion::physical_plan::execution_plan::ExecutionPlanProperties;
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties};
use futures::{StreamExt, TryStreamExt, stream};

use super::{display_label, no_expressions, one_input};

/// `coalesce(n)`: each partition reads some neighbouring ones of its input, one after the other, in order.
#[derive(Debug)]
pub struct CoalesceExec {
    input: Arc<dyn ExecutionPlan>,
    count: usize,
    properties: Arc<PlanProperties>,
}

impl CoalesceExec {
    /// `count` partitions, or as many as the input has if those are fewer.
    pub fn new(input: Arc<dyn ExecutionPlan>, count: usize) -> Self {
        let count = count.max(1);
        let partitions = input.output_partitioning().partition_count();
        let mut equivalences = input.equivalence_properties().clone();
        let partitioning = if partitions <= count {
            input.output_partitioning().clone()
        } else {
            equivalences.clear_orderings();
            equivalences.clear_per_partition_constants();
            Partitioning::UnknownPartitioning(count)
        };
        let properties =
            PlanProperties::new(equivalences, partitioning, input.pipeline_behavior(), input.boundedness());
        Self { input, count, properties: Arc::new(properties) }
    }

    /// The partitions that are merged.
    pub fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// The number asked for.
    pub fn count(&self) -> usize {
        self.count
    }

    fn merges(&self) -> bool {
        self.input.output_partitioning().partition_count() > self.count
    }

    /// The input partitions of an output partition, divided as Spark divides those without a preferred place.
    fn group(&self, partition: usize) -> Range<usize> {
        let partitions = self.input.output_partitioning().partition_count();
        let groups = partitions.min(self.count).max(1);
        partition * partitions / groups..(partition + 1) * partitions / groups
    }

    fn label(&self) -> String {
        format!("CoalesceExec: count={}", self.count)
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(input, self.count)
    }
}

display_label!(CoalesceExec);

impl ExecutionPlan for CoalesceExec {
    fn name(&self) -> &'static str {
        "CoalesceExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![!self.merges()]
    }

    no_expressions!();

    one_input!();

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = Arc::clone(&self.input);
        let streams = stream::iter(self.group(partition))
            .map(move |source| input.execute(source, Arc::clone(&context)))
            .try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), streams)))
    }

    fn child_stats_requests(&self, _partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(None)]
    }

    fn statistics_from_inputs(
        &self,
        input_stats: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        match (args.partition(), input_stats) {
            (None, [input]) => Ok(Arc::clone(input)),
            _ => Ok(Arc::new(Statistics::new_unknown(&self.schema()))),
        }
    }
}
