//! Subqueries in expressions: each becomes a column that a join below provides.

use std::sync::Arc;

use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::logical_plan::{Aggregate, FetchType, Filter};
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, Subquery, lit};
use firesteel_functions::call::{CallModifiers, Typed};
use firesteel_functions::errors::to_datafusion;
use firesteel_model::{Result, SparkError};
use firesteel_spec::types_arrow;

use super::dependent::conjuncts;
use super::domain::{Domain, column, columns_of, join, projected};
use super::references::{is_correlated, is_outer, outer_columns, subquery_of};
use crate::planner::{Planner, child, df};
use crate::relation::filter_plan;

impl Planner<'_> {
    /// A node without the subqueries that DataFusion would not plan there.
    pub(super) fn without_subqueries(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        if !plan.expressions().iter().any(has_subquery) {
            return Ok(plan);
        }
        match &plan {
            LogicalPlan::Filter(filter) => self.filter_without(filter),
            LogicalPlan::Join(node) if node.join_type == JoinType::Inner && node.filter.is_some() => {
                let mut cross = node.clone();
                let Some(condition) = cross.filter.take() else { return Ok(plan) };
                let filter = df(Filter::try_new(condition, child(LogicalPlan::Join(cross))))?;
                self.filter_without(&filter)
            }
            LogicalPlan::Join(_) => self.join_without(plan),
            other => match other.inputs().as_slice() {
                [input] => self.node_without(other, input),
                _ => Ok(plan),
            },
        }
    }

    /// A filter: semi and anti joins where the subquery is a condition of its own.
    fn filter_without(&mut self, filter: &Filter) -> Result<LogicalPlan> {
        let original = columns_of(&filter.input);
        let mut input = filter.input.as_ref().clone();
        let (mut plain, mut kept, mut hard, mut left) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for condition in conjuncts(filter) {
            if !has_subquery(&condition) {
                plain.push(condition);
            } else if is_planned_by_datafusion(&condition)? {
                kept.push(condition);
            } else {
                hard.push(condition);
            }
        }
        // First what makes the rows fewer, tables joined by their keys above all.
        if let Some(condition) = plain.into_iter().reduce(Expr::and) {
            input = filter_plan(input, condition)?;
        }
        for condition in hard {
            if let Some((subquery, kind)) = membership(&condition, input.schema())? {
                input = self.membership_join(input, &subquery, kind)?;
            } else {
                left.push(condition);
            }
        }
        for condition in left {
            let (extended, condition) = self.extended(input, condition, true)?;
            input = filter_plan(extended, condition)?;
        }
        if let Some(condition) = kept.into_iter().reduce(Expr::and) {
            input = filter_plan(input, condition)?;
        }
        if columns_of(&input) == original { Ok(input) } else { projected(original, input) }
    }

    /// A row stays if the subquery gives a row for it (semi), or none (anti).
    fn membership_join(&mut self, input: LogicalPlan, subquery: &LogicalPlan, kind: JoinType) -> Result<LogicalPlan> {
        let used = outer_columns(subquery, input.schema())?;
        if used.is_empty() {
            return join(input, subquery.clone(), kind, Some(lit(true)));
        }
        let domain = Domain::of_membership(self, &input, &used)?;
        let inner = self.dependent(subquery, &domain)?;
        join(input, inner, kind, domain.equals_outer())
    }

    /// A node with one input: the input gets a column for each subquery.
    fn node_without(&mut self, node: &LogicalPlan, input: &LogicalPlan) -> Result<LogicalPlan> {
        let leaves_scalars = matches!(node, LogicalPlan::Projection(_));
        let mut input = input.clone();
        let mut exprs = Vec::new();
        for expr in node.expressions() {
            let name = expr.schema_name().to_string();
            let is_plain = !has_subquery(&expr) || matches!(expr, Expr::Alias(_));
            let (extended, new) = self.extended(input, expr, leaves_scalars)?;
            input = extended;
            exprs.push(if is_plain { new } else { new.alias(name) });
        }
        let keeps_input = !matches!(node, LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_));
        let rebuilt = match node {
            LogicalPlan::Aggregate(aggregate) => {
                let calls = exprs.split_off(aggregate.group_expr.len());
                LogicalPlan::Aggregate(df(Aggregate::try_new(child(input), exprs, calls))?)
            }
            _ => df(node.with_new_exprs(exprs, vec![input]))?,
        };
        if keeps_input { projected(columns_of(node), rebuilt) } else { Ok(rebuilt) }
    }

    /// An outer join's condition: the side that a subquery uses gets its column.
    fn join_without(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let LogicalPlan::Join(node) = &plan else { return Ok(plan) };
        let mut node = node.clone();
        let original = columns_of(&plan);
        let Some(filter) = node.filter.take() else { return Ok(plan) };
        let mut conditions = Vec::new();
        for condition in datafusion::logical_expr::utils::split_conjunction_owned(filter) {
            if !has_subquery(&condition) {
                conditions.push(condition);
                continue;
            }
            let columns = super::references::used_columns(&condition, plan.schema())?;
            let within = |side: &LogicalPlan| columns.iter().all(|c| side.schema().has_column_with_unqualified_name(c));
            if within(&node.left) {
                let (extended, condition) = self.extended(node.left.as_ref().clone(), condition, false)?;
                node.left = child(extended);
                conditions.push(condition);
            } else if within(&node.right) {
                let (extended, condition) = self.extended(node.right.as_ref().clone(), condition, false)?;
                node.right = child(extended);
                conditions.push(condition);
            } else {
                return Err(SparkError::unsupported("a subquery over both sides of an outer join in its condition"));
            }
        }
        let joined = datafusion::logical_expr::logical_plan::Join::try_new(
            node.left,
            node.right,
            node.on,
            conditions.into_iter().reduce(Expr::and),
            node.join_type,
            node.join_constraint,
            node.null_equality,
            node.null_aware,
        );
        projected(original, LogicalPlan::Join(df(joined)?))
    }

    /// An expression whose subqueries are columns of the extended input.
    fn extended(&mut self, input: LogicalPlan, expr: Expr, leaves_scalars: bool) -> Result<(LogicalPlan, Expr)> {
        let mut input = Some(input);
        let changed = expr.transform_down(|node| {
            if subquery_of(&node).is_none() {
                return Ok(Transformed::no(node));
            }
            if leaves_scalars && is_plain_scalar(&node).map_err(to_datafusion)? {
                return Ok(Transformed::new(node, false, TreeNodeRecursion::Jump));
            }
            let Some(before) = input.take() else { return Ok(Transformed::no(node)) };
            let (after, value) = self.subquery_column(before, node).map_err(to_datafusion)?;
            input = Some(after);
            Ok(Transformed::new(value, true, TreeNodeRecursion::Jump))
        });
        let expr = df(changed)?.data;
        let input = input.ok_or_else(|| SparkError::internal("an input was lost under a subquery"))?;
        Ok((input, expr))
    }

    fn subquery_column(&mut self, input: LogicalPlan, expr: Expr) -> Result<(LogicalPlan, Expr)> {
        match expr {
            Expr::ScalarSubquery(subquery) => self.scalar_column(input, &subquery.subquery),
            Expr::Exists(Exists { subquery, negated }) => {
                let (input, found) = self.exists_column(input, &subquery.subquery)?;
                Ok((input, if negated { !found } else { found }))
            }
            Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
                let (input, value) = self.extended(input, *expr, false)?;
                let (input, found) = self.in_column(input, value, &subquery)?;
                Ok((input, if negated { !found } else { found }))
            }
            other => Ok((input, other)),
        }
    }

    /// The one value that a subquery gives for each row, NULL where it gives no row.
    fn scalar_column(&mut self, input: LogicalPlan, query: &LogicalPlan) -> Result<(LogicalPlan, Expr)> {
        let value = self.unique("scalar");
        let Some(field) = query.schema().fields().first() else {
            return Err(SparkError::internal("a scalar subquery without a column"));
        };
        let query = projected(vec![column(field.name()).alias(value.clone())], query.clone())?;
        let used = outer_columns(&query, input.schema())?;
        if used.is_empty() {
            let one = if gives_one_row(&query) { query } else { self.single_row(query, &value, Vec::new())? };
            return Ok((join(input, one, JoinType::Left, Some(lit(true)))?, column(&value)));
        }
        let is_single = gives_one_row(&query);
        let domain = match is_single {
            true => Domain::of(self, &input, &used)?,
            false => Domain::exactly(self, &input, &used)?,
        };
        let mut inner = self.dependent(&query, &domain)?;
        if !is_single {
            inner = self.single_row(inner, &value, domain.exprs())?;
        }
        Ok((join(input, inner, JoinType::Left, domain.equals_outer())?, column(&value)))
    }

    /// The value of the only row of each group; more rows are an error when they are met.
    fn single_row(&mut self, query: LogicalPlan, value: &str, groups: Vec<Expr>) -> Result<LogicalPlan> {
        let field = Arc::clone(df(query.schema().field_with_unqualified_name(value))?);
        let fields = types_arrow::from_arrow_fields(&[Arc::clone(&field)]);
        let data_type = fields.and_then(|fields| fields.into_iter().next()).map(|field| field.data_type);
        let data_type = data_type.ok_or_else(|| SparkError::internal("a subquery's column has an unknown type"))?;
        let value_of = Typed { expr: column(value), data_type, nullable: true, sql: value.to_owned() };
        let modifiers = CallModifiers::default();
        let first = self.apply_aggregate("first", vec![value_of], &modifiers)?;
        let one = self.integer(1)?;
        let count = self.apply_aggregate("count", vec![one.clone()], &modifiers)?;
        let calls = [&first, &count].map(|call| call.extracted.expr.clone().alias(&call.extracted.attribute.column));
        let aggregate = df(Aggregate::try_new(child(query), groups.clone(), calls.to_vec()))?;
        let many = self.apply(">", vec![count.value, one])?;
        let failure = firesteel_functions::families::too_many_rows(&self.context)?.expr;
        let failure = datafusion::logical_expr::cast(failure, field.data_type().clone());
        let checked =
            datafusion::logical_expr::when(many.expr, failure).otherwise(column(&first.extracted.attribute.column));
        let mut columns = groups;
        columns.push(df(checked)?.alias(value));
        projected(columns, LogicalPlan::Aggregate(aggregate))
    }

    fn exists_column(&mut self, input: LogicalPlan, query: &LogicalPlan) -> Result<(LogicalPlan, Expr)> {
        let marker = self.unique("exists");
        let used = outer_columns(query, input.schema())?;
        let found = column(&marker).is_not_null();
        if used.is_empty() {
            let marked = projected(vec![lit(true).alias(marker)], query.clone())?;
            let one = crate::relation::limited(crate::resolved::Resolved::new(marked, Vec::new()), 0, Some(1))?;
            return Ok((join(input, one.plan, JoinType::Left, Some(lit(true)))?, found));
        }
        let domain = Domain::of_membership(self, &input, &used)?;
        let rows = projected(domain.exprs(), self.dependent(query, &domain)?)?;
        let distinct = LogicalPlan::Distinct(datafusion::logical_expr::logical_plan::Distinct::All(Arc::new(rows)));
        let marked = projected([domain.exprs(), vec![lit(true).alias(marker)]].concat(), distinct)?;
        Ok((join(input, marked, JoinType::Left, domain.equals_outer())?, found))
    }

    /// `value IN (query)`: true if a row equals, else NULL if a comparison is NULL, else false.
    fn in_column(&mut self, input: LogicalPlan, value: Expr, subquery: &Subquery) -> Result<(LogicalPlan, Expr)> {
        let compared = equality(value, &subquery.subquery, input.schema())?;
        let rows = |condition: Expr| filter_plan(subquery.subquery.as_ref().clone(), condition);
        let (input, is_equal) = self.exists_column(input, &rows(compared.clone())?)?;
        let (input, is_unknown) = self.exists_column(input, &rows(compared.is_null())?)?;
        let null = Expr::Literal(datafusion::common::ScalarValue::Boolean(None), None);
        let answer = datafusion::logical_expr::when(is_equal, lit(true)).when(is_unknown, null).otherwise(lit(false));
        Ok((input, df(answer)?))
    }
}

