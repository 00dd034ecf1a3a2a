//! What is grouped by: plain keys, ROLLUP, CUBE and GROUPING SETS.

use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::logical_plan::{Aggregate, Projection};
use datafusion::logical_expr::{
    Expr as DfExpr, GroupingSet as DfGroupingSet, LogicalPlan, Operator, bitwise_and, bitwise_or, bitwise_shift_left,
    bitwise_shift_right, lit,
};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::relation::{GroupingElement, GroupingSet};
use firesteel_spec::types_arrow::to_arrow;
use firesteel_spec::{DataType, Expr};

use super::select::missing_aggregation;
use crate::attribute::Attribute;
use crate::expr::{Extracted, Item};
use crate::planner::{Planner, child, df};

/// Grouping keys, resolved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grouped {
    /// Key expressions over the input and the columns that hold them.
    pub(crate) keys: Vec<(DfExpr, Attribute)>,
    /// The grouping as DataFusion has it.
    pub(crate) exprs: Vec<DfExpr>,
    /// Column of Spark's grouping id, where there are grouping sets.
    pub(crate) grouping_id: Option<Attribute>,
}

/// GROUP BY elements as sets of indices into the list of distinct keys.
pub(crate) struct GroupingSets {
    /// Distinct key expressions, as written.
    pub(crate) keys: Vec<Expr>,
    /// Sets, or none where all keys are plain.
    pub(crate) sets: Option<Vec<Vec<usize>>>,
}

impl Grouped {
    /// One group.
    pub(crate) fn global() -> Self {
        Self::default()
    }

    /// The keys that are in a set, in the order in which DataFusion meets them.
    fn listed(&self) -> Vec<usize> {
        let mut listed = Vec::new();
        for expr in &self.exprs {
            let DfExpr::GroupingSet(DfGroupingSet::GroupingSets(sets)) = expr else { continue };
            for member in sets.iter().flatten() {
                let key = self.keys.iter().position(|(_, attribute)| attribute.expr() == *member);
                listed.extend(key.filter(|key| !listed.contains(key)));
            }
        }
        listed
    }

    /// Replaces key expressions by their columns.
    pub(crate) fn rebase(&self, expr: DfExpr) -> Result<DfExpr> {
        let rebased = expr.transform_down(|node| {
            for (key, attribute) in &self.keys {
                if same_value(key, &node) {
                    return Ok(Transformed::new(attribute.expr(), true, TreeNodeRecursion::Jump));
                }
            }
            Ok(Transformed::no(node))
        });
        Ok(df(rebased)?.data)
    }

    /// A column of the input that is neither grouped nor aggregated.
    pub(crate) fn missing(
        &self,
        expr: &DfExpr,
        available: &[Attribute],
        input: &[Attribute],
    ) -> Result<Option<Attribute>> {
        let mut missing = None;
        df(expr.apply(|node| {
            if let DfExpr::Column(column) = node
                && !available.iter().any(|a| a.column == column.name)
                && self.grouping_id.as_ref().is_none_or(|g| g.column != column.name)
                && let Some(attribute) = input.iter().find(|a| a.column == column.name)
            {
                missing = Some(attribute.clone());
                return Ok(TreeNodeRecursion::Stop);
            }
            Ok(TreeNodeRecursion::Continue)
        }))?;
        Ok(missing)
    }

    /// Checks that only grouped and aggregated columns are left.
    pub(crate) fn check(&self, expr: &DfExpr, available: &[Attribute], input: &[Attribute]) -> Result<()> {
        match self.missing(expr, available, input)? {
            None => Ok(()),
            Some(_) if self.keys.is_empty() && self.exprs.is_empty() => {
                Err(SparkError::new(&error_class::MISSING_GROUP_BY))
            }
            Some(attribute) => Err(missing_aggregation(&attribute.name)),
        }
    }

    /// An item that is just a key passes the key's column on.
    pub(crate) fn carry_over(&self, item: &mut Item) {
        item.passes = match &item.typed.expr {
            DfExpr::Column(column) => {
                let key = self.keys.iter().map(|(_, a)| a).find(|a| a.column == column.name);
                key.filter(|a| a.name == item.name || item.passes.is_some()).cloned()
            }
            _ => None,
        };
        if self.grouping_id.is_some() {
            item.typed.nullable |= item.passes.is_some();
        }
    }
}

