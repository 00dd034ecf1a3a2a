//! Bodies of lambdas made self-contained: what they take from outside becomes an argument.

use std::cell::Cell;

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Expr;
use firesteel_model::{Result, SparkError};

use crate::errors::{from_datafusion, to_datafusion};

thread_local! {
    /// How many lambdas stand around the one that is being resolved.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// While it lives, lambdas that are resolved are within this one.
pub(super) struct Scope {
    depth: usize,
}

impl Scope {
    pub(super) fn enter() -> Self {
        let depth = DEPTH.get();
        DEPTH.set(depth + 1);
        Self { depth }
    }

    /// Names of this lambda's parameters: different from those of the lambdas around it, equal in equal calls.
    pub(super) fn names(&self, count: usize) -> Vec<String> {
        (0..count).map(|index| format!("lambda_{}_{index}", self.depth)).collect()
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        DEPTH.set(self.depth);
    }
}

/// Name of argument `index` from outside, within a body.
pub(super) fn captured_name(index: usize) -> String {
    format!("captured_{index}")
}

/// The body over its parameters and `captured_0`, `captured_1`, ..; what these are is added to `captured`.
///
/// Errors: unsupported for queries that compare a parameter.
pub(super) fn close(body: Expr, parameters: &[String], captured: &mut Vec<Expr>) -> Result<Expr> {
    let closed = body.transform_down(|expr| {
        let is_outer = match &expr {
            Expr::Column(column) => column.relation.is_some() || !parameters.contains(&column.name),
            Expr::OuterReferenceColumn(..)
            | Expr::ScalarSubquery(_)
            | Expr::Exists(_)
            | Expr::AggregateFunction(_)
            | Expr::WindowFunction(_) => true,
            Expr::InSubquery(_) | Expr::SetComparison(_) => {
                return Err(to_datafusion(SparkError::unsupported("IN with a query inside a lambda")));
            }
            _ => false,
        };
        if !is_outer {
            return Ok(Transformed::no(expr));
        }
        let known = captured.iter().position(|known| *known == expr);
        let index = known.unwrap_or_else(|| {
            captured.push(expr);
            captured.len() - 1
        });
        let inside = Expr::Column(Column::new_unqualified(captured_name(index)));
        Ok(Transformed::new(inside, true, TreeNodeRecursion::Jump))
    });
    Ok(closed.map_err(from_datafusion)?.data)
}
