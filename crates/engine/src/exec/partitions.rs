//! [`PartitionsExec`]: some partitions of a plan.

use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, plan_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::ExecutionPlanProperties;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties, ReplaceChildrenOptions};

use super::display_label;

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
}

display_label!(PartitionsExec);

impl ExecutionPlan for PartitionsExec {
    fn name(&self) -> &'static str {
        "PartitionsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(children.swap_remove(0), self.chosen.clone())))
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(children.swap_remove(0), self.chosen.clone())))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        match self.chosen.get(partition) {
            Some(source) => self.input.execute(*source, context),
            None => plan_err!("partition {partition} of {}", self.chosen.len()),
        }
    }
}
