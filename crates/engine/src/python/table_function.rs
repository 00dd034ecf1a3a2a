//! [`TableFunctionNode`]: a Python function that makes rows: `udtf`.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::compute::SortOptions;
use datafusion::common::{DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use firesteel_python::{PythonCommand, PythonSession, TableFunction};

/// What is done with the rows of an input, in plain values: columns by their place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableWork {
    /// The function: a pickled class.
    pub command: Arc<PythonCommand>,
    /// Its session.
    pub session: Arc<PythonSession>,
    /// How it is called.
    pub call: TableFunction,
    /// Spark's types of the arguments as JSON.
    pub argument_types: Vec<String>,
    /// The columns that are its arguments.
    pub columns: Vec<usize>,
    /// What a TABLE argument is partitioned by.
    pub keys: Vec<usize>,
    /// What the rows of such a partition are sorted by.
    pub order: Vec<(usize, SortOptions)>,
    /// Whether all rows go to one partition.
    pub is_single: bool,
    /// For a lateral join, which of the input's first columns stand beside the function's.
    pub lateral: Option<Lateral>,
}

/// A lateral join with a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lateral {
    /// How many of the input's first columns are kept.
    pub kept: usize,
    /// Whether rows stay for which the function gives none.
    pub is_outer: bool,
}

/// A function that makes rows of the rows of an input.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableFunctionNode {
    /// Whose rows it takes.
    pub input: Arc<LogicalPlan>,
    /// What is done with them.
    pub work: TableWork,
    /// The rows that come of it.
    pub schema: DFSchemaRef,
}

impl TableFunctionNode {
    /// As a plan.
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }
}

impl PartialOrd for TableFunctionNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let order = (&self.input, &self.work.columns).partial_cmp(&(&other.input, &other.work.columns))?;
        (order != Ordering::Equal || self == other).then_some(order)
    }
}

impl UserDefinedLogicalNodeCore for TableFunctionNode {
    fn name(&self) -> &str {
        "TableFunctionPython"
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
        write!(f, "TableFunctionPython: {}", self.work.command.name)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return plan_err!("a table function has no input") };
        Ok(Self { input: Arc::new(input), ..self.clone() })
    }

    fn necessary_children_exprs(&self, _output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![(0..self.input.schema().fields().len()).collect()])
    }
}
