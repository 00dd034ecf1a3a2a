//! Filters that a join's selective side gives the scans of the other.
//!
//! ```text
//!   HashJoinExec: orders.id = items.order
//!     RepartitionExec                        RepartitionExec
//!       GatherKeysExec: keys 0 [id]            ...              any operators that the filter may pass
//!         FilterExec: date < ..                  KeyFilterExec: keys 0 [order]
//!           orders                                 items
//! ```
//!
//! Tasks that run a [`GatherKeysExec`](crate::exec::GatherKeysExec) tell the driver hashes of the keys they saw. Stages
//! with a [`KeyFilterExec`](crate::exec::KeyFilterExec) wait for them, and drop rows that can have no partner before
//! these are joined, aggregated or written to a shuffle. A row that has a partner always passes, so rows that pass for
//! nothing, and filters that are left out, change no result.

mod descent;
mod keys;

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, Result};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, IsNotNullExpr};
use datafusion::physical_expr::utils::split_conjunction;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{ExecutionPlanProperties, replace_children_if_necessary};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};

use crate::exec::{GatherKeysExec, KeyFilterExec, RecursionExec};
use crate::settings::KeyFilterSettings;
use crate::stages::{CompletedStages, input_bytes};
use descent::{Gathered, gather, gather_groups, place};
pub use keys::{KeyFilter, Keys};

type Plan = Arc<dyn ExecutionPlan>;
type Expr = Arc<dyn PhysicalExpr>;

/// Names the keys that one node gathers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeysId(pub u32);

/// Puts filters into plans. The last rule: those before know nothing of its nodes.
#[derive(Debug)]
pub(crate) struct CarryKeys(pub(crate) KeyFilterSettings);

impl PhysicalOptimizerRule for CarryKeys {
    fn optimize(&self, plan: Plan, _config: &ConfigOptions) -> Result<Plan> {
        Carrier { settings: self.0, gathers: 0 }.carry(plan)
    }

    fn name(&self) -> &'static str {
        "carry_keys"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

struct Carrier {
    settings: KeyFilterSettings,
    gathers: u32,
}

impl Carrier {
    /// A join is tried before those below it, for whose sides its filter is selective, and after them.
    fn carry(&mut self, plan: Plan) -> Result<Plan> {
        if plan.is::<RecursionExec>() {
            return Ok(plan);
        }
        let plan = self.filtered(plan)?;
        let children = plan.children().into_iter().map(|child| self.carry(Arc::clone(child)));
        let children = children.collect::<Result<Vec<_>>>()?;
        self.filtered(replace_children_if_necessary(plan, children)?)
    }

    fn filtered(&mut self, plan: Plan) -> Result<Plan> {
        let sides = plan.downcast_ref::<HashJoinExec>().map(|join| self.across(join)).transpose()?.flatten();
        match sides {
            Some(sides) => replace_children_if_necessary(plan, sides),
            None => Ok(plan),
        }
    }

    /// A join's sides, one with its keys gathered and the other with a filter, if that promises to be worth it and is not
    /// done.
    fn across(&mut self, join: &HashJoinExec) -> Result<Option<Vec<Plan>>> {
        let (left, right) = (join.left(), join.right());
        let done = waits_for(right, &gathered_in(left)?)? || waits_for(left, &gathered_in(right)?)?;
        if done || join.null_aware || !have_hashes(join)? {
            return Ok(None);
        }
        let (left_keys, right_keys): (Vec<Expr>, Vec<Expr>) = join.on().iter().cloned().unzip();
        let collected = collected(join);
        let (left, right) = ((&collected, left_keys.as_slice()), (right, right_keys.as_slice()));
        if drops_right(join)
            && let Some((left, right)) = self.filter(left, right)?
        {
            return Ok(Some(vec![left, right]));
        }
        if drops_left(join)
            && let Some((right, left)) = self.filter(right, left)?
        {
            return Ok(Some(vec![left, right]));
        }
        Ok(None)
    }

