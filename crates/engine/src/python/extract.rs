//! Takes calls of Python functions out of expressions: a node below computes them, and a column takes their place.
//!
//! ```text
//!   Filter: a > 1 AND f(g(b)) > 2        Projection: a, b
//!     Scan                          =>     Filter: f(g(b))#1 > 2
//!                                            EvaluatePython: f(g(0)) AS f(g(b))#1     <- one request: f after g
//!                                              Filter: a > 1
//!                                                Scan
//! ```

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, Projection};
use firesteel_model::SparkError;
use firesteel_python::{Argument, EvalType, PythonSession};

use super::aggregate::PythonAggregate;
use super::converse::external;
use super::evaluate::{EvaluateNode, EvaluatedColumn, Evaluation};
use super::extract_groups::{extract_aggregate, extract_window};
use super::extract_join::extract_join;
use super::scalar::PythonScalar;

/// The plan with every call of a Python function in a node of its own. Must come after the optimiser, which moves
/// expressions about.
pub fn extract_python(plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut extractor = Extractor::default();
    plan.transform_up_with_subqueries(|node| extractor.node(node)).data()
}

/// Makes the columns that take the place of calls.
#[derive(Debug, Default)]
pub(super) struct Extractor {
    columns: usize,
}

/// A call and the column that takes its place.
#[derive(Debug)]
struct Found {
    call: Expr,
    column: String,
}

impl Extractor {
    fn node(&mut self, node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        if !node.expressions().iter().any(has_python) {
            return of_groups(node);
        }
        match node {
            LogicalPlan::Filter(filter) => self.filter(filter).map(Transformed::yes),
            LogicalPlan::Join(join) => extract_join(self, join).map(Transformed::yes),
            // What stands in arguments is computed below; the functions themselves may be Python too.
            other => {
                let extracted = self.any(other)?.transform_down(|node| {
                    let stops = matches!(node, LogicalPlan::Extension(_));
                    let mut extracted = of_groups(node)?;
                    extracted.tnr = match stops || extracted.transformed {
                        true => TreeNodeRecursion::Stop,
                        false => extracted.tnr,
                    };
                    Ok(extracted)
                })?;
                Ok(Transformed::yes(extracted.data))
            }
        }
    }

    /// Conditions without Python come first: they are cheap, and may guard those with it.
    fn filter(&mut self, filter: Filter) -> Result<LogicalPlan> {
        let schema = Arc::clone(filter.input.schema());
        let movable = |condition: &Expr| !has_python(condition) && !condition.is_volatile();
        let (plain, python): (Vec<_>, Vec<_>) =
            split_conjunction_owned(filter.predicate).into_iter().partition(movable);
        let input = match conjunction(plain) {
            Some(condition) => LogicalPlan::Filter(Filter::try_new(condition, filter.input)?),
            None => Arc::unwrap_or_clone(filter.input),
        };
        let (input, python) = self.evaluate(input, python, &|_| true)?;
        let filtered = match conjunction(python) {
            Some(condition) => LogicalPlan::Filter(Filter::try_new(condition, Arc::new(input))?),
            None => input,
        };
        restored(filtered, &schema)
    }

    fn any(&mut self, node: LogicalPlan) -> Result<LogicalPlan> {
        let input = match node.inputs().as_slice() {
            [input] => LogicalPlan::clone(input),
            _ => {
                let unsupported = SparkError::unsupported(format!("a Python function in {}", node.display()));
                return Err(external(unsupported));
            }
        };
        let schema = Arc::clone(node.schema());
        let names = NamePreserver::new(&node);
        let exprs = node.expressions();
        let saved: Vec<_> = exprs.iter().map(|expr| names.save(expr)).collect();
        let (input, exprs) = self.evaluate(input, exprs, &|_| true)?;
        let exprs = exprs.into_iter().zip(saved).map(|(expr, name)| name.restore(expr)).collect();
        restored(node.with_new_exprs(exprs, vec![input])?, &schema)
    }

    /// The expressions with columns in place of the calls that `accepts` wants, over a plan that has those columns.
    pub(super) fn evaluate(
        &mut self,
        mut plan: LogicalPlan,
        mut exprs: Vec<Expr>,
        accepts: &dyn Fn(&Expr) -> bool,
    ) -> Result<(LogicalPlan, Vec<Expr>)> {
        loop {
            let mut found: Vec<Found> = Vec::new();
            exprs = exprs.into_iter().map(|expr| self.replace(expr, &mut found, accepts)).collect::<Result<_>>()?;
            if found.is_empty() {
                return Ok((plan, exprs));
            }
            while !found.is_empty() {
                let together = next_group(&mut found);
                plan = evaluate_node(plan, &together)?.into_plan();
            }
        }
    }

    /// Replaces calls whose arguments are known; calls of calls that cannot chain take another round.
    fn replace(&mut self, expr: Expr, found: &mut Vec<Found>, accepts: &dyn Fn(&Expr) -> bool) -> Result<Expr> {
        let replaced = expr.transform_down(|node| {
            let Some((function, _)) = PythonScalar::called(&node) else { return Ok(Transformed::no(node)) };
            if chain(&node).is_none() || !accepts(&node) {
                return Ok(Transformed::no(node));
            }
            let known = found.iter().find(|known| function.is_deterministic && known.call == node);
            let column = match known {
                Some(known) => known.column.clone(),
                None => {
                    self.columns += 1;
                    let column = format!("{}@{}", function.command.name, self.columns);
                    found.push(Found { call: node, column: column.clone() });
                    column
                }
            };
            let column = Expr::Column(Column::new_unqualified(column));
            Ok(Transformed::new(column, true, TreeNodeRecursion::Jump))
        });
        replaced.data()
    }
}

