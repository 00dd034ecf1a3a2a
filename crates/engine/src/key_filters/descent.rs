//! How far down a plan keys can be followed: where they are gathered, and where a filter by them may stand.

use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinSide, JoinType, Result};
use datafusion::physical_expr::Partitioning;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::execution_plan::{ExecutionPlanProperties, replace_children_if_necessary};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::union::UnionExec;

use super::{Expr, KeysId, Plan, is_selective, reduces};
use crate::exec::{GatherKeysExec, KeyFilterExec, UnorderedExec};
use crate::in_task::asks_for_task;

/// A plan that gathers keys.
pub(super) struct Gathered {
    pub(super) plan: Plan,
    /// Of the node that does; an older one's where it gathers the same.
    pub(super) id: KeysId,
}

/// Gathers all keys of the plan's rows, and perhaps more, at the end of the stage that they come from.
pub(super) fn gather(plan: &Plan, keys: &[Expr], next: KeysId, most: usize) -> Result<Option<Gathered>> {
    let collects = plan.downcast_ref::<CoalescePartitionsExec>().is_some_and(|node| node.fetch().is_none());
    if plan.is::<RepartitionExec>() || collects {
        return gather_below(plan, keys, next, most);
    }
    if plan.is::<UnionExec>() {
        return Ok(None);
    }
    // The first child is the one that the keys come from.
    let Some((index, keys)) = below(plan, keys)?.into_iter().next() else { return Ok(None) };
    let mut children: Vec<Plan> = plan.children().into_iter().map(Arc::clone).collect();
    let Some(child) = children.get_mut(index) else { return Ok(None) };
    let Some(Gathered { plan: gathering, id }) = gather(child, &keys, next, most)? else { return Ok(None) };
    *child = gathering;
    Ok(Some(Gathered { plan: replace_children_if_necessary(Arc::clone(plan), children)?, id }))
}

/// Gathers keys of groups of which a predicate leaves few: where they are grouped, they are exchanged once more for that.
pub(super) fn gather_groups(plan: &Plan, keys: &[Expr], next: KeysId, most: usize) -> Result<Option<Gathered>> {
    let (mut node, mut selective) = (plan, false);
    while !node.is::<AggregateExec>() {
        let filter = node.downcast_ref::<FilterExec>();
        selective |= filter.is_some_and(|filter| is_selective(filter.predicate()));
        let passes = filter.is_some() || node.is::<ProjectionExec>() || node.is::<UnorderedExec>();
        let Some(below) = node.children().first().copied().filter(|_| passes) else { return Ok(None) };
        node = below;
    }
    let Partitioning::Hash(_, count) = plan.output_partitioning() else { return Ok(None) };
    if !selective || *count == 1 {
        return Ok(None);
    }
    let partitioning = Partitioning::Hash(keys.to_vec(), *count);
    let gathering = Arc::new(GatherKeysExec::new(Arc::clone(plan), next, keys.to_vec(), most));
    Ok(Some(Gathered { plan: Arc::new(RepartitionExec::try_new(gathering, partitioning)?), id: next }))
}

/// Gathers keys of what an exchange reads, if these are likely to be few.
fn gather_below(exchange: &Plan, keys: &[Expr], next: KeysId, most: usize) -> Result<Option<Gathered>> {
    let Some(input) = exchange.children().first().map(|input| Arc::clone(input)) else { return Ok(None) };
    if !reduces(&input)? {
        return Ok(None);
    }
    let mut below = Some(&input);
    while let Some(node) = below.and_then(|plan| plan.downcast_ref::<GatherKeysExec>()) {
        if node.keys() == keys {
            return Ok(Some(Gathered { plan: Arc::clone(exchange), id: node.id() }));
        }
        below = Some(node.input());
    }
    let gathering: Plan = Arc::new(GatherKeysExec::new(Arc::clone(&input), next, keys.to_vec(), most));
    Ok(Some(Gathered { plan: replace_children_if_necessary(Arc::clone(exchange), vec![gathering])?, id: next }))
}

