//! Plan nodes that count, fail and produce rows.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use firesteel_engine::codec::{NodeCodec, Reader, Writer};
use firesteel_engine::{no_expressions, no_input, one_input};
use futures::stream;

/// What a [`HookExec`] does before its input runs.
pub(crate) type Hook = Arc<dyn Fn(usize) -> Result<()> + Send + Sync>;

/// Calls a hook with the partition, then passes its input on.
pub(crate) struct HookExec {
    input: Arc<dyn ExecutionPlan>,
    hook: Hook,
}

impl HookExec {
    pub(crate) fn new(
        input: Arc<dyn ExecutionPlan>,
        hook: impl Fn(usize) -> Result<()> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { input, hook: Arc::new(hook) })
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self { input, hook: Arc::clone(&self.hook) }
    }
}

impl fmt::Debug for HookExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HookExec")
    }
}

impl DisplayAs for HookExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HookExec")
    }
}

impl ExecutionPlan for HookExec {
    fn name(&self) -> &'static str {
        "HookExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    no_expressions!();

    one_input!();

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        (self.hook)(partition)?;
        self.input.execute(partition, context)
    }
}

/// Passes its input on; panics when an attempt's copy of it is made, as long as there are trips left.
pub(crate) struct TripwireExec {
    input: Arc<dyn ExecutionPlan>,
    /// Of executors only.
    trips: Option<Arc<AtomicUsize>>,
}

impl TripwireExec {
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>) -> Arc<Self> {
        Arc::new(Self { input, trips: None })
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self { input, trips: self.trips.clone() }
    }
}

impl fmt::Debug for TripwireExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TripwireExec")
    }
}

impl DisplayAs for TripwireExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TripwireExec")
    }
}

impl ExecutionPlan for TripwireExec {
    fn name(&self) -> &'static str {
        "TripwireExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    no_expressions!();

    one_input!();

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        let fewer = |trips: usize| trips.checked_sub(1);
        if let Some(trips) = &self.trips
            && trips.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok()
        {
            panic!("tripped");
        }
        Ok(self)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }
}

/// Brings a [`TripwireExec`] to executors.
#[derive(Debug, Default)]
pub(crate) struct TripwireCodec {
    pub(crate) trips: Arc<AtomicUsize>,
}

impl NodeCodec for TripwireCodec {
    fn name(&self) -> &'static str {
        "tripwire"
    }

    fn encode(&self, node: &Arc<dyn ExecutionPlan>, _: &Writer<'_>) -> Result<Option<Vec<u8>>> {
        Ok(node.downcast_ref::<TripwireExec>().map(|_| Vec::new()))
    }

    fn decode(&self, _: &[u8], children: &[Arc<dyn ExecutionPlan>], _: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(TripwireExec { input: Arc::clone(&children[0]), trips: Some(Arc::clone(&self.trips)) }))
    }
}

/// Gives the numbers from 0, dealt out to its partitions, with a scrambled copy of each.
#[derive(Debug)]
pub(crate) struct NumbersExec {
    per_partition: i64,
    properties: Arc<PlanProperties>,
}

impl NumbersExec {
    pub(crate) fn new(partitions: usize, per_partition: i64) -> Arc<Self> {
        let fields = vec![Field::new("n", DataType::Int64, false), Field::new("scrambled", DataType::Int64, false)];
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Arc::new(Self { per_partition, properties: Arc::new(properties) })
    }
}

impl DisplayAs for NumbersExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NumbersExec")
    }
}

impl ExecutionPlan for NumbersExec {
    fn name(&self) -> &'static str {
        "NumbersExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    no_input!();

    fn execute(&self, partition: usize, _context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        const STEP: i64 = 8192;
        let (schema, first) = (self.schema(), partition as i64 * self.per_partition);
        let end = first + self.per_partition;
        let batches = (first..end).step_by(STEP as usize).map(move |from| {
            let numbers = Int64Array::from_iter_values(from..end.min(from + STEP));
            let scrambled = Int64Array::from_iter_values(numbers.values().iter().map(|n| scramble(*n)));
            Ok(RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(numbers), Arc::new(scrambled)])?)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream::iter(batches.collect::<Vec<_>>()))))
    }
}

/// Another number for every number, in no visible order.
pub(crate) fn scramble(n: i64) -> i64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed()) >> 8
}
