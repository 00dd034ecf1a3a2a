//! [`OrderedExec`]: `sortWithinPartitions`, kept even where nothing above needs the order.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::physical_expr::{LexOrdering, OrderingRequirements, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{ExecutionPlanProperties, apply_expression_roots};
use datafusion::physical_plan::{ExecutionPlan, PlanProperties};

use super::{display_label, in_order, one_input, same_rows};

/// Passes its input on and demands that each partition is sorted; DataFusion adds the sort below it.
#[derive(Debug)]
pub struct OrderedExec {
    input: Arc<dyn ExecutionPlan>,
    ordering: LexOrdering,
    properties: Arc<PlanProperties>,
}

impl OrderedExec {
    /// The input, each partition in this order.
    pub fn new(input: Arc<dyn ExecutionPlan>, ordering: LexOrdering) -> Self {
        let properties = PlanProperties::new(
            input.equivalence_properties().clone(),
            input.output_partitioning().clone(),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Self { input, ordering, properties: Arc::new(properties) }
    }

    /// The order.
    pub fn ordering(&self) -> &LexOrdering {
        &self.ordering
    }

    fn label(&self) -> String {
        format!("OrderedExec: [{}]", self.ordering)
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(input, self.ordering.clone())
    }
}

display_label!(OrderedExec);

impl ExecutionPlan for OrderedExec {
    fn name(&self) -> &'static str {
        "OrderedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![Some(OrderingRequirements::from(self.ordering.clone()))]
    }

    in_order!();

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(self.ordering.iter().map(|key| &key.expr), f)
    }

    one_input!();

    same_rows!();
}
