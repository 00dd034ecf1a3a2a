//! [`CachedScanExec`]: rows that an earlier job left in the shuffle store for later queries.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning};
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties};
use firesteel_shuffle::MapOutput;
use futures::{StreamExt, TryStreamExt};

use super::{display_label, no_input};
use crate::task::TaskEnvironment;

/// Where cached rows lie, and what keeps them there.
#[derive(Clone)]
pub struct CachedRows {
    /// One partition of one output for each partition of the rows.
    pub partitions: Arc<Vec<MapOutput>>,
    /// The rows go when nobody holds it any more.
    pub keeper: Arc<dyn Any + Send + Sync>,
}

impl fmt::Debug for CachedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CachedRows({} partitions)", self.partitions.len())
    }
}

/// Reads cached rows. Without rows it can be shown and not be run.
#[derive(Clone, Debug)]
pub struct CachedScanExec {
    rows: Option<CachedRows>,
    name: String,
    stored: SchemaRef,
    columns: Option<Vec<usize>>,
    properties: Arc<PlanProperties>,
}

impl CachedScanExec {
    /// Some columns of rows, whose schema in the store is `stored`; `name` is shown to people.
    pub fn try_new(
        rows: Option<CachedRows>,
        name: String,
        stored: SchemaRef,
        columns: Option<Vec<usize>>,
    ) -> Result<Self> {
        let schema = match &columns {
            Some(columns) => Arc::new(stored.project(columns)?),
            None => Arc::clone(&stored),
        };
        let partitions = rows.as_ref().map_or(1, |rows| rows.partitions.len().max(1));
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self { rows, name, stored, columns, properties: Arc::new(properties) })
    }

    /// The rows, the name, the schema in the store, and which of its columns are read.
    pub(crate) fn parts(&self) -> (Option<&CachedRows>, &str, &SchemaRef, Option<&Vec<usize>>) {
        (self.rows.as_ref(), &self.name, &self.stored, self.columns.as_ref())
    }

    fn label(&self) -> String {
        let fields: Vec<_> = self.schema().fields().iter().map(|field| field.name().clone()).collect();
        format!("InMemoryTableScan [{}], InMemoryRelation {}", fields.join(", "), self.name)
    }
}

display_label!(CachedScanExec);

impl ExecutionPlan for CachedScanExec {
    fn name(&self) -> &'static str {
        "CachedScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    no_input!();

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let environment = TaskEnvironment::of(&context)?;
        let output = self.rows.as_ref().and_then(|rows| rows.partitions.get(partition)).cloned();
        // Without partitions there are no rows.
        let rows = environment.store.read(&self.stored, output.into_iter().collect());
        let columns = self.columns.clone();
        let rows = rows.map_err(|error| DataFusionError::External(Box::new(error))).map(move |batch| {
            let batch = batch?;
            Ok::<_, DataFusionError>(match &columns {
                Some(columns) => batch.project(columns)?,
                None => batch,
            })
        });
        Ok(make_cooperative(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows))))
    }

    fn child_stats_requests(&self, _partition: Option<usize>) -> Vec<ChildStats> {
        Vec::new()
    }

    fn statistics_from_inputs(
        &self,
        _input_stats: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema());
        if let Some(rows) = &self.rows {
            let wanted = |index: &usize| args.partition().is_none_or(|partition| partition == *index);
            let outputs = rows.partitions.iter().enumerate().filter(|(index, _)| wanted(index));
            let (count, bytes) =
                outputs.fold((0, 0), |(rows, bytes), (_, output)| (rows + output.rows(), bytes + output.bytes()));
            let width = self.schema().fields().len() as u64;
            let bytes = bytes * width / (self.stored.fields().len() as u64).max(1);
            statistics.num_rows = Precision::Exact(usize::try_from(count).unwrap_or(usize::MAX));
            statistics.total_byte_size = Precision::Inexact(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        Ok(Arc::new(statistics))
    }
}
