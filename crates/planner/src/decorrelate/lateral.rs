//! LATERAL: a join whose right side may use columns of its left.

use datafusion::logical_expr::logical_plan::Join;
use datafusion::logical_expr::{Expr, LogicalPlan};
use firesteel_model::Result;

use super::domain::{Domain, columns_of, join, projected};
use super::references::outer_columns;
use crate::planner::Planner;

impl Planner<'_> {
    /// A lateral join as a plain one; other nodes stay as they are.
    pub(super) fn without_lateral(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let LogicalPlan::Join(node) = &plan else { return Ok(plan) };
        let LogicalPlan::Subquery(subquery) = node.right.as_ref() else { return Ok(plan) };
        self.lateral(&plan, node, &subquery.subquery)
    }

    fn lateral(&mut self, plan: &LogicalPlan, node: &Join, right: &LogicalPlan) -> Result<LogicalPlan> {
        let left = self.without_lateral(node.left.as_ref().clone())?;
        let used = outer_columns(right, left.schema())?;
        if used.is_empty() {
            return join(left, right.clone(), node.join_type, node.filter.clone());
        }
        let domain = Domain::of(self, &left, &used)?;
        let right = self.dependent(right, &domain)?;
        let filter = node.filter.clone().into_iter().chain(domain.equals_outer()).reduce(Expr::and);
        projected(columns_of(plan), join(left, right, node.join_type, filter)?)
    }
}