    /// The first plan with its keys gathered, the second with a filter by them.
    fn filter(&mut self, from: (&Plan, &[Expr]), to: (&Plan, &[Expr])) -> Result<Option<(Plan, Plan)>> {
        if input_bytes(to.0)?.is_some_and(|bytes| bytes < self.settings.scan_bytes_min) {
            return Ok(None);
        }
        let next = KeysId(self.gathers);
        let gathered = match gather_groups(from.0, from.1, next, self.settings.keys_max)? {
            Some(gathered) => Some(gathered),
            None => gather(from.0, from.1, next, self.settings.keys_max)?,
        };
        let Some(Gathered { plan: from, id }) = gathered else { return Ok(None) };
        let Some(to) = place(to.0, to.1, id, false)? else { return Ok(None) };
        self.gathers += u32::from(id == next);
        Ok(Some((from, to)))
    }
}

/// Whether rows of the right side come out, and count, only where they have a partner.
fn drops_right(join: &HashJoinExec) -> bool {
    use JoinType::{Inner, Left, LeftAnti, LeftSemi, RightSemi};
    match *join.partition_mode() {
        PartitionMode::Partitioned => matches!(join.join_type(), Inner | Left | LeftSemi | LeftAnti | RightSemi),
        // Others are not cut as they stand.
        _ => matches!(join.join_type(), Inner | RightSemi),
    }
}

/// The same of the left side; one that is collected is small.
fn drops_left(join: &HashJoinExec) -> bool {
    use JoinType::{Inner, LeftSemi, Right, RightAnti, RightSemi};
    *join.partition_mode() == PartitionMode::Partitioned
        && matches!(join.join_type(), Inner | Right | RightSemi | RightAnti | LeftSemi)
}

/// Whether keys that are equal have one hash, wherever in the plan it is taken. Floating-point numbers have two zeros.
fn have_hashes(join: &HashJoinExec) -> Result<bool> {
    for (left, right) in join.on() {
        let kind = left.data_type(&join.left().schema())?;
        let plain = kind.is_integer()
            || kind.is_temporal()
            || matches!(kind, DataType::Boolean | DataType::Utf8 | DataType::Binary | DataType::Decimal128(..));
        if !plain || kind != right.data_type(&join.right().schema())? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The left side as one that ends a stage: a join that collects a single partition has no node for that.
fn collected(join: &HashJoinExec) -> Plan {
    let left = join.left();
    if *join.partition_mode() == PartitionMode::CollectLeft
        && left.output_partitioning().partition_count() == 1
        && !left.is::<CoalescePartitionsExec>()
    {
        return Arc::new(CoalescePartitionsExec::new(Arc::clone(left)));
    }
    Arc::clone(left)
}

/// Whether something in the plan is likely to take many rows away.
fn reduces(plan: &Plan) -> Result<bool> {
    plan.exists(|node| {
        let semi = |join: &HashJoinExec| matches!(join.join_type(), JoinType::LeftSemi | JoinType::RightSemi);
        Ok(node.downcast_ref::<FilterExec>().is_some_and(|filter| is_selective(filter.predicate()))
            || node.downcast_ref::<HashJoinExec>().is_some_and(semi)
            || node.is::<KeyFilterExec>()
            || node.is::<GlobalLimitExec>()
            || node.is::<LocalLimitExec>())
    })
}

/// Whether a predicate says more than that values are there or differ from others.
fn is_selective(predicate: &Expr) -> bool {
    split_conjunction(predicate).into_iter().any(|part| {
        let differs = part.downcast_ref::<BinaryExpr>().is_some_and(|binary| *binary.op() == Operator::NotEq);
        !differs && !part.is::<IsNotNullExpr>()
    })
}

/// A plan that runs as one task, or elsewhere without stages, without filters and what they need.
pub(crate) fn without_filters(plan: &Plan) -> Result<Plan> {
    let remove = |node: Plan| {
        let is_ours = node.is::<KeyFilterExec>() || node.is::<GatherKeysExec>();
        let input = node.children().first().filter(|_| is_ours).map(|input| Arc::clone(input));
        Ok(input.map_or_else(|| Transformed::no(node), Transformed::yes))
    };
    Arc::clone(plan).transform_up(remove).data()
}

/// The filters of a stage with the keys that they pass. One whose keys are too many is left out.
pub(crate) fn filled(plan: &Plan, completed: &dyn CompletedStages) -> Result<Plan> {
    let fill = |node: Plan| {
        let Some(filter) = node.downcast_ref::<KeyFilterExec>() else { return Ok(Transformed::no(node)) };
        let keys = filter.stage().and_then(|stage| completed.keys(stage, filter.id()));
        let Some(keys) = keys else { return Ok(Transformed::yes(Arc::clone(filter.input()))) };
        Ok(Transformed::yes(Arc::new(filter.with_keys(keys)) as Plan))
    };
    Arc::clone(plan).transform_up(fill).data()
}

/// Which keys a plan gathers.
pub(crate) fn gathered_in(plan: &Plan) -> Result<Vec<KeysId>> {
    let mut found = Vec::new();
    plan.apply(|node| {
        found.extend(node.downcast_ref::<GatherKeysExec>().map(GatherKeysExec::id));
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// Whether a plan waits for one of these keys.
pub(crate) fn waits_for(plan: &Plan, keys: &[KeysId]) -> Result<bool> {
    plan.exists(|node| Ok(node.downcast_ref::<KeyFilterExec>().is_some_and(|filter| keys.contains(&filter.id()))))
}
