//! Functions that depend on the task they run in: `rand`, `monotonically_increasing_id`, `spark_partition_id`.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use firesteel_functions::families::random;

/// The plan of one task: each such function gets a state of its own, which starts from the partition.
pub fn bind_to_task(plan: Arc<dyn ExecutionPlan>, partition: usize) -> Result<Arc<dyn ExecutionPlan>> {
    let bound = plan.transform_up(|node| {
        if let Some(projection) = node.downcast_ref::<ProjectionExec>() {
            let mut changed = false;
            let mut exprs = Vec::with_capacity(projection.expr().len());
            for item in projection.expr() {
                let expr = bind_expr(&item.expr, partition)?;
                changed |= expr.transformed;
                exprs.push(ProjectionExpr { expr: expr.data, alias: item.alias.clone() });
            }
            if changed {
                let bound = ProjectionExec::try_new(exprs, Arc::clone(projection.input()))?;
                return Ok(Transformed::yes(Arc::new(bound) as Arc<dyn ExecutionPlan>));
            }
        }
        if let Some(filter) = node.downcast_ref::<FilterExec>() {
            let predicate = bind_expr(filter.predicate(), partition)?;
            if predicate.transformed {
                let bound = FilterExecBuilder::from(filter).with_predicate(predicate.data).build()?;
                return Ok(Transformed::yes(Arc::new(bound) as Arc<dyn ExecutionPlan>));
            }
        }
        Ok(Transformed::no(node))
    })?;
    Ok(bound.data)
}

fn bind_expr(expr: &Arc<dyn PhysicalExpr>, partition: usize) -> Result<Transformed<Arc<dyn PhysicalExpr>>> {
    Arc::clone(expr).transform_up(|node| {
        let Some(call) = node.downcast_ref::<ScalarFunctionExpr>() else { return Ok(Transformed::no(node)) };
        let Some(bound) = random::bind(call.fun(), partition) else { return Ok(Transformed::no(node)) };
        let field = call.return_field(&arrow::datatypes::Schema::empty())?;
        let options = Arc::new(call.config_options().clone());
        let call = ScalarFunctionExpr::new(call.name(), Arc::new(bound), call.args().to_vec(), field, options);
        Ok(Transformed::yes(Arc::new(call) as Arc<dyn PhysicalExpr>))
    })
}
