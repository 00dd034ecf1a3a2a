//! Outer references: finding them and putting other columns in their place.

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::{Expr, LogicalPlan, Subquery};
use firesteel_model::Result;

use crate::planner::df;

/// The columns of `schema` that a plan refers to as an outer query's, each once.
pub(super) fn outer_columns(plan: &LogicalPlan, schema: &DFSchema) -> Result<Vec<FieldRef>> {
    let mut found: Vec<FieldRef> = Vec::new();
    each_reference(plan, &mut |field, column| {
        if schema.has_column_with_unqualified_name(&column.name) && !found.iter().any(|f| *f.name() == column.name) {
            found.push(Arc::new(field.as_ref().clone().with_name(&column.name)));
        }
    })?;
    Ok(found)
}

/// The columns of `schema` that an expression reads, itself or in its subqueries.
pub(super) fn used_columns(expr: &Expr, schema: &DFSchema) -> Result<Vec<String>> {
    let mut names: Vec<String> = expr.column_refs().into_iter().map(|column| column.name.clone()).collect();
    each_in_expr(expr, &mut |_, column| {
        if schema.has_column_with_unqualified_name(&column.name) {
            names.push(column.name.clone());
        }
    })?;
    Ok(names)
}

/// Whether a plan refers to any of these outer columns.
pub(super) fn uses(plan: &LogicalPlan, names: &[&str]) -> Result<bool> {
    let mut found = false;
    each_reference(plan, &mut |_, column| found |= names.contains(&column.name.as_str()))?;
    Ok(found)
}

/// Whether an expression does.
pub(super) fn expr_uses(expr: &Expr, names: &[&str]) -> Result<bool> {
    let mut found = false;
    each_in_expr(expr, &mut |_, column| found |= names.contains(&column.name.as_str()))?;
    Ok(found)
}

/// Whether a plan refers to an outer query at all.
pub(super) fn is_correlated(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    each_reference(plan, &mut |_, _| found = true)?;
    Ok(found)
}

/// Whether an expression itself, without the subqueries in it, refers to an outer query.
pub(super) fn is_outer(expr: &Expr) -> bool {
    expr.exists(|node| Ok(matches!(node, Expr::OuterReferenceColumn(..)))).unwrap_or(false)
}

fn each_reference(plan: &LogicalPlan, visit: &mut dyn FnMut(&FieldRef, &Column)) -> Result<()> {
    let visited = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                if let Expr::OuterReferenceColumn(field, column) = part {
                    visit(field, column);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        Ok(TreeNodeRecursion::Continue)
    });
    df(visited).map(|_| ())
}

fn each_in_expr(expr: &Expr, visit: &mut dyn FnMut(&FieldRef, &Column)) -> Result<()> {
    let mut plans: Vec<Arc<LogicalPlan>> = Vec::new();
    df(expr.apply(|part| {
        match part {
            Expr::OuterReferenceColumn(field, column) => visit(field, column),
            _ => plans.extend(subquery_of(part).map(|s| Arc::clone(&s.subquery))),
        }
        Ok(TreeNodeRecursion::Continue)
    }))?;
    plans.iter().try_for_each(|plan| each_reference(plan, visit))
}

/// The subquery that an expression is.
pub(super) fn subquery_of(expr: &Expr) -> Option<&Subquery> {
    match expr {
        Expr::ScalarSubquery(subquery)
        | Expr::Exists(Exists { subquery, .. })
        | Expr::InSubquery(InSubquery { subquery, .. }) => Some(subquery),
        _ => None,
    }
}

/// The expression with columns in place of outer references; in subqueries within it, the references stay outer ones
/// under the new names. `name` gives the new name of an outer column.
pub(super) fn replaced(expr: Expr, name: &dyn Fn(&str) -> Option<String>) -> Result<Expr> {
    let changed = expr.transform_down(|node| match node {
        Expr::OuterReferenceColumn(field, column) => Ok(match name(&column.name) {
            Some(new) => Transformed::yes(Expr::Column(Column::new_unqualified(new))),
            None => Transformed::no(Expr::OuterReferenceColumn(field, column)),
        }),
        other => within_subquery(other, name),
    });
    Ok(df(changed)?.data)
}

fn within_subquery(expr: Expr, name: &dyn Fn(&str) -> Option<String>) -> datafusion::common::Result<Transformed<Expr>> {
    Ok(match expr {
        Expr::ScalarSubquery(subquery) => Transformed::yes(Expr::ScalarSubquery(renamed_subquery(subquery, name)?)),
        Expr::Exists(exists) => {
            let subquery = renamed_subquery(exists.subquery, name)?;
            Transformed::yes(Expr::Exists(Exists { subquery, ..exists }))
        }
        Expr::InSubquery(within) => {
            let subquery = renamed_subquery(within.subquery, name)?;
            Transformed::yes(Expr::InSubquery(InSubquery { subquery, ..within }))
        }
        other => Transformed::no(other),
    })
}

fn renamed_subquery(subquery: Subquery, name: &dyn Fn(&str) -> Option<String>) -> datafusion::common::Result<Subquery> {
    let plan = Arc::unwrap_or_clone(subquery.subquery);
    let renamed = plan.transform_down_with_subqueries(|node| {
        node.map_expressions(|expr| {
            expr.transform_down(|part| match part {
                Expr::OuterReferenceColumn(field, column) => Ok(match name(&column.name) {
                    Some(new) => {
                        let field = Arc::new(field.as_ref().clone().with_name(&new));
                        Transformed::yes(Expr::OuterReferenceColumn(field, Column::new_unqualified(new)))
                    }
                    None => Transformed::no(Expr::OuterReferenceColumn(field, column)),
                }),
                other => Ok(Transformed::no(other)),
            })
        })
    })?;
    let plan = Arc::new(renamed.data);
    Ok(Subquery { outer_ref_columns: plan.all_out_ref_exprs(), subquery: plan, spans: subquery.spans })
}
