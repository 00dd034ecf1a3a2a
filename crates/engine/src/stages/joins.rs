//! Joins task by task: which sides are broadcast, and which joins must not run that way.
//!
//! A join that collects its left side gives that side's unmatched rows once for every task. Such joins are turned into
//! joins of matching partitions, swapped, or run in one task.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::logical_expr::JoinType;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::ExecutionPlanProperties;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, PartitionMode, PiecewiseMergeJoinExec, SortMergeJoinExec,
};
use datafusion::physical_plan::{ExecutionPlan, projection::ProjectionExec};

use super::cut::{Cutter, ReadSide, rebuild};
use crate::exec::ShuffleReadExec;
use crate::partition::OutputScheme;

type Plan = Arc<dyn ExecutionPlan>;

/// The node over children that are cut already.
pub(super) fn with_children(plan: Plan, children: Vec<Plan>, cutter: &mut Cutter<'_>) -> Result<Plan> {
    let [left, right] = children.as_slice() else { return rebuild(plan, children) };
    let (left, right) = (Arc::clone(left), Arc::clone(right));
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        return hash_join(join, left, right, cutter);
    }
    if let Some(join) = plan.downcast_ref::<SortMergeJoinExec>() {
        let (left, right) = matched(&left, &right, join.on(), cutter)?.unwrap_or((left, right));
        return rebuild(plan, vec![left, right]);
    }
    if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>() {
        let join_type = *join.join_type();
        return nested_loop_join(&plan, join_type, left, right, cutter);
    }
    if plan.is::<CrossJoinExec>() {
        let left = broadcast(left, &right, cutter)?;
        return rebuild(plan, vec![left, right]);
    }
    if let Some(join) = plan.downcast_ref::<PiecewiseMergeJoinExec>() {
        let right = if keeps_left(join.join_type()) { cutter.single(right, None, None)? } else { right };
        let left = broadcast(left, &right, cutter)?;
        return rebuild(plan, vec![left, right]);
    }
    rebuild(plan, children)
}

/// The children to cut: where a broadcast will not take place, not the collecting of its left side.
pub(super) fn uncollected(plan: &Plan) -> Vec<Plan> {
    let mut children: Vec<Plan> = plan.children().into_iter().map(Arc::clone).collect();
    let [left, right] = children.as_mut_slice() else { return children };
    let hash = plan.downcast_ref::<HashJoinExec>().is_some_and(|join| {
        *join.partition_mode() != PartitionMode::Partitioned && keeps_left(*join.join_type()) && !join.null_aware
    });
    let nested = plan
        .downcast_ref::<NestedLoopJoinExec>()
        .is_some_and(|join| keeps_left(*join.join_type()) && *join.join_type() != JoinType::Full);
    let collected = left.downcast_ref::<CoalescePartitionsExec>().filter(|collect| collect.fetch().is_none());
    let input = collected.map(|collect| Arc::clone(collect.input()));
    if let Some(input) = input.filter(|_| (hash || nested) && partitions(right) > 1) {
        *left = input;
    }
    children
}

/// Whether rows of the left side come out without a partner, or once however many partners they have.
fn keeps_left(join_type: JoinType) -> bool {
    matches!(join_type, JoinType::Left | JoinType::Full | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark)
}

fn partitions(plan: &Plan) -> usize {
    plan.output_partitioning().partition_count()
}

fn hash_join(join: &HashJoinExec, left: Plan, right: Plan, cutter: &mut Cutter<'_>) -> Result<Plan> {
    let build = |mode, left, right| {
        join.builder()
            .with_partition_mode(mode)
            .with_new_children(vec![left, right])?
            .recompute_properties()
            .build_exec()
    };
    if *join.partition_mode() == PartitionMode::Partitioned {
        let (left, right) = matched(&left, &right, join.on(), cutter)?.unwrap_or((left, right));
        return build(PartitionMode::Partitioned, left, right);
    }
    if join.null_aware {
        // One NULL anywhere on the right decides about every row on the left.
        let (left, right) = (cutter.single(left, None, None)?, cutter.single(right, None, None)?);
        return build(PartitionMode::CollectLeft, left, right);
    }
    if keeps_left(*join.join_type()) && partitions(&right) > 1 {
        let count = cutter.settings.shuffle_partitions;
        let left_keys = join.on().iter().map(|(key, _)| Arc::clone(key)).collect();
        let right_keys = join.on().iter().map(|(_, key)| Arc::clone(key)).collect();
        let left = hash_exchange(left, left_keys, count, cutter)?;
        let right = hash_exchange(right, right_keys, count, cutter)?;
        return build(PartitionMode::Partitioned, left, right);
    }
    let left = broadcast(left, &right, cutter)?;
    build(PartitionMode::CollectLeft, left, right)
}

