//! Python functions in GROUP BY and OVER: nodes of ours take the place of DataFusion's.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::compute::SortOptions;
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::logical_plan::{Aggregate, Window};
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use firesteel_model::{SparkError, error_class};
use firesteel_python::{Argument, EvalType, PythonSession};

use super::aggregate::PythonAggregate;
use super::converse::external;
use super::extract::restored;
use super::group::{GroupFunction, GroupNode, GroupResult, GroupWork};
use super::group_exec::is_whole;
use super::grouping_sets::expanded;
use super::scalar::Parameter;

/// The aggregate, computed by Python.
///
/// Errors: INVALID_PANDAS_UDF_PLACEMENT where functions of the engine stand beside it.
pub(super) fn extract_aggregate(aggregate: Aggregate) -> Result<LogicalPlan> {
    let calls: Vec<_> = aggregate.aggr_expr.iter().filter_map(PythonAggregate::called).collect();
    let names = calls.iter().map(|(function, _)| format!("`{}`", function.command.name)).collect::<Vec<_>>().join(", ");
    if calls.len() < aggregate.aggr_expr.len() {
        let misplaced = SparkError::new(&error_class::INVALID_PANDAS_UDF_PLACEMENT).param("functionList", names);
        return Err(external(misplaced));
    }
    let Some((first, _)) = calls.first() else { return Ok(LogicalPlan::Aggregate(aggregate)) };
    let (eval_type, session) = (first.command.eval_type, Arc::clone(&first.session));
    let alike = calls.iter().all(|(function, _)| function.command.eval_type == eval_type);
    if !alike || (eval_type.is_iterator() && calls.len() > 1) {
        return refused(format!(
            "the Python aggregates {names} in one GROUP BY, since they are called in different ways"
        ));
    }
    let has_sets = aggregate.group_expr.iter().any(|key| matches!(key, Expr::GroupingSet(_)));
    let (input, keys) = match has_sets {
        true => {
            let (plan, keys) = expanded(&aggregate)?;
            (Arc::new(plan), keys)
        }
        false => (Arc::clone(&aggregate.input), aggregate.group_expr.clone()),
    };
    let mut sent = Sent::over(&input, false);
    let keys: Vec<usize> = keys.iter().map(|key| sent.column(key)).collect();
    let mut functions = Vec::new();
    for (function, call) in &calls {
        if call.params.distinct || call.params.filter.is_some() || !call.params.order_by.is_empty() {
            return refused(format!("DISTINCT, FILTER or ORDER BY in the Python aggregate {}", function.command.name));
        }
        let arguments = sent.arguments(&call.params.args, &function.parameters, 0);
        functions.push(GroupFunction { command: Arc::clone(&function.command), arguments });
    }
    let work = sent.work((eval_type, session), keys, Vec::new(), functions, GroupResult::OneRow);
    let input = Arc::new(sent.projection(input)?);
    Ok(GroupNode { input, work, schema: aggregate.schema }.into_plan())
}

/// The windows, those with Python functions computed by them.
pub(super) fn extract_window(window: Window) -> Result<LogicalPlan> {
    let own = window.input.schema().fields().len();
    let is_python = |expr: &Expr| PythonAggregate::called_over(expr).is_some();
    let plain: Vec<Expr> = window.window_expr.iter().filter(|expr| !is_python(expr)).cloned().collect();
    let mut plan = match plain.is_empty() {
        true => Arc::unwrap_or_clone(window.input),
        false => LogicalPlan::Window(Window::try_new(plain, window.input)?),
    };
    let numbered = window.window_expr.iter().enumerate().filter(|(_, expr)| is_python(expr));
    let mut left: Vec<(usize, &Expr)> = numbered.map(|(index, expr)| (own + index, expr)).collect();
    while let Some(first) = left.first().and_then(|(_, expr)| PythonAggregate::called_over(expr)) {
        let same = |expr: &Expr| {
            PythonAggregate::called_over(expr).is_some_and(|(function, call)| {
                let (params, other) = (&call.params, &first.1.params);
                function.command.eval_type == first.0.command.eval_type
                    && params.partition_by == other.partition_by
                    && params.order_by == other.order_by
            })
        };
        let (together, rest): (Vec<_>, Vec<_>) = left.iter().copied().partition(|(_, expr)| same(expr));
        plan = one_window(plan, &window.schema, &together)?;
        left = rest;
    }
    restored(plan, &window.schema)
}

