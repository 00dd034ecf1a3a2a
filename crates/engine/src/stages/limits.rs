//! A limit at the very top: tasks of the last stage run only until there are enough rows.

use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::ExecutionPlanProperties;
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};

use super::graph::ResultLimit;

/// The plan below a limit over all partitions, and that limit.
pub(super) fn peel(plan: &Arc<dyn ExecutionPlan>) -> (Arc<dyn ExecutionPlan>, Option<ResultLimit>) {
    let (below, skip, fetch) = match plan.downcast_ref::<GlobalLimitExec>() {
        Some(limit) => (limit.input(), limit.skip(), limit.fetch()),
        None => (plan, 0, None),
    };
    let Some(collected) = below.downcast_ref::<CoalescePartitionsExec>() else { return (Arc::clone(plan), None) };
    let fetched = collected.fetch().map(|rows| rows.saturating_sub(skip));
    match fetch.into_iter().chain(fetched).min() {
        Some(fetch) => (Arc::clone(collected.input()), Some(ResultLimit { skip, fetch })),
        None => (Arc::clone(plan), None),
    }
}

/// Puts the limit back where the plan, now cut, has one partition, and bounds every partition otherwise.
pub(super) fn settle(
    plan: Arc<dyn ExecutionPlan>,
    limit: Option<ResultLimit>,
) -> (Arc<dyn ExecutionPlan>, Option<ResultLimit>) {
    let Some(ResultLimit { skip, fetch }) = limit else { return (plan, None) };
    if plan.output_partitioning().partition_count() <= 1 {
        return (Arc::new(GlobalLimitExec::new(plan, skip, Some(fetch))), None);
    }
    (Arc::new(LocalLimitExec::new(plan, skip.saturating_add(fetch))), limit)
}
