//! What ORDER BY, HAVING and QUALIFY use and the select list does not give: columns below it, other aggregates.

use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::logical_plan::Projection;
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan};
use firesteel_functions::call::Typed;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{DataType, Expr};

use super::filter_plan;
use super::grouping::Grouped;
use super::select::window_plan;
use crate::attribute::Attribute;
use crate::error;
use crate::expr::{Aside, Extracted, Resolver};
use crate::planner::{Planner, child, df};
use crate::resolved::{AggregateBelow, Below, Resolved};

/// What a name means that both an item of the select list and a grouping key have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefers {
    /// The item, as in ORDER BY.
    Items,
    /// The key, as in HAVING.
    Keys,
}

impl Planner<'_> {
    /// Resolves expressions over a select list and what lies below it, and adds what they need to the list.
    ///
    /// Gives `None` where nothing below can be reached; other failures are the first one.
    pub(super) fn extend_below(
        &mut self,
        input: &Resolved,
        exprs: &[Expr],
        failure: &SparkError,
        prefers: Prefers,
    ) -> Result<Option<(Resolved, Vec<Typed>)>> {
        let Some(below) = input.below.clone() else { return Ok(None) };
        let extended = match &below.aggregate {
            Some(aggregate) => self.extend_aggregate(input, &below, aggregate, exprs, prefers),
            None => self.extend_projection(input, &below, exprs),
        };
        extended.map(Some).map_err(|later| if is_name_error(&later) { failure.clone() } else { later })
    }

    fn extend_projection(&mut self, input: &Resolved, below: &Below, exprs: &[Expr]) -> Result<(Resolved, Vec<Typed>)> {
        // A name that the list gives twice means the column below.
        let mut scope: Vec<Attribute> = self.unambiguous(input).cloned().collect();
        for attribute in &below.output {
            if !scope.iter().any(|s| s.column == attribute.column) {
                scope.push(Attribute { is_hidden: true, ..attribute.clone() });
            }
        }
        let aside = Aside { windows: Some(Vec::new()), ..Aside::default() };
        let mut resolver = Resolver::new(self, &scope).with_aside(aside);
        let values = resolver.values(exprs)?;
        let windows = resolver.aside.windows.unwrap_or_default();
        let wanted = values.iter().map(|v| &v.expr).chain(windows.iter().map(|w| &w.expr));
        let items = with_columns_of(below.items.clone(), wanted, &below.output)?;
        let plan = LogicalPlan::Projection(df(Projection::try_new(items.clone(), child(below.plan.clone())))?);
        let plan = filtered(plan, &below.filters)?;
        let below = windows.is_empty().then(|| Arc::new(Below { items, ..below.clone() }));
        Ok((Resolved { plan: window_plan(plan, windows)?, output: input.output.clone(), below }, values))
    }

    fn extend_aggregate(
        &mut self,
        input: &Resolved,
        below: &Below,
        aggregate: &AggregateBelow,
        exprs: &[Expr],
        prefers: Prefers,
    ) -> Result<(Resolved, Vec<Typed>)> {
        let aliases = self.unambiguous(input).filter(|a| !a.is_hidden).map(|a| (a.name.clone(), a.typed())).collect();
        let mut resolver = Resolver::new(self, &aggregate.input_output).with_aside(Aside::aggregates());
        resolver.aliases = aliases;
        resolver.aliases_first = prefers == Prefers::Items;
        resolver.groups.clone_from(&aggregate.groups);
        resolver.groups.extend(aggregate.grouping_id.iter().map(|id| (id.expr(), id.clone())));
        let values = resolver.values(exprs)?;
        let names = std::mem::take(&mut resolver.names_found);
        let new = resolver.aside.aggregates.unwrap_or_default();
        let grouped = Grouped {
            keys: aggregate.groups.clone(),
            exprs: aggregate.group_exprs.clone(),
            grouping_id: aggregate.grouping_id.clone(),
        };
        let mut available: Vec<Attribute> = grouped.keys.iter().map(|(_, a)| a.clone()).collect();
        available.extend(aggregate.grouping_id.clone());
        available.extend(input.output.iter().cloned());
        available.extend(new.iter().map(|a| a.attribute.clone()));
        let mut rebased = Vec::new();
        for value in values {
            let expr = grouped.rebase(value.expr)?;
            if let Some(missing) = grouped.missing(&expr, &available, &aggregate.input_output)? {
                let visible: Vec<_> = input.visible().cloned().collect();
                let found = names.iter().find(|found| found.column == missing.column);
                let parts = found.map_or_else(|| vec![missing.name.clone()], |found| found.parts.clone());
                let failure = error::unresolved_column(&parts, &visible);
                return Err(self.locate_in_text(failure, found.and_then(|found| found.span)));
            }
            rebased.push(Typed { expr, ..value });
        }
        let mut all: Vec<Extracted> = new;
        for known in &aggregate.aggregates {
            let DfExpr::Alias(alias) = known else { continue };
            let attribute = self.attribute_of(&alias.name, DataType::Null, true);
            all.push(Extracted {
                expr: alias.expr.as_ref().clone(),
                attribute: Attribute { column: alias.name.clone(), ..attribute },
            });
        }
        let plan = self.aggregate_plan(aggregate.input.clone(), &grouped, &all)?;
        let items = with_columns_of(below.items.clone(), rebased.iter().map(|v| &v.expr), &available)?;
        let plan = LogicalPlan::Projection(df(Projection::try_new(items.clone(), child(plan)))?);
        let plan = filtered(plan, &below.filters)?;
        let aggregates = all.into_iter().map(|a| a.expr.alias(a.attribute.column)).collect();
        let aggregate = Some(AggregateBelow { aggregates, ..aggregate.clone() });
        let below = Some(Arc::new(Below { items, aggregate, ..below.clone() }));
        Ok((Resolved { plan, output: input.output.clone(), below }, rebased))
    }

    /// The columns whose names are given once.
    fn unambiguous<'r>(&self, input: &'r Resolved) -> impl Iterator<Item = &'r Attribute> + use<'r> {
        let names = self.names;
        let output = &input.output;
        output.iter().filter(move |a| {
            a.is_hidden || output.iter().filter(|o| !o.is_hidden && names.same(&o.name, &a.name)).count() == 1
        })
    }

    /// ORDER BY over rows that are not grouped cannot aggregate.
    pub(super) fn unsupported_aggregates(
        &mut self,
        input: &Resolved,
        exprs: &[Expr],
        failure: SparkError,
    ) -> SparkError {
        if failure.class() != &error_class::INVALID_WHERE_CONDITION {
            return failure;
        }
        let mut resolver = Resolver::new(self, &input.output).with_aside(Aside::aggregates());
        if resolver.values(exprs).is_err() {
            return failure;
        }
        let found = resolver.aside.aggregates.unwrap_or_default();
        let shown: Vec<_> = found.iter().map(|a| format!("\"{}\"", a.attribute.name)).collect();
        SparkError::new(&error_class::UNSUPPORTED_EXPR_FOR_OPERATOR).param("invalidExprSqls", shown.join(", "))
    }
}

