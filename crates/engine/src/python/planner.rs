//! [`PythonPlanner`]: from the logical nodes to physical ones.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};

use super::{
    CoGroupExec, CoGroupNode, EvaluateExec, EvaluateNode, GroupExec, GroupNode, InputOrder, MapPartitionsExec,
    MapPartitionsNode, TableFunctionExec, TableFunctionNode,
};

/// Plans the nodes that call Python functions; leaves other nodes to other planners.
#[derive(Clone, Copy, Debug, Default)]
pub struct PythonPlanner;

#[async_trait]
impl ExtensionPlanner for PythonPlanner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        planning_ctx: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(input) = physical_inputs.first().map(Arc::clone) else { return Ok(None) };
        if let Some(node) = node.as_any().downcast_ref::<MapPartitionsNode>() {
            let schema = Arc::clone(node.schema.inner());
            let (names, command) = (node.names.clone(), Arc::clone(&node.command));
            let (session, order) = (Arc::clone(&node.session), InputOrder::of(&input));
            return Ok(Some(Arc::new(MapPartitionsExec::new(input, names, command, session, order, schema))));
        }
        if let Some(node) = node.as_any().downcast_ref::<EvaluateNode>() {
            let schema = node.input.schema();
            let physical = |expr| planner.create_physical_expr(expr, schema, session, planning_ctx);
            let arguments = node.arguments.iter().map(physical).collect::<Result<Vec<_>>>()?;
            return Ok(Some(Arc::new(EvaluateExec::new(input, arguments, node.evaluation.clone()))));
        }
        if let Some(node) = node.as_any().downcast_ref::<GroupNode>() {
            let schema = Arc::clone(node.schema.inner());
            return Ok(Some(Arc::new(GroupExec::new(input, Arc::new(node.work.clone()), schema))));
        }
        if let Some(node) = node.as_any().downcast_ref::<TableFunctionNode>() {
            let schema = Arc::clone(node.schema.inner());
            return Ok(Some(Arc::new(TableFunctionExec::new(input, Arc::new(node.work.clone()), schema))));
        }
        if let Some(node) = node.as_any().downcast_ref::<CoGroupNode>() {
            let [left, right] = physical_inputs else { return plan_err!("a cogroup needs two inputs") };
            let (left, right) = (Arc::clone(left), Arc::clone(right));
            let (work, schema) = (Arc::new(node.work.clone()), Arc::clone(node.schema.inner()));
            return Ok(Some(Arc::new(CoGroupExec::new(left, right, work, schema))));
        }
        Ok(None)
    }
}
