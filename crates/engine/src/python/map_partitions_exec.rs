//! [`MapPartitionsExec`]: `mapInPandas`, `mapInArrow` in a task.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, LexOrdering, OrderingRequirements, Partitioning};
use datafusion::physical_plan::execution_plan::{EmissionType, ExecutionPlanProperties};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, InputDistributionRequirements, PlanProperties};
use firesteel_python::{Argument, EvalType, PythonCommand, PythonSession, Request, Udf};
use futures::StreamExt;

use super::batches::{WorkerSchema, conformed, unwrapped, wrapped, wrapped_schema};
use super::converse::{InputFailure, Speaker, external};
use crate::exec::{display_label, no_expressions, one_input};

/// A function over the batches of each partition.
#[derive(Debug)]
pub struct MapPartitionsExec {
    input: Arc<dyn ExecutionPlan>,
    names: Vec<String>,
    command: Arc<PythonCommand>,
    session: Arc<PythonSession>,
    order: Option<InputOrder>,
    properties: Arc<PlanProperties>,
}

/// The order in which the function must see its rows, because the user sorted them.
#[derive(Clone, Debug)]
pub struct InputOrder {
    /// Of each partition.
    pub ordering: LexOrdering,
    /// Whether it is one order of all rows.
    pub is_global: bool,
}

impl InputOrder {
    /// The order that a plan has.
    pub fn of(plan: &Arc<dyn ExecutionPlan>) -> Option<Self> {
        let is_global = plan.output_partitioning().partition_count() == 1;
        Some(Self { ordering: plan.output_ordering()?.clone(), is_global })
    }
}

impl MapPartitionsExec {
    /// The function over an input whose columns the user calls by these names.
    pub fn new(
        input: Arc<dyn ExecutionPlan>,
        names: Vec<String>,
        command: Arc<PythonCommand>,
        session: Arc<PythonSession>,
        order: Option<InputOrder>,
        schema: SchemaRef,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            EmissionType::Incremental,
            input.boundedness(),
        );
        Self { input, names, command, session, order, properties: Arc::new(properties) }
    }

    /// What the user calls the columns of the input.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The function.
    pub fn command(&self) -> &PythonCommand {
        &self.command
    }

    /// The function's session.
    pub fn session(&self) -> &Arc<PythonSession> {
        &self.session
    }

    /// The order in which it must see its rows.
    pub fn order(&self) -> Option<&InputOrder> {
        self.order.as_ref()
    }

    fn label(&self) -> String {
        format!("MapPartitionsExec: {}", self.command.name)
    }

    fn operation(&self) -> &'static str {
        if self.command.eval_type == EvalType::MAP_ARROW_ITER { "mapInArrow" } else { "mapInPandas" }
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        let (names, command) = (self.names.clone(), Arc::clone(&self.command));
        Self::new(input, names, command, Arc::clone(&self.session), self.order.clone(), self.schema())
    }
}

display_label!(MapPartitionsExec);

impl ExecutionPlan for MapPartitionsExec {
    fn name(&self) -> &'static str {
        "MapPartitionsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        let is_global = self.order.as_ref().is_some_and(|order| order.is_global);
        InputDistributionRequirements::new(vec![match is_global {
            true => Distribution::SinglePartition,
            false => Distribution::UnspecifiedDistribution,
        }])
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![self.order.as_ref().map(|order| OrderingRequirements::from(order.ordering.clone()))]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    no_expressions!();

    one_input!();

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let speaker = Speaker::of(&context, partition)?;
        let udf = Udf { arguments: vec![Argument::positional(0)], chain: vec![&self.command] };
        let none = BTreeMap::new();
        let request = Request::of_udfs(
            &self.session,
            &speaker.task,
            self.command.eval_type,
            &none,
            &none,
            std::slice::from_ref(&udf),
        );
        let fields = self.input.schema();
        let columns = self.names.iter().map(String::as_str).zip(fields.fields().iter().map(AsRef::as_ref));
        let worker_schema = WorkerSchema::new(columns, &self.session);
        let failure = InputFailure::default();
        let mut rows = failure.watch(self.input.execute(partition, context)?);
        let feed = move |mut input: firesteel_python::Input| async move {
            while let Some(batch) = rows.next().await {
                let batch = batch?;
                let batch = worker_schema.batch(batch.columns(), batch.num_rows())?;
                for piece in worker_schema.pieces(&batch).iter().filter(|piece| piece.num_rows() > 0) {
                    input.batch(&wrapped(piece)?).await.map_err(external)?;
                }
            }
            input.finish(&wrapped_schema(&worker_schema.schema)).await.map_err(external)
        };
        let answers = speaker.converse(Arc::clone(&self.session), request, failure, feed);
        let (schema, operation) = (self.schema(), self.operation());
        let output = Arc::clone(&schema);
        let batches = answers.map(move |batch| {
            let batch = batch?;
            let (fields, columns) = unwrapped(&batch)?;
            conformed(operation, &fields, columns, batch.num_rows(), &output)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }
}
