//! The physical node of a write: rows in, one commit out.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use firesteel_model::ids::TaskAttempt;
use firesteel_model::{Result, SparkError};
use futures::StreamExt;

use super::spec::{TaskCommit, WriteJobSpec};
use super::task::TaskWriter;
use crate::error::to_datafusion;
use crate::stores::StoreRegistry;

/// Writes each partition of its child and gives one row: the encoded [`TaskCommit`] and its row count.
///
/// Assumptions: the task's configuration has the [`StoreRegistry`] and the [`TaskAttempt`] as extensions.
/// Errors: after a failure the task's files are removed.
#[derive(Debug)]
pub struct WriteExec {
    child: Arc<dyn ExecutionPlan>,
    spec: Arc<WriteJobSpec>,
    properties: Arc<PlanProperties>,
}

impl WriteExec {
    /// Writes the rows of `child`.
    pub fn new(child: Arc<dyn ExecutionPlan>, spec: Arc<WriteJobSpec>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(output_schema()),
            Partitioning::UnknownPartitioning(child.output_partitioning().partition_count()),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { child, spec, properties: Arc::new(properties) }
    }

    /// What it writes.
    pub fn spec(&self) -> &Arc<WriteJobSpec> {
        &self.spec
    }
}

impl DisplayAs for WriteExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WriteJobSpec { format, url, path, partition_by, .. } = self.spec.as_ref();
        write!(f, "WriteExec: format={}, path={url}{path}, partitionBy={partition_by:?}", format.name())
    }
}

impl ExecutionPlan for WriteExec {
    fn name(&self) -> &str {
        "WriteExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.child]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let [child] =
            <[_; 1]>::try_from(children).map_err(|_| DataFusionError::Internal("a write has one child".to_owned()))?;
        Ok(Arc::new(Self::new(child, Arc::clone(&self.spec))))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> DataFusionResult<SendableRecordBatchStream> {
        let config = context.session_config();
        let stores = config.get_extension::<StoreRegistry>();
        let stores = stores.ok_or_else(|| to_datafusion(SparkError::internal("a task without stores")))?;
        let attempt = config.get_extension::<TaskAttempt>();
        let attempt = attempt.ok_or_else(|| to_datafusion(SparkError::internal("a write outside of a task")))?;
        let rows = self.child.execute(partition, context)?;
        let spec = Arc::clone(&self.spec);
        let task = async move {
            let schema = rows.schema();
            let writer = TaskWriter::new(&stores, spec, &schema, partition, attempt.attempt.0);
            let commit = run(writer.map_err(to_datafusion)?, rows).await?;
            commit_row(&commit).map_err(to_datafusion)
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(output_schema(), futures::stream::once(task))))
    }
}

async fn run(mut writer: TaskWriter, mut rows: SendableRecordBatchStream) -> DataFusionResult<TaskCommit> {
    let failure = loop {
        match rows.next().await {
            None => match writer.finish().await {
                Ok(commit) => return Ok(commit),
                Err(error) => break to_datafusion(error),
            },
            Some(Err(error)) => break error,
            Some(Ok(batch)) => {
                if let Err(error) = writer.write(&batch).await {
                    break to_datafusion(error);
                }
            }
        }
    };
    writer.abort().await;
    Err(failure)
}

fn output_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("commit", DataType::Binary, false),
        Field::new("rows", DataType::Int64, false),
    ]))
}

fn commit_row(commit: &TaskCommit) -> Result<RecordBatch> {
    let encoded: ArrayRef = Arc::new(BinaryArray::from(vec![commit.encode()?.as_slice()]));
    let rows: ArrayRef = Arc::new(Int64Array::from(vec![i64::try_from(commit.rows).unwrap_or(i64::MAX)]));
    RecordBatch::try_new(output_schema(), vec![encoded, rows]).map_err(crate::error::from_arrow)
}

/// The commits in the rows that write tasks gave.
pub fn commits_in(batch: &RecordBatch) -> Result<Vec<TaskCommit>> {
    let encoded = batch.column(0).as_binary_opt::<i32>();
    let encoded = encoded.ok_or_else(|| SparkError::internal("no commits in the output of a write"))?;
    (0..encoded.len()).map(|row| TaskCommit::decode(encoded.value(row))).collect()
}
