//! Calls of Python functions, sent inline or registered.

use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;
use firesteel_engine::python::{Parameter, PythonAggregate, PythonScalar};
use firesteel_functions::call::{AggregateCall, Typed};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_python::{EvalType, PythonCommand};
use firesteel_spec::expr::{FunctionCall, PythonUdf};
use firesteel_spec::types_arrow::arrow_field;
use firesteel_spec::{Expr, ExprNode};

use super::Resolver;
use super::call::aggregate_expr;

/// Arguments of a Python function, resolved.
struct Arguments {
    values: Vec<Typed>,
    parameters: Vec<Parameter>,
    sql: String,
}

impl Resolver<'_, '_> {
    /// A call where one value is expected.
    pub(super) fn python_call(&mut self, function: &PythonUdf) -> Result<Typed> {
        if !self.planner.lambdas.is_empty() {
            return Err(SparkError::new(&error_class::UNSUPPORTED_FEATURE_LAMBDA_FUNCTION_WITH_PYTHON_UDF)
                .param("funcName", format!("\"{}\"", function.name)));
        }
        let eval_type = EvalType(function.eval_type);
        if eval_type.is_aggregate() {
            return self.python_aggregate(function);
        }
        if !eval_type.is_scalar() {
            return Err(SparkError::unsupported(format!("Python evaluation type {} as a value", eval_type.0)));
        }
        let Arguments { values, parameters, sql } = self.python_arguments(function)?;
        let data_type = self.planner.cast_target(function.returns()?)?;
        let returns = Arc::new(arrow_field(&function.name, &data_type, true));
        let command = python_command(function);
        let session = self.planner.env.python()?;
        let scalar = PythonScalar::new(command, session, parameters, returns, function.deterministic);
        let expr = scalar.call(values.into_iter().map(|value| value.expr).collect());
        Ok(Typed { expr, data_type, nullable: true, sql })
    }

    /// A call of a registered function.
    pub(super) fn registered_python(&mut self, function: &PythonUdf, call: &FunctionCall) -> Result<Typed> {
        if call.filter.is_some() || call.ignore_nulls.is_some() || !call.order_by.is_empty() {
            return Err(SparkError::unsupported(format!("FILTER, ORDER BY or IGNORE NULLS with {}", function.name)));
        }
        self.python_call(&called_with(function, &call.arguments))
    }

    /// A call of a function over groups, set aside.
    fn python_aggregate(&mut self, function: &PythonUdf) -> Result<Typed> {
        if self.in_aggregate {
            return Err(SparkError::new(&error_class::NESTED_AGGREGATE_FUNCTION));
        }
        if self.aside.aggregates.is_none() {
            return Err(SparkError::new(&error_class::INVALID_WHERE_CONDITION)
                .param("condition", format!("\"{}\"", function.name))
                .param("expressionList", function.name.clone()));
        }
        let aliases = std::mem::take(&mut self.aliases);
        self.in_aggregate = true;
        let call = self.python_aggregate_call(function);
        self.in_aggregate = false;
        self.aliases = aliases;
        let call = call?;
        self.set_aside_aggregate(aggregate_expr(&call, None), &call)
    }

    /// The same as what an aggregate or window node takes.
    pub(super) fn python_aggregate_call(&mut self, function: &PythonUdf) -> Result<AggregateCall> {
        let eval_type = EvalType(function.eval_type);
        if !eval_type.is_aggregate() {
            return Err(SparkError::new(&error_class::UNSUPPORTED_EXPR_FOR_WINDOW)
                .param("sqlExpr", format!("\"{}\"", function.name)));
        }
        if function.is_distinct {
            return Err(SparkError::unsupported(format!("DISTINCT with the Python function {}", function.name)));
        }
        let Arguments { values, parameters, sql } = self.python_arguments(function)?;
        let data_type = self.planner.cast_target(function.returns()?)?;
        let returns = Arc::new(arrow_field(&function.name, &data_type, true));
        let session = self.planner.env.python()?;
        let aggregate = PythonAggregate::new(python_command(function), session, parameters, returns);
        Ok(AggregateCall {
            function: Arc::new(AggregateUDF::new_from_impl(aggregate)),
            arguments: values.into_iter().map(|value| value.expr).collect(),
            is_distinct: false,
            order_by: Vec::new(),
            data_type,
            nullable: true,
            finish: None,
            sql,
        })
    }

    fn python_arguments(&mut self, function: &PythonUdf) -> Result<Arguments> {
        let (mut values, mut parameters, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for argument in &function.arguments {
            let (name, given) = match argument.node.as_ref() {
                ExprNode::NamedArgument { name, value } => (Some(name.clone()), value),
                _ => (None, argument),
            };
            for value in self.arguments(std::slice::from_ref(given))? {
                texts.push(match &name {
                    Some(name) => format!("{name} => {}", value.sql),
                    None => value.sql.clone(),
                });
                parameters.push(Parameter { name: name.clone(), type_json: value.data_type.to_json().to_string() });
                values.push(value);
            }
        }
        let sql = format!("{}({})", function.name, texts.join(", "));
        Ok(Arguments { values, parameters, sql })
    }
}

/// The function as workers know it.
///
/// Plain functions always go through Arrow: what the client pickled is the same, and values are converted in the same
/// worker.
pub(crate) fn python_command(function: &PythonUdf) -> Arc<PythonCommand> {
    let eval_type = match EvalType(function.eval_type) {
        EvalType::BATCHED => EvalType::ARROW_BATCHED,
        EvalType::TABLE => EvalType::ARROW_TABLE,
        other => other,
    };
    Arc::new(PythonCommand {
        name: function.name.clone(),
        eval_type,
        command: function.command.clone(),
        python_version: function.python_version.clone(),
    })
}

/// A registered function with arguments.
pub(crate) fn called_with(function: &PythonUdf, arguments: &[Expr]) -> PythonUdf {
    PythonUdf { arguments: arguments.to_vec(), ..function.clone() }
}