/// Filters the plan's rows by keys, as early as may be. Nothing where that saves no exchange, join or aggregation:
/// unless it has passed one already, `passed`, the join above drops the rows as well.
pub(super) fn place(plan: &Plan, keys: &[Expr], id: KeysId, passed: bool) -> Result<Option<Plan>> {
    let spares = spares_work(plan);
    let mut children: Vec<Plan> = plan.children().into_iter().map(Arc::clone).collect();
    let mut placed = false;
    for (index, keys) in below(plan, keys)? {
        let Some(child) = children.get_mut(index) else { continue };
        if let Some(filtered) = place(child, &keys, id, spares)? {
            *child = filtered;
            placed = true;
        }
    }
    if placed {
        return Ok(Some(replace_children_if_necessary(Arc::clone(plan), children)?));
    }
    Ok(passed.then(|| Arc::new(KeyFilterExec::new(Arc::clone(plan), id, keys.to_vec())) as Plan))
}

/// Whether fewer rows below such a node save more than looking at them costs.
fn spares_work(plan: &Plan) -> bool {
    plan.is::<RepartitionExec>()
        || plan.is::<CoalescePartitionsExec>()
        || plan.is::<AggregateExec>()
        || plan.is::<HashJoinExec>()
        || plan.is::<SortExec>()
        || plan.is::<GatherKeysExec>()
}

/// The children whose rows a filter by `keys` may be applied to instead of the node's, with the keys in their terms;
/// first the one that the keys come from.
fn below(plan: &Plan, keys: &[Expr]) -> Result<Vec<(usize, Vec<Expr>)>> {
    if depends_on_rows(plan)? {
        return Ok(Vec::new());
    }
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        return through_join(join, keys);
    }
    let only = |keys: Option<Vec<Expr>>| keys.map(|keys| vec![(0, keys)]).unwrap_or_default();
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let source = |index: usize| projection.expr().get(index).map(|column| Arc::clone(&column.expr));
        return Ok(only(in_terms_of(keys, &plan.schema(), &projection.input().schema(), &source)?));
    }
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        let groups = aggregate.group_expr();
        if groups.has_grouping_set() || aggregate.limit_options().is_some() {
            return Ok(Vec::new());
        }
        let source = |index: usize| groups.expr().get(index).map(|(expr, _)| Arc::clone(expr));
        return Ok(only(in_terms_of(keys, &plan.schema(), &aggregate.input().schema(), &source)?));
    }
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        let input = filter.input().schema();
        let source = |index: usize| {
            let index = filter.projection().as_ref().map_or(Some(index), |columns| columns.get(index).copied())?;
            column(&input, index)
        };
        return Ok(only(in_terms_of(keys, &plan.schema(), &input, &source)?.filter(|_| filter.fetch().is_none())));
    }
    if plan.is::<UnionExec>() {
        return Ok((0..plan.children().len()).map(|index| (index, keys.to_vec())).collect());
    }
    let same_rows = plan.is::<RepartitionExec>()
        || plan.is::<CoalescePartitionsExec>()
        || plan.is::<SortExec>()
        || plan.is::<UnorderedExec>()
        || plan.is::<CooperativeExec>()
        || plan.is::<GatherKeysExec>()
        || plan.is::<KeyFilterExec>();
    Ok(only(Some(keys.to_vec()).filter(|_| same_rows && plan.fetch().is_none())))
}

