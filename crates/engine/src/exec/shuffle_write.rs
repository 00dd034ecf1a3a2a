//! [`ShuffleWriteExec`]: the top of every stage.

use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ExecutionPlanProperties};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties};
use firesteel_shuffle::{MapWriter, ShuffleError};
use futures::{StreamExt, TryStreamExt, stream};

use super::{display_label, one_input};
use crate::partition::{OutputScheme, Router, Sampler, Scatter};
use crate::task::{TaskEnvironment, TaskOutput};

/// Runs its input and writes the rows to the shuffle store; yields no rows, its result is the task's output record.
#[derive(Debug)]
pub struct ShuffleWriteExec {
    input: Arc<dyn ExecutionPlan>,
    scheme: OutputScheme,
    properties: Arc<PlanProperties>,
}

impl ShuffleWriteExec {
    /// One task for each partition of the input, or one in all for [`OutputScheme::Whole`].
    pub fn new(input: Arc<dyn ExecutionPlan>, scheme: OutputScheme) -> Self {
        let tasks = match scheme {
            OutputScheme::Whole(_) => 1,
            _ => input.output_partitioning().partition_count(),
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(tasks),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { input, scheme, properties: Arc::new(properties) }
    }

    /// What it runs.
    pub fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// How it splits the rows.
    pub fn scheme(&self) -> &OutputScheme {
        &self.scheme
    }

    fn label(&self) -> String {
        format!("ShuffleWriteExec: {}", self.scheme)
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(input, self.scheme.clone())
    }
}

display_label!(ShuffleWriteExec);

impl ExecutionPlan for ShuffleWriteExec {
    fn name(&self) -> &'static str {
        "ShuffleWriteExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.scheme.apply_expressions(f)
    }

    one_input!();

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let environment = TaskEnvironment::of(&context)?;
        let (input, scheme) = (Arc::clone(&self.input), self.scheme.clone());
        let work = async move {
            let sources = match scheme {
                OutputScheme::Whole(count) => (0..count).collect(),
                _ => vec![partition],
            };
            let output = write(&environment, &input, &scheme, sources, &context).await?;
            environment.finish(output);
            Ok::<_, DataFusionError>(stream::empty())
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream::once(work).try_flatten())))
    }
}

async fn write(
    environment: &TaskEnvironment,
    input: &Arc<dyn ExecutionPlan>,
    scheme: &OutputScheme,
    sources: Vec<usize>,
    context: &Arc<TaskContext>,
) -> Result<TaskOutput> {
    let partitions = scheme.partitions();
    let mut writer = environment.store.writer(environment.attempt, input.schema(), partitions).map_err(external)?;
    let mut sampler = match scheme {
        OutputScheme::Sampled(ordering, capacity) => {
            let seed = u64::from(environment.attempt.task.partition.0) + 1;
            Some(Sampler::new(ordering.clone(), *capacity, seed))
        }
        _ => None,
    };
    // Each source is a stream of its own; those of a whole plan share joins and exchanges and must advance together.
    let mut streams = stream::SelectAll::new();
    for source in sources {
        let rows = input.execute(source, Arc::clone(context))?;
        streams.push(rows.map_ok(move |batch| (source, batch)));
    }
    let mut scatter = Scatter::new(input.schema(), partitions, context.memory_pool().memory_limit());
    let mut router: Option<(usize, Router)> = None;
    while let Some((source, batch)) = streams.next().await.transpose()? {
        if batch.num_rows() == 0 {
            continue;
        }
        environment.counters.add(&batch);
        if let Some(sampler) = &mut sampler {
            sampler.observe(&batch)?;
        }
        let known = router.take_if(|(of, _)| *of == source);
        let (_, mut current) = match known {
            Some(known) => known,
            None => (source, Router::new(scheme, source)?),
        };
        match current.route(&batch)? {
            Err(partition) => writer.write(partition, batch).await.map_err(external)?,
            Ok(routes) => scatter.push(&batch, &routes),
        }
        router = Some((source, current));
        if scatter.is_full() {
            drain(&mut scatter, writer.as_mut()).await?;
        }
    }
    drain(&mut scatter, writer.as_mut()).await?;
    let map = writer.finish().await.map_err(external)?;
    let sample = sampler.map(Sampler::finish).transpose()?;
    Ok(TaskOutput { map, sample, keys: environment.take_keys(), accumulators: environment.take_accumulators() })
}

async fn drain(scatter: &mut Scatter, writer: &mut dyn MapWriter) -> Result<()> {
    for (partition, batch) in scatter.drain()? {
        writer.write(partition, batch).await.map_err(external)?;
    }
    Ok(())
}

fn external(error: ShuffleError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
