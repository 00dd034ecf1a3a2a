//! The logical nodes: `repartition`, `repartitionByRange`, `repartitionById` and `coalesce`.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

/// How rows find their new partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd)]
pub enum RepartitionKind {
    /// `repartition(n)`.
    RoundRobin,
    /// `repartition([n], columns)`, `DISTRIBUTE BY`.
    Hash(Vec<Expr>),
    /// `repartitionByRange([n], columns)`.
    Range(Vec<Sort>),
    /// `repartitionById([n], column)`.
    ById(Expr),
}

/// An exchange that the user asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd)]
pub struct RepartitionNode {
    /// Whose rows move.
    pub input: Arc<LogicalPlan>,
    /// How they find their partition.
    pub kind: RepartitionKind,
    /// How many partitions; without it as many as the session says, merged while small.
    pub count: Option<usize>,
}

/// `coalesce(n)`: fewer partitions without an exchange.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd)]
pub struct CoalesceNode {
    /// Whose partitions are merged.
    pub input: Arc<LogicalPlan>,
    /// At most so many are left.
    pub count: usize,
}

impl RepartitionNode {
    /// As a plan.
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }
}

impl CoalesceNode {
    /// As a plan.
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }
}

impl UserDefinedLogicalNodeCore for RepartitionNode {
    fn name(&self) -> &str {
        "Repartition"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        match &self.kind {
            RepartitionKind::RoundRobin => Vec::new(),
            RepartitionKind::Hash(exprs) => exprs.clone(),
            RepartitionKind::Range(keys) => keys.iter().map(|key| key.expr.clone()).collect(),
            RepartitionKind::ById(expr) => vec![expr.clone()],
        }
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        // Taking rows away before they are dealt out in turn would put the others elsewhere, which nobody can ask for.
        HashSet::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exprs: Vec<_> = self.expressions().iter().map(ToString::to_string).collect();
        let kind = match self.kind {
            RepartitionKind::RoundRobin => "round_robin",
            RepartitionKind::Hash(_) => "hash",
            RepartitionKind::Range(_) => "range",
            RepartitionKind::ById(_) => "by_id",
        };
        write!(f, "Repartition: {kind}({})", exprs.join(", "))?;
        self.count.map_or(Ok(()), |count| write!(f, ", count={count}"))
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return plan_err!("a repartition has no input") };
        let kind = match &self.kind {
            RepartitionKind::RoundRobin => RepartitionKind::RoundRobin,
            RepartitionKind::Hash(_) => RepartitionKind::Hash(exprs),
            RepartitionKind::Range(keys) => {
                let with = |(key, expr): (&Sort, Expr)| Sort { expr, ..key.clone() };
                RepartitionKind::Range(keys.iter().zip(exprs).map(with).collect())
            }
            RepartitionKind::ById(_) => match exprs.into_iter().next() {
                Some(expr) => RepartitionKind::ById(expr),
                None => return plan_err!("a repartition by id has no expression"),
            },
        };
        Ok(Self { input: Arc::new(input), kind, count: self.count })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output_columns.to_vec()])
    }
}

impl UserDefinedLogicalNodeCore for CoalesceNode {
    fn name(&self) -> &str {
        "Coalesce"
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
        HashSet::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Coalesce: count={}", self.count)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return plan_err!("a coalesce has no input") };
        Ok(Self { input: Arc::new(input), count: self.count })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output_columns.to_vec()])
    }
}
