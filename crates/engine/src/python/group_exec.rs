//! [`GroupExec`]: functions over groups of rows, in a task.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, UInt64Array};
use arrow::compute::{SortOptions, concat, concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::WindowFrame;
use datafusion::logical_expr::window_state::WindowFrameContext;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{
    Distribution, EquivalenceProperties, LexOrdering, OrderingRequirements, Partitioning, PhysicalExpr,
    PhysicalSortExpr,
};
use datafusion::physical_plan::execution_plan::{EmissionType, ExecutionPlanProperties};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, InputDistributionRequirements, PlanProperties};
use firesteel_python::{Input, Request, Sent, Udf};
use futures::StreamExt;
use futures::stream::BoxStream;

use super::batches::{WorkerSchema, conformed, unwrapped, wrapped, wrapped_schema};
use super::converse::{InputFailure, Speaker, external, unless_empty};
use super::group::{GroupResult, GroupWork};
use super::groups::{Bundle, Grouper};
use super::pending::{Pending, gathered};
use crate::exec::{display_label, no_expressions, one_input};

/// The setting that tells a worker which functions get their frames' bounds.
const BOUND_TYPES: &str = "window_bound_types";

/// Functions over groups of rows.
#[derive(Debug)]
pub struct GroupExec {
    input: Arc<dyn ExecutionPlan>,
    work: Arc<GroupWork>,
    properties: Arc<PlanProperties>,
}

impl GroupExec {
    /// The work over an input that comes sorted.
    pub fn new(input: Arc<dyn ExecutionPlan>, work: Arc<GroupWork>, schema: SchemaRef) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            EmissionType::Incremental,
            input.boundedness(),
        );
        Self { input, work, properties: Arc::new(properties) }
    }

    /// What is done with the groups.
    pub fn work(&self) -> &GroupWork {
        &self.work
    }

    fn label(&self) -> String {
        format!("GroupExec: {}", self.work)
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(input, Arc::clone(&self.work), self.schema())
    }

    fn request(&self, speaker: &Speaker) -> Request {
        let (mut udfs, mut conf) = (Vec::new(), BTreeMap::new());
        let frames: &[Arc<WindowFrame>] = match &self.work.result {
            GroupResult::EachRow { frames, .. } => frames,
            _ => &[],
        };
        let kinds: Vec<&str> =
            frames.iter().map(|frame| if is_whole(frame) { "unbounded" } else { "bounded" }).collect();
        if !kinds.is_empty() {
            conf.insert(BOUND_TYPES.to_owned(), kinds.join(","));
        }
        for function in &self.work.functions {
            udfs.push(Udf { arguments: function.arguments.clone(), chain: vec![&function.command] });
        }
        let (session, eval_type) = (&self.work.session, self.work.eval_type);
        Request::of_udfs(session, &speaker.task, eval_type, &conf, &BTreeMap::new(), &udfs)
    }
}

/// A frame that is always the whole partition.
pub(super) fn is_whole(frame: &WindowFrame) -> bool {
    frame.start_bound.is_unbounded() && frame.end_bound.is_unbounded()
}

/// Columns of a plan by place.
pub(super) fn columns_at(schema: &SchemaRef, places: &[usize]) -> Vec<Arc<dyn PhysicalExpr>> {
    let column = |place: &usize| Arc::new(Column::new(schema.field(*place).name(), *place)) as Arc<dyn PhysicalExpr>;
    places.iter().map(column).collect()
}

/// How rows must be sorted for their groups to be together, and for each group to be in order.
pub(super) fn sorted_by(
    schema: &SchemaRef,
    keys: &[usize],
    order: &[(usize, SortOptions)],
) -> Option<OrderingRequirements> {
    let options = keys.iter().map(|key| (*key, SortOptions::default())).chain(order.iter().copied());
    let sort = |(place, options): (usize, SortOptions)| {
        columns_at(schema, &[place]).pop().map(|expr| PhysicalSortExpr { expr, options })
    };
    LexOrdering::new(options.filter_map(sort)).map(OrderingRequirements::from)
}

