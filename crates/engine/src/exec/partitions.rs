//! [`PartitionsExec`]: some partitions of a plan.

use std::sync::Arc;

use datafusion::common::{Result, plan_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning};
use datafusion::physical_plan::execution_plan::ExecutionPlanProperties;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties};

use super::{display_label, no_expressions, one_input};

/// Runs only the chosen partitions of its input: those of a cached relation that are wanted or were lost.
#[derive(Debug)]
pub struct PartitionsExec {
    input: Arc<dyn ExecutionPlan>,
    chosen: Vec<usize>,
    properties: Arc<PlanProperties>,
}

impl PartitionsExec {
    /// Its partitions are the chosen ones, in the order given.
    pub fn new(input: Arc<dyn ExecutionPlan>, chosen: Vec<usize>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(chosen.len()),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Self { input, chosen, properties: Arc::new(properties) }
    }

    /// Which partitions of the input.
    pub fn chosen(&self) -> &[usize] {
        &self.chosen
    }

    fn label(&self) -> String {
        format!("PartitionsExec: {:?}", self.chosen)
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(input, self.chosen.clone())
    }
}

display_label!(PartitionsExec);

impl ExecutionPlan for PartitionsExec {
    fn name(&self) -> &'static str {
        "PartitionsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    no_expressions!();

    one_input!();

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        match self.chosen.get(partition) {
            Some(source) => self.input.execute(*source, context),
            None => plan_err!("partition {partition} of {}", self.chosen.len()),
        }
    }
}
