//! The physical optimiser rules that plans are made with: DataFusion's, and corrections of ours.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::JoinType;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::{ExecutionPlanProperties, replace_children_if_necessary};
use datafusion::physical_plan::joins::HashJoinExec;

use crate::exec::UnorderedExec;
use crate::key_filters::CarryKeys;
use crate::settings::ExecutionSettings;

/// DataFusion's rule that decides which side of a join is built.
const JOIN_SELECTION: &str = "join_selection";

/// All rules, in order; the planner must use these and no others.
pub fn physical_rules(settings: &ExecutionSettings) -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = PhysicalOptimizer::new().rules;
    let place = rules.iter().position(|rule| rule.name() == JOIN_SELECTION).map_or(0, |index| index + 1);
    rules.insert(place, Arc::new(ForgetBuildOrder));
    if let Some(settings) = settings.key_filters {
        rules.push(Arc::new(CarryKeys(settings)));
    }
    rules
}

/// DataFusion takes the rows of an inner hash join to be sorted by the probe side's keys and then by the build side's.
/// With equal rows on the probe side they are not, and a sort or an aggregate that relies on it gives wrong rows. So the
/// build side's order is hidden, also one that only a later rule brings about, which sorts the input of a window.
#[derive(Debug)]
struct ForgetBuildOrder;

impl PhysicalOptimizerRule for ForgetBuildOrder {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let forget = |node: Arc<dyn ExecutionPlan>| {
            let Some(join) = node.downcast_ref::<HashJoinExec>() else { return Ok(Transformed::no(node)) };
            if *join.join_type() != JoinType::Inner || !may_be_sorted(join.left())? {
                return Ok(Transformed::no(node));
            }
            let left: Arc<dyn ExecutionPlan> = Arc::new(UnorderedExec::new(Arc::clone(join.left())));
            let children = vec![left, Arc::clone(join.right())];
            Ok(Transformed::yes(replace_children_if_necessary(node, children)?))
        };
        plan.transform_up(forget).data()
    }

    fn name(&self) -> &'static str {
        "forget_build_order"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Whether the rows are in an order, or will be once every node has the order that it asks for.
fn may_be_sorted(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let asks = |node: &Arc<dyn ExecutionPlan>| Ok(node.required_input_ordering().iter().any(Option::is_some));
    Ok(plan.output_ordering().is_some() || plan.exists(asks)?)
}
