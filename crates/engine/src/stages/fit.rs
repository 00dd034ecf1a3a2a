//! Joins that fit in memory: chosen from the real sizes of their inputs.
//!
//! A hash join holds its left side and cannot spill it. Where that side turns out too large for one task, the smaller
//! side is held instead; where both are too large, rows are sorted, which spills, and merged.

use std::ops::Range;
use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::ExecutionPlanProperties;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode, SortMergeJoinExec};
use datafusion::physical_plan::limit::LocalLimitExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use firesteel_shuffle::MapOutput;

use super::adapt::CompletedStages;
use crate::exec::{ReadMode, ShuffleReadExec};

type Plan = Arc<dyn ExecutionPlan>;

/// The plan with every join of matching partitions such that no task holds more than so many bytes for one.
pub(super) fn joins(plan: &Plan, completed: &dyn CompletedStages, bytes_max: u64) -> Result<Plan> {
    let fit = |node: Plan| {
        let Some(join) = node.downcast_ref::<HashJoinExec>() else { return Ok(Transformed::no(node)) };
        if join.null_aware || *join.partition_mode() != PartitionMode::Partitioned {
            return Ok(Transformed::no(node));
        }
        let fits = |side: &Plan| largest_partition(side, completed).map(|bytes| bytes <= bytes_max);
        match (fits(join.left()), fits(join.right())) {
            (Some(true) | None, _) => Ok(Transformed::no(node)),
            (Some(false), Some(true)) if join.join_type().supports_swap() => {
                Ok(Transformed::yes(join.swap_inputs(PartitionMode::Partitioned)?))
            }
            (Some(false), _) if join.on().iter().all(|(left, _)| is_mergeable(left, join)) => {
                Ok(Transformed::yes(sort_merge(join)?))
            }
            (Some(false), _) => Ok(Transformed::no(node)),
        }
    };
    Arc::clone(plan).transform_up(fit).data()
}

/// The most bytes that a partition's inputs have, if all of them come from other stages.
fn largest_partition(plan: &Plan, completed: &dyn CompletedStages) -> Option<u64> {
    partition_bytes(plan, completed)?.into_iter().max()
}

/// Bytes that come in for each partition; no operator between is taken to make rows fewer.
fn partition_bytes(plan: &Plan, completed: &dyn CompletedStages) -> Option<Vec<u64>> {
    if let Some(read) = plan.downcast_ref::<ShuffleReadExec>() {
        return Some(read_bytes(read, completed));
    }
    let count = plan.output_partitioning().partition_count();
    let children: Option<Vec<Vec<u64>>> =
        plan.children().into_iter().map(|child| partition_bytes(child, completed)).collect();
    let children = children.filter(|children| !children.is_empty())?;
    if children.iter().any(|child| child.len() != count) {
        return None;
    }
    Some((0..count).map(|index| children.iter().filter_map(|child| child.get(index)).sum()).collect())
}

fn read_bytes(read: &ShuffleReadExec, completed: &dyn CompletedStages) -> Vec<u64> {
    let outputs = completed.outputs(read.stage());
    match read.mode() {
        ReadMode::Maps(_) => outputs.iter().map(|output| output.bytes()).collect(),
        ReadMode::Ranges(ranges) => {
            ranges.iter().map(|range| outputs.iter().map(|output| range_bytes(output, range)).sum()).collect()
        }
        ReadMode::Slices(slices) => slices
            .iter()
            .map(|slice| slice.of(&outputs).iter().map(|output| range_bytes(output, &slice.partitions)).sum())
            .collect(),
    }
}

/// Bytes of some partitions in one map output.
pub(super) fn range_bytes(output: &MapOutput, partitions: &Range<usize>) -> u64 {
    output.partitions.get(partitions.clone()).unwrap_or_default().iter().map(|size| size.bytes).sum()
}

/// Whether rows can be merged by a key; the merging compares these types only.
fn is_mergeable(key: &Arc<dyn PhysicalExpr>, join: &HashJoinExec) -> bool {
    key.data_type(&join.left().schema()).is_ok_and(|kind| {
        kind.is_integer()
            || matches!(
                kind,
                DataType::Boolean
                    | DataType::Float32
                    | DataType::Float64
                    | DataType::Utf8
                    | DataType::Binary
                    | DataType::Date32
                    | DataType::Decimal128(..)
                    | DataType::Timestamp(_, None)
            )
    })
}

fn sort_merge(join: &HashJoinExec) -> Result<Plan> {
    let options = SortOptions { descending: false, nulls_first: true };
    let sorted = |input: &Plan, keys: Vec<&Arc<dyn PhysicalExpr>>| -> Plan {
        let keys = keys.into_iter().map(|key| PhysicalSortExpr::new(Arc::clone(key), options));
        match LexOrdering::new(keys) {
            Some(ordering) => Arc::new(SortExec::new(ordering, Arc::clone(input)).with_preserve_partitioning(true)),
            None => Arc::clone(input),
        }
    };
    let left = sorted(join.left(), join.on().iter().map(|(key, _)| key).collect());
    let right = sorted(join.right(), join.on().iter().map(|(_, key)| key).collect());
    let merged = SortMergeJoinExec::try_new(
        left,
        right,
        join.on().to_vec(),
        join.filter().cloned(),
        *join.join_type(),
        vec![options; join.on().len()],
        join.null_equality(),
    )?;
    let mut plan: Plan = Arc::new(merged);
    if let Some(columns) = join.projection.as_ref() {
        let schema = plan.schema();
        let columns = columns.iter().map(|index| {
            let name = schema.field(*index).name();
            let column = datafusion::physical_expr::expressions::Column::new(name, *index);
            (Arc::new(column) as Arc<dyn PhysicalExpr>, name.clone())
        });
        plan = Arc::new(ProjectionExec::try_new(columns.collect::<Vec<_>>(), Arc::clone(&plan))?);
    }
    Ok(match join.fetch() {
        Some(rows) => Arc::new(LocalLimitExec::new(plan, rows)),
        None => plan,
    })
}
