//! ORDER BY, SORT BY, LIMIT, OFFSET, repartitioning.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::Sort as SortExpr;
use datafusion::logical_expr::logical_plan::{Limit, Projection, Sort};
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan};
use firesteel_engine::logical::{CoalesceNode, LocalSortNode, RepartitionKind as Movement, RepartitionNode};
use firesteel_functions::call::Typed;
use firesteel_model::{Result, SparkError, conf, error_class};
use firesteel_spec::expr::{CastMode, SortKey};
use firesteel_spec::relation::{OrderByAll, RepartitionKind};
use firesteel_spec::{DataType, Expr, ExprNode, Literal, Relation};

use super::below::Prefers;
use super::select::window_plan;
use crate::attribute::Attribute;
use crate::expr::{Aside, Extracted, Resolver, steady_plan};
use crate::planner::{Planner, child, df};
use crate::resolved::Resolved;

fn has_no_part(failure: &SparkError) -> bool {
    [&error_class::INVALID_EXTRACT_BASE_FIELD_TYPE, &error_class::FIELD_NOT_FOUND].contains(&failure.class())
}

impl Planner<'_> {
    /// ORDER BY (global) or SORT BY (within partitions).
    pub(super) fn sort(
        &mut self,
        input: &Relation,
        keys: &[SortKey],
        is_global: bool,
        all: Option<OrderByAll>,
    ) -> Result<Resolved> {
        let input = self.relation(input)?;
        if let Some(all) = all {
            let sorts = input.visible().map(|a| SortExpr::new(a.expr(), all.ascending, all.nulls_first)).collect();
            return sorted(input, sorts, is_global);
        }
        let exprs = self.ordinals_replaced(&input, keys)?;
        match self.sort_values(&input, &exprs) {
            Ok((values, windows)) => {
                let has_windows = !windows.is_empty();
                let plan = window_plan(input.plan, windows)?;
                let resolved = sorted(Resolved { plan, ..input }, sort_exprs(values, keys), is_global)?;
                if !has_windows {
                    return Ok(resolved);
                }
                let columns = resolved.output.iter().map(Attribute::expr).collect();
                self.project_exprs(resolved, columns)
            }
            Err(failure) => {
                let found = self.extend_below(&input, &exprs, &failure, Prefers::Items);
                let found = match found {
                    // The item of the name has no such part, but a grouping key may.
                    Err(later) if has_no_part(&later) => {
                        self.extend_below(&input, &exprs, &failure, Prefers::Keys).map_err(|_| later)?
                    }
                    found => found?,
                };
                let Some((extended, values)) = found else {
                    return Err(self.unsupported_aggregates(&input, &exprs, failure));
                };
                let resolved = sorted(extended, sort_exprs(values, keys), is_global)?;
                let columns = input.output.iter().map(Attribute::expr).collect();
                self.project_exprs(Resolved::new(resolved.plan, input.output), columns)
            }
        }
    }

    /// Positions in SQL's ORDER BY become the columns they name.
    fn ordinals_replaced(&self, input: &Resolved, keys: &[SortKey]) -> Result<Vec<Expr>> {
        let visible: Vec<_> = input.visible().collect();
        let are_positions = self.is_on(&conf::ORDER_BY_ORDINAL);
        keys.iter()
            .map(|key| {
                let ExprNode::Literal(Literal::Integer(position)) = key.child.node.as_ref() else {
                    return Ok(key.child.clone());
                };
                if key.child.span.is_none() || !are_positions {
                    return Ok(key.child.clone());
                }
                let index = usize::try_from(*position).ok().and_then(|p| p.checked_sub(1));
                let attribute = index.and_then(|i| visible.get(i)).ok_or_else(|| {
                    let failure = SparkError::new(&error_class::ORDER_BY_POS_OUT_OF_RANGE)
                        .param("index", position.to_string())
                        .param("size", visible.len().to_string());
                    self.locate(failure, &key.child)
                })?;
                Ok(Expr::new(ExprNode::Attribute {
                    parts: vec![attribute.column.clone()],
                    plan_id: None,
                    is_metadata: true,
                }))
            })
            .collect()
    }

    fn sort_values(&mut self, input: &Resolved, exprs: &[Expr]) -> Result<(Vec<Typed>, Vec<Extracted>)> {
        let aside = Aside { windows: Some(Vec::new()), ..Aside::default() };
        let mut resolver = Resolver::new(self, &input.output).with_aside(aside);
        let values = resolver.values(exprs)?;
        Ok((values, resolver.aside.windows.unwrap_or_default()))
    }

    /// LIMIT
    pub(super) fn limit(&mut self, input: &Relation, count: &Expr) -> Result<Resolved> {
        let input = self.relation(input)?;
        let count = self.row_count(count, "limit")?;
        limited(input, 0, Some(count))
    }

    /// OFFSET
    pub(super) fn offset(&mut self, input: &Relation, count: &Expr) -> Result<Resolved> {
        let input = self.relation(input)?;
        let count = self.row_count(count, "offset")?;
        limited(input, count, None)
    }

    /// The constant number of rows of LIMIT, OFFSET and tail.
    pub(crate) fn row_count(&mut self, count: &Expr, clause: &str) -> Result<usize> {
        let typed = Resolver::new(self, &[]).value(count)?;
        if !typed.data_type.is_integral() && typed.data_type != DataType::Null {
            return Err(SparkError::new(&error_class::INVALID_LIMIT_LIKE_EXPRESSION_DATA_TYPE)
                .param("name", clause)
                .param("expr", format!("\"{}\"", typed.sql))
                .param("dataType", format!("\"{}\"", typed.data_type.sql())));
        }
        let sql = typed.sql.clone();
        let typed = Resolver::new(self, &[]).cast(typed, &DataType::Long, CastMode::Ansi)?;
        match self.constant(&typed)? {
            ScalarValue::Int64(Some(rows)) if rows < 0 => {
                Err(SparkError::new(&error_class::INVALID_LIMIT_LIKE_EXPRESSION_IS_NEGATIVE)
                    .param("name", clause)
                    .param("expr", format!("\"{sql}\""))
                    .param("v", rows.to_string()))
            }
            ScalarValue::Int64(Some(rows)) => Ok(usize::try_from(rows).unwrap_or(usize::MAX)),
            _ => Err(SparkError::new(&error_class::INVALID_LIMIT_LIKE_EXPRESSION_IS_NULL)
                .param("name", clause)
                .param("expr", format!("\"{sql}\""))),
        }
    }

    /// repartition, coalesce, DISTRIBUTE BY.
    pub(super) fn repartition(
        &mut self,
        input: &Relation,
        count: Option<i32>,
        by: &[Expr],
        kind: RepartitionKind,
    ) -> Result<Resolved> {
        let input = self.relation(input)?;
        let count = count.map(|count| usize::try_from(count).ok().filter(|c| *c > 0)).map(|count| {
            count.ok_or_else(|| {
                SparkError::new(&error_class::INVALID_PARTITION_COUNT)
                    .param("message", "the number of partitions must be above 0")
            })
        });
        let count = count.transpose()?;
        let mut resolver = Resolver::new(self, &input.output);
        let mut keys = Vec::new();
        for expr in by {
            let (child, ascending, nulls_first) = match expr.node.as_ref() {
                ExprNode::SortKey(key) => (&key.child, key.ascending, key.nulls_first),
                _ => (expr, true, true),
            };
            keys.push(SortExpr::new(resolver.value(child)?.expr, ascending, nulls_first));
        }
        let exprs = |keys: Vec<SortExpr>| keys.into_iter().map(|k| k.expr).collect::<Vec<_>>();
        let input_plan = child(input.plan);
        let plan = match (kind, count) {
            (RepartitionKind::Coalesce, count) => {
                CoalesceNode { input: input_plan, count: count.unwrap_or(1) }.into_plan()
            }
            (kind, count) => {
                let kind = match kind {
                    RepartitionKind::Range => Movement::Range(keys),
                    RepartitionKind::ById => match exprs(keys).pop() {
                        Some(id) => Movement::ById(id),
                        None => return Err(SparkError::internal("repartitionById without an id")),
                    },
                    _ if keys.is_empty() => Movement::RoundRobin,
                    _ => Movement::Hash(exprs(keys)),
                };
                RepartitionNode { input: input_plan, kind, count }.into_plan()
            }
        };
        Ok(Resolved { plan, output: input.output, below: None })
    }
}

