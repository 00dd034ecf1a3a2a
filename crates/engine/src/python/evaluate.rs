//! [`EvaluateNode`]: columns that Python functions compute, beside those of the input.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::common::{DFSchema, DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use firesteel_python::{Argument, EvalType, PythonCommand, PythonSession};

/// A function, those that take its result, and the column that they fill.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EvaluatedColumn {
    /// The functions, innermost first.
    pub chain: Vec<Arc<PythonCommand>>,
    /// What the innermost takes, by place among the node's arguments.
    pub arguments: Vec<Argument>,
    /// The column.
    pub field: FieldRef,
}

/// What one request to a worker computes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Evaluation {
    /// How the worker calls the functions.
    pub eval_type: EvalType,
    /// Their session.
    pub session: Arc<PythonSession>,
    /// Spark's types of the arguments as JSON.
    pub argument_types: Vec<String>,
    /// The columns.
    pub columns: Vec<EvaluatedColumn>,
}

/// Adds columns that Python functions compute row by row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EvaluateNode {
    /// Whose columns come first.
    pub input: Arc<LogicalPlan>,
    /// The functions' arguments.
    pub arguments: Vec<Expr>,
    /// What is computed of them.
    pub evaluation: Evaluation,
    schema: DFSchemaRef,
}

impl EvaluateNode {
    /// The input with these columns beside its own.
    pub fn try_new(input: Arc<LogicalPlan>, arguments: Vec<Expr>, evaluation: Evaluation) -> Result<Self> {
        let added = evaluation.columns.iter().map(|column| (None, Arc::clone(&column.field)));
        let own = input.schema().iter().map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)));
        let schema = Arc::new(DFSchema::new_with_metadata(own.chain(added).collect(), HashMap::new())?);
        Ok(Self { input, arguments, evaluation, schema })
    }

    /// As a plan.
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }
}

impl PartialOrd for EvaluateNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let order = (&self.input, &self.arguments).partial_cmp(&(&other.input, &other.arguments))?;
        (order != Ordering::Equal || self == other).then_some(order)
    }
}

impl UserDefinedLogicalNodeCore for EvaluateNode {
    fn name(&self) -> &str {
        "EvaluatePython"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.arguments.clone()
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.evaluation.columns.iter().map(|column| column.field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EvaluatePython: {}", self.evaluation)
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return plan_err!("Python functions have no input") };
        Self::try_new(Arc::new(input), exprs, self.evaluation.clone())
    }
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, column) in self.columns.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let chain: Vec<&str> = column.chain.iter().rev().map(|command| command.name.as_str()).collect();
            let places: Vec<String> = column.arguments.iter().map(|argument| argument.offset.to_string()).collect();
            write!(f, "{separator}{}({}) AS {}", chain.join("("), places.join(", "), column.field.name())?;
        }
        write!(f, ", eval_type={}", self.eval_type.0)
    }
}
