//! How a stage's output is split.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr};
use datafusion::physical_plan::execution_plan::apply_expression_roots;

use super::RangeBounds;

/// How the rows of a stage's tasks are split into the partitions that consumers read. Plain data.
#[derive(Clone, Debug)]
pub enum OutputScheme {
    /// All in one partition.
    Single,
    /// One task runs all partitions of its plan and keeps them apart.
    Whole(usize),
    /// By Spark's hash of these expressions.
    Hash(Vec<Arc<dyn PhysicalExpr>>, usize),
    /// The expression is the partition's number, modulo their count.
    ById(Arc<dyn PhysicalExpr>, usize),
    /// In turn, beginning at the task's own number: the same rows go the same way in every attempt.
    RoundRobin(usize),
    /// All in one partition, with a sample of the keys from which the driver makes bounds.
    Sampled(LexOrdering, usize),
    /// By ranges of the keys; bounds are known when the sampled stage that it reads is complete.
    Range(LexOrdering, usize, Option<Arc<RangeBounds>>),
}

impl OutputScheme {
    /// How many partitions a consumer finds.
    pub fn partitions(&self) -> usize {
        match self {
            Self::Single | Self::Sampled(..) => 1,
            Self::Whole(count)
            | Self::Hash(_, count)
            | Self::ById(_, count)
            | Self::RoundRobin(count)
            | Self::Range(_, count, _) => *count,
        }
    }

    /// Shows `f` the expressions that are evaluated to find a row's partition.
    pub(crate) fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        match self {
            Self::Single | Self::Whole(_) | Self::RoundRobin(_) => Ok(TreeNodeRecursion::Continue),
            Self::Hash(exprs, _) => apply_expression_roots(exprs, f),
            Self::ById(expr, _) => apply_expression_roots([expr], f),
            Self::Sampled(ordering, _) | Self::Range(ordering, ..) => {
                apply_expression_roots(ordering.iter().map(|sort| &sort.expr), f)
            }
        }
    }
}

impl fmt::Display for OutputScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list =
            |exprs: &[Arc<dyn PhysicalExpr>]| exprs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Self::Single => write!(f, "single"),
            Self::Whole(count) => write!(f, "whole({count})"),
            Self::Hash(exprs, count) => write!(f, "hash([{}], {count})", list(exprs)),
            Self::ById(expr, count) => write!(f, "by_id({expr}, {count})"),
            Self::RoundRobin(count) => write!(f, "round_robin({count})"),
            Self::Sampled(ordering, _) => write!(f, "sampled([{ordering}])"),
            Self::Range(ordering, count, _) => write!(f, "range([{ordering}], {count})"),
        }
    }
}
