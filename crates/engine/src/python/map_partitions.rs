//! [`MapPartitionsNode`]: `mapInPandas`, `mapInArrow`.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use firesteel_python::{PythonCommand, PythonSession};

/// A function over the batches of each partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MapPartitionsNode {
    /// Whose rows the function takes; all its columns.
    pub input: Arc<LogicalPlan>,
    /// What the user calls them.
    pub names: Vec<String>,
    /// The function.
    pub command: Arc<PythonCommand>,
    /// Its session.
    pub session: Arc<PythonSession>,
    /// The rows that it gives.
    pub schema: DFSchemaRef,
}

impl MapPartitionsNode {
    /// As a plan.
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }
}

impl PartialOrd for MapPartitionsNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let order = (&self.input, &self.command).partial_cmp(&(&other.input, &other.command))?;
        (order != Ordering::Equal || self == other).then_some(order)
    }
}

impl UserDefinedLogicalNodeCore for MapPartitionsNode {
    fn name(&self) -> &str {
        "MapPartitions"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MapPartitions: {}, eval_type={}", self.command.name, self.command.eval_type.0)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return plan_err!("a function over partitions has no input") };
        Ok(Self { input: Arc::new(input), ..self.clone() })
    }

    fn necessary_children_exprs(&self, _output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![(0..self.input.schema().fields().len()).collect()])
    }
}
