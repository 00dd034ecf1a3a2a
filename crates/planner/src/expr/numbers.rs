//! `distributed_sequence_id()`: how pyspark.pandas numbers rows from 0, in the order they come in.

use std::sync::Arc;

use datafusion::common::Column;
use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan, Projection};
use firesteel_engine::logical::{NumberNode, SettledNode};
use firesteel_functions::call::Typed;
use firesteel_functions::families::random::depends_on_task;
use firesteel_model::Result;
use firesteel_spec::DataType;

use super::Resolver;
use crate::attribute::Attribute;
use crate::planner::df;

/// The function's name.
pub(super) const ROW_NUMBER: &str = "distributed_sequence_id";

impl Resolver<'_, '_> {
    /// The column of the rows' numbers, set aside; `None` where rows cannot be numbered.
    pub(super) fn row_number(&mut self) -> Option<Typed> {
        let numbers = self.aside.numbers.as_mut()?;
        let attribute = match numbers.first() {
            Some(known) => known.clone(),
            None => {
                let attribute = self.planner.attribute_of(ROW_NUMBER, DataType::Long, false);
                numbers.push(attribute.clone());
                attribute
            }
        };
        Some(Typed { sql: format!("{ROW_NUMBER}()"), ..attribute.typed() })
    }
}

/// The plan with the columns of row numbers that were set aside.
pub(crate) fn number_plan(mut plan: LogicalPlan, numbers: Vec<Attribute>) -> Result<LogicalPlan> {
    for attribute in numbers {
        plan = df(NumberNode::try_new(Arc::new(plan), attribute.column))?.into_plan();
    }
    Ok(plan)
}

/// The plan with a column for every key that may differ with every look, such as `rand()`, and the column in its place:
/// sorting and merging what is sorted look more than once.
pub(crate) fn steady_plan<'k>(
    plan: LogicalPlan,
    name: &str,
    keys: impl IntoIterator<Item = &'k mut DfExpr>,
) -> Result<LogicalPlan> {
    let mut exprs: Vec<DfExpr> = plan.schema().columns().into_iter().map(DfExpr::Column).collect();
    let own = exprs.len();
    for key in keys.into_iter().filter(|key| key.is_volatile()) {
        let name = format!("{name}@{}", exprs.len());
        let column = DfExpr::Column(Column::new_unqualified(name.clone()));
        exprs.push(std::mem::replace(key, column).alias(name));
    }
    if exprs.len() == own {
        return Ok(plan);
    }
    let projection = LogicalPlan::Projection(df(Projection::try_new(exprs.clone(), Arc::new(plan)))?);
    settled_plan(projection, &exprs)
}

/// The projection of these expressions, settled where one of them depends on the place of its row.
pub(crate) fn settled_plan(projection: LogicalPlan, exprs: &[DfExpr]) -> Result<LogicalPlan> {
    let of_place = |node: &DfExpr| Ok(matches!(node, DfExpr::ScalarFunction(call) if depends_on_task(&call.func)));
    for expr in exprs {
        if df(expr.exists(of_place))? {
            return Ok(SettledNode { input: Arc::new(projection) }.into_plan());
        }
    }
    Ok(projection)
}
