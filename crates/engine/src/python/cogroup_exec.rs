//! [`CoGroupExec`]: a function over the groups of two inputs, in a task.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, OrderingRequirements, Partitioning};
use datafusion::physical_plan::execution_plan::{EmissionType, ExecutionPlanProperties};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, InputDistributionRequirements, PlanProperties, ReplaceChildrenOptions};
use firesteel_python::{Argument, Input, Request, Sent, Udf};
use futures::StreamExt;
use futures::stream::BoxStream;

use super::batches::{WorkerSchema, conformed, unwrapped};
use super::cogroup::{CoGroupSide, CoGroupWork};
use super::converse::{InputFailure, Speaker, external};
use super::group_exec::{dealt_by, sorted_by};
use super::groups::{Group, Grouper};
use super::pending::gathered;
use crate::exec::{display_label, no_expressions};

/// A function over the groups of two inputs with equal keys.
#[derive(Debug)]
pub struct CoGroupExec {
    left: Arc<dyn ExecutionPlan>,
    right: Arc<dyn ExecutionPlan>,
    work: Arc<CoGroupWork>,
    properties: Arc<PlanProperties>,
}

impl CoGroupExec {
    /// The work over two inputs that come sorted, equal keys in the same partition.
    pub fn new(
        left: Arc<dyn ExecutionPlan>,
        right: Arc<dyn ExecutionPlan>,
        work: Arc<CoGroupWork>,
        schema: SchemaRef,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(left.output_partitioning().partition_count()),
            EmissionType::Incremental,
            left.boundedness(),
        );
        Self { left, right, work, properties: Arc::new(properties) }
    }

    /// What is done with the groups.
    pub fn work(&self) -> &CoGroupWork {
        &self.work
    }

    fn label(&self) -> String {
        format!("CoGroupExec: {}", self.work.command.name)
    }

    fn over(&self, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Arc<dyn ExecutionPlan> {
        let right = children.pop().unwrap_or_else(|| Arc::clone(&self.right));
        let left = children.pop().unwrap_or_else(|| Arc::clone(&self.left));
        Arc::new(Self::new(left, right, Arc::clone(&self.work), self.schema()))
    }

    fn request(&self, speaker: &Speaker) -> Request {
        let offsets = self.work.left.offsets().into_iter().chain(self.work.right.offsets());
        let udf = Udf { arguments: offsets.map(Argument::positional).collect(), chain: vec![&self.work.command] };
        let none = BTreeMap::new();
        let eval_type = self.work.command.eval_type;
        Request::of_udfs(&self.work.session, &speaker.task, eval_type, &none, &none, std::slice::from_ref(&udf))
    }

    fn stream(
        &self,
        input: &Arc<dyn ExecutionPlan>,
        side: &CoGroupSide,
        partition: usize,
        context: &Arc<TaskContext>,
        failure: &InputFailure,
    ) -> Result<Side> {
        let schema = input.schema();
        let columns = side.names.iter().map(String::as_str).zip(schema.fields().iter().map(AsRef::as_ref));
        Ok(Side {
            schema: WorkerSchema::new(columns, &self.work.session),
            grouper: Grouper::try_new(&schema, &side.keys)?,
            rows: failure.watch(input.execute(partition, Arc::clone(context))?),
            next: None,
        })
    }
}

display_label!(CoGroupExec);

impl ExecutionPlan for CoGroupExec {
    fn name(&self) -> &'static str {
        "CoGroupExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.left, &self.right]
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        let left = dealt_by(&self.left.schema(), &self.work.left.keys);
        let right = dealt_by(&self.right.schema(), &self.work.right.keys);
        InputDistributionRequirements::co_partitioned(vec![left, right])
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        let left = sorted_by(&self.left.schema(), &self.work.left.keys, &[]);
        vec![left, sorted_by(&self.right.schema(), &self.work.right.keys, &[])]
    }

    no_expressions!();

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self.over(children))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self.over(children))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let speaker = Speaker::of(&context, partition)?;
        let request = self.request(&speaker);
        let failure = InputFailure::default();
        let left = self.stream(&self.left, &self.work.left, partition, &context, &failure)?;
        let right = self.stream(&self.right, &self.work.right, partition, &context, &failure)?;
        let session = Arc::clone(&self.work.session);
        let answers = speaker.converse(session, request, failure, move |input| feed(left, right, input));
        let schema = self.schema();
        let output = Arc::clone(&schema);
        let batches = answers.map(move |batch| {
            let batch = batch?;
            let (fields, columns) = unwrapped(&batch)?;
            conformed("the function of a cogroup", &fields, columns, batch.num_rows(), &output)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&schema), gathered(batches.boxed(), &schema))))
    }
}

/// The groups of one input.
struct Side {
    schema: WorkerSchema,
    grouper: Grouper,
    rows: BoxStream<'static, Result<RecordBatch>>,
    next: Option<Group>,
}

impl Side {
    async fn advance(&mut self) -> Result<()> {
        self.next = self.grouper.next(&mut self.rows).await?;
        Ok(())
    }

    /// The group as a worker sees it, if there is one of the key.
    fn frame(&self, wanted: bool) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        let group = self.next.as_ref().filter(|_| wanted);
        let batches = group.into_iter().flat_map(|group| &group.batches);
        let batches = batches.map(|batch| self.schema.batch(batch.columns(), batch.num_rows()));
        let batches = batches.collect::<Result<Vec<_>>>()?;
        let mut pieces: Vec<_> = batches.iter().flat_map(|batch| self.schema.pieces(batch)).collect();
        if pieces.is_empty() {
            // Without a batch a worker would know nothing of the columns.
            pieces.push(RecordBatch::new_empty(Arc::clone(&self.schema.schema)));
        }
        Ok((Arc::clone(&self.schema.schema), pieces))
    }
}

async fn feed(mut left: Side, mut right: Side, mut input: Input) -> Result<Sent> {
    left.advance().await?;
    right.advance().await?;
    loop {
        let order = match (&left.next, &right.next) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(l), Some(r)) => l.key.as_ref().map(|key| key.row()).cmp(&r.key.as_ref().map(|key| key.row())),
        };
        let frames = [left.frame(order.is_le())?, right.frame(order.is_ge())?];
        input.group(&frames).await.map_err(external)?;
        if order.is_le() {
            left.advance().await?;
        }
        if order.is_ge() {
            right.advance().await?;
        }
    }
    input.finish_groups().await.map_err(external)
}
