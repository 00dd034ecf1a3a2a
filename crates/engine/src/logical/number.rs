//! [`NumberNode`] and [`SettledNode`]: rows by their places.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::{DFSchema, DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

/// The input with a column that numbers its rows from 0, in the order they come in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NumberNode {
    input: Arc<LogicalPlan>,
    name: String,
    schema: DFSchemaRef,
}

/// Rows whose values tell their places: taking some away before those are known would change the others.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd)]
pub struct SettledNode {
    /// What computes the places.
    pub input: Arc<LogicalPlan>,
}

impl NumberNode {
    /// The input's columns, then the numbers under this name.
    pub fn try_new(input: Arc<LogicalPlan>, name: String) -> Result<Self> {
        let number = (None, Arc::new(Field::new(&name, DataType::Int64, false)));
        let own = input.schema().iter().map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)));
        let schema = Arc::new(DFSchema::new_with_metadata(own.chain([number]).collect(), HashMap::new())?);
        Ok(Self { input, name, schema })
    }

    /// As a plan.
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }

    /// The column of the numbers.
    pub fn column(&self) -> &str {
        &self.name
    }
}

impl SettledNode {
    /// As a plan.
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }
}

impl PartialOrd for NumberNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (&self.input, &self.name).partial_cmp(&(&other.input, &other.name))
    }
}

fn names(schema: &DFSchema) -> HashSet<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

impl UserDefinedLogicalNodeCore for NumberNode {
    fn name(&self) -> &str {
        "Number"
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
        names(&self.schema)
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number: {}", self.name)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return plan_err!("rows to number have no input") };
        Self::try_new(Arc::new(input), self.name.clone())
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let own = self.input.schema().fields().len();
        Some(vec![output_columns.iter().copied().filter(|index| *index < own).collect()])
    }
}

impl UserDefinedLogicalNodeCore for SettledNode {
    fn name(&self) -> &str {
        "Settled"
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

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        names(self.input.schema())
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settled")
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return plan_err!("settled rows have no input") };
        Ok(Self { input: Arc::new(input) })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output_columns.to_vec()])
    }
}
