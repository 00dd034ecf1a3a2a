//! The domain: the distinct values of the outer columns that a subquery uses.

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::common::{Column, NullEquality};
use datafusion::logical_expr::logical_plan::{Distinct, Join, JoinConstraint, Projection};
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, binary_expr};
use firesteel_model::Result;

use super::narrow::narrowed;
use crate::planner::{Planner, child, df};

/// A relation of distinct values of outer columns.
#[derive(Clone, Debug)]
pub(super) struct Domain {
    /// Its rows; it has no other columns.
    pub(super) plan: LogicalPlan,
    /// Names of the outer columns and of the columns here that hold their values.
    columns: Vec<(String, String)>,
    /// Whether an aggregate without groups gives a row for a row of the domain without input. In EXISTS and IN it does
    /// not, as in Spark.
    pub(super) keeps_empty_groups: bool,
}

impl Domain {
    /// Values of a plan's columns: all that its rows have, and maybe more.
    pub(super) fn of(planner: &mut Planner<'_>, outer: &LogicalPlan, used: &[FieldRef]) -> Result<Self> {
        let names = used.iter().map(|field| field.name().clone()).collect();
        Self::exactly(planner, &narrowed(outer, &names)?, used)
    }

    /// The distinct values of a plan's columns, for a subquery that fails for some values.
    pub(super) fn exactly(planner: &mut Planner<'_>, outer: &LogicalPlan, used: &[FieldRef]) -> Result<Self> {
        let columns: Vec<_> = used.iter().map(|field| (field.name().clone(), planner.unique(field.name()))).collect();
        let exprs = columns.iter().map(|(outer, own)| column(outer).alias(own)).collect();
        let projected = LogicalPlan::Projection(df(Projection::try_new(exprs, child(outer.clone())))?);
        Ok(Self { plan: LogicalPlan::Distinct(Distinct::All(Arc::new(projected))), columns, keeps_empty_groups: true })
    }

    /// The domain of EXISTS or IN.
    pub(super) fn of_membership(planner: &mut Planner<'_>, outer: &LogicalPlan, used: &[FieldRef]) -> Result<Self> {
        Ok(Self { keeps_empty_groups: false, ..Self::of(planner, outer, used)? })
    }

    /// The same rows under new names.
    pub(super) fn copy(&self, planner: &mut Planner<'_>) -> Result<Self> {
        let columns: Vec<_> = self.columns.iter().map(|(outer, own)| (outer.clone(), planner.unique(own))).collect();
        let renames = self.columns.iter().zip(&columns).map(|((_, own), (_, new))| column(own).alias(new)).collect();
        let plan = LogicalPlan::Projection(df(Projection::try_new(renames, child(self.plan.clone())))?);
        Ok(Self { plan, columns, keeps_empty_groups: self.keeps_empty_groups })
    }

    /// Its columns.
    pub(super) fn exprs(&self) -> Vec<Expr> {
        self.columns.iter().map(|(_, own)| column(own)).collect()
    }

    /// The outer columns' names.
    pub(super) fn outer_names(&self) -> Vec<&str> {
        self.columns.iter().map(|(outer, _)| outer.as_str()).collect()
    }

    /// The name here of an outer column.
    pub(super) fn name_of(&self, outer: &str) -> Option<String> {
        self.columns.iter().find(|(name, _)| name == outer).map(|(_, own)| own.clone())
    }

    /// That a row here belongs to a row of the outer plan.
    pub(super) fn equals_outer(&self) -> Option<Expr> {
        self.columns.iter().map(|(outer, own)| same(column(outer), column(own))).reduce(Expr::and)
    }

    /// That a row here and one of a copy are the same.
    pub(super) fn equals(&self, copy: &Self) -> Option<Expr> {
        let pairs = self.columns.iter().zip(&copy.columns);
        pairs.map(|((_, own), (_, other))| same(column(own), column(other))).reduce(Expr::and)
    }
}

/// A column by its internal name.
pub(super) fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

fn same(left: Expr, right: Expr) -> Expr {
    binary_expr(left, datafusion::logical_expr::Operator::IsNotDistinctFrom, right)
}

/// The plan's columns, by name.
pub(super) fn columns_of(plan: &LogicalPlan) -> Vec<Expr> {
    plan.schema().columns().into_iter().map(Expr::Column).collect()
}

/// Just these columns or values of a plan.
pub(super) fn projected(exprs: Vec<Expr>, input: LogicalPlan) -> Result<LogicalPlan> {
    Ok(LogicalPlan::Projection(df(Projection::try_new(exprs, child(input)))?))
}

/// A join on a condition.
pub(super) fn join(left: LogicalPlan, right: LogicalPlan, kind: JoinType, filter: Option<Expr>) -> Result<LogicalPlan> {
    let join = Join::try_new(
        child(left),
        child(right),
        Vec::new(),
        filter,
        kind,
        JoinConstraint::On,
        NullEquality::NullEqualsNothing,
        false,
    );
    Ok(LogicalPlan::Join(df(join)?))
}
