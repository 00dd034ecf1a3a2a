//! Joins: ON, USING, NATURAL, lateral, as-of.

use datafusion::common::NullEquality;
use datafusion::logical_expr::logical_plan::{Join as DfJoin, JoinConstraint};
use datafusion::logical_expr::{Expr as DfExpr, JoinType, LogicalPlan};
use firesteel_functions::call::{CallModifiers, Typed};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::relation::{AsOfJoin, Join, JoinCondition, JoinKind};
use firesteel_spec::types::quote_name;
use firesteel_spec::{DataType, Expr};

use super::select::{named, window_plan};
use crate::attribute::Attribute;
use crate::expr::{Extracted, Resolver};
use crate::planner::{OuterScope, Planner, child, df};
use crate::resolved::Resolved;

/// A column of a USING join: left key, right key, and what the user sees.
struct UsingKey {
    left: Attribute,
    right: Attribute,
    condition: Typed,
}

impl Planner<'_> {
    /// JOIN
    pub(super) fn join(&mut self, join: &Join) -> Result<Resolved> {
        let left = self.relation(&join.left)?;
        if join.is_lateral {
            return self.lateral_join(left, join);
        }
        let right = self.relation(&join.right)?;
        self.join_over(left, right, join.kind, &join.condition)
    }

    /// A join of resolved inputs.
    pub(crate) fn join_over(
        &mut self,
        left: Resolved,
        right: Resolved,
        kind: JoinKind,
        condition: &JoinCondition,
    ) -> Result<Resolved> {
        let using = match condition {
            JoinCondition::Using(columns) => Some(columns.clone()),
            JoinCondition::Natural => Some(self.common_columns(&left, &right)),
            JoinCondition::None | JoinCondition::On(_) => None,
        };
        if let Some(columns) = using {
            return self.using_join(left, right, kind, &columns);
        }
        let both = both_sides(&left, &right);
        let filter = match condition {
            JoinCondition::On(condition) => Some(self.join_condition(&both, condition)?),
            _ => None,
        };
        let plan = join_plan(left.plan, right.plan, kind, filter)?;
        Ok(Resolved::new(plan, joined_output(left.output, right.output, kind)))
    }

    fn join_condition(&mut self, both: &[Attribute], condition: &Expr) -> Result<DfExpr> {
        Resolver::new(self, both).condition(condition).map(|c| c.expr)
    }

    fn common_columns(&self, left: &Resolved, right: &Resolved) -> Vec<String> {
        let names = self.names;
        let in_right = |name: &str| right.visible().any(|r| names.same(&r.name, name));
        left.visible().filter(|l| in_right(&l.name)).map(|l| l.name.clone()).collect()
    }

    /// USING: keys first and once; the other side's key stays reachable by its qualifier.
    fn using_join(&mut self, left: Resolved, right: Resolved, kind: JoinKind, columns: &[String]) -> Result<Resolved> {
        let mut keys = Vec::new();
        for column in columns {
            let left_key = self.using_column(&left, "left", column)?;
            let right_key = self.using_column(&right, "right", column)?;
            let condition = self.apply("==", vec![left_key.typed(), right_key.typed()])?;
            keys.push(UsingKey { left: left_key, right: right_key, condition });
        }
        let filter = keys.iter().map(|k| k.condition.expr.clone()).reduce(DfExpr::and);
        let plan = join_plan(left.plan, right.plan, kind, filter)?;
        let joined = joined_output(left.output, right.output, kind);
        let is_key = |a: &Attribute| keys.iter().any(|k| k.left.column == a.column || k.right.column == a.column);
        let rest: Vec<_> = joined.iter().filter(|a| !is_key(a)).cloned().collect();
        let (mut shown, mut hidden) = (Vec::new(), Vec::new());
        let mut merged: Vec<(Attribute, Typed)> = Vec::new();
        for key in &keys {
            let side = |column: &str| joined.iter().find(|a| a.column == column).cloned();
            let (left_key, right_key) = (side(&key.left.column), side(&key.right.column));
            match (kind, left_key, right_key) {
                (JoinKind::Full, Some(left_key), Some(right_key)) => {
                    let value = self.apply("coalesce", vec![left_key.typed(), right_key.typed()])?;
                    let attribute = self.attribute(&left_key.name, &value);
                    merged.push((attribute.clone(), value));
                    shown.push(attribute);
                    hidden.extend([hide(left_key), hide(right_key)]);
                }
                (JoinKind::Right, Some(left_key), Some(right_key)) => {
                    shown.push(right_key);
                    hidden.push(hide(left_key));
                }
                (_, Some(left_key), right_key) => {
                    shown.push(left_key);
                    hidden.extend(right_key.map(hide));
                }
                _ => return Err(SparkError::internal("a USING key is gone after its join")),
            }
        }
        shown.extend(rest);
        shown.extend(hidden);
        self.with_merged(Resolved::new(plan, shown), merged)
    }

    /// Adds computed key columns to the plan.
    fn with_merged(&mut self, input: Resolved, merged: Vec<(Attribute, Typed)>) -> Result<Resolved> {
        if merged.is_empty() {
            return Ok(input);
        }
        let exprs = input
            .output
            .iter()
            .map(|attribute| match merged.iter().find(|(m, _)| m.column == attribute.column) {
                Some((_, value)) => named(value.clone(), attribute),
                None => attribute.expr(),
            })
            .collect();
        self.project_exprs(input, exprs)
    }

    fn using_column(&self, side: &Resolved, which: &str, name: &str) -> Result<Attribute> {
        let found: Vec<_> = side.visible().filter(|a| self.names.same(&a.name, name)).collect();
        match found.as_slice() {
            [one] => Ok((*one).clone()),
            [] => Err(SparkError::new(&error_class::UNRESOLVED_USING_COLUMN_FOR_JOIN)
                .param("colName", quote_name(&[name.to_owned()]))
                .param("side", which)
                .param("suggestion", side.visible().map(|a| format!("`{}`", a.name)).collect::<Vec<_>>().join(", "))),
            several => Err(crate::error::ambiguous(&[name.to_owned()], several)),
        }
    }

    /// LATERAL: the right side may use columns of the left.
    fn lateral_join(&mut self, left: Resolved, join: &Join) -> Result<Resolved> {
        if let Some(table) = self.python_table_in(&join.right) {
            return self.lateral_python_table(left, join, &table);
        }
        self.outer.push(OuterScope::of(&left.output));
        let right = self.relation(&join.right);
        self.outer.pop();
        let right = right?;
        let both = both_sides(&left, &right);
        let filter = match &join.condition {
            JoinCondition::On(condition) => Some(self.join_condition(&both, condition)?),
            JoinCondition::None => None,
            _ => return Err(SparkError::unsupported("USING and NATURAL with LATERAL")),
        };
        let subquery = LogicalPlan::Subquery(crate::expr::subquery(&right));
        let plan = join_plan(left.plan, subquery, join.kind, filter)?;
        Ok(Resolved::new(plan, joined_output(left.output, right.output, join.kind)))
    }

    /// pandas' merge_asof: of all matches of a left row, the one whose moment is nearest.
    pub(super) fn as_of_join(&mut self, join: &AsOfJoin) -> Result<Resolved> {
        let left = self.relation(&join.left)?;
        let right = self.relation(&join.right)?;
        let both = both_sides(&left, &right);
        let mut resolver = Resolver::new(self, &both);
        let left_moment = resolver.value(&join.left_as_of)?;
        let right_moment = resolver.value(&join.right_as_of)?;
        let tolerance = join.tolerance.as_ref().map(|t| resolver.value(t)).transpose()?;
        let matched = self.as_of_condition(join, &left_moment, &right_moment, tolerance)?;
        let distance = self.as_of_distance(&join.direction, left_moment, right_moment)?;

        let row = self.row_number(Vec::new(), Vec::new())?;
        let row_attribute = row.attribute.clone();
        let left_plan = window_plan(left.plan, vec![row])?;
        let mut left_output = left.output;
        left_output.push(Attribute { is_hidden: true, ..row_attribute.clone() });
        let left = Resolved::new(left_plan, left_output);
        let using = match &join.condition {
            JoinCondition::Using(columns) => {
                let mut condition = matched.expr;
                for column in columns {
                    let (l, r) =
                        (self.using_column(&left, "left", column)?, self.using_column(&right, "right", column)?);
                    condition = condition.and(self.apply("==", vec![l.typed(), r.typed()])?.expr);
                }
                condition
            }
            JoinCondition::On(on) => matched.expr.and(self.join_condition(&both, on)?),
            _ => matched.expr,
        };
        let output = joined_output(left.output.clone(), right.output.clone(), join.kind);
        let joined = join_plan(left.plan, right.plan, join.kind, Some(using))?;
        let order = vec![datafusion::logical_expr::expr::Sort::new(distance.expr, true, false)];
        let rank = self.row_number(vec![row_attribute.typed()], order)?;
        let first = rank.attribute.expr().eq(datafusion::logical_expr::lit(1i32));
        let ranked = window_plan(joined, vec![Extracted { ..rank }])?;
        let plan = super::filter_plan(ranked, first)?;
        let output: Vec<_> = output.into_iter().filter(|a| a.column != row_attribute.column).collect();
        let columns = output.iter().map(Attribute::expr).collect();
        self.project_exprs(Resolved::new(plan, output), columns)
    }

    fn as_of_condition(&self, join: &AsOfJoin, left: &Typed, right: &Typed, tolerance: Option<Typed>) -> Result<Typed> {
        let operator = match (join.direction.as_str(), join.allow_exact_matches) {
            ("backward", true) => Some(">="),
            ("backward", false) => Some(">"),
            ("forward", true) => Some("<="),
            ("forward", false) => Some("<"),
            (_, true) => None,
            (_, false) => Some("!="),
        };
        let mut condition = match operator {
            Some(operator) => self.apply(operator, vec![left.clone(), right.clone()])?,
            None => self.apply("isnotnull", vec![left.clone()])?,
        };
        if let Some(tolerance) = tolerance {
            let apart = self.as_of_distance(&join.direction, left.clone(), right.clone())?;
            let near = self.apply("<=", vec![apart, tolerance])?;
            condition = self.apply("and", vec![condition, near])?;
        }
        Ok(condition)
    }

    fn as_of_distance(&self, direction: &str, left: Typed, right: Typed) -> Result<Typed> {
        match direction {
            "backward" => self.apply("-", vec![left, right]),
            "forward" => self.apply("-", vec![right, left]),
            _ => {
                let difference = self.apply("-", vec![left, right])?;
                self.apply("abs", vec![difference])
            }
        }
    }

    /// Casts two values to their common type.
    pub(crate) fn same_type(&self, left: Typed, right: Typed, operator: &str) -> Result<(Typed, Typed)> {
        let types = [left.data_type.clone(), right.data_type.clone()];
        let common = firesteel_functions::coercion::common_type(&self.context, &types).ok_or_else(|| {
            SparkError::new(&error_class::DATATYPE_MISMATCH_DATA_DIFF_TYPES)
                .param("functionName", format!("`{}`", operator.to_lowercase()))
                .param("dataType", format!("[\"{}\", \"{}\"]", types[0].sql(), types[1].sql()))
                .param("sqlExpr", format!("\"({} {operator} {})\"", left.sql, right.sql))
        })?;
        let cast = |value, target| firesteel_functions::coercion::convert(&self.context, value, target);
        Ok((cast(left, &common)?, cast(right, &common)?))
    }

    /// A cross join with rows that `one` computes once, for statistics over a whole DataFrame.
    pub(crate) fn beside(&mut self, left: Resolved, one: Resolved) -> Result<Resolved> {
        self.join_over(left, one, JoinKind::Cross, &JoinCondition::None)
    }

    /// A group of aggregates over the whole input, one row.
    pub(crate) fn aggregate_all(
        &mut self,
        input: Resolved,
        calls: Vec<(&str, Vec<Typed>, String)>,
    ) -> Result<Resolved> {
        let mut extracted = Vec::new();
        let mut values = Vec::new();
        for (name, arguments, alias) in calls {
            let applied = self.apply_aggregate(name, arguments, &CallModifiers::default())?;
            extracted.push(applied.extracted);
            values.push((alias, applied.value));
        }
        let grouped = super::grouping::Grouped::global();
        let plan = self.aggregate_plan(input.plan, &grouped, &extracted)?;
        let output = extracted.into_iter().map(|e| e.attribute).collect();
        self.project_named(Resolved::new(plan, output), values)
    }

    /// A literal of a string.
    pub(crate) fn string(&self, text: &str) -> Result<Typed> {
        firesteel_functions::literal::typed(&firesteel_spec::Literal::String(text.to_owned()), &self.context)
    }

    /// A cast in the session's mode that leaves the value's name alone.
    pub(crate) fn cast_to(&self, value: Typed, target: &DataType) -> Result<Typed> {
        firesteel_functions::coercion::convert(&self.context, value, target)
    }
}

