//! [`PythonAggregate`]: a Python function of one value a group as an expression, until it is taken out of its plan.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::expr::{AggregateFunction, WindowFunction};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Expr, Signature, Volatility, WindowFunctionDefinition};
use firesteel_python::{PythonCommand, PythonSession};

use super::scalar::Parameter;

/// A Python function of one value a group, or a window frame.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct PythonAggregate {
    /// The function.
    pub command: Arc<PythonCommand>,
    /// Its session.
    pub session: Arc<PythonSession>,
    /// Its arguments.
    pub parameters: Vec<Parameter>,
    /// What it gives.
    pub returns: FieldRef,
    signature: Signature,
}

impl PythonAggregate {
    /// The function.
    pub fn new(
        command: Arc<PythonCommand>,
        session: Arc<PythonSession>,
        parameters: Vec<Parameter>,
        returns: FieldRef,
    ) -> Self {
        let signature = match parameters.len() {
            0 => Signature::nullary(Volatility::Volatile),
            count => Signature::any(count, Volatility::Volatile),
        };
        Self { command, session, parameters, returns, signature }
    }

    /// The function that an aggregate's expression calls, and with what.
    pub(super) fn called(expr: &Expr) -> Option<(&Self, &AggregateFunction)> {
        match expr {
            Expr::Alias(alias) => Self::called(&alias.expr),
            Expr::AggregateFunction(call) => Some((call.func.inner().downcast_ref::<Self>()?, call)),
            _ => None,
        }
    }

    /// The function that a window's expression calls, and with what.
    pub(super) fn called_over(expr: &Expr) -> Option<(&Self, &WindowFunction)> {
        match expr {
            Expr::Alias(alias) => Self::called_over(&alias.expr),
            Expr::WindowFunction(call) => match &call.fun {
                WindowFunctionDefinition::AggregateUDF(function) => {
                    Some((function.inner().downcast_ref::<Self>()?, call.as_ref()))
                }
                WindowFunctionDefinition::WindowUDF(_) => None,
            },
            _ => None,
        }
    }
}

impl AggregateUDFImpl for PythonAggregate {
    fn name(&self) -> &str {
        &self.command.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.returns.data_type().clone())
    }

    fn return_field(&self, _arg_fields: &[FieldRef]) -> Result<FieldRef> {
        Ok(Arc::clone(&self.returns))
    }

    fn accumulator(&self, _args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        internal_err!("the Python function {} was not taken out of its plan", self.command.name)
    }
}
