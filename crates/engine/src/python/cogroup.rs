//! [`CoGroupNode`]: a function over the groups of two inputs with equal keys.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use firesteel_python::{PythonCommand, PythonSession};

/// One input of a cogroup, in plain values: columns by their place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CoGroupSide {
    /// What is grouped by.
    pub keys: Vec<usize>,
    /// What the user calls the columns.
    pub names: Vec<String>,
    /// How many of the columns are the user's; the rest are keys that were computed.
    pub values: usize,
}

/// What is done with the groups of two inputs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CoGroupWork {
    /// The function.
    pub command: Arc<PythonCommand>,
    /// Its session.
    pub session: Arc<PythonSession>,
    /// The left input.
    pub left: CoGroupSide,
    /// The right input.
    pub right: CoGroupSide,
}

/// A function over the groups of two inputs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CoGroupNode {
    /// The left input.
    pub left: Arc<LogicalPlan>,
    /// The right input.
    pub right: Arc<LogicalPlan>,
    /// What is done with them.
    pub work: CoGroupWork,
    /// The rows that come of it.
    pub schema: DFSchemaRef,
}

impl CoGroupSide {
    /// Where a function over whole groups finds keys and values: how many numbers follow, how many keys, both.
    pub fn offsets(&self) -> Vec<usize> {
        let mut offsets = vec![1 + self.keys.len() + self.values, self.keys.len()];
        offsets.extend(&self.keys);
        offsets.extend(0..self.values);
        offsets
    }
}

impl CoGroupNode {
    /// As a plan.
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }
}

impl PartialOrd for CoGroupNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let order = (&self.left, &self.right).partial_cmp(&(&other.left, &other.right))?;
        (order != Ordering::Equal || self == other).then_some(order)
    }
}

impl UserDefinedLogicalNodeCore for CoGroupNode {
    fn name(&self) -> &str {
        "CoGroupPython"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.left, &self.right]
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
        write!(f, "CoGroupPython: {}", self.work.command.name)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let (Some(right), Some(left)) = (inputs.pop(), inputs.pop()) else {
            return plan_err!("a cogroup needs two inputs");
        };
        Ok(Self { left: Arc::new(left), right: Arc::new(right), ..self.clone() })
    }

    fn necessary_children_exprs(&self, _output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let all = |plan: &LogicalPlan| (0..plan.schema().fields().len()).collect();
        Some(vec![all(&self.left), all(&self.right)])
    }
}