/// Where rows must be for their groups to be together.
pub(super) fn dealt_by(schema: &SchemaRef, keys: &[usize]) -> Distribution {
    match keys.is_empty() {
        true => Distribution::SinglePartition,
        false => Distribution::KeyPartitioned(columns_at(schema, keys)),
    }
}

display_label!(GroupExec);

impl ExecutionPlan for GroupExec {
    fn name(&self) -> &'static str {
        "GroupExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![dealt_by(&self.input.schema(), &self.work.keys)])
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![sorted_by(&self.input.schema(), &self.work.keys, &self.work.order)]
    }

    no_expressions!();

    one_input!();

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let speaker = Speaker::of(&context, partition)?;
        let request = self.request(&speaker);
        let pending = Pending::new("GroupExec", &context);
        let failure = InputFailure::default();
        let rows = failure.watch(self.input.execute(partition, context)?);
        let feeding = Feeding::try_new(&self.work, &self.input.schema(), pending.clone())?;
        let session = Arc::clone(&self.work.session);
        let heard = failure.clone();
        let answers = unless_empty(rows, failure, move |rows| {
            speaker.converse(session, request, heard, move |input| feeding.feed(rows, input))
        });
        let schema = self.schema();
        let batches = match &self.work.result {
            GroupResult::Rows => {
                let output = Arc::clone(&schema);
                let own_rows = move |batch: Result<RecordBatch>| {
                    let batch = batch?;
                    let (fields, columns) = unwrapped(&batch)?;
                    conformed("the function of a group", &fields, columns, batch.num_rows(), &output)
                };
                answers.map(own_rows).boxed()
            }
            GroupResult::OneRow => pending.joined(answers, Arc::clone(&schema), self.work.keys.len()),
            GroupResult::EachRow { kept, .. } => pending.joined(answers, Arc::clone(&schema), *kept),
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&schema), gathered(batches, &schema))))
    }
}

/// Where groups of these lengths begin, one after the other.
fn begins(lengths: &[usize]) -> impl Iterator<Item = usize> {
    lengths.iter().scan(0, |next, rows| Some(std::mem::replace(next, *next + *rows)))
}

/// Gives a worker its groups.
struct Feeding {
    work: Arc<GroupWork>,
    grouper: Grouper,
    input_schema: SchemaRef,
    worker_schema: WorkerSchema,
    pending: Pending,
}

impl Feeding {
    fn try_new(work: &Arc<GroupWork>, input_schema: &SchemaRef, pending: Pending) -> Result<Self> {
        let bound = Field::new("bound", DataType::Int32, false);
        let bounds = match &work.result {
            GroupResult::EachRow { frames, .. } => frames.iter().filter(|frame| !is_whole(frame)).count() * 2,
            _ => 0,
        };
        let sent = work.columns.iter().map(|(place, name)| (name.as_str(), input_schema.field(*place)));
        let columns = std::iter::repeat_n(("bound", &bound), bounds).chain(sent);
        Ok(Self {
            grouper: Grouper::try_new(input_schema, &work.keys)?,
            worker_schema: WorkerSchema::new(columns, &work.session),
            input_schema: Arc::clone(input_schema),
            work: Arc::clone(work),
            pending,
        })
    }

    async fn feed(mut self, mut rows: BoxStream<'static, Result<RecordBatch>>, mut input: Input) -> Result<Sent> {
        let mut bundle = Bundle::default();
        while let Some(group) = self.grouper.next(&mut rows).await? {
            let goes_along = bundle.is_empty() || (self.work.travel_together() && bundle.has_room_for(&group)?);
            if !goes_along {
                self.send(std::mem::take(&mut bundle), &mut input).await?;
            }
            bundle.add(group)?;
        }
        self.send(bundle, &mut input).await?;
        input.finish_groups().await.map_err(external)
    }

