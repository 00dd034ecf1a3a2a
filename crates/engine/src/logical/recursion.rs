//! [`RecursionNode`]: the limits of a recursive query.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

use crate::exec::RecursionLimits;

/// A recursive query that may go so far and no further.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd)]
pub struct RecursionNode {
    /// The `LogicalPlan::RecursiveQuery`.
    pub input: Arc<LogicalPlan>,
    /// How far.
    pub limits: RecursionLimits,
}

impl RecursionNode {
    /// As a plan.
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }
}

impl UserDefinedLogicalNodeCore for RecursionNode {
    fn name(&self) -> &str {
        "Recursion"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    /// A filter must not get between it and the query.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.input.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recursion: {:?}", self.limits)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return plan_err!("a recursion has no input") };
        Ok(Self { input: Arc::new(input), limits: self.limits })
    }
}
