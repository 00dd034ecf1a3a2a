//! Select lists, with the aggregates, windows and generators that stand in them.

use std::sync::Arc;

use datafusion::logical_expr::logical_plan::{Projection, Window};
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan};
use firesteel_functions::call::Typed;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{Expr, Relation};

use super::grouping::Grouped;
use crate::attribute::{Attribute, FILE_OF_ROW};
use crate::expr::{Aside, Extracted, Item, Resolver, number_plan, settled_plan, steady_plan};
use crate::planner::{Planner, child, df};
use crate::resolved::{AggregateBelow, Below, Resolved};

impl Planner<'_> {
    /// SELECT without GROUP BY; a global aggregate if an aggregate stands in the list.
    pub(super) fn select(&mut self, input: &Relation, items: &[Expr]) -> Result<Resolved> {
        let input = self.relation(input)?;
        self.select_over(input, items)
    }

    /// The same over a resolved input.
    pub(crate) fn select_over(&mut self, input: Resolved, items: &[Expr]) -> Result<Resolved> {
        let (mut resolved, mut aside) = self.select_items(&input, items, true)?;
        let is_grouped = aside.aggregates.as_ref().is_some_and(|a| !a.is_empty());
        if is_grouped && aside.generators.as_ref().is_some_and(|g| !g.is_empty()) {
            (resolved, aside) = self.select_items(&input, items, false)?;
        }
        let mut input = self.in_time_windows(input, &mut aside.time_windows.take().unwrap_or_default())?;
        input.plan = number_plan(input.plan, aside.numbers.take().unwrap_or_default())?;
        if is_grouped {
            return self.select_grouped(input, Grouped::global(), resolved, aside);
        }
        let items = resolved;
        let (plan, columns) = (input.plan, input.output);
        let plan = self.unnest_all(plan, &columns, &aside)?;
        let plan = window_plan(plan, aside.windows.unwrap_or_default())?;
        self.project(plan, columns, items, None)
    }

    /// The items, and what they set aside; `names_generated` as in [`Resolver`].
    fn select_items(&mut self, input: &Resolved, items: &[Expr], names_generated: bool) -> Result<(Vec<Item>, Aside)> {
        let mut resolver = Resolver::new(self, &input.output).with_aside(Aside::of_rows());
        resolver.names_generated = names_generated;
        let items = resolver.items(items)?;
        Ok((items, std::mem::take(&mut resolver.aside)))
    }

    /// A select list over groups: aggregate, then windows, then the list itself.
    pub(super) fn select_grouped(
        &mut self,
        input: Resolved,
        grouped: Grouped,
        mut items: Vec<Item>,
        aside: Aside,
    ) -> Result<Resolved> {
        let mut generators = aside.generators.unwrap_or_default();
        if generators.len() > 1 {
            let shown: Vec<_> = generators.iter().map(|generator| format!("\"{}\"", generator.sql)).collect();
            return Err(SparkError::new(&error_class::UNSUPPORTED_GENERATOR_MULTI_GENERATOR)
                .param("num", generators.len().to_string())
                .param("generators", shown.join(", ")));
        }
        let aggregates = aside.aggregates.unwrap_or_default();
        let plan = self.aggregate_plan(input.plan.clone(), &grouped, &aggregates)?;
        let mut columns: Vec<Attribute> = grouped.keys.iter().map(|k| k.1.clone()).collect();
        columns.extend(aggregates.iter().map(|a| a.attribute.clone()));
        let mut windows = aside.windows.unwrap_or_default();
        for window in &mut windows {
            window.expr = grouped.rebase(window.expr.clone())?;
            grouped.check(&window.expr, &columns, &input.output)?;
        }
        let mut available = columns.clone();
        available.extend(windows.iter().map(|w| w.attribute.clone()));
        for generator in &mut generators {
            generator.rows = grouped.rebase(generator.rows.clone())?;
            grouped.check(&generator.rows, &available, &input.output)?;
        }
        let before_generators = available.clone();
        available.extend(generators.iter().flat_map(|generator| generator.columns.clone()));
        for item in &mut items {
            item.typed.expr = grouped.rebase(item.typed.expr.clone())?;
            grouped.check(&item.typed.expr, &available, &input.output)?;
            grouped.carry_over(item);
        }
        let is_plain = windows.is_empty() && generators.is_empty();
        let mut plan = window_plan(plan, windows)?;
        for generator in &generators {
            plan = self.unnest(plan, &before_generators, generator)?;
            columns.clone_from(&available);
        }
        let below = is_plain.then(|| AggregateBelow {
            input: input.plan,
            input_output: input.output,
            groups: grouped.keys.clone(),
            group_exprs: grouped.exprs.clone(),
            grouping_id: grouped.grouping_id.clone(),
            aggregates: aggregates.iter().map(|a| a.expr.clone().alias(a.attribute.column.clone())).collect(),
        });
        self.project(plan, columns, items, below)
    }

    /// The select list itself.
    ///
    /// Guarantees: a column that is passed on keeps its identity, unless the list names it twice.
    pub(crate) fn project(
        &mut self,
        plan: LogicalPlan,
        columns: Vec<Attribute>,
        items: Vec<Item>,
        aggregate: Option<AggregateBelow>,
    ) -> Result<Resolved> {
        let mut exprs: Vec<DfExpr> = Vec::with_capacity(items.len());
        let mut output: Vec<Attribute> = Vec::with_capacity(items.len());
        for item in items {
            let taken = |column: &str, output: &[Attribute]| output.iter().any(|o| o.column == column);
            let attribute = match item.passes {
                Some(passed) if !taken(&passed.column, &output) => {
                    Attribute { is_hidden: false, name: item.name, metadata: item.metadata, ..passed }
                }
                passed => Attribute {
                    metadata: item.metadata,
                    qualifier: passed.map(|p| p.qualifier).unwrap_or_default(),
                    ..self.attribute(&item.name, &item.typed)
                },
            };
            exprs.push(named(item.typed, &attribute));
            output.push(attribute);
        }
        if self.input_files.kept && aggregate.is_none() {
            pass_files(&columns, &mut exprs, &mut output);
        }
        let projection = LogicalPlan::Projection(df(Projection::try_new(exprs.clone(), child(plan.clone())))?);
        let below = Below { plan, output: columns, items: exprs, aggregate, filters: Vec::new() };
        let plan = settled_plan(projection, &below.items)?;
        Ok(Resolved { plan, output, below: Some(Arc::new(below)) })
    }

    /// Projects named values; every column is new.
    pub(crate) fn project_named(&mut self, input: Resolved, values: Vec<(String, Typed)>) -> Result<Resolved> {
        let items = values.into_iter().map(|(name, typed)| Item::named(typed, name)).collect();
        let resolved = self.project(input.plan, input.output, items, None)?;
        Ok(Resolved { below: None, ..resolved })
    }
}

