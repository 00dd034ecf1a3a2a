//! Correlated subqueries and LATERAL to joins.
//!
//! ```text
//!   outer rows --distinct values of the columns that the subquery uses--> domain
//!   subquery, one node at a time: "for every row of the domain" ---------> dependent plan, which also gives the domain
//!   outer rows JOIN dependent plan ON equal domain columns --------------> a plan without correlation
//! ```
//!
//! The method of Neumann and Kemper, "Unnesting Arbitrary Queries". It works for any subquery in any place, at the cost
//! of computing twice those tables of the outer rows that the columns come from; so what DataFusion can decorrelate by pulling up an equality is left to it.

mod dependent;
mod domain;
mod expressions;
mod lateral;
mod narrow;
mod references;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::LogicalPlan;
use firesteel_functions::errors::to_datafusion;
use firesteel_model::Result;

use crate::planner::{Planner, df};

impl Planner<'_> {
    /// The plan without lateral joins, and without those subqueries that DataFusion could not plan.
    pub(crate) fn decorrelated(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let plan = self.without_lateral(plan)?;
        let plan = self.without_subqueries(plan)?;
        let inside =
            df(plan.map_children(|child| self.decorrelated(child).map(Transformed::yes).map_err(to_datafusion)))?;
        let subqueries =
            inside.data.map_subqueries(|query| self.decorrelated(query).map(Transformed::yes).map_err(to_datafusion));
        Ok(df(subqueries)?.data)
    }
}
