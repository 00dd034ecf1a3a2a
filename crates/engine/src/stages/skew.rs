//! Joins in which one partition is far larger than the others: several tasks share it.
//!
//! ```text
//!   left:  partition 3 of maps 0..4 | of maps 4..9        right: partition 3 of all maps, read by both tasks
//! ```
//!
//! Rows of one key then come out of several tasks, so nothing above in the stage may rely on where keys are; and a side
//! that every task reads whole may not be one whose unmatched rows come out.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::JoinType;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode, SortMergeJoinExec};
use datafusion::physical_plan::limit::LocalLimitExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use firesteel_shuffle::MapOutput;

use super::adapt::CompletedStages;
use super::fit::range_bytes;
use super::graph::StageNo;
use crate::exec::{GatherKeysExec, KeyFilterExec, ReadMode, ShuffleReadExec, Slice};
use crate::settings::{AdaptiveSettings, SkewSettings};

type Plan = Arc<dyn ExecutionPlan>;

/// The plan with the skewed partitions of its join split, if it is such a plan and has such partitions.
pub(super) fn split(plan: &Plan, completed: &dyn CompletedStages, settings: &AdaptiveSettings) -> Result<Plan> {
    let (Some(skew), Some(join)) = (settings.skew, join(plan)) else { return Ok(Arc::clone(plan)) };
    let (Some(left), Some(right)) = (source(join.left), source(join.right)) else { return Ok(Arc::clone(plan)) };
    let (ReadMode::Ranges(ranges), ReadMode::Ranges(others)) = (left.mode(), right.mode()) else {
        return Ok(Arc::clone(plan));
    };
    if ranges != others || left.stage() == right.stage() {
        return Ok(Arc::clone(plan));
    }
    let target = settings.advisory_partition_bytes;
    let side = |read: &ShuffleReadExec, is_split: bool| {
        let outputs = completed.outputs(read.stage());
        if is_split { pieces(&outputs, ranges, skew, target) } else { vec![vec![None]; ranges.len()] }
    };
    let (of_left, of_right) = (side(left, splits_left(join.kind)), side(right, splits_right(join.kind)));
    let (mut left_slices, mut right_slices) = (Vec::new(), Vec::new());
    for ((partitions, of_left), of_right) in ranges.iter().zip(&of_left).zip(&of_right) {
        for left in of_left {
            for right in of_right {
                left_slices.push(Slice { partitions: partitions.clone(), maps: left.clone() });
                right_slices.push(Slice { partitions: partitions.clone(), maps: right.clone() });
            }
        }
    }
    if left_slices.len() == ranges.len() {
        return Ok(Arc::clone(plan));
    }
    let slices = HashMap::from([(left.stage(), left_slices), (right.stage(), right_slices)]);
    with_slices(plan, &slices)
}

fn with_slices(plan: &Plan, slices: &HashMap<StageNo, Vec<Slice>>) -> Result<Plan> {
    let rewrite = |node: Plan| {
        let read = node.downcast_ref::<ShuffleReadExec>();
        let change = read.and_then(|read| Some(read.with_mode(ReadMode::Slices(slices.get(&read.stage())?.clone()))));
        Ok(match change {
            Some(read) => Transformed::yes(Arc::new(read) as Plan),
            None => Transformed::no(node),
        })
    };
    Arc::clone(plan).transform_up(rewrite).data()
}

/// A join of matching partitions.
struct Join<'a> {
    left: &'a Plan,
    right: &'a Plan,
    kind: JoinType,
}

/// The join that a stage consists of, below operators that take rows however they are divided.
fn join(plan: &Plan) -> Option<Join<'_>> {
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        let matches = *join.partition_mode() == PartitionMode::Partitioned && !join.null_aware;
        return matches.then(|| Join { left: join.left(), right: join.right(), kind: *join.join_type() });
    }
    if let Some(join) = plan.downcast_ref::<SortMergeJoinExec>() {
        return Some(Join { left: join.left(), right: join.right(), kind: join.join_type() });
    }
    let is_partial = plan.downcast_ref::<AggregateExec>().is_some_and(|node| *node.mode() == AggregateMode::Partial);
    let below = *plan.children().first().filter(|_| is_partial || plan.is::<LocalLimitExec>() || passes(plan))?;
    join(below)
}

/// What a side of a join reads, if that is all of another stage's partitions and may change.
fn source(plan: &Plan) -> Option<&ShuffleReadExec> {
    if let Some(read) = plan.downcast_ref::<ShuffleReadExec>() {
        return (!read.is_fixed() && read.merge().is_none()).then_some(read);
    }
    source(plan.children().first().filter(|_| passes(plan))?)
}