fn hide(attribute: Attribute) -> Attribute {
    Attribute { is_hidden: true, ..attribute }
}

fn both_sides(left: &Resolved, right: &Resolved) -> Vec<Attribute> {
    left.output.iter().chain(&right.output).cloned().collect()
}

fn joined_output(left: Vec<Attribute>, right: Vec<Attribute>, kind: JoinKind) -> Vec<Attribute> {
    let nullable = |attributes: Vec<Attribute>| attributes.into_iter().map(|a| Attribute { nullable: true, ..a });
    match kind {
        JoinKind::LeftSemi | JoinKind::LeftAnti => left,
        JoinKind::Inner | JoinKind::Cross => left.into_iter().chain(right).collect(),
        JoinKind::Left => left.into_iter().chain(nullable(right)).collect(),
        JoinKind::Right => nullable(left).chain(right).collect(),
        JoinKind::Full => nullable(left).chain(nullable(right)).collect(),
    }
}

fn join_plan(left: LogicalPlan, right: LogicalPlan, kind: JoinKind, filter: Option<DfExpr>) -> Result<LogicalPlan> {
    let join_type = match kind {
        JoinKind::Inner | JoinKind::Cross => JoinType::Inner,
        JoinKind::Left => JoinType::Left,
        JoinKind::Right => JoinType::Right,
        JoinKind::Full => JoinType::Full,
        JoinKind::LeftSemi => JoinType::LeftSemi,
        JoinKind::LeftAnti => JoinType::LeftAnti,
    };
    let join = DfJoin::try_new(
        child(left),
        child(right),
        Vec::new(),
        filter,
        join_type,
        JoinConstraint::On,
        NullEquality::NullEqualsNothing,
        false,
    );
    Ok(LogicalPlan::Join(df(join)?))
}