pub(super) fn has_subquery(expr: &Expr) -> bool {
    expr.exists(|node| Ok(subquery_of(node).is_some())).unwrap_or(false)
}

/// A scalar subquery by itself, whose row DataFusion computes before the query.
fn is_plain_scalar(expr: &Expr) -> Result<bool> {
    match expr {
        Expr::ScalarSubquery(subquery) => {
            Ok(!is_correlated(&subquery.subquery)? || is_simple_scalar(&subquery.subquery))
        }
        _ => Ok(false),
    }
}

/// A condition of a filter that DataFusion makes a join of by itself.
fn is_planned_by_datafusion(condition: &Expr) -> Result<bool> {
    let inner = match condition {
        Expr::Not(inner) => inner.as_ref(),
        other => other,
    };
    match inner {
        Expr::Exists(exists) => Ok(is_simple(&exists.subquery.subquery)),
        Expr::InSubquery(within) => {
            let is_row = matches!(within.expr.as_ref(), Expr::ScalarFunction(f) if f.name() == "struct");
            let is_negated = within.negated != matches!(condition, Expr::Not(_));
            let query = &within.subquery.subquery;
            let correlated = is_correlated(query)?;
            let is_harder = is_row || has_subquery(&within.expr) || (is_negated && correlated);
            Ok(!is_harder && is_simple(query))
        }
        _ => {
            let mut plain = true;
            df(condition.apply(|node| {
                if subquery_of(node).is_some() {
                    plain &= is_plain_scalar(node).map_err(to_datafusion)?;
                }
                Ok(TreeNodeRecursion::Continue)
            }))?;
            Ok(plain)
        }
    }
}