fn filtered(plan: LogicalPlan, filters: &[DfExpr]) -> Result<LogicalPlan> {
    filters.iter().try_fold(plan, |plan, filter| filter_plan(plan, filter.clone()))
}

fn is_name_error(failure: &SparkError) -> bool {
    [&error_class::UNRESOLVED_COLUMN_WITH_SUGGESTION, &error_class::UNRESOLVED_COLUMN_WITHOUT_SUGGESTION]
        .contains(&failure.class())
}

/// Adds to a select list the columns that expressions use and it does not give.
fn with_columns_of<'x>(
    mut items: Vec<DfExpr>,
    wanted: impl Iterator<Item = &'x DfExpr>,
    available: &[Attribute],
) -> Result<Vec<DfExpr>> {
    let given = |items: &[DfExpr], name: &str| {
        items.iter().any(|item| match item {
            DfExpr::Column(column) => column.name == name,
            DfExpr::Alias(alias) => alias.name == name,
            _ => false,
        })
    };
    for expr in wanted {
        df(expr.apply(|node| {
            if let DfExpr::Column(column) = node
                && !given(&items, &column.name)
                && let Some(attribute) = available.iter().find(|a| a.column == column.name)
            {
                items.push(attribute.expr());
            }
            Ok(TreeNodeRecursion::Continue)
        }))?;
    }
    Ok(items)
}
