//! The part of the outer rows that a domain is drawn from.

use std::collections::BTreeSet;

use datafusion::logical_expr::logical_plan::{Filter, Join, Projection, Sort};
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan};
use firesteel_model::Result;

use super::dependent::conjuncts;
use super::domain::projected;
use super::expressions::has_subquery;
use crate::planner::{child, df};
use crate::relation::filter_plan;

/// A plan in which the columns have at least the values that they have in this one, over as few tables as possible.
///
/// A value that no outer row has finds no outer row to join. So a domain needs neither the joins nor the conditions
/// that are about other columns, and a subquery over one table of five does not compute the join of the five twice.
pub(super) fn narrowed(plan: &LogicalPlan, names: &BTreeSet<String>) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Filter(filter) => narrowed_filter(filter, names),
        LogicalPlan::Projection(projection) => narrowed_projection(plan, projection, names),
        LogicalPlan::Sort(Sort { input, fetch: None, .. }) => narrowed(input, names),
        LogicalPlan::Join(join) => narrowed_join(plan, join, names),
        other => Ok(other.clone()),
    }
}

fn narrowed_filter(filter: &Filter, names: &BTreeSet<String>) -> Result<LogicalPlan> {
    let input = narrowed(&filter.input, names)?;
    let is_about_it = |condition: &Expr| !has_subquery(condition) && has_all(&input, &columns(condition));
    match conjuncts(filter).into_iter().filter(is_about_it).reduce(Expr::and) {
        Some(condition) => filter_plan(input, condition),
        None => Ok(input),
    }
}

fn narrowed_projection(plan: &LogicalPlan, node: &Projection, names: &BTreeSet<String>) -> Result<LogicalPlan> {
    let fields = node.schema.fields().iter();
    let wanted = node.expr.iter().zip(fields).filter(|(_, field)| names.contains(field.name()));
    let exprs: Vec<Expr> = wanted.map(|(expr, _)| expr.clone()).collect();
    if exprs.iter().any(|expr| has_subquery(expr) || expr.is_volatile()) {
        return Ok(plan.clone());
    }
    let below = exprs.iter().flat_map(columns).collect();
    projected(exprs, narrowed(&node.input, &below)?)
}

fn narrowed_join(plan: &LogicalPlan, join: &Join, names: &BTreeSet<String>) -> Result<LogicalPlan> {
    // The right side of a lateral join is nothing without the left one.
    if matches!(join.right.as_ref(), LogicalPlan::Subquery(_)) {
        return Ok(plan.clone());
    }
    let keeps_left = matches!(
        join.join_type,
        JoinType::Inner | JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark
    );
    let keeps_right =
        matches!(join.join_type, JoinType::Inner | JoinType::Right | JoinType::RightSemi | JoinType::RightAnti);
    if keeps_left && has_all(&join.left, names) {
        return narrowed(&join.left, names);
    }
    if keeps_right && has_all(&join.right, names) {
        return narrowed(&join.right, names);
    }
    let conditions: Vec<&Expr> = join.on.iter().flat_map(|(l, r)| [l, r]).chain(&join.filter).collect();
    if join.join_type != JoinType::Inner || conditions.iter().any(|condition| has_subquery(condition)) {
        return Ok(plan.clone());
    }
    let wanted: BTreeSet<String> = conditions.into_iter().flat_map(columns).chain(names.iter().cloned()).collect();
    let within = |side: &LogicalPlan| {
        let names =
            wanted.iter().filter(|name| side.schema().has_column_with_unqualified_name(name)).cloned().collect();
        narrowed(side, &names).map(child)
    };
    let (left, right) = (within(&join.left)?, within(&join.right)?);
    let (on, filter) = (join.on.clone(), join.filter.clone());
    let kind = (join.join_type, join.join_constraint, join.null_equality, join.null_aware);
    Ok(LogicalPlan::Join(df(Join::try_new(left, right, on, filter, kind.0, kind.1, kind.2, kind.3))?))
}

fn columns(expr: &Expr) -> BTreeSet<String> {
    expr.column_refs().into_iter().map(|column| column.name.clone()).collect()
}

fn has_all(plan: &LogicalPlan, names: &BTreeSet<String>) -> bool {
    names.iter().all(|name| plan.schema().has_column_with_unqualified_name(name))
}