/// Whether a node's expressions give other values when there are fewer rows.
fn depends_on_rows(plan: &Plan) -> Result<bool> {
    let mut volatile = asks_for_task(plan.as_ref())?;
    plan.apply_expressions(&mut |expr| {
        volatile |= is_volatile(expr);
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(volatile)
}

fn through_join(join: &HashJoinExec, keys: &[Expr]) -> Result<Vec<(usize, Vec<Expr>)>> {
    if join.null_aware {
        return Ok(Vec::new());
    }
    let (left, right) = (join.left().schema(), join.right().schema());
    let sources = |side: JoinSide| {
        let schema = if side == JoinSide::Left { &left } else { &right };
        move |index: usize| {
            let (from, index) = source_of(join, index)?;
            if from == side { column(schema, index) } else { None }
        }
    };
    let output = join.schema();
    let of_left = in_terms_of(keys, &output, &left, &sources(JoinSide::Left))?;
    let of_right = in_terms_of(keys, &output, &right, &sources(JoinSide::Right))?;
    let on = join.on();
    let swapped: Vec<_> = on.iter().map(|(left, right)| (Arc::clone(right), Arc::clone(left))).collect();
    Ok(match (of_left, of_right) {
        (Some(keys), None) if keeps_left_rows(*join.join_type()) => {
            let partner = partners(&keys, on).filter(|_| *join.join_type() != JoinType::LeftMark);
            std::iter::once((0, keys)).chain(partner.map(|keys| (1, keys))).collect()
        }
        (None, Some(keys)) if keeps_left_rows(join.join_type().swap()) => {
            let partner = partners(&keys, &swapped).filter(|_| *join.join_type() != JoinType::RightMark);
            std::iter::once((1, keys)).chain(partner.map(|keys| (0, keys))).collect()
        }
        _ => Vec::new(),
    })
}

/// Whether what comes out are rows of the left side, each by itself: never NULL in its stead.
fn keeps_left_rows(kind: JoinType) -> bool {
    matches!(kind, JoinType::Inner | JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark)
}

/// Where a column of a join comes from.
fn source_of(join: &HashJoinExec, index: usize) -> Option<(JoinSide, usize)> {
    let index = join.projection.as_ref().map_or(Some(index), |columns| columns.get(index).copied())?;
    let left = join.left().schema().fields().len();
    let right = join.right().schema().fields().len();
    match join.join_type() {
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
            (index < left).then_some((JoinSide::Left, index))
        }
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => {
            (index < right).then_some((JoinSide::Right, index))
        }
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => match index.checked_sub(left) {
            None => Some((JoinSide::Left, index)),
            Some(index) => Some((JoinSide::Right, index)),
        },
    }
}

/// The other side's expressions that equal these in a join's pairs.
fn partners(keys: &[Expr], on: &[(Expr, Expr)]) -> Option<Vec<Expr>> {
    let partner = |key: &Expr| on.iter().find(|(own, _)| own == key).map(|(_, other)| Arc::clone(other));
    keys.iter().map(partner).collect()
}

fn column(schema: &Schema, index: usize) -> Option<Expr> {
    let field = schema.fields().get(index)?;
    Some(Arc::new(Column::new(field.name(), index)))
}

/// The keys over an input's columns, if every column they use comes from there as it is.
fn in_terms_of(
    keys: &[Expr],
    output: &Schema,
    input: &Schema,
    source: &dyn Fn(usize) -> Option<Expr>,
) -> Result<Option<Vec<Expr>>> {
    let mut moved = Vec::with_capacity(keys.len());
    for key in keys {
        let columns = collect_columns(key);
        if columns.is_empty() || columns.iter().any(|column| source(column.index()).is_none()) {
            return Ok(None);
        }
        // What is put in is not looked into.
        let replace = |expr: Expr| {
            let found = expr.downcast_ref::<Column>().and_then(|column| source(column.index()));
            Ok(found
                .map_or_else(|| Transformed::no(expr), |found| Transformed::new(found, true, TreeNodeRecursion::Jump)))
        };
        let key_below = Arc::clone(key).transform_down(replace).data()?;
        if key_below.data_type(input)? != key.data_type(output)? {
            return Ok(None);
        }
        moved.push(key_below);
    }
    Ok(Some(moved))
}
