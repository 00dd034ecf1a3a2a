//! [`PythonScanExec`]: reading a data source written in Python, in a task.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::BinaryArray;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties};
use firesteel_python::{Argument, Input, PythonCommand, PythonSession, READ_INPUT, Request, Udf};
use futures::StreamExt;

use super::batches::{conformed, unwrapped, wrapped};
use super::converse::{InputFailure, Speaker, external};
use crate::exec::{display_label, no_input};

/// The rows of a data source: its function, called with each of the partitions that it named.
#[derive(Debug)]
pub struct PythonScanExec {
    command: Arc<PythonCommand>,
    session: Arc<PythonSession>,
    partitions: Vec<Vec<u8>>,
    properties: Arc<PlanProperties>,
}

impl PythonScanExec {
    /// A read of partitions, each as the source pickled it.
    pub fn new(
        command: Arc<PythonCommand>,
        session: Arc<PythonSession>,
        partitions: Vec<Vec<u8>>,
        schema: SchemaRef,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { command, session, partitions, properties: Arc::new(properties) }
    }

    /// The function.
    pub fn command(&self) -> &PythonCommand {
        &self.command
    }

    /// Its session.
    pub fn session(&self) -> &PythonSession {
        &self.session
    }

    /// What it is called with.
    pub fn partitions(&self) -> &[Vec<u8>] {
        &self.partitions
    }

    fn label(&self) -> String {
        format!("PythonScanExec: {}, partitions={}", self.command.name, self.partitions.len())
    }

    /// One row that holds the partition.
    fn input(&self, partition: usize) -> Result<RecordBatch> {
        let schema = Schema::new(vec![Field::new(READ_INPUT, DataType::Binary, true)]);
        let value = self.partitions.get(partition).map(Vec::as_slice);
        wrapped(&RecordBatch::try_new(Arc::new(schema), vec![Arc::new(BinaryArray::from(vec![value]))])?)
    }
}

display_label!(PythonScanExec);

impl ExecutionPlan for PythonScanExec {
    fn name(&self) -> &'static str {
        "PythonScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    no_input!();

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let speaker = Speaker::of(&context, partition)?;
        let udf = Udf { arguments: vec![Argument::positional(0)], chain: vec![&self.command] };
        let none = BTreeMap::new();
        let (eval_type, udfs) = (self.command.eval_type, std::slice::from_ref(&udf));
        let request = Request::of_udfs(&self.session, &speaker.task, eval_type, &none, &none, udfs);
        let row = self.input(partition)?;
        let feed = move |mut input: Input| async move {
            input.batch(&row).await.map_err(external)?;
            input.finish(&row.schema()).await.map_err(external)
        };
        let answers = speaker.converse(Arc::clone(&self.session), request, InputFailure::default(), feed);
        let schema = self.schema();
        let output = Arc::clone(&schema);
        let batches = answers.map(move |batch| {
            let batch = batch?;
            let (fields, columns) = unwrapped(&batch)?;
            conformed("a Python data source", &fields, columns, batch.num_rows(), &output)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }
}