/// Adds the columns of functions over the same partitions in the same order.
fn one_window(input: LogicalPlan, schema: &DFSchema, calls: &[(usize, &Expr)]) -> Result<LogicalPlan> {
    let found: Vec<_> = calls.iter().filter_map(|(_, expr)| PythonAggregate::called_over(expr)).collect();
    let Some((first, over)) = found.first() else { return Ok(input) };
    let eval_type = match first.command.eval_type {
        EvalType::GROUPED_AGG_PANDAS => EvalType::WINDOW_AGG_PANDAS,
        EvalType::GROUPED_AGG_ARROW => EvalType::WINDOW_AGG_ARROW,
        other => return refused(format!("Python evaluation type {} over a window", other.0)),
    };
    let input = Arc::new(input);
    let mut sent = Sent::over(&input, true);
    let kept = input.schema().fields().len();
    let keys: Vec<usize> = over.params.partition_by.iter().map(|key| sent.column(key)).collect();
    let sorted = |sent: &mut Sent, sort: &Sort| {
        (sent.column(&sort.expr), SortOptions { descending: !sort.asc, nulls_first: sort.nulls_first })
    };
    let order: Vec<_> = over.params.order_by.iter().map(|sort| sorted(&mut sent, sort)).collect();
    let frames: Vec<_> = found.iter().map(|(_, call)| Arc::new(call.params.window_frame.clone())).collect();
    let bounds = 2 * frames.iter().filter(|frame| !is_whole(frame)).count();
    let (mut functions, mut bound) = (Vec::new(), 0);
    for ((function, call), frame) in found.iter().zip(&frames) {
        if call.params.distinct || call.params.filter.is_some() {
            return refused(format!("DISTINCT or FILTER in the Python window function {}", function.command.name));
        }
        let mut arguments = Vec::new();
        if !is_whole(frame) {
            arguments.extend([Argument::positional(bound), Argument::positional(bound + 1)]);
            bound += 2;
        }
        arguments.extend(sent.arguments(&call.params.args, &function.parameters, bounds));
        functions.push(GroupFunction { command: Arc::clone(&function.command), arguments });
    }
    let added = calls.iter().map(|(place, _)| {
        let (qualifier, field) = schema.qualified_field(*place);
        (qualifier.cloned(), Arc::clone(field))
    });
    let own = input.schema().iter().map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)));
    let schema = Arc::new(DFSchema::new_with_metadata(own.chain(added).collect(), HashMap::new())?);
    let result = GroupResult::EachRow { kept, frames };
    let work = sent.work((eval_type, Arc::clone(&first.session)), keys, order, functions, result);
    let input = Arc::new(sent.projection(input)?);
    Ok(GroupNode { input, work, schema }.into_plan())
}

fn refused(what: String) -> Result<LogicalPlan> {
    Err(external(SparkError::unsupported(what)))
}

/// The projection below a node, and which of its columns a worker gets.
struct Sent {
    exprs: Vec<Expr>,
    /// Places in the projection of the columns that the worker gets, in its order.
    places: Vec<usize>,
}

impl Sent {
    /// Over an input, keeping its columns where they are wanted above.
    fn over(input: &LogicalPlan, keeps: bool) -> Self {
        let own = || input.schema().columns().into_iter().map(Expr::Column).collect();
        Self { exprs: if keeps { own() } else { Vec::new() }, places: Vec::new() }
    }

    /// The place of a value in the projection.
    fn column(&mut self, value: &Expr) -> usize {
        self.exprs.iter().position(|known| known == value).unwrap_or_else(|| {
            self.exprs.push(value.clone());
            self.exprs.len() - 1
        })
    }

    /// A function's arguments; the worker gets `before` other columns first.
    fn arguments(&mut self, values: &[Expr], parameters: &[Parameter], before: usize) -> Vec<Argument> {
        let mut arguments = Vec::new();
        for (value, parameter) in values.iter().zip(parameters) {
            let place = self.column(value);
            let offset = self.places.iter().position(|known| *known == place).unwrap_or_else(|| {
                self.places.push(place);
                self.places.len() - 1
            });
            arguments.push(Argument { offset: before + offset, name: parameter.name.clone() });
        }
        arguments
    }

    fn work(
        &self,
        (eval_type, session): (EvalType, Arc<PythonSession>),
        keys: Vec<usize>,
        order: Vec<(usize, SortOptions)>,
        functions: Vec<GroupFunction>,
        result: GroupResult,
    ) -> GroupWork {
        let columns = self.places.iter().enumerate().map(|(index, place)| (*place, format!("_{index}"))).collect();
        GroupWork { eval_type, session, keys, order, columns, functions, result }
    }

    /// The projection; what is no column gets a name that no column has.
    fn projection(self, input: Arc<LogicalPlan>) -> Result<LogicalPlan> {
        let named = |(index, expr): (usize, Expr)| match expr {
            Expr::Column(Column { .. }) => expr,
            computed => computed.alias(format!("sent@{index}")),
        };
        let exprs = self.exprs.into_iter().enumerate().map(named).collect();
        Ok(LogicalPlan::Projection(Projection::try_new(exprs, input)?))
    }
}