/// What is known of the rows' files goes through a select list, out of reach of names.
fn pass_files(columns: &[Attribute], exprs: &mut Vec<DfExpr>, output: &mut Vec<Attribute>) {
    for file in columns.iter().filter(|column| column.tells_file()) {
        if !output.iter().any(|given| given.column == file.column) {
            exprs.push(file.expr());
        }
        output.push(Attribute { name: FILE_OF_ROW.to_owned(), qualifier: Vec::new(), ..file.clone() });
    }
}

/// An expression under an attribute's column name.
pub(crate) fn named(typed: Typed, attribute: &Attribute) -> DfExpr {
    match &typed.expr {
        DfExpr::Column(column) if column.name == attribute.column => typed.expr,
        _ => typed.expr.alias(attribute.column.clone()),
    }
}

/// Adds the columns of window functions, those of one window in one node.
pub(crate) fn window_plan(plan: LogicalPlan, mut windows: Vec<Extracted>) -> Result<LogicalPlan> {
    let keys = windows.iter_mut().filter_map(|window| match &mut window.expr {
        DfExpr::WindowFunction(function) => Some(&mut function.params),
        _ => None,
    });
    let keys = keys
        .flat_map(|params| params.partition_by.iter_mut().chain(params.order_by.iter_mut().map(|sort| &mut sort.expr)));
    let mut plan = steady_plan(plan, "window_key", keys)?;
    let mut groups: Vec<(Vec<DfExpr>, String, Vec<DfExpr>)> = Vec::new();
    for window in windows {
        let DfExpr::WindowFunction(function) = &window.expr else {
            return Err(SparkError::internal("a window is not a window function"));
        };
        let partition = function.params.partition_by.clone();
        let order = format!("{:?}", function.params.order_by);
        let expr = window.expr.alias(window.attribute.column);
        match groups.iter_mut().find(|(p, o, _)| *p == partition && *o == order) {
            Some((_, _, exprs)) => exprs.push(expr),
            None => groups.push((partition, order, vec![expr])),
        }
    }
    for (_, _, exprs) in groups {
        plan = LogicalPlan::Window(df(Window::try_new(exprs, child(plan)))?);
    }
    Ok(plan)
}

/// MISSING_AGGREGATION for a column that is neither grouped nor aggregated.
pub(super) fn missing_aggregation(sql: &str) -> SparkError {
    SparkError::new(&error_class::MISSING_AGGREGATION)
        .param("expression", format!("\"{sql}\""))
        .param("expressionAnyValue", format!("\"any_value({sql})\""))
}
