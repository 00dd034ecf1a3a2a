//! [`SettledExec`]: rows that keep their places until they have come through here.

use std::sync::Arc;

use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties};

use super::{display_label, in_order, no_expressions, one_input, same_rows};

/// Passes its input on. Conditions from above do not pass it down, as they do no node that does not ask for them.
#[derive(Debug)]
pub struct SettledExec {
    input: Arc<dyn ExecutionPlan>,
}

impl SettledExec {
    /// The input as it is.
    pub fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        Self { input }
    }

    fn label(&self) -> String {
        "SettledExec".to_owned()
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(input)
    }
}

display_label!(SettledExec);

impl ExecutionPlan for SettledExec {
    fn name(&self) -> &'static str {
        "SettledExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    in_order!();

    no_expressions!();

    one_input!();

    same_rows!();

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}
