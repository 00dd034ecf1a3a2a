//! A subquery for every row of its domain, one node at a time.

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::logical_plan::{
    Aggregate, Distinct, DistinctOn, FetchType, Filter, Join, Limit, SkipType, Sort, Union, Unnest, Values, Window,
};
use datafusion::logical_expr::{Expr, GroupingSet, JoinType, LogicalPlan, lit};
use firesteel_model::{Result, SparkError};

use super::domain::{Domain, columns_of, join, projected};
use super::references::{expr_uses, replaced, uses};
use crate::expr::Extracted;
use crate::planner::{Planner, child, df};
use crate::relation::{filter_plan, window_plan};

impl Planner<'_> {
    /// The rows that the plan gives for each row of the domain, with that row beside them.
    ///
    /// Guarantees: the plan's columns and the domain's are there by name, in any order.
    pub(super) fn dependent(&mut self, plan: &LogicalPlan, domain: &Domain) -> Result<LogicalPlan> {
        if !uses(plan, &domain.outer_names())? {
            return join(domain.plan.clone(), plan.clone(), JoinType::Inner, None);
        }
        match plan {
            LogicalPlan::Projection(projection) => {
                let input = self.dependent(&projection.input, domain)?;
                let mut exprs = replaced_all(projection.expr.clone(), domain)?;
                exprs.extend(domain.exprs());
                projected(exprs, input)
            }
            LogicalPlan::Filter(filter) => {
                let input = self.dependent(&filter.input, domain)?;
                filter_plan(input, one(filter.predicate.clone(), domain)?)
            }
            LogicalPlan::Subquery(subquery) => self.dependent(&subquery.subquery, domain),
            LogicalPlan::Sort(Sort { input, fetch: None, .. }) => self.dependent(input, domain),
            LogicalPlan::Limit(limit) => self.dependent_limit(limit, domain),
            LogicalPlan::Aggregate(aggregate) => self.dependent_aggregate(aggregate, domain),
            LogicalPlan::Window(window) => {
                let input = self.dependent(&window.input, domain)?;
                let exprs = window.window_expr.iter().map(|expr| partitioned(one(expr.clone(), domain)?, domain));
                let window = Window::try_new(exprs.collect::<Result<_>>()?, child(input));
                Ok(LogicalPlan::Window(df(window)?))
            }
            LogicalPlan::Distinct(distinct) => self.dependent_distinct(distinct, domain),
            LogicalPlan::Union(union) => self.dependent_union(union, domain),
            LogicalPlan::Join(join) => self.dependent_join(plan, join, domain),
            LogicalPlan::Unnest(unnest) => {
                let input = self.dependent(&unnest.input, domain)?;
                let unnest = Unnest::try_new(child(input), unnest.exec_columns.clone(), unnest.options.clone());
                Ok(LogicalPlan::Unnest(df(unnest)?))
            }
            LogicalPlan::Values(values) => dependent_values(values, domain),
            LogicalPlan::Extension(extension) => {
                let inputs = extension.node.inputs().into_iter().map(|input| self.dependent(input, domain));
                let inputs = inputs.collect::<Result<Vec<_>>>()?;
                let exprs = replaced_all(plan.expressions(), domain)?;
                df(plan.with_new_exprs(exprs, inputs))
            }
            other => {
                let name = other.display().to_string();
                let name = name.split([':', '(']).next().unwrap_or_default().to_owned();
                Err(SparkError::unsupported(format!("a correlated {name}")))
            }
        }
    }

    /// The first rows for each row of the domain.
    fn dependent_limit(&mut self, limit: &Limit, domain: &Domain) -> Result<LogicalPlan> {
        let (skip, fetch) = (df(limit.get_skip_type())?, df(limit.get_fetch_type())?);
        let (SkipType::Literal(skip), FetchType::Literal(fetch)) = (skip, fetch) else {
            return Err(SparkError::unsupported("a correlated LIMIT that is not constant"));
        };
        if let LogicalPlan::Projection(projection) = limit.input.as_ref() {
            // The order lies below the select list.
            let below = Limit { input: std::sync::Arc::clone(&projection.input), ..limit.clone() };
            let input = self.numbered_rows(&below, domain, skip, fetch)?;
            let mut exprs = replaced_all(projection.expr.clone(), domain)?;
            exprs.extend(domain.exprs());
            return projected(exprs, input);
        }
        self.numbered_rows(limit, domain, skip, fetch)
    }

    fn numbered_rows(
        &mut self,
        limit: &Limit,
        domain: &Domain,
        skip: usize,
        fetch: Option<usize>,
    ) -> Result<LogicalPlan> {
        let (input, order) = match limit.input.as_ref() {
            LogicalPlan::Sort(sort) => {
                let mut order = Vec::new();
                for key in &sort.expr {
                    order.push(key.with_expr(one(key.expr.clone(), domain)?));
                }
                (&sort.input, order)
            }
            _ => (&limit.input, Vec::new()),
        };
        if let (LogicalPlan::Projection(_), true) = (input.as_ref(), order.is_empty()) {
            let below = Limit { input: std::sync::Arc::clone(input), ..limit.clone() };
            return self.dependent_limit(&below, domain);
        }
        let mut columns = columns_of(input);
        columns.extend(domain.exprs());
        let input = self.dependent(input, domain)?;
        let rank: Extracted = self.row_number_over(domain.exprs(), order)?;
        let number = rank.attribute.expr();
        let bound = |rows: usize| lit(i32::try_from(rows).unwrap_or(i32::MAX));
        let mut condition = number.clone().gt(bound(skip));
        if let Some(fetch) = fetch {
            condition = condition.and(number.lt_eq(bound(skip.saturating_add(fetch))));
        }
        projected(columns, filter_plan(window_plan(input, vec![rank])?, condition)?)
    }

    fn dependent_aggregate(&mut self, aggregate: &Aggregate, domain: &Domain) -> Result<LogicalPlan> {
        let calls = replaced_all(aggregate.aggr_expr.clone(), domain)?;
        if aggregate.group_expr.is_empty() && domain.keeps_empty_groups {
            return self.dependent_global(aggregate, calls, domain);
        }
        let input = self.dependent(&aggregate.input, domain)?;
        let groups = replaced_all(aggregate.group_expr.clone(), domain)?;
        let groups = match groups.as_slice() {
            [Expr::GroupingSet(GroupingSet::GroupingSets(sets))] => {
                let with_domain = |set: &Vec<Expr>| [domain.exprs(), set.clone()].concat();
                vec![Expr::GroupingSet(GroupingSet::GroupingSets(sets.iter().map(with_domain).collect()))]
            }
            _ => [domain.exprs(), groups].concat(),
        };
        Ok(LogicalPlan::Aggregate(df(Aggregate::try_new(child(input), groups, calls))?))
    }

    /// An aggregate without groups gives a row even for no input: rows of the domain without input keep one, which the
    /// aggregates leave out.
    fn dependent_global(&mut self, aggregate: &Aggregate, calls: Vec<Expr>, domain: &Domain) -> Result<LogicalPlan> {
        let copy = domain.copy(self)?;
        let input = self.dependent(&aggregate.input, &copy)?;
        let marker = self.unique("present");
        let mut columns = columns_of(&input);
        columns.push(lit(true).alias(marker.clone()));
        let input = projected(columns, input)?;
        let joined = join(domain.plan.clone(), input, JoinType::Left, domain.equals(&copy))?;
        let present = super::domain::column(&marker).is_not_null();
        let calls = calls.into_iter().map(|call| only_where(call, &present)).collect::<Result<Vec<_>>>()?;
        Ok(LogicalPlan::Aggregate(df(Aggregate::try_new(child(joined), domain.exprs(), calls))?))
    }

    fn dependent_distinct(&mut self, distinct: &Distinct, domain: &Domain) -> Result<LogicalPlan> {
        let input = self.dependent(distinct.input(), domain)?;
        Ok(LogicalPlan::Distinct(match distinct {
            Distinct::All(original) => {
                let columns = [columns_of(original), domain.exprs()].concat();
                Distinct::All(child(projected(columns, input)?))
            }
            Distinct::On(on) => {
                let keys = [domain.exprs(), replaced_all(on.on_expr.clone(), domain)?].concat();
                let items = [replaced_all(on.select_expr.clone(), domain)?, domain.exprs()].concat();
                if on.sort_expr.is_some() {
                    return Err(SparkError::unsupported("a correlated DISTINCT ON with an order"));
                }
                Distinct::On(df(DistinctOn::try_new(keys, items, None, child(input)))?)
            }
        }))
    }

    fn dependent_union(&mut self, union: &Union, domain: &Domain) -> Result<LogicalPlan> {
        let mut inputs = Vec::new();
        for input in &union.inputs {
            let columns = [columns_of(input), domain.exprs()].concat();
            inputs.push(child(projected(columns, self.dependent(input, domain)?)?));
        }
        Ok(LogicalPlan::Union(df(Union::try_new_with_loose_types(inputs))?))
    }

    fn dependent_join(&mut self, plan: &LogicalPlan, node: &Join, domain: &Domain) -> Result<LogicalPlan> {
        if matches!(node.right.as_ref(), LogicalPlan::Subquery(_)) {
            let flat = self.without_lateral(plan.clone())?;
            return self.dependent(&flat, domain);
        }
        let names = domain.outer_names();
        let (left_uses, right_uses) = (uses(&node.left, &names)?, uses(&node.right, &names)?);
        let mut condition_uses = false;
        for expr in node.on.iter().flat_map(|(l, r)| [l, r]).chain(&node.filter) {
            condition_uses |= expr_uses(expr, &names)?;
        }
        let keeps_right =
            matches!(node.join_type, JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::Full);
        let keeps_left = matches!(
            node.join_type,
            JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark | JoinType::Full
        );
        let right_has = right_uses || keeps_right;
        let left_has = left_uses || keeps_left || (condition_uses && !right_has);
        let copy = domain.copy(self)?;
        // The side whose rows stay has the domain under its own names.
        let both = left_has && right_has;
        let (left_domain, right_domain) = match both && keeps_right && node.join_type != JoinType::Full {
            true => (&copy, domain),
            false => (domain, if both { &copy } else { domain }),
        };
        let left = if left_has { self.dependent(&node.left, left_domain)? } else { node.left.as_ref().clone() };
        let right = if right_has { self.dependent(&node.right, right_domain)? } else { node.right.as_ref().clone() };
        let on = node.on.iter().map(|(l, r)| Ok((one(l.clone(), domain)?, one(r.clone(), domain)?)));
        let on = on.collect::<Result<Vec<_>>>()?;
        let filter = node.filter.clone().map(|filter| one(filter, domain)).transpose()?;
        let same = if both { domain.equals(&copy) } else { None };
        let filter = filter.into_iter().chain(same).reduce(Expr::and);
        let joined = Join::try_new(
            child(left),
            child(right),
            on,
            filter,
            node.join_type,
            node.join_constraint,
            node.null_equality,
            node.null_aware,
        );
        let joined = LogicalPlan::Join(df(joined)?);
        if node.join_type != JoinType::Full {
            return Ok(joined);
        }
        let mut columns = columns_of(plan);
        for (own, other) in domain.exprs().into_iter().zip(copy.exprs()) {
            let name = own.schema_name().to_string();
            let either = datafusion::logical_expr::when(own.clone().is_not_null(), own).otherwise(other);
            columns.push(df(either)?.alias(name));
        }
        projected(columns, joined)
    }
}

