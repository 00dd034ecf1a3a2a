//! Rows once for each grouping set: what grouping by plain keys makes ROLLUP, CUBE and GROUPING SETS of.
//!
//! ```text
//!   Aggregate: by sets ((a, b), (a), ())     =>     Group: by a', b', id
//!     Scan                                            Projection: *, a where id has it, b where id has it
//!                                                       Unnest: id
//!                                                         Projection: *, [0, 1, 3] AS id
//!                                                           Scan
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::{Column, Result, ScalarValue, plan_err};
use datafusion::logical_expr::logical_plan::{Aggregate, LogicalPlanBuilder};
use datafusion::logical_expr::utils::{enumerate_grouping_sets, grouping_set_to_exprlist};
use datafusion::logical_expr::{Expr, ExprSchemable, GroupingSet, LogicalPlan, Projection, lit, when};

/// The id of a row's grouping set, as DataFusion numbers them.
const SET: &str = "grouping_set@";

/// The rows of an aggregate's input for every grouping set, and what they are grouped by: the keys, then the id of the
/// set.
pub(super) fn expanded(aggregate: &Aggregate) -> Result<(LogicalPlan, Vec<Expr>)> {
    let grouping = enumerate_grouping_sets(aggregate.group_expr.clone())?;
    let keys: Vec<Expr> = grouping_set_to_exprlist(&grouping)?.into_iter().cloned().collect();
    let sets = members(&grouping)?;
    let id_type = aggregate.schema.field(keys.len()).data_type();
    let ids = ids(&sets, &keys);
    let typed = |id: &u64| ScalarValue::UInt64(Some(*id)).cast_to(id_type);
    let typed = ids.iter().map(typed).collect::<Result<Vec<_>>>()?;

    let own = || aggregate.input.schema().columns().into_iter().map(Expr::Column);
    let all = lit(ScalarValue::List(ScalarValue::new_list_nullable(&typed, id_type))).alias(SET);
    let listed = Projection::try_new(own().chain([all]).collect(), Arc::clone(&aggregate.input))?;
    let unnested =
        LogicalPlanBuilder::from(LogicalPlan::Projection(listed)).unnest_column(Column::new_unqualified(SET))?;
    let unnested = unnested.build()?;

    let id = Expr::Column(Column::new_unqualified(SET));
    let mut exprs: Vec<Expr> = own().chain([id.clone()]).collect();
    let mut grouped = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        let having = sets.iter().zip(&typed).filter(|(set, _)| set.contains(key)).map(|(_, id)| lit(id.clone()));
        let null = ScalarValue::try_from(key.get_type(aggregate.input.schema())?)?;
        let value = when(id.clone().in_list(having.collect(), false), key.clone()).otherwise(lit(null))?;
        let name = format!("grouping_key@{index}");
        exprs.push(value.alias(name.clone()));
        grouped.push(Expr::Column(Column::new_unqualified(name)));
    }
    grouped.push(id);
    let plan = LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(unnested))?);
    Ok((plan, grouped))
}

fn members(grouping: &[Expr]) -> Result<Vec<Vec<Expr>>> {
    let prefixes = |keys: &[Expr]| (0..=keys.len()).rev().map(|count| keys[..count].to_vec()).collect();
    let subsets = |keys: &[Expr]| {
        let chosen = |bits: usize| move |(place, key): (usize, &Expr)| (bits >> place & 1 == 1).then(|| key.clone());
        (0..1_usize << keys.len()).map(|bits| keys.iter().enumerate().filter_map(chosen(bits)).collect()).collect()
    };
    match grouping {
        [Expr::GroupingSet(GroupingSet::GroupingSets(sets))] => Ok(sets.clone()),
        [Expr::GroupingSet(GroupingSet::Rollup(keys))] => Ok(prefixes(keys)),
        [Expr::GroupingSet(GroupingSet::Cube(keys))] => Ok(subsets(keys)),
        _ => plan_err!("grouping sets beside other keys"),
    }
}

/// A bit for every key that a set lacks, the first key's the highest; above them which of several equal sets it is.
fn ids(sets: &[Vec<Expr>], keys: &[Expr]) -> Vec<u64> {
    let mut equal: HashMap<u64, u64> = HashMap::new();
    let id = |set: &Vec<Expr>| {
        let lacking = keys.iter().fold(0, |bits, key| bits << 1 | u64::from(!set.contains(key)));
        let before = equal.entry(lacking).or_default();
        *before += 1;
        lacking | (*before - 1) << keys.len()
    };
    sets.iter().map(id).collect()
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::col;

    use super::*;

    #[test]
    fn sets_are_told_apart() {
        let (a, b) = (col("a"), col("b"));
        let sets = [vec![a.clone(), b.clone()], vec![a.clone()], vec![], vec![a.clone()]];
        assert_eq!(ids(&sets, &[a, b]), [0b00, 0b01, 0b11, 0b101]);
    }
}
