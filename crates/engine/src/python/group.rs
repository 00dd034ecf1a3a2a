//! [`GroupNode`]: functions over groups of rows: applyInPandas, aggregates and windows written in Python.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::compute::SortOptions;
use datafusion::common::{DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore, WindowFrame};
use firesteel_python::{Argument, EvalType, PythonCommand, PythonSession};

/// What is done with the groups of an input, in plain values: columns by their place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupWork {
    /// How the worker calls the functions.
    pub eval_type: EvalType,
    /// Their session.
    pub session: Arc<PythonSession>,
    /// What is grouped by.
    pub keys: Vec<usize>,
    /// What the rows of a group are sorted by.
    pub order: Vec<(usize, SortOptions)>,
    /// The columns that the worker gets, and what the user calls them.
    pub columns: Vec<(usize, String)>,
    /// The functions.
    pub functions: Vec<GroupFunction>,
    /// What comes of a group.
    pub result: GroupResult,
}

/// A function over groups.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupFunction {
    /// The function.
    pub command: Arc<PythonCommand>,
    /// What it takes, by place among the columns that the worker gets; of a function over whole groups the numbers of
    /// keys and values.
    pub arguments: Vec<Argument>,
}

/// What comes of a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GroupResult {
    /// Rows of the function's own.
    Rows,
    /// One row: the keys, then a value of each function.
    OneRow,
    /// Each row's first columns, then a value of each function over the row's frame.
    EachRow {
        /// How many columns of the input are kept.
        kept: usize,
        /// The functions' frames.
        frames: Vec<Arc<WindowFrame>>,
    },
}

impl GroupWork {
    /// Whether many groups make one trip to the worker, which has its own ways for them.
    pub(crate) fn travel_together(&self) -> bool {
        matches!(
            self.eval_type,
            EvalType::GROUPED_MAP_PANDAS | EvalType::GROUPED_AGG_PANDAS | EvalType::WINDOW_AGG_PANDAS
        )
    }

    /// Whether the worker gets whole rows as structs.
    pub(crate) fn wraps(&self) -> bool {
        matches!(self.eval_type, EvalType::GROUPED_MAP_ARROW | EvalType::GROUPED_MAP_ARROW_ITER)
    }
}

impl fmt::Display for GroupWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.functions.iter().map(|function| function.command.name.as_str()).collect();
        write!(f, "{}, keys={:?}, eval_type={}", names.join(", "), self.keys, self.eval_type.0)
    }
}

/// Functions over groups of rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupNode {
    /// Whose rows are grouped.
    pub input: Arc<LogicalPlan>,
    /// What is done with them.
    pub work: GroupWork,
    /// The rows that come of it.
    pub schema: DFSchemaRef,
}

impl GroupNode {
    /// As a plan.
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }
}

impl PartialOrd for GroupNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let order = (&self.input, &self.work.keys).partial_cmp(&(&other.input, &other.work.keys))?;
        (order != Ordering::Equal || self == other).then_some(order)
    }
}

impl UserDefinedLogicalNodeCore for GroupNode {
    fn name(&self) -> &str {
        "GroupPython"
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
        write!(f, "GroupPython: {}", self.work)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return plan_err!("functions over groups have no input") };
        Ok(Self { input: Arc::new(input), ..self.clone() })
    }

    fn necessary_children_exprs(&self, _output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![(0..self.input.schema().fields().len()).collect()])
    }
}