/// Whether an operator treats every row, or the rows of every partition, by themselves.
fn passes(plan: &Plan) -> bool {
    plan.is::<ProjectionExec>()
        || plan.is::<FilterExec>()
        || plan.is::<KeyFilterExec>()
        || plan.is::<GatherKeysExec>()
        || plan.downcast_ref::<SortExec>().is_some_and(|sort| sort.preserve_partitioning() && sort.fetch().is_none())
}

/// Whether every row of the left side may meet all of the right side's in its own task alone.
fn splits_left(kind: JoinType) -> bool {
    matches!(kind, JoinType::Inner | JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark)
}

fn splits_right(kind: JoinType) -> bool {
    matches!(kind, JoinType::Inner | JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark)
}

/// For each partition the maps that each of its tasks reads; one task that reads all where it is not skewed.
fn pieces(
    outputs: &[MapOutput],
    ranges: &[Range<usize>],
    skew: SkewSettings,
    target: u64,
) -> Vec<Vec<Option<Range<usize>>>> {
    let by_map = |range: &Range<usize>| outputs.iter().map(|output| range_bytes(output, range)).collect::<Vec<u64>>();
    let sizes: Vec<Vec<u64>> = ranges.iter().map(by_map).collect();
    let totals: Vec<u64> = sizes.iter().map(|maps| maps.iter().sum()).collect();
    let most = skewed_above(&totals, skew);
    // Pieces no smaller than the other partitions are.
    let (mut sum, mut count) = (0, 0);
    for total in totals.iter().filter(|total| **total <= most) {
        (sum, count) = (sum + total, count + 1);
    }
    let target = target.max(sum / u64::max(count, 1)).max(1);
    let of = |(maps, total): (&Vec<u64>, &u64)| match *total > most {
        true => cut(maps, target),
        false => vec![None],
    };
    sizes.iter().zip(&totals).map(of).collect()
}

/// Larger partitions are skewed.
fn skewed_above(totals: &[u64], skew: SkewSettings) -> u64 {
    let mut sorted = totals.to_vec();
    sorted.sort_unstable();
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
    let multiple = (median as f64 * skew.factor) as u64;
    multiple.max(skew.bytes_min)
}

/// Neighbouring maps, together no larger than the target unless one alone is.
fn cut(maps: &[u64], target: u64) -> Vec<Option<Range<usize>>> {
    let mut cuts: Vec<Range<usize>> = Vec::new();
    let mut current = 0;
    for (map, bytes) in maps.iter().enumerate() {
        match cuts.last_mut() {
            Some(cut) if current + bytes <= target => {
                cut.end = map + 1;
                current += bytes;
            }
            _ => {
                cuts.push(map..map + 1);
                current = *bytes;
            }
        }
    }
    if cuts.len() > 1 { cuts.into_iter().map(Some).collect() } else { vec![None] }
}

#[cfg(test)]
mod tests {
    use firesteel_model::ids::{Attempt, Partition, StageId, TaskAttempt, TaskId};
    use firesteel_shuffle::PartitionSize;

    use super::*;

    fn outputs(maps: &[&[u64]]) -> Vec<MapOutput> {
        let output = |bytes: &&[u64]| MapOutput {
            attempt: TaskAttempt { task: TaskId { stage: StageId(0), partition: Partition(0) }, attempt: Attempt(0) },
            key: String::new(),
            version: None,
            first_partition: 0,
            partitions: bytes.iter().map(|bytes| PartitionSize { bytes: *bytes, ..PartitionSize::default() }).collect(),
            spilled_bytes: 0,
        };
        maps.iter().map(output).collect()
    }

    #[test]
    fn only_partitions_far_above_the_median_are_split() {
        let ranges = [0..1, 1..2, 2..3];
        let skew = SkewSettings { factor: 5.0, bytes_min: 100 };
        let maps = outputs(&[&[10, 90, 10], &[10, 90, 0], &[10, 20, 10], &[0, 200, 10]]);
        let found = pieces(&maps, &ranges, skew, 120);
        assert_eq!(found, [vec![None], vec![Some(0..1), Some(1..3), Some(3..4)], vec![None]]);
        let patient = SkewSettings { factor: 5.0, bytes_min: 400 };
        assert_eq!(pieces(&maps, &ranges, patient, 120), vec![vec![None]; 3]);
        let lenient = SkewSettings { factor: 20.0, bytes_min: 100 };
        assert_eq!(pieces(&maps, &ranges, lenient, 120), vec![vec![None]; 3]);
    }

    #[test]
    fn one_map_alone_is_not_split() {
        assert_eq!(cut(&[500], 10), [None]);
        assert_eq!(cut(&[5, 5, 5], 10), [Some(0..2), Some(2..3)]);
        assert_eq!(cut(&[], 10), [None]);
    }
}
