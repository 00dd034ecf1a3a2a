//! Small queries run as one task: no exchange, no waiting between stages.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::ExecutionPlanProperties;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, PartitionMode};
use datafusion::physical_plan::limit::GlobalLimitExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::union::{InterleaveExec, UnionExec};

use crate::exec::{CoalesceExec, ExchangeExec, NumberExec};
use crate::key_filters::without_filters;
use crate::settings::ExecutionSettings;

/// Bytes of a value whose size no statistics tell.
const ASSUMED_VALUE_BYTES: usize = 16;

/// The plan without its exchanges, if it is small enough to run in one task.
pub(super) fn whole_plan(
    plan: &Arc<dyn ExecutionPlan>,
    settings: &ExecutionSettings,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let exchanges = survey(plan)?;
    if exchanges != Exchanges::Removable || settings.small_query_bytes == 0 {
        return Ok(None);
    }
    match input_bytes(plan)? {
        Some(bytes) if bytes <= settings.small_query_bytes => {
            let whole = without_exchanges(&without_filters(plan)?)?;
            Ok(joins_match(&whole)?.then_some(whole))
        }
        _ => Ok(None),
    }
}

/// A source may come in partitions by the join's keys, with no exchange on its side to take away.
fn joins_match(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let mut all = true;
    plan.apply(|node| {
        if let [left, right] = node.children().as_slice() {
            let collects = node
                .downcast_ref::<HashJoinExec>()
                .is_some_and(|join| *join.partition_mode() == PartitionMode::CollectLeft);
            let (left, right) = (left.output_partitioning(), right.output_partitioning());
            all &= collects || node.is::<UnionExec>() || left.partition_count() == right.partition_count();
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(all)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Exchanges {
    None,
    Removable,
    Wanted,
}

/// Whether the plan has exchanges and whether rows would come out differently without them.
fn survey(plan: &Arc<dyn ExecutionPlan>) -> Result<Exchanges> {
    let mut found = Exchanges::None;
    plan.apply(|node| {
        let ordered = node.downcast_ref::<RepartitionExec>().is_some_and(RepartitionExec::preserve_order);
        // A product of small inputs need not be small.
        let multiplies = node.is::<CrossJoinExec>() || node.is::<NestedLoopJoinExec>();
        if ordered || multiplies || node.is::<ExchangeExec>() || node.is::<InterleaveExec>() {
            found = Exchanges::Wanted;
            return Ok(TreeNodeRecursion::Stop);
        }
        let collects = node.is::<CoalescePartitionsExec>() || node.is::<SortPreservingMergeExec>();
        if node.is::<RepartitionExec>() || collects || node.is::<HashJoinExec>() || node.is::<NumberExec>() {
            found = Exchanges::Removable;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// The size of everything that is read, if all of it is known.
pub(crate) fn input_bytes(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<usize>> {
    let mut total = Some(0_usize);
    plan.apply(|node| {
        if node.children().is_empty() {
            let statistics = StatisticsContext::new().compute(node.as_ref(), &StatisticsArgs::new())?;
            let by_rows = |rows: usize| rows.saturating_mul(node.schema().fields().len().max(1) * ASSUMED_VALUE_BYTES);
            let bytes = match (statistics.total_byte_size, statistics.num_rows) {
                (Precision::Exact(bytes) | Precision::Inexact(bytes), _) => Some(bytes),
                (Precision::Absent, Precision::Exact(rows) | Precision::Inexact(rows)) => Some(by_rows(rows)),
                (Precision::Absent, Precision::Absent) => None,
            };
            total = total.zip(bytes).map(|(total, bytes)| total.saturating_add(bytes));
        }
        Ok(if total.is_none() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(total)
}

/// Every exchange becomes a plain reading of one partition after the other, which also keeps results in order.
fn without_exchanges(plan: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let single = |input: &Arc<dyn ExecutionPlan>| -> Arc<dyn ExecutionPlan> {
        if input.output_partitioning().partition_count() == 1 {
            Arc::clone(input)
        } else {
            Arc::new(CoalesceExec::new(Arc::clone(input), 1))
        }
    };
    let plan = Arc::clone(plan).transform_up(|node| {
        if let Some(repartition) = node.downcast_ref::<RepartitionExec>() {
            return Ok(Transformed::yes(single(repartition.input())));
        }
        if let Some(number) = node.downcast_ref::<NumberExec>() {
            return Ok(Transformed::yes(Arc::new(number.over(single(number.input())))));
        }
        if let Some(collect) = node.downcast_ref::<CoalescePartitionsExec>() {
            let plan = single(collect.input());
            return Ok(Transformed::yes(match collect.fetch() {
                Some(fetch) => Arc::new(GlobalLimitExec::new(plan, 0, Some(fetch))),
                None => plan,
            }));
        }
        Ok(Transformed::no(node))
    });
    plan.data()
}
