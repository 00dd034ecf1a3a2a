//! A global sort at the top becomes ranges of rows, each sorted by a task of its own.
//!
//! Reading the partitions in order, or the files written from them by name, then gives the order.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::ExecutionPlanProperties;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;

use super::cut::rebuild;
use crate::exec::{ExchangeExec, ExchangeKind};
use crate::settings::ExecutionSettings;

/// Rewrites the sort that decides the order of the plan's result, if there is one over several partitions.
pub(super) fn by_ranges(plan: Arc<dyn ExecutionPlan>, settings: &ExecutionSettings) -> Result<Arc<dyn ExecutionPlan>> {
    if let Some(merge) = plan.downcast_ref::<SortPreservingMergeExec>() {
        return Ok(ranges(merge, settings).unwrap_or(plan));
    }
    let children = plan.children();
    let passes_order = plan.maintains_input_order() == [true] && plan.fetch().is_none();
    let needs_single = plan
        .input_distribution_requirements()
        .per_child_distributions()
        .any(|distribution| matches!(distribution, datafusion::physical_expr::Distribution::SinglePartition));
    match children.as_slice() {
        [child] if passes_order && !needs_single => {
            let child = by_ranges(Arc::clone(child), settings)?;
            rebuild(plan, vec![child])
        }
        _ => Ok(plan),
    }
}

fn ranges(merge: &SortPreservingMergeExec, settings: &ExecutionSettings) -> Option<Arc<dyn ExecutionPlan>> {
    let sort = merge.input().downcast_ref::<SortExec>()?;
    let input = sort.input();
    let in_order = merge.fetch().is_none() && sort.fetch().is_none() && sort.preserve_partitioning();
    if !in_order || input.output_partitioning().partition_count() <= 1 || merge.expr() != sort.expr() {
        return None;
    }
    let kind = ExchangeKind::Range(sort.expr().clone());
    let exchange = ExchangeExec::new(Arc::clone(input), kind, settings.shuffle_partitions, false);
    Some(Arc::new(SortExec::new(sort.expr().clone(), Arc::new(exchange)).with_preserve_partitioning(true)))
}