/// VALUES with outer columns: a row of the domain for each row of values.
fn dependent_values(values: &Values, domain: &Domain) -> Result<LogicalPlan> {
    let mut inputs = Vec::new();
    for row in &values.values {
        let mut exprs = Vec::new();
        for (expr, field) in row.iter().zip(values.schema.fields()) {
            exprs.push(one(expr.clone(), domain)?.alias(field.name().clone()));
        }
        exprs.extend(domain.exprs());
        inputs.push(child(projected(exprs, domain.plan.clone())?));
    }
    match inputs.as_slice() {
        [only] => Ok(only.as_ref().clone()),
        _ => Ok(LogicalPlan::Union(df(Union::try_new_with_loose_types(inputs))?)),
    }
}

fn one(expr: Expr, domain: &Domain) -> Result<Expr> {
    replaced(expr, &|name| domain.name_of(name))
}

fn replaced_all(exprs: Vec<Expr>, domain: &Domain) -> Result<Vec<Expr>> {
    // A column's name is part of the plan's schema; what changes below it keeps it.
    let renamed = |expr: Expr| {
        let name = expr.schema_name().to_string();
        let is_plain = matches!(expr, Expr::Column(_) | Expr::Alias(_) | Expr::GroupingSet(_));
        let new = one(expr, domain)?;
        Ok(if is_plain || new.schema_name().to_string() == name { new } else { new.alias(name) })
    };
    exprs.into_iter().map(renamed).collect()
}

