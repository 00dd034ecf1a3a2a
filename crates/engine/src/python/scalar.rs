//! [`PythonScalar`]: a call of a Python function as an expression, until it is taken out of its plan.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use firesteel_python::{PythonCommand, PythonSession};

/// A Python function of one value a row.
///
/// For the optimiser it is volatile, so that it is neither repeated nor moved into scans; equal calls of a deterministic
/// function become one when [`super::extract_python`] takes them out.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct PythonScalar {
    /// The function.
    pub command: Arc<PythonCommand>,
    /// Its session.
    pub session: Arc<PythonSession>,
    /// Its arguments.
    pub parameters: Vec<Parameter>,
    /// What it gives.
    pub returns: FieldRef,
    /// Whether equal arguments give equal values.
    pub is_deterministic: bool,
    signature: Signature,
}

/// What is known of an argument beside its value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parameter {
    /// Its name, where the function takes it by name.
    pub name: Option<String>,
    /// Its Spark type as JSON.
    pub type_json: String,
}

impl PythonScalar {
    /// The function.
    pub fn new(
        command: Arc<PythonCommand>,
        session: Arc<PythonSession>,
        parameters: Vec<Parameter>,
        returns: FieldRef,
        is_deterministic: bool,
    ) -> Self {
        let signature = match parameters.len() {
            0 => Signature::nullary(Volatility::Volatile),
            count => Signature::any(count, Volatility::Volatile),
        };
        Self { command, session, parameters, returns, is_deterministic, signature }
    }

    /// A call of it.
    pub fn call(self, arguments: Vec<Expr>) -> Expr {
        Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::new_from_impl(self)), arguments))
    }

    /// The function that an expression calls, and with what.
    pub(crate) fn called(expr: &Expr) -> Option<(&Self, &[Expr])> {
        let Expr::ScalarFunction(call) = expr else { return None };
        Some((call.func.inner().downcast_ref::<Self>()?, &call.args))
    }
}

impl ScalarUDFImpl for PythonScalar {
    fn name(&self) -> &str {
        &self.command.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.returns.data_type().clone())
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::clone(&self.returns))
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("the Python function {} was not taken out of its plan", self.command.name)
    }
}