/// Both sides with equally many partitions by the join's keys, if they are not so already.
fn matched(
    left: &Plan,
    right: &Plan,
    on: &[(Arc<dyn PhysicalExpr>, Arc<dyn PhysicalExpr>)],
    cutter: &mut Cutter<'_>,
) -> Result<Option<(Plan, Plan)>> {
    let agree = match (left.output_partitioning(), right.output_partitioning()) {
        (Partitioning::Hash(left, left_count), Partitioning::Hash(right, right_count)) => {
            left_count == right_count && same_positions(left, right, on)
        }
        (left, right) => left.partition_count() == 1 && right.partition_count() == 1,
    };
    if agree {
        return Ok(None);
    }
    let count = cutter.settings.shuffle_partitions;
    let left_keys = on.iter().map(|(key, _)| Arc::clone(key)).collect();
    let right_keys = on.iter().map(|(_, key)| Arc::clone(key)).collect();
    let left = hash_exchange(Arc::clone(left), left_keys, count, cutter)?;
    let right = hash_exchange(Arc::clone(right), right_keys, count, cutter)?;
    Ok(Some((left, right)))
}

/// Whether both sides were split by corresponding keys in the same order.
fn same_positions(
    left: &[Arc<dyn PhysicalExpr>],
    right: &[Arc<dyn PhysicalExpr>],
    on: &[(Arc<dyn PhysicalExpr>, Arc<dyn PhysicalExpr>)],
) -> bool {
    let is_pair = |left: &Arc<dyn PhysicalExpr>, right: &Arc<dyn PhysicalExpr>| {
        on.iter().any(|(left_key, right_key)| left.eq(left_key) && right.eq(right_key))
    };
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| is_pair(left, right))
}

fn hash_exchange(input: Plan, keys: Vec<Arc<dyn PhysicalExpr>>, count: usize, cutter: &mut Cutter<'_>) -> Result<Plan> {
    let equivalences = EquivalenceProperties::new(input.schema());
    let partitioning = Partitioning::Hash(keys.clone(), count);
    let side = ReadSide { equivalences, partitioning, merge: None, fixed: false };
    cutter.exchange(input, OutputScheme::Hash(keys, count), side)
}

fn nested_loop_join(
    plan: &Plan,
    join_type: JoinType,
    left: Plan,
    right: Plan,
    cutter: &mut Cutter<'_>,
) -> Result<Plan> {
    if !keeps_left(join_type) || partitions(&right) == 1 {
        let left = broadcast(left, &right, cutter)?;
        return rebuild(Arc::clone(plan), vec![left, right]);
    }
    if join_type == JoinType::Full {
        let (left, right) = (cutter.single(left, None, None)?, cutter.single(right, None, None)?);
        return rebuild(Arc::clone(plan), vec![left, right]);
    }
    // Swapped, the side whose unmatched rows are wanted is the one that tasks share out.
    let (left, right) = (left, cutter.single(right, None, None)?);
    let right = broadcast(right, &left, cutter)?;
    let joined = rebuild(Arc::clone(plan), vec![left, right])?;
    let swapped = joined.downcast_ref::<NestedLoopJoinExec>().map(NestedLoopJoinExec::swap_inputs).transpose()?;
    Ok(match swapped {
        Some(swapped) => named_as(swapped, &joined)?,
        None => joined,
    })
}

/// Swapping may rename columns of a mark join; nothing above may notice.
fn named_as(plan: Plan, like: &Plan) -> Result<Plan> {
    if plan.schema() == like.schema() {
        return Ok(plan);
    }
    let wanted = like.schema();
    let columns = wanted.fields().iter().enumerate().map(|(index, field)| {
        let column = datafusion::physical_expr::expressions::Column::new(plan.schema().field(index).name(), index);
        (Arc::new(column) as Arc<dyn PhysicalExpr>, field.name().clone())
    });
    Ok(Arc::new(ProjectionExec::try_new(columns.collect::<Vec<_>>(), Arc::clone(&plan))?))
}

/// The side that every task reads whole. Run once in a stage of its own, unless only one task needs it.
fn broadcast(side: Plan, consumer: &Plan, cutter: &mut Cutter<'_>) -> Result<Plan> {
    let alone = partitions(consumer) <= 1;
    if partitions(&side) == 1 && (alone || side.is::<ShuffleReadExec>()) {
        return Ok(side);
    }
    let mut equivalences = side.equivalence_properties().clone();
    if partitions(&side) > 1 {
        equivalences.clear_orderings();
        equivalences.clear_per_partition_constants();
    }
    let partitioning = Partitioning::UnknownPartitioning(1);
    let read = ReadSide { equivalences, partitioning, merge: None, fixed: true };
    cutter.exchange(side, OutputScheme::Single, read)
}
