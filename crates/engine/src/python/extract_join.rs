//! Calls of Python functions in join conditions: each is computed on the side whose columns it takes.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::logical_expr::logical_plan::Join;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, JoinType, LogicalPlan};
use firesteel_model::{SparkError, error_class};

use super::converse::external;
use super::extract::{Extractor, has_python, restored};

/// The join over inputs that have the calls' columns.
///
/// Errors: UNSUPPORTED_FEATURE.PYTHON_UDF_IN_ON_CLAUSE where a call needs columns of both sides and the join is not an
/// inner one.
pub(super) fn extract_join(extractor: &mut Extractor, join: Join) -> Result<LogicalPlan> {
    let schema = Arc::clone(&join.schema);
    let (left_keys, right_keys): (Vec<_>, Vec<_>) = join.on.into_iter().unzip();
    let everything = |_: &Expr| true;
    let (left, left_keys) = extractor.evaluate(Arc::unwrap_or_clone(join.left), left_keys, &everything)?;
    let (right, right_keys) = extractor.evaluate(Arc::unwrap_or_clone(join.right), right_keys, &everything)?;
    let conditions = join.filter.map(split_conjunction_owned).unwrap_or_default();
    let (left, conditions) = on_side(extractor, left, conditions)?;
    let (right, conditions) = on_side(extractor, right, conditions)?;
    let (of_both, of_one): (Vec<_>, Vec<_>) = conditions.into_iter().partition(has_python);
    if !of_both.is_empty() && join.join_type != JoinType::Inner {
        let refused = SparkError::new(&error_class::UNSUPPORTED_FEATURE_PYTHON_UDF_IN_ON_CLAUSE)
            .param("joinType", join.join_type.to_string().to_uppercase());
        return Err(external(refused));
    }
    let on = left_keys.into_iter().zip(right_keys).collect();
    let joined = LogicalPlan::Join(Join::try_new(
        Arc::new(left),
        Arc::new(right),
        on,
        conjunction(of_one),
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )?);
    let (joined, of_both) = extractor.evaluate(joined, of_both, &everything)?;
    let filtered = match conjunction(of_both) {
        Some(condition) => LogicalPlan::Filter(Filter::try_new(condition, Arc::new(joined))?),
        None => joined,
    };
    restored(filtered, &schema)
}

/// Computes the calls that take columns of this side only.
fn on_side(extractor: &mut Extractor, side: LogicalPlan, conditions: Vec<Expr>) -> Result<(LogicalPlan, Vec<Expr>)> {
    let schema = Arc::clone(side.schema());
    let is_here = move |call: &Expr| call.column_refs().into_iter().all(|column| schema.has_column(column));
    extractor.evaluate(side, conditions, &is_here)
}
