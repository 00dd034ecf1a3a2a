//! [`PartitioningPlanner`]: from the logical nodes to physical ones.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{DFSchemaRef, DataFusionError, Result, internal_err};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};

use super::{CoalesceNode, LocalSortNode, NumberNode, RecursionNode, RepartitionKind, RepartitionNode, SettledNode};
use crate::exec::{CoalesceExec, ExchangeExec, ExchangeKind, NumberExec, OrderedExec, RecursionExec, SettledExec};

/// Plans the nodes of this module; leaves other nodes to other planners.
#[derive(Clone, Copy, Debug, Default)]
pub struct PartitioningPlanner;

#[async_trait]
impl ExtensionPlanner for PartitioningPlanner {
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
        if let Some(node) = node.as_any().downcast_ref::<CoalesceNode>() {
            return Ok(Some(Arc::new(CoalesceExec::new(input, node.count))));
        }
        if let Some(node) = node.as_any().downcast_ref::<NumberNode>() {
            return Ok(Some(Arc::new(NumberExec::new(input, node.column().to_owned()))));
        }
        if node.as_any().is::<SettledNode>() {
            return Ok(Some(Arc::new(SettledExec::new(input))));
        }
        if let Some(node) = node.as_any().downcast_ref::<RecursionNode>() {
            let Some(query) = input.downcast_ref::<RecursiveQueryExec>() else {
                return internal_err!("the input of a recursion is no recursive query");
            };
            return Ok(Some(Arc::new(RecursionExec::new(query, node.limits))));
        }
        let ordering = |keys: &[Sort], schema: &DFSchemaRef| {
            let key = |key: &Sort| {
                let mut sort = PhysicalSortExpr::new_default(planner.create_physical_expr(
                    &key.expr,
                    schema,
                    session,
                    planning_ctx,
                )?);
                sort.options.descending = !key.asc;
                sort.options.nulls_first = key.nulls_first;
                Ok(sort)
            };
            Ok::<_, DataFusionError>(LexOrdering::new(keys.iter().map(key).collect::<Result<Vec<_>>>()?))
        };
        if let Some(node) = node.as_any().downcast_ref::<LocalSortNode>() {
            return Ok(Some(match ordering(&node.keys, node.input.schema())? {
                Some(ordering) => Arc::new(OrderedExec::new(input, ordering)),
                None => input,
            }));
        }
        let Some(node) = node.as_any().downcast_ref::<RepartitionNode>() else { return Ok(None) };
        let schema = node.input.schema();
        let physical = |expr: &Expr| planner.create_physical_expr(expr, schema, session, planning_ctx);
        let kind = match &node.kind {
            RepartitionKind::RoundRobin => ExchangeKind::RoundRobin,
            RepartitionKind::Hash(exprs) => {
                let exprs = exprs.iter().map(physical).collect::<Result<Vec<Arc<dyn PhysicalExpr>>>>()?;
                if exprs.is_empty() { ExchangeKind::RoundRobin } else { ExchangeKind::Hash(exprs) }
            }
            RepartitionKind::Range(keys) => {
                ordering(keys, schema)?.map_or(ExchangeKind::RoundRobin, ExchangeKind::Range)
            }
            RepartitionKind::ById(expr) => ExchangeKind::ById(physical(expr)?),
        };
        let count = node.count.unwrap_or_else(|| session.config().target_partitions());
        Ok(Some(Arc::new(ExchangeExec::new(input, kind, count, node.count.is_some()))))
    }
}
