//! [`TableFunctionExec`]: a Python function that makes rows, in a task.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, UInt32Array, new_null_array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, OrderingRequirements, Partitioning};
use datafusion::physical_plan::execution_plan::{EmissionType, ExecutionPlanProperties};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, InputDistributionRequirements, PlanProperties};
use firesteel_python::{Input, Request, Sent};
use futures::StreamExt;
use futures::stream::BoxStream;

use super::batches::{WorkerSchema, conformed, unwrapped};
use super::converse::{InputFailure, Speaker, external, unless_empty};
use super::evaluate_exec::struct_json;
use super::group_exec::{dealt_by, sorted_by};
use super::pending::gathered;
use super::table_function::{Lateral, TableWork};
use crate::exec::{display_label, no_expressions, one_input};

/// A function that makes rows of the rows of an input.
#[derive(Debug)]
pub struct TableFunctionExec {
    input: Arc<dyn ExecutionPlan>,
    work: Arc<TableWork>,
    properties: Arc<PlanProperties>,
}

impl TableFunctionExec {
    /// The function over an input.
    pub fn new(input: Arc<dyn ExecutionPlan>, work: Arc<TableWork>, schema: SchemaRef) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            EmissionType::Incremental,
            input.boundedness(),
        );
        Self { input, work, properties: Arc::new(properties) }
    }

    /// What is done with the rows.
    pub fn work(&self) -> &TableWork {
        &self.work
    }

    fn label(&self) -> String {
        format!("TableFunctionExec: {}", self.work.command.name)
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(input, Arc::clone(&self.work), self.schema())
    }

    fn feeding(&self, beside: Option<Beside>) -> Feeding {
        let schema = self.input.schema();
        let names: Vec<String> = (0..self.work.columns.len()).map(|index| format!("_{index}")).collect();
        let fields = self.work.columns.iter().map(|place| schema.field(*place));
        let columns = names.iter().map(String::as_str).zip(fields);
        let schema = WorkerSchema::new(columns, &self.work.session);
        Feeding { columns: self.work.columns.clone(), schema, beside }
    }
}

display_label!(TableFunctionExec);

impl ExecutionPlan for TableFunctionExec {
    fn name(&self) -> &'static str {
        "TableFunctionExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        let distribution = match (self.work.is_single, self.work.keys.is_empty()) {
            (true, _) => Distribution::SinglePartition,
            (false, true) => Distribution::UnspecifiedDistribution,
            (false, false) => dealt_by(&self.input.schema(), &self.work.keys),
        };
        InputDistributionRequirements::new(vec![distribution])
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![sorted_by(&self.input.schema(), &self.work.keys, &self.work.order)]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    no_expressions!();

    one_input!();

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let speaker = Speaker::of(&context, partition)?;
        let work = &self.work;
        let eval_conf = BTreeMap::from([("input_type".to_owned(), struct_json(&work.argument_types))]);
        let request = Request::of_table_function(&work.session, &speaker.task, &work.command, &eval_conf, &work.call);
        let failure = InputFailure::default();
        let rows = failure.watch(self.input.execute(partition, context)?);
        let beside = work.lateral.map(|lateral| Beside { lateral, rows: Arc::default() });
        let feeding = self.feeding(beside.clone());
        let (session, heard) = (Arc::clone(&work.session), failure.clone());
        let answers = unless_empty(rows, failure, move |rows| {
            speaker.converse(session, request, heard, move |input| feeding.feed(rows, input))
        });
        let schema = self.schema();
        let kept = work.lateral.map_or(0, |lateral| lateral.kept);
        let own = Arc::new(Schema::new(schema.fields()[kept..].to_vec()));
        let output = Arc::clone(&schema);
        let batches = answers.map(move |batch| {
            let batch = batch?;
            let (fields, columns) = unwrapped(&batch)?;
            let made = conformed("the table function", &fields, columns, batch.num_rows(), &own)?;
            match &beside {
                Some(beside) => beside.join(&made, &output),
                None => Ok(made),
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&schema), gathered(batches.boxed(), &schema))))
    }
}

struct Feeding {
    columns: Vec<usize>,
    schema: WorkerSchema,
    beside: Option<Beside>,
}

impl Feeding {
    async fn feed(self, mut rows: BoxStream<'static, Result<RecordBatch>>, mut input: Input) -> Result<Sent> {
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            if batch.num_rows() == 0 {
                continue;
            }
            let values: Vec<ArrayRef> = self.columns.iter().map(|place| batch.column(*place).clone()).collect();
            let values = self.schema.batch(&values, batch.num_rows())?;
            if let Some(beside) = &self.beside {
                beside.push(batch);
            }
            for piece in self.schema.pieces(&values) {
                input.batch(&piece).await.map_err(external)?;
            }
        }
        input.finish(&self.schema.schema).await.map_err(external)
    }
}

/// The rows that a function was called for, in the order of its answers: one batch a row, at the end maybe more.
#[derive(Clone)]
struct Beside {
    lateral: Lateral,
    rows: Arc<Mutex<Rows>>,
}

#[derive(Default)]
struct Rows {
    batches: VecDeque<RecordBatch>,
    /// Rows of the first batch that have had their answer.
    answered: usize,
}

impl Beside {
    fn push(&self, batch: RecordBatch) {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).batches.push_back(batch);
    }

    /// The row that the next answer belongs to; the last row where there is no further one.
    fn next(&self) -> Option<RecordBatch> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        while rows.batches.len() > 1 && rows.batches.front().is_some_and(|batch| rows.answered == batch.num_rows()) {
            rows.batches.pop_front();
            rows.answered = 0;
        }
        let first = rows.batches.front()?.clone();
        let row = rows.answered.min(first.num_rows().saturating_sub(1));
        rows.answered = row + 1;
        Some(first.slice(row, 1))
    }

    fn join(&self, made: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
        let Some(row) = self.next() else { return internal_err!("a table function answered before it was asked") };
        let kept: Vec<usize> = (0..self.lateral.kept).collect();
        let row = row.project(&kept)?;
        let is_kept_alone = made.num_rows() == 0 && self.lateral.is_outer;
        let count = if is_kept_alone { 1 } else { made.num_rows() };
        let row = take_record_batch(&row, &UInt32Array::from(vec![0; count]))?;
        let mut columns = row.columns().to_vec();
        match is_kept_alone {
            true => columns.extend(made.columns().iter().map(|column| new_null_array(column.data_type(), 1))),
            false => columns.extend(made.columns().iter().cloned()),
        }
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }
}
