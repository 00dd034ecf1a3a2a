//! [`RangeTable`] and [`RangeExec`]: `spark.range`, numbers made where they are needed.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning};
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties};
use futures::stream;

use super::{display_label, no_input};

/// The numbers from `start` (in) to `end` (out) in partitions of equal size, one column `id`.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeTable {
    start: i64,
    step: i64,
    count: i128,
    partitions: usize,
    schema: SchemaRef,
}

impl RangeTable {
    /// Guarantees: no number overflows on the way; a range that runs the wrong way is empty.
    pub fn new(start: i64, end: i64, step: i64, partitions: usize) -> Self {
        let (distance, step_wide) = (i128::from(end) - i128::from(start), i128::from(step));
        let count = if step == 0 || (distance > 0) != (step > 0) || distance == 0 {
            0
        } else {
            (distance.abs() + step_wide.abs() - 1) / step_wide.abs()
        };
        let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false)]));
        Self { start, step, count, partitions: partitions.max(1), schema }
    }

    /// Start, step, length and partitions.
    pub(crate) fn parts(&self) -> (i64, i64, i128, usize) {
        (self.start, self.step, self.count, self.partitions)
    }

    /// The table of which [`Self::parts`] tells.
    pub(crate) fn from_parts(start: i64, step: i64, count: i128, partitions: usize) -> Self {
        Self { count, ..Self::new(start, start, step, partitions) }
    }

    /// First position and number of values of a partition.
    fn slice(&self, partition: usize) -> (i128, i128) {
        let (parts, part) = (self.partitions as i128, partition as i128);
        let (from, to) = (part * self.count / parts, (part + 1) * self.count / parts);
        (from, to - from)
    }

    fn value(&self, position: i128) -> i64 {
        let value = i128::from(self.start) + position * i128::from(self.step);
        i64::try_from(value).unwrap_or(i64::MAX)
    }
}

#[async_trait]
impl TableProvider for RangeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(RangeExec::new(self.clone(), projection.is_none_or(|p| !p.is_empty()))))
    }
}

/// Makes the numbers of a [`RangeTable`], batch by batch.
#[derive(Debug)]
pub struct RangeExec {
    table: RangeTable,
    with_column: bool,
    properties: Arc<PlanProperties>,
}

impl RangeExec {
    pub(crate) fn table(&self) -> &RangeTable {
        &self.table
    }

    pub(crate) fn with_column(&self) -> bool {
        self.with_column
    }

    pub(crate) fn new(table: RangeTable, with_column: bool) -> Self {
        let schema = if with_column { Arc::clone(&table.schema) } else { Arc::new(Schema::empty()) };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(table.partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { table, with_column, properties: Arc::new(properties) }
    }

    fn label(&self) -> String {
        let RangeTable { start, step, count, partitions, .. } = &self.table;
        format!("RangeExec: start={start}, step={step}, rows={count}, partitions={partitions}")
    }

    fn batch(table: &RangeTable, schema: &SchemaRef, position: i128, rows: usize) -> Result<RecordBatch> {
        let columns: Vec<ArrayRef> = if schema.fields().is_empty() {
            Vec::new()
        } else {
            vec![Arc::new(Int64Array::from_iter_values((0..rows).map(|row| table.value(position + row as i128))))]
        };
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
    }
}

display_label!(RangeExec);

impl ExecutionPlan for RangeExec {
    fn name(&self) -> &'static str {
        "RangeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    no_input!();

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let batch_rows = context.session_config().batch_size().max(1);
        let (table, schema) = (self.table.clone(), self.schema());
        let (first, count) = self.table.slice(partition);
        let batches = stream::iter((0..count).step_by(batch_rows).map({
            let schema = Arc::clone(&schema);
            move |offset| {
                let rows = usize::try_from(count - offset).unwrap_or(usize::MAX).min(batch_rows);
                Self::batch(&table, &schema, first + offset, rows)
            }
        }));
        Ok(make_cooperative(Box::pin(RecordBatchStreamAdapter::new(schema, batches))))
    }

    fn child_stats_requests(&self, _partition: Option<usize>) -> Vec<ChildStats> {
        Vec::new()
    }

    fn statistics_from_inputs(
        &self,
        _input_stats: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let rows = args.partition().map_or(self.table.count, |partition| self.table.slice(partition).1);
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        let width = if self.with_column { size_of::<i64>() } else { 0 };
        let mut statistics = Statistics::new_unknown(&self.schema());
        statistics.num_rows = Precision::Exact(rows);
        statistics.total_byte_size = Precision::Exact(rows.saturating_mul(width));
        Ok(Arc::new(statistics))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_cover_the_range_once() {
        for (start, end, step, partitions) in
            [(0, 10, 3, 4), (5, -7, -2, 3), (0, 0, 1, 2), (i64::MIN, i64::MAX, i64::MAX, 2)]
        {
            let table = RangeTable::new(start, end, step, partitions);
            let values: Vec<i64> = (0..partitions)
                .flat_map(|p| {
                    let (first, count) = table.slice(p);
                    (0..count).map(|i| table.value(first + i)).collect::<Vec<_>>()
                })
                .collect();
            let mut expected = Vec::new();
            let mut next = i128::from(start);
            while (step > 0 && next < i128::from(end)) || (step < 0 && next > i128::from(end)) {
                expected.push(i64::try_from(next).unwrap());
                next += i128::from(step);
            }
            assert_eq!(values, expected);
        }
    }
}