impl Planner<'_> {
    /// The aggregate node; keys that are not columns are computed below it first.
    pub(crate) fn aggregate_plan(
        &mut self,
        input: LogicalPlan,
        grouped: &Grouped,
        aggregates: &[Extracted],
    ) -> Result<LogicalPlan> {
        if grouped.exprs.is_empty() && aggregates.is_empty() {
            return self.one_empty_group(input);
        }
        let mut columns: Vec<DfExpr> = input.schema().columns().into_iter().map(DfExpr::Column).collect();
        let computed = grouped.keys.iter().filter(|(key, attribute)| *key != attribute.expr());
        columns.extend(computed.map(|(key, attribute)| key.clone().alias(attribute.column.clone())));
        let input = if columns.len() == input.schema().fields().len() {
            input
        } else {
            LogicalPlan::Projection(df(Projection::try_new(columns, child(input)))?)
        };
        let calls = aggregates.iter().map(|a| a.expr.clone().alias(a.attribute.column.clone())).collect();
        let aggregate = df(Aggregate::try_new(child(input), grouped.exprs.clone(), calls))?;
        let plan = LogicalPlan::Aggregate(aggregate);
        match &grouped.grouping_id {
            None => Ok(plan),
            Some(attribute) => self.spark_grouping_id(plan, attribute, grouped),
        }
    }

    /// GROUP BY () without aggregates: one row without columns.
    fn one_empty_group(&mut self, input: LogicalPlan) -> Result<LogicalPlan> {
        let counted = self.apply_aggregate(
            "count",
            vec![self.integer(1)?],
            &firesteel_functions::call::CallModifiers::default(),
        )?;
        let call = counted.extracted.expr.alias(counted.extracted.attribute.column);
        Ok(LogicalPlan::Aggregate(df(Aggregate::try_new(child(input), Vec::new(), vec![call]))?))
    }

    /// Spark's grouping id (BIGINT, leftmost key is the highest bit) beside DataFusion's own, and NULL for each key that
    /// is in no set.
    fn spark_grouping_id(
        &mut self,
        plan: LogicalPlan,
        attribute: &Attribute,
        grouped: &Grouped,
    ) -> Result<LogicalPlan> {
        let internal = DfExpr::Column(datafusion::common::Column::from_name(Aggregate::INTERNAL_GROUPING_ID));
        let wide = datafusion::logical_expr::cast(internal, arrow::datatypes::DataType::Int64);
        let (keys, listed) = (grouped.keys.len(), grouped.listed());
        let id = if listed.iter().copied().eq(0..keys) {
            let mask = 1i64.checked_shl(u32::try_from(keys).unwrap_or(u32::MAX)).map_or(i64::MAX, |m| m - 1);
            bitwise_and(wide, lit(mask))
        } else {
            let bits = (0..keys).map(|key| {
                let place = i64::try_from(keys - 1 - key).unwrap_or(i64::MAX);
                match listed.iter().position(|other| *other == key) {
                    Some(position) => {
                        let shift = i64::try_from(listed.len() - 1 - position).unwrap_or(i64::MAX);
                        let bit = bitwise_and(bitwise_shift_right(wide.clone(), lit(shift)), lit(1i64));
                        bitwise_shift_left(bit, lit(place))
                    }
                    None => bitwise_shift_left(lit(1i64), lit(place)),
                }
            });
            bits.fold(lit(0i64), bitwise_or)
        };
        let mut exprs: Vec<DfExpr> = plan
            .schema()
            .columns()
            .into_iter()
            .filter(|c| c.name != Aggregate::INTERNAL_GROUPING_ID)
            .map(DfExpr::Column)
            .collect();
        exprs.push(id.alias(attribute.column.clone()));
        for (key, (_, unlisted)) in grouped.keys.iter().enumerate() {
            if !listed.contains(&key) {
                let null = df(ScalarValue::try_from(&to_arrow(&unlisted.data_type)))?;
                exprs.push(lit(null).alias(unlisted.column.clone()));
            }
        }
        Ok(LogicalPlan::Projection(df(Projection::try_new(exprs, child(plan)))?))
    }

    /// The grouping of resolved keys, with sets where there are any.
    pub(crate) fn grouped(&mut self, keys: Vec<(DfExpr, Attribute)>, sets: Option<Vec<Vec<usize>>>) -> Grouped {
        let Some(sets) = sets else {
            let exprs = keys.iter().map(|(_, attribute)| attribute.expr()).collect();
            return Grouped { keys, exprs, grouping_id: None };
        };
        // Keys get columns of their own: the input's column may be null-filled here and is still wanted below.
        let keys: Vec<(DfExpr, Attribute)> = keys
            .into_iter()
            .map(|(key, attribute)| {
                let column = self.unique(&attribute.name);
                (key, Attribute { column, nullable: true, ..attribute })
            })
            .collect();
        let members = sets.iter().map(|set| set.iter().map(|index| keys[*index].1.expr()).collect()).collect();
        let exprs = vec![DfExpr::GroupingSet(DfGroupingSet::GroupingSets(members))];
        let grouping_id = Some(self.attribute_of("spark_grouping_id", DataType::Long, false));
        Grouped { keys, exprs, grouping_id }
    }
}