/// Whether the only outer references are in filters at the top, below select lists.
fn is_simple(query: &LogicalPlan) -> bool {
    match query {
        LogicalPlan::Projection(p) => !p.expr.iter().any(|e| is_outer(e) || has_subquery(e)) && is_simple(&p.input),
        LogicalPlan::Filter(f) => !has_subquery(&f.predicate) && is_simple(&f.input),
        other => !is_correlated(other).unwrap_or(true),
    }
}

/// A global aggregate over rows whose only outer references are equalities with a column.
fn is_simple_scalar(query: &LogicalPlan) -> bool {
    match query {
        LogicalPlan::Projection(p) => {
            !p.expr.iter().any(|e| is_outer(e) || has_subquery(e)) && is_simple_scalar(&p.input)
        }
        LogicalPlan::Aggregate(a) => {
            a.group_expr.is_empty()
                && !a.aggr_expr.iter().any(|e| is_outer(e) || has_subquery(e))
                && has_equalities_only(&a.input)
        }
        _ => false,
    }
}

fn has_equalities_only(query: &LogicalPlan) -> bool {
    match query {
        LogicalPlan::Projection(p) => {
            !p.expr.iter().any(|e| is_outer(e) || has_subquery(e)) && has_equalities_only(&p.input)
        }
        LogicalPlan::Filter(f) => {
            let is_equality = |condition: &Expr| match condition {
                Expr::BinaryExpr(b) if b.op == datafusion::logical_expr::Operator::Eq => matches!(
                    (b.left.as_ref(), b.right.as_ref()),
                    (Expr::Column(_), Expr::OuterReferenceColumn(..))
                        | (Expr::OuterReferenceColumn(..), Expr::Column(_))
                ),
                _ => false,
            };
            let plain = |condition: &Expr| !is_outer(condition) && !has_subquery(condition);
            conjuncts(f).iter().all(|c| is_equality(c) || plain(c)) && has_equalities_only(&f.input)
        }
        other => !is_correlated(other).unwrap_or(true),
    }
}

