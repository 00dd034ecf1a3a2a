//! PIVOT: one column per value and aggregate.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Expr as DfExpr;
use firesteel_functions::call::Typed;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_python::EvalType;
use firesteel_spec::command::FunctionBody;
use firesteel_spec::expr::{FunctionCall, PythonUdf};
use firesteel_spec::relation::{AggregateStyle, Grouping};
use firesteel_spec::{Expr, ExprNode, Relation};

use super::stat::literal_text;
use crate::expr::{Aside, Resolver};
use crate::planner::{Planner, df};
use crate::resolved::Resolved;

/// A value of the pivot column and the name of its columns.
struct PivotValue {
    condition: Expr,
    name: String,
}

impl Planner<'_> {
    /// PIVOT. Without grouping (SQL) the columns that nothing else uses are grouped by.
    pub(super) fn pivot(
        &mut self,
        input: &Relation,
        grouping: &[Expr],
        column: &Expr,
        values: &[Expr],
        aggregates: &[Expr],
        style: AggregateStyle,
    ) -> Result<Resolved> {
        let values =
            if values.is_empty() { self.found_values(input, column)? } else { self.given_values(column, values)? };
        let input = self.relation(input)?;
        let aggregates: Vec<Expr> = aggregates.iter().map(parsed).collect::<Result<_>>()?;
        if aggregates.iter().any(|aggregate| self.is_python_aggregate(aggregate)) {
            return Err(SparkError::new(&error_class::UNSUPPORTED_FEATURE_PANDAS_UDAF_IN_PIVOT));
        }
        let grouping = match style {
            AggregateStyle::ItemsOnly => self.unused_columns(&input, column, &aggregates)?,
            AggregateStyle::GroupingFirst | AggregateStyle::GroupingFirstByPlace => grouping.to_vec(),
        };
        let mut items = Vec::new();
        for value in &values {
            for aggregate in &aggregates {
                let (call, alias) = match aggregate.node.as_ref() {
                    ExprNode::Alias { child, names, .. } => (child, names.first().cloned()),
                    _ => (aggregate, None),
                };
                let label = match (&alias, aggregates.len()) {
                    (_, 1) => value.name.clone(),
                    (Some(alias), _) => format!("{}_{alias}", value.name),
                    (None, _) => {
                        let mut resolver = Resolver::new(self, &input.output).with_aside(Aside::aggregates());
                        format!("{}_{}", value.name, resolver.value(call)?.sql)
                    }
                };
                items.push(only_where(call, &value.condition)?.alias(label));
            }
        }
        self.aggregate_over(input, &Grouping::Expressions(grouping), &items, AggregateStyle::GroupingFirst)
    }

    /// Whether an item is an aggregate in Python, sent inline or registered.
    fn is_python_aggregate(&self, item: &Expr) -> bool {
        let aggregates = |function: &PythonUdf| EvalType(function.eval_type).is_aggregate();
        match item.node.as_ref() {
            ExprNode::Alias { child, .. } => self.is_python_aggregate(child),
            ExprNode::PythonUdf(function) => aggregates(function),
            ExprNode::Function(call) => self
                .env
                .sql_function(&call.name)
                .is_some_and(|function| matches!(&function.body, FunctionBody::Python(python) if aggregates(python))),
            _ => false,
        }
    }

    fn found_values(&mut self, input: &Relation, column: &Expr) -> Result<Vec<PivotValue>> {
        let max: usize = self.env.conf("spark.sql.pivotMaxValues").and_then(|n| n.parse().ok()).unwrap_or(10_000);
        let found = self.distinct_values(input, column)?;
        if found.len() > max {
            return Err(SparkError::new(&error_class::PIVOT_VALUES_TOO_MANY).param("max", max.to_string()));
        }
        let text = Expr::new(ExprNode::Cast {
            child: column.clone(),
            target: firesteel_spec::expr::CastTarget::Type(firesteel_spec::DataType::STRING),
            mode: firesteel_spec::expr::CastMode::Session,
        });
        Ok(found
            .iter()
            .map(|value| PivotValue {
                condition: Expr::call("<=>", vec![text.clone(), literal_text(value)]),
                name: match value {
                    datafusion::common::ScalarValue::Utf8(Some(text)) => text.clone(),
                    _ => "null".to_owned(),
                },
            })
            .collect())
    }

    fn given_values(&mut self, column: &Expr, values: &[Expr]) -> Result<Vec<PivotValue>> {
        let mut given = Vec::new();
        for value in values {
            let (child, alias) = match value.node.as_ref() {
                ExprNode::Alias { child, names, .. } => (child.clone(), names.first().cloned()),
                _ => (value.clone(), None),
            };
            let name = match alias {
                Some(alias) => alias,
                None => self.value_name(&child)?,
            };
            given.push(PivotValue { condition: Expr::call("<=>", vec![column.clone(), child]), name });
        }
        Ok(given)
    }

    /// The value as text: what its column is called.
    fn value_name(&mut self, value: &Expr) -> Result<String> {
        let typed: Typed = Resolver::new(self, &[]).value(value)?;
        let text = self.cast_to(typed, &firesteel_spec::DataType::STRING)?;
        Ok(match self.constant(&text)? {
            datafusion::common::ScalarValue::Utf8(Some(text)) => text,
            _ => "null".to_owned(),
        })
    }

    fn unused_columns(&mut self, input: &Resolved, column: &Expr, aggregates: &[Expr]) -> Result<Vec<Expr>> {
        let mut resolver = Resolver::new(self, &input.output).with_aside(Aside::aggregates());
        let mut used: Vec<DfExpr> = vec![resolver.value(column)?.expr];
        for aggregate in aggregates {
            resolver.value(aggregate)?;
        }
        used.extend(resolver.aside.aggregates.unwrap_or_default().into_iter().map(|a| a.expr));
        let mut names = Vec::new();
        for expr in &used {
            df(expr.apply(|node| {
                if let DfExpr::Column(column) = node {
                    names.push(column.name.clone());
                }
                Ok(TreeNodeRecursion::Continue)
            }))?;
        }
        let unused = input.visible().filter(|a| !names.contains(&a.column));
        Ok(unused
            .map(|a| Expr::new(ExprNode::Attribute { parts: vec![a.column.clone()], plan_id: None, is_metadata: true }))
            .collect())
    }
}