/// Flattens GROUP BY elements: the cross product of their sets over the distinct keys.
pub(crate) fn grouping_sets(elements: &[GroupingElement]) -> GroupingSets {
    let mut keys: Vec<Expr> = Vec::new();
    let mut index = |expr: &Expr| {
        keys.iter().position(|k| k.node == expr.node).unwrap_or_else(|| {
            keys.push(expr.clone());
            keys.len() - 1
        })
    };
    let mut product: Vec<Vec<usize>> = vec![Vec::new()];
    for element in elements {
        let sets = element_sets(element, &mut index);
        product = product
            .iter()
            .flat_map(|left| {
                sets.iter().map(move |right| {
                    let mut joined = left.clone();
                    joined.extend(right.iter().filter(|i| !left.contains(i)));
                    joined
                })
            })
            .collect();
    }
    let plain = elements.iter().all(|e| matches!(e, GroupingElement::Expression(_)));
    GroupingSets { keys, sets: (!plain).then_some(product) }
}

fn element_sets(element: &GroupingElement, index: &mut impl FnMut(&Expr) -> usize) -> Vec<Vec<usize>> {
    match element {
        GroupingElement::Expression(expr) => vec![vec![index(expr)]],
        GroupingElement::Keys(keys) => {
            for key in keys {
                index(key);
            }
            vec![Vec::new()]
        }
        GroupingElement::Rollup(groups) => {
            let groups: Vec<Vec<usize>> = groups.iter().map(|g| g.iter().map(&mut *index).collect()).collect();
            (0..=groups.len()).rev().map(|n| groups[..n].concat()).collect()
        }
        GroupingElement::Cube(groups) => {
            let groups: Vec<Vec<usize>> = groups.iter().map(|g| g.iter().map(&mut *index).collect()).collect();
            let count = groups.len();
            (0..1usize << count)
                .rev()
                .map(|bits| {
                    (0..count).filter(|i| bits >> (count - 1 - i) & 1 == 1).flat_map(|i| groups[i].clone()).collect()
                })
                .collect()
        }
        GroupingElement::Sets(sets) => sets
            .iter()
            .flat_map(|set| match set {
                GroupingSet::Set(exprs) => vec![exprs.iter().map(&mut *index).collect()],
                GroupingSet::Nested(element) => element_sets(element, index),
            })
            .collect(),
    }
}

/// Whether two expressions are equal but for operands that may change places: `a + 1` is `1 + a`, as in Spark.
fn same_value(a: &DfExpr, b: &DfExpr) -> bool {
    let either_way = |[a, b]: [&DfExpr; 2], [c, d]: [&DfExpr; 2]| {
        (same_value(a, c) && same_value(b, d)) || (same_value(a, d) && same_value(b, c))
    };
    match (a, b) {
        _ if a == b => true,
        (DfExpr::ScalarFunction(x), DfExpr::ScalarFunction(y)) if x.func == y.func => {
            match (x.args.as_slice(), y.args.as_slice()) {
                ([a, b], [c, d]) if matches!(x.func.name(), "add" | "multiply") => either_way([a, b], [c, d]),
                _ => false,
            }
        }
        (DfExpr::BinaryExpr(x), DfExpr::BinaryExpr(y)) if x.op == y.op => {
            matches!(x.op, Operator::And | Operator::Or | Operator::Eq)
                && either_way([&x.left, &x.right], [&y.left, &y.right])
        }
        _ => false,
    }
}
