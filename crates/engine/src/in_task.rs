//! [`in_task`]: a stage's plan as its tasks run it.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::joins::{
    HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder, SortMergeJoinExec,
};
use firesteel_functions::families::random::depends_on_task;

use crate::exec::TaskScopeExec;
use crate::interrupt::InterruptibleExpr;

/// Prepares a stage's plan for being run, once for all attempts that share it.
///
/// Guarantees: a task of it stops soon after it is cancelled, and every function that depends on its task finds it, in
/// whichever node it ended up. The prepared plan is for running only: it is neither encoded nor adapted any more.
pub fn in_task(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| {
        let node = interruptible(node)?;
        let yields = node.data.children().is_empty() || multiplies(node.data.as_ref());
        if yields || asks_for_task(node.data.as_ref())? {
            return Ok(Transformed::yes(Arc::new(TaskScopeExec::new(node.data)) as Arc<dyn ExecutionPlan>));
        }
        Ok(node)
    })
    .data()
}

/// Whether a single batch that goes in may make many that come out.
fn multiplies(node: &dyn ExecutionPlan) -> bool {
    matches!(node.cardinality_effect(), CardinalityEffect::Unknown | CardinalityEffect::GreaterEqual)
}

/// Whether a node's expressions use functions of the task.
pub(crate) fn asks_for_task(node: &dyn ExecutionPlan) -> Result<bool> {
    let mut found = false;
    node.apply_expressions(&mut |root: &Arc<dyn PhysicalExpr>| {
        root.apply(|expr| {
            let function = expr.downcast_ref::<ScalarFunctionExpr>();
            found |= function.is_some_and(|call| depends_on_task(call.fun()));
            Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })
    })?;
    Ok(found)
}

/// The node with its filter of pairs, if it has one, looking whether the task is cancelled.
fn interruptible(node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>()
        && let Some(filter) = join.filter()
    {
        let filter = InterruptibleExpr::filter(filter);
        let join = NestedLoopJoinExecBuilder::from(join).with_filter(Some(filter)).build()?;
        return Ok(Transformed::yes(Arc::new(join)));
    }
    if let Some(join) = node.downcast_ref::<HashJoinExec>()
        && let Some(filter) = join.filter()
    {
        let join = join.builder().with_filter(Some(InterruptibleExpr::filter(filter))).build_exec()?;
        return Ok(Transformed::yes(join));
    }
    if let Some(join) = node.downcast_ref::<SortMergeJoinExec>()
        && let Some(filter) = join.filter().as_ref()
    {
        let join = SortMergeJoinExec::try_new(
            Arc::clone(join.left()),
            Arc::clone(join.right()),
            join.on().to_vec(),
            Some(InterruptibleExpr::filter(filter)),
            join.join_type(),
            join.sort_options().to_vec(),
            join.null_equality(),
        )?;
        return Ok(Transformed::yes(Arc::new(join)));
    }
    Ok(Transformed::no(node))
}
