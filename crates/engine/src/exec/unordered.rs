//! [`UnorderedExec`]: an input whose order must not be relied on.

use std::sync::Arc;

use datafusion::physical_plan::execution_plan::ExecutionPlanProperties;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties};

use super::{display_label, no_expressions, one_input, same_rows};

/// Passes its input on and keeps quiet about the order of the rows.
#[derive(Debug)]
pub struct UnorderedExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl UnorderedExec {
    /// The input without an order.
    pub fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        let mut equivalences = input.equivalence_properties().clone();
        equivalences.clear_orderings();
        let properties = input.properties().as_ref().clone().with_eq_properties(equivalences);
        Self { input, properties: Arc::new(properties) }
    }

    fn label(&self) -> String {
        "UnorderedExec".to_owned()
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(input)
    }
}

display_label!(UnorderedExec);

impl ExecutionPlan for UnorderedExec {
    fn name(&self) -> &'static str {
        "UnorderedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    no_expressions!();

    one_input!();

    same_rows!();
}
