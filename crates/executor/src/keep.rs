//! Jobs whose rows stay in the shuffle store, for caches.
//!
//! ```text
//!   KeepPlan --all outputs, or some--> a job --> KeptRows: outputs that stay until it is dropped
//! ```

use std::sync::{Arc, Mutex};

use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use firesteel_engine::error::spark_error;
use firesteel_engine::settings::ExecutionSettings;
use firesteel_engine::stages::{self, Stage, StageGraph};
use firesteel_model::Result;
use firesteel_model::ids::TaskAttempt;
use firesteel_shuffle::{Hold, MapOutput, Residence};

use crate::cluster::{JobOptions, LocalCluster};
use crate::results::JobStream;

/// A plan whose rows are to stay.
#[derive(Clone, Debug)]
pub struct KeepPlan {
    graph: StageGraph,
    /// How many outputs it leaves, if each of them can be computed by itself.
    pub outputs: Option<usize>,
    /// Whether an output needs nothing but what lies under it: no stage comes before.
    pub is_narrow: bool,
}

/// Rows that lie in the shuffle store until this is dropped.
#[derive(Debug)]
pub struct KeptRows {
    /// The outputs of the tasks, in order.
    pub outputs: Vec<MapOutput>,
    /// Dropping it throws the rows away.
    _job: Mutex<JobStream>,
}

impl KeptRows {
    pub(crate) fn new(outputs: Vec<MapOutput>, job: JobStream) -> Self {
        Self { outputs, _job: Mutex::new(job) }
    }
}

impl LocalCluster {
    /// Cuts a plan whose rows are to stay. Where outputs may be lost, `is_fixed` has their number follow from the plan
    /// and not from the sizes that turn up.
    pub fn keep_plan(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        settings: &mut ExecutionSettings,
        is_fixed: bool,
    ) -> Result<KeepPlan> {
        self.limit_joins(settings);
        let mut graph = stages::cut(without_limit(plan)?, settings).map_err(spark_error)?;
        let is_narrow = graph.stages.len() == 1;
        if is_fixed && !is_narrow {
            graph.fix_result().map_err(spark_error)?;
        }
        let is_known = (is_fixed || is_narrow) && graph.is_determinate();
        let outputs = graph.result().map(Stage::tasks).filter(|_| is_known);
        Ok(KeepPlan { graph, outputs, is_narrow })
    }

    /// Runs a job to its end and leaves its rows in the shuffle store: those of all outputs or of the chosen ones.
    pub async fn keep(
        &self,
        plan: KeepPlan,
        chosen: Option<Vec<usize>>,
        residence: Residence,
        options: JobOptions,
    ) -> Result<(KeptRows, Vec<Hold>)> {
        let KeepPlan { mut graph, .. } = plan;
        if let Some(chosen) = chosen {
            graph.choose(chosen);
        }
        let options = JobOptions { keeps_rows: true, ..options };
        let rows = self.start_job(graph, options).await?.kept().await?;
        let holds = rows.outputs.iter().map(|output| self.shuffle().retain(output.attempt, residence)).collect();
        Ok((rows, holds))
    }

    /// Holds an output that stays, for whoever is about to read it; none if it is lost.
    pub fn hold(&self, output: TaskAttempt) -> Option<Hold> {
        self.shuffle().hold(output)
    }
}

/// A limit on top would be the reader's affair, and here everybody reads.
fn without_limit(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = plan.schema();
    let columns = schema.fields().iter().enumerate().map(|(index, field)| {
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), index));
        (column, field.name().clone())
    });
    let columns = columns.collect::<Vec<_>>();
    Ok(Arc::new(ProjectionExec::try_new(columns, plan).map_err(spark_error)?))
}