fn sort_exprs(values: Vec<Typed>, keys: &[SortKey]) -> Vec<SortExpr> {
    values.into_iter().zip(keys).map(|(value, key)| SortExpr::new(value.expr, key.ascending, key.nulls_first)).collect()
}

fn sorted(input: Resolved, mut keys: Vec<SortExpr>, is_global: bool) -> Result<Resolved> {
    let own: Vec<_> = input.plan.schema().columns().into_iter().map(DfExpr::Column).collect();
    let steady = steady_plan(input.plan, "sort_key", keys.iter_mut().map(|key| &mut key.expr))?;
    let has_keys = steady.schema().fields().len() > own.len();
    let mut plan = if is_global {
        LogicalPlan::Sort(Sort { expr: keys, input: child(steady), fetch: None })
    } else {
        LocalSortNode { input: child(steady), keys }.into_plan()
    };
    if has_keys {
        plan = LogicalPlan::Projection(df(Projection::try_new(own, child(plan)))?);
    }
    Ok(Resolved { plan, output: input.output, below: None })
}

/// The first rows after some are skipped.
pub(crate) fn limited(input: Resolved, skip: usize, fetch: Option<usize>) -> Result<Resolved> {
    let number = |n: usize| Box::new(datafusion::logical_expr::lit(i64::try_from(n).unwrap_or(i64::MAX)));
    let plan = LogicalPlan::Limit(Limit {
        skip: (skip > 0).then(|| number(skip)),
        fetch: fetch.map(number),
        input: child(input.plan),
    });
    Ok(Resolved { plan, output: input.output, below: None })
}