    async fn send(&self, bundle: Bundle, input: &mut Input) -> Result<()> {
        let (lengths, batches) = bundle.joined(&self.input_schema)?;
        let Some(first) = batches.first() else { return Ok(()) };
        let pieces = match &self.work.result {
            GroupResult::Rows => self.all_sent(&batches)?,
            GroupResult::OneRow => {
                self.pending.push(self.keys_of(first, &lengths)?)?;
                self.all_sent(&batches)?
            }
            GroupResult::EachRow { frames, .. } => {
                let whole = concat_batches(&self.input_schema, &batches)?;
                let bounds = self.bounds_of_all(&whole, &lengths, frames)?;
                let sent = self.sent(&whole, bounds)?;
                self.pending.push(whole)?;
                vec![sent]
            }
        };
        let schema = &self.worker_schema.schema;
        let pieces: Vec<_> = pieces.iter().flat_map(|piece| self.worker_schema.pieces(piece)).collect();
        let sent = if self.work.travel_together() {
            input.groups(&lengths, schema, &pieces).await
        } else if self.work.wraps() {
            let pieces = pieces.iter().map(wrapped).collect::<Result<Vec<_>>>()?;
            input.group(&[(wrapped_schema(schema), pieces)]).await
        } else {
            input.group(&[(Arc::clone(schema), pieces)]).await
        };
        sent.map_err(external)
    }

    /// A row for each group, of groups of these lengths.
    fn keys_of(&self, rows: &RecordBatch, lengths: &[usize]) -> Result<RecordBatch> {
        let keys = rows.project(&self.work.keys)?;
        if let [_] = lengths {
            return Ok(keys.slice(0, 1));
        }
        let begins = begins(lengths).map(|row| row as u64);
        Ok(take_record_batch(&keys, &UInt64Array::from_iter_values(begins))?)
    }

    fn all_sent(&self, batches: &[RecordBatch]) -> Result<Vec<RecordBatch>> {
        batches.iter().map(|batch| self.sent(batch, Vec::new())).collect()
    }

    fn sent(&self, batch: &RecordBatch, bounds: Vec<ArrayRef>) -> Result<RecordBatch> {
        let columns = self.work.columns.iter().map(|(place, _)| ArrayRef::clone(batch.column(*place)));
        let columns: Vec<ArrayRef> = bounds.into_iter().chain(columns).collect();
        self.worker_schema.batch(&columns, batch.num_rows())
    }

    /// The frames' bounds of every group's rows, from the beginning of their group.
    fn bounds_of_all(
        &self,
        rows: &RecordBatch,
        lengths: &[usize],
        frames: &[Arc<WindowFrame>],
    ) -> Result<Vec<ArrayRef>> {
        let groups =
            begins(lengths).zip(lengths).map(|(begin, length)| self.bounds(&rows.slice(begin, *length), frames));
        let groups = groups.collect::<Result<Vec<_>>>()?;
        let column = |place: usize| {
            let parts: Vec<&dyn Array> =
                groups.iter().filter_map(|group| group.get(place)).map(AsRef::as_ref).collect();
            Ok(concat(&parts)?)
        };
        (0..groups.first().map_or(0, Vec::len)).map(column).collect()
    }

    /// Begin and end of every row's frame, for each function that does not see the whole partition.
    fn bounds(&self, rows: &RecordBatch, frames: &[Arc<WindowFrame>]) -> Result<Vec<ArrayRef>> {
        let mut bounds: Vec<ArrayRef> = Vec::new();
        let order: Vec<ArrayRef> = self.work.order.iter().map(|(place, _)| rows.column(*place).clone()).collect();
        let options: Vec<SortOptions> = self.work.order.iter().map(|(_, options)| *options).collect();
        let number = |place: usize| i32::try_from(place).unwrap_or(i32::MAX);
        for frame in frames.iter().filter(|frame| !is_whole(frame)) {
            let mut state = WindowFrameContext::new(Arc::clone(frame), options.clone());
            let mut last: Range<usize> = 0..0;
            let (mut begins, mut ends) = (Vec::new(), Vec::new());
            for row in 0..rows.num_rows() {
                last = state.calculate_range(&order, &last, rows.num_rows(), row)?;
                begins.push(number(last.start));
                ends.push(number(last.end));
            }
            bounds.push(Arc::new(Int32Array::from(begins)));
            bounds.push(Arc::new(Int32Array::from(ends)));
        }
        Ok(bounds)
    }
}
