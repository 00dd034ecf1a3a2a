//! [`EvaluateExec`]: Python functions of one value a row, in a task.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{EmissionType, ExecutionPlanProperties, apply_expression_roots};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties};
use firesteel_python::{EvalType, Input, Request, Sent, Udf};
use futures::StreamExt;
use futures::stream::BoxStream;

use super::batches::WorkerSchema;
use super::converse::{InputFailure, Speaker, external, unless_empty};
use super::evaluate::Evaluation;
use super::pending::Pending;
use crate::exec::{display_label, in_order, one_input};

/// Adds columns that Python functions compute.
#[derive(Debug)]
pub struct EvaluateExec {
    input: Arc<dyn ExecutionPlan>,
    arguments: Vec<Arc<dyn PhysicalExpr>>,
    evaluation: Evaluation,
    properties: Arc<PlanProperties>,
}

impl EvaluateExec {
    /// The input's columns, then those that are computed of the arguments.
    pub fn new(input: Arc<dyn ExecutionPlan>, arguments: Vec<Arc<dyn PhysicalExpr>>, evaluation: Evaluation) -> Self {
        let own = input.schema();
        let added = evaluation.columns.iter().map(|column| Arc::clone(&column.field));
        let schema = Arc::new(Schema::new(own.fields().iter().cloned().chain(added).collect::<Vec<_>>()));
        // Rows stay where they are, and so do the columns that they are sorted by.
        let orderings = input.equivalence_properties().oeq_class().iter().cloned();
        let properties = PlanProperties::new(
            EquivalenceProperties::new_with_orderings(schema, orderings),
            input.output_partitioning().clone(),
            EmissionType::Incremental,
            input.boundedness(),
        );
        Self { input, arguments, evaluation, properties: Arc::new(properties) }
    }

    /// The functions' arguments.
    pub fn arguments(&self) -> &[Arc<dyn PhysicalExpr>] {
        &self.arguments
    }

    /// What is computed of them.
    pub fn evaluation(&self) -> &Evaluation {
        &self.evaluation
    }

    fn label(&self) -> String {
        format!("EvaluateExec: {}", self.evaluation)
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(input, self.arguments.clone(), self.evaluation.clone())
    }

    fn request(&self, speaker: &Speaker) -> Request {
        let udfs = self.evaluation.columns.iter().map(|column| Udf {
            arguments: column.arguments.clone(),
            chain: column.chain.iter().map(AsRef::as_ref).collect(),
        });
        let udfs: Vec<Udf<'_>> = udfs.collect();
        let (session, eval_type) = (&self.evaluation.session, self.evaluation.eval_type);
        let mut eval_conf = BTreeMap::new();
        if eval_type == EvalType::ARROW_BATCHED {
            eval_conf.insert("input_type".to_owned(), struct_json(&self.evaluation.argument_types));
        }
        Request::of_udfs(session, &speaker.task, eval_type, &BTreeMap::new(), &eval_conf, &udfs)
    }

    /// The arguments as the worker sees them.
    fn worker_schema(&self) -> Result<WorkerSchema> {
        let own = self.input.schema();
        let fields = self.arguments.iter().map(|argument| argument.return_field(&own)).collect::<Result<Vec<_>>>()?;
        let names: Vec<String> = (0..fields.len()).map(|index| format!("_{index}")).collect();
        let columns = names.iter().map(String::as_str).zip(fields.iter().map(|field| field.as_ref()));
        Ok(WorkerSchema::new(columns, &self.evaluation.session))
    }
}

/// A struct of columns `_0`, `_1` .. of these types, as Spark writes it.
pub(super) fn struct_json(types: &[String]) -> String {
    let field = |(index, type_json): (usize, &String)| {
        format!(r#"{{"name":"_{index}","type":{type_json},"nullable":true,"metadata":{{}}}}"#)
    };
    let fields: Vec<String> = types.iter().enumerate().map(field).collect();
    format!(r#"{{"type":"struct","fields":[{}]}}"#, fields.join(","))
}

display_label!(EvaluateExec);

impl ExecutionPlan for EvaluateExec {
    fn name(&self) -> &'static str {
        "EvaluateExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    in_order!();

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(&self.arguments, f)
    }

    one_input!();

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let speaker = Speaker::of(&context, partition)?;
        let request = self.request(&speaker);
        let pending = Pending::new("EvaluateExec", &context);
        let failure = InputFailure::default();
        let rows = failure.watch(self.input.execute(partition, context)?);
        let feeding =
            Feeding { arguments: self.arguments.clone(), schema: self.worker_schema()?, pending: pending.clone() };
        let session = Arc::clone(&self.evaluation.session);
        let heard = failure.clone();
        let answers = unless_empty(rows, failure, move |rows| {
            speaker.converse(session, request, heard, move |input| feeding.feed(rows, input))
        });
        let kept = self.input.schema().fields().len();
        let batches = pending.joined(answers, self.schema(), kept);
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }
}

/// Gives a worker the arguments of every row.
struct Feeding {
    arguments: Vec<Arc<dyn PhysicalExpr>>,
    schema: WorkerSchema,
    pending: Pending,
}

impl Feeding {
    async fn feed(self, mut rows: BoxStream<'static, Result<RecordBatch>>, mut input: Input) -> Result<Sent> {
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            if batch.num_rows() == 0 {
                continue;
            }
            let value = |argument: &Arc<dyn PhysicalExpr>| argument.evaluate(&batch)?.into_array(batch.num_rows());
            let values = self.arguments.iter().map(value).collect::<Result<Vec<_>>>()?;
            let values = self.schema.batch(&values, batch.num_rows())?;
            self.pending.push(batch)?;
            for piece in self.schema.pieces(&values) {
                input.batch(&piece).await.map_err(external)?;
            }
        }
        input.finish(&self.schema.schema).await.map_err(external)
    }
}