/// The node, or what takes its place where its aggregates or window functions are Python's.
fn of_groups(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    match node {
        LogicalPlan::Aggregate(aggregate) if aggregate.aggr_expr.iter().any(is_aggregate) => {
            extract_aggregate(aggregate).map(Transformed::yes)
        }
        LogicalPlan::Window(window) if window.window_expr.iter().any(is_window) => {
            extract_window(window).map(Transformed::yes)
        }
        other => Ok(Transformed::no(other)),
    }
}

fn is_aggregate(expr: &Expr) -> bool {
    PythonAggregate::called(expr).is_some()
}

fn is_window(expr: &Expr) -> bool {
    PythonAggregate::called_over(expr).is_some()
}

/// Whether an expression calls a Python function.
pub(super) fn has_python(expr: &Expr) -> bool {
    expr.exists(|node| Ok(PythonScalar::called(node).is_some())).unwrap_or(false)
}

/// The plan with just these columns.
pub(super) fn restored(plan: LogicalPlan, schema: &datafusion::common::DFSchemaRef) -> Result<LogicalPlan> {
    if plan.schema().fields() == schema.fields() {
        return Ok(plan);
    }
    let columns = schema.columns().into_iter().map(Expr::Column).collect();
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan))?))
}

/// The functions of a call, innermost first, and the innermost's arguments; `None` where the arguments call functions
/// that need a request of their own.
fn chain(call: &Expr) -> Option<(Vec<&PythonScalar>, &[Expr])> {
    let (function, arguments) = PythonScalar::called(call)?;
    if let [only] = arguments
        && let Some((inner, _)) = PythonScalar::called(only)
        && inner.command.eval_type == function.command.eval_type
        && inner.session == function.session
        && !function.command.eval_type.is_iterator()
        && function.parameters.iter().all(|parameter| parameter.name.is_none())
    {
        let (mut functions, arguments) = chain(only)?;
        functions.push(function);
        return Some((functions, arguments));
    }
    (!arguments.iter().any(has_python)).then(|| (vec![function], arguments))
}

/// What two calls must share to be computed in one request.
fn kind(call: &Expr) -> Option<(EvalType, &Arc<PythonSession>)> {
    PythonScalar::called(call).map(|(function, _)| (function.command.eval_type, &function.session))
}

/// Takes the calls that go with the first; functions over iterators go alone.
fn next_group(found: &mut Vec<Found>) -> Vec<Found> {
    let first = found.remove(0);
    let alone = kind(&first.call).is_none_or(|(eval_type, _)| eval_type.is_iterator());
    let (mut together, rest): (Vec<_>, Vec<_>) =
        found.drain(..).partition(|other| !alone && kind(&other.call) == kind(&first.call));
    *found = rest;
    together.insert(0, first);
    together
}

/// The input with arguments that depend on their task as columns: only in nodes of the engine do they find it.
fn settled(input: LogicalPlan, arguments: &mut [Expr]) -> Result<LogicalPlan> {
    if !arguments.iter().any(Expr::is_volatile) {
        return Ok(input);
    }
    let mut exprs: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
    for (index, argument) in arguments.iter_mut().enumerate().filter(|(_, argument)| argument.is_volatile()) {
        let name = format!("argument@{index}#{}", exprs.len());
        let column = Expr::Column(Column::new_unqualified(name.clone()));
        exprs.push(std::mem::replace(argument, column).alias(name));
    }
    Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?))
}

fn evaluate_node(input: LogicalPlan, found: &[Found]) -> Result<EvaluateNode> {
    let mut arguments: Vec<Expr> = Vec::new();
    let mut argument_types = Vec::new();
    let mut columns = Vec::new();
    let mut shared = None;
    for Found { call, column } in found {
        let (Some((functions, values)), Some((outermost, _))) = (chain(call), PythonScalar::called(call)) else {
            continue;
        };
        shared = Some((outermost.command.eval_type, Arc::clone(&outermost.session)));
        let mut places = Vec::new();
        for (value, parameter) in values.iter().zip(&functions[0].parameters) {
            let offset = match arguments.iter().position(|known| known == value && !value.is_volatile()) {
                Some(offset) => offset,
                None => {
                    arguments.push(value.clone());
                    argument_types.push(parameter.type_json.clone());
                    arguments.len() - 1
                }
            };
            places.push(Argument { offset, name: parameter.name.clone() });
        }
        columns.push(EvaluatedColumn {
            chain: functions.iter().map(|function| Arc::clone(&function.command)).collect(),
            arguments: places,
            field: Arc::new(outermost.returns.as_ref().clone().with_name(column).with_nullable(true)),
        });
    }
    let Some((eval_type, session)) = shared else {
        return Err(external(SparkError::internal("a round of extraction found no Python function")));
    };
    let input = settled(input, &mut arguments)?;
    let evaluation = Evaluation { eval_type, session, argument_types, columns };
    EvaluateNode::try_new(Arc::new(input), arguments, evaluation)
}
