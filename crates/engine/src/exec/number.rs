//! [`NumberExec`]: rows numbered from 0 in the order they come in, partition after partition.
//!
//! ```text
//!   stage 1: input --> each task's rows, counted          stage 2: task i reads what task i of stage 1 wrote, and
//!                                                                  begins at the sum of the counts before
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::common::{ColumnStatistics, Result, Statistics, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning};
use datafusion::physical_plan::execution_plan::{CardinalityEffect, ExecutionPlanProperties};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties};
use futures::StreamExt;

use super::{display_label, in_order, no_expressions, one_input};
use crate::stages::StageNo;
use crate::task::TaskEnvironment;

/// Adds a column of row numbers.
///
/// Assumptions: over several partitions it runs only as [`crate::stages::cut`] leaves it, reading a stage map by map.
#[derive(Debug)]
pub struct NumberExec {
    input: Arc<dyn ExecutionPlan>,
    name: String,
    counted: Option<StageNo>,
    properties: Arc<PlanProperties>,
}

impl NumberExec {
    /// The input's columns, then the numbers under this name.
    pub fn new(input: Arc<dyn ExecutionPlan>, name: String) -> Self {
        let number = Arc::new(Field::new(&name, DataType::Int64, false));
        let own = input.schema();
        let schema = Schema::new(own.fields().iter().cloned().chain([number]).collect::<Vec<_>>());
        let orderings = input.equivalence_properties().oeq_class().iter().cloned();
        let properties = PlanProperties::new(
            EquivalenceProperties::new_with_orderings(Arc::new(schema), orderings),
            // As many partitions as tasks of the stage before turn out to be.
            Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Self { input, name, counted: None, properties: Arc::new(properties) }
    }

    /// Its partitions are the map outputs of a stage, whose rows are counted by then.
    #[must_use]
    pub fn with_counted(mut self, stage: Option<StageNo>) -> Self {
        self.counted = stage;
        self
    }

    /// What is numbered.
    pub fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// The column of the numbers.
    pub fn column(&self) -> &str {
        &self.name
    }

    /// The stage whose map outputs are its partitions.
    pub fn counted(&self) -> Option<StageNo> {
        self.counted
    }

    fn label(&self) -> String {
        let counted = self.counted.map(|stage| format!(", counted={}", stage.0)).unwrap_or_default();
        format!("NumberExec: {}{counted}", self.name)
    }

    pub(crate) fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(input, self.name.clone()).with_counted(self.counted)
    }

    /// How many rows come before a partition.
    fn rows_before(&self, partition: usize, context: &TaskContext) -> Result<u64> {
        match self.counted {
            _ if partition == 0 => Ok(0),
            Some(stage) => {
                let outputs = TaskEnvironment::of(context)?.outputs_of(stage)?;
                let sizes = outputs.iter().take(partition).flat_map(|output| &output.partitions);
                Ok(sizes.map(|size| size.rows).sum())
            }
            None => internal_err!("partition {partition} of rows that were not counted"),
        }
    }
}

display_label!(NumberExec);

impl ExecutionPlan for NumberExec {
    fn name(&self) -> &'static str {
        "NumberExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    in_order!();

    no_expressions!();

    one_input!();

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let schema = self.schema();
        let before = self.rows_before(partition, &context)?;
        let rows = self.input.execute(partition, context)?;
        let numbered = rows.scan(before, move |next, batch| {
            let batch = batch.and_then(|batch| {
                let first = *next;
                *next += batch.num_rows() as u64;
                let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((first..*next).map(|row| row as i64)));
                let columns = batch.columns().iter().cloned().chain([numbers]).collect();
                let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
                Ok(RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options)?)
            });
            std::future::ready(Some(batch))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), numbered)))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        input_stats: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let Some(input) = input_stats.first() else { return Ok(Arc::new(Statistics::new_unknown(&self.schema()))) };
        let mut statistics = Statistics::clone(input);
        statistics.column_statistics.push(ColumnStatistics::new_unknown());
        Ok(Arc::new(statistics))
    }
}