/// EXISTS, IN and their negations as a subquery of rows that decide, and how they do.
fn membership(condition: &Expr, outer: &DFSchema) -> Result<Option<(LogicalPlan, JoinType)>> {
    let (inner, is_not) = match condition {
        Expr::Not(inner) => (inner.as_ref(), true),
        other => (other, false),
    };
    let kind = |negated: bool| if negated != is_not { JoinType::LeftAnti } else { JoinType::LeftSemi };
    match inner {
        Expr::Exists(exists) => Ok(Some((exists.subquery.subquery.as_ref().clone(), kind(exists.negated)))),
        Expr::InSubquery(within) if !has_subquery(&within.expr) => {
            let query = within.subquery.subquery.as_ref();
            let compared = equality(within.expr.as_ref().clone(), query, outer)?;
            let kind = kind(within.negated);
            // NOT IN: a comparison that gives NULL keeps the row out, too.
            let decides = if kind == JoinType::LeftAnti { compared.is_not_false() } else { compared };
            Ok(Some((filter_plan(query.clone(), decides)?, kind)))
        }
        _ => Ok(None),
    }
}

/// Whether a query gives at most one row whatever its input is.
fn gives_one_row(query: &LogicalPlan) -> bool {
    match query {
        LogicalPlan::Projection(p) => gives_one_row(&p.input),
        LogicalPlan::Filter(f) => gives_one_row(&f.input),
        LogicalPlan::Sort(s) => gives_one_row(&s.input),
        LogicalPlan::Aggregate(a) => a.group_expr.is_empty(),
        LogicalPlan::EmptyRelation(_) => true,
        LogicalPlan::Values(v) => v.values.len() <= 1,
        LogicalPlan::Limit(l) => {
            matches!(l.get_fetch_type(), Ok(FetchType::Literal(Some(0 | 1)))) || gives_one_row(&l.input)
        }
        _ => false,
    }
}

/// That a value of the outer query equals the subquery's columns.
fn equality(value: Expr, query: &LogicalPlan, outer: &DFSchema) -> Result<Expr> {
    let value = df(value.transform_down(|node| match node {
        Expr::Column(column) => {
            let field = Arc::clone(outer.field_with_unqualified_name(&column.name)?);
            Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
        }
        other => Ok(Transformed::no(other)),
    }))?
    .data;
    let columns = columns_of(query);
    let values = match (value, columns.len()) {
        (Expr::ScalarFunction(row), several) if several > 1 && row.args.len() == several => row.args,
        (value, _) => vec![value],
    };
    let pairs = values.into_iter().zip(columns).map(|(value, column)| value.eq(column));
    pairs.reduce(Expr::and).ok_or_else(|| SparkError::internal("IN with a subquery without columns"))
}