/// What `expr(..)` says, as any other expression.
fn parsed(expr: &Expr) -> Result<Expr> {
    match expr.node.as_ref() {
        ExprNode::SqlText(text) => firesteel_sql::parse_expression(text),
        _ => Ok(expr.clone()),
    }
}

/// The aggregate over the rows of one value, NULL where there are none.
fn only_where(call: &Expr, condition: &Expr) -> Result<Expr> {
    let filtered = filtered(call, condition)?;
    let is_there = Expr::call("bool_or", vec![condition.clone()]);
    Ok(Expr::call("when", vec![is_there, filtered]))
}

/// Adds the condition to every aggregate of the expression; the planner only knows calls by name here, so a call whose
/// arguments hold no other aggregate gets the filter.
fn filtered(expr: &Expr, condition: &Expr) -> Result<Expr> {
    use firesteel_functions::registry::{self, Build};
    let expr = &parsed(expr)?;
    let call = match expr.node.as_ref() {
        ExprNode::Function(call) => call,
        ExprNode::Cast { child, target, mode } => {
            let (child, target) = (filtered(child, condition)?, target.clone());
            return Ok(Expr::new(ExprNode::Cast { child, target, mode: *mode }));
        }
        ExprNode::Alias { child, .. } => return filtered(child, condition),
        _ => return Ok(expr.clone()),
    };
    let is_aggregate = crate::expr::builtin_name(&call.name)
        .and_then(|name| registry::lookup(&name))
        .is_some_and(|definition| matches!(definition.build, Build::Aggregate(_)));
    let call = if is_aggregate {
        let filter = match &call.filter {
            Some(own) => Expr::call("and", vec![own.clone(), condition.clone()]),
            None => condition.clone(),
        };
        FunctionCall { filter: Some(filter), ..call.clone() }
    } else {
        let arguments = call.arguments.iter().map(|a| filtered(a, condition)).collect::<Result<_>>()?;
        FunctionCall { arguments, ..call.clone() }
    };
    Ok(Expr { span: expr.span, call_site: expr.call_site.clone(), ..Expr::new(ExprNode::Function(call)) })
}