/// The window function of an expression, within each row of the domain.
fn partitioned(expr: Expr, domain: &Domain) -> Result<Expr> {
    let changed = expr.transform_down(|node| match node {
        Expr::WindowFunction(mut function) => {
            function.params.partition_by.extend(domain.exprs());
            Ok(Transformed::new(Expr::WindowFunction(function), true, TreeNodeRecursion::Jump))
        }
        other => Ok(Transformed::no(other)),
    });
    Ok(df(changed)?.data)
}

/// The aggregate over the rows for which a condition holds.
fn only_where(call: Expr, condition: &Expr) -> Result<Expr> {
    let changed = call.transform_down(|node| match node {
        Expr::AggregateFunction(AggregateFunction { func, mut params }) => {
            let before = params.filter.take().map(|filter| *filter);
            let filter = before.into_iter().chain([condition.clone()]).reduce(Expr::and);
            params.filter = filter.map(Box::new);
            let call = Expr::AggregateFunction(AggregateFunction { func, params });
            Ok(Transformed::new(call, true, TreeNodeRecursion::Jump))
        }
        other => Ok(Transformed::no(other)),
    });
    Ok(df(changed)?.data)
}

/// Used where a filter has to be taken apart.
pub(super) fn conjuncts(filter: &Filter) -> Vec<Expr> {
    datafusion::logical_expr::utils::split_conjunction_owned(filter.predicate.clone())
}
