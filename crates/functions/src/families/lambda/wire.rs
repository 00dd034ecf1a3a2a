//! Functions with lambdas as bytes and back; whoever ships plans knows how expressions are written.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use datafusion::logical_expr::{Expr, ScalarUDF};
use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;
use serde_json::{Value, json};

use super::udf::{Body, LambdaUdf, function};
use crate::udf::KernelContext;

/// The name of every function with lambdas.
pub const NAME: &str = "lambda";

/// The function as bytes, its bodies written by `write`; `None` for other functions.
pub fn encode(udf: &ScalarUDF, write: &dyn Fn(&Expr) -> Result<Vec<u8>>) -> Option<Result<Vec<u8>>> {
    let udf = udf.inner().downcast_ref::<LambdaUdf>()?;
    let body = |body: &Body| {
        Ok(json!({
            "expr": BASE64_STANDARD.encode(write(&body.expr)?),
            "parameters": DataType::Struct(body.parameters.clone()).to_json(),
        }))
    };
    let bodies = udf.bodies.iter().map(body).collect::<Result<Vec<_>>>();
    Some(bodies.map(|bodies| {
        let context = String::from_utf8_lossy(&udf.context.to_bytes()).into_owned();
        json!({ "kind": udf.kind, "context": context, "bodies": bodies }).to_string().into_bytes()
    }))
}

/// The function that [`encode`] gave, its bodies read by `read`.
pub fn decode(bytes: &[u8], read: &dyn Fn(&[u8]) -> Result<Expr>) -> Result<ScalarUDF> {
    let broken = || SparkError::internal("a function with lambdas came over the wire broken");
    let value: Value = serde_json::from_slice(bytes).map_err(|error| broken().source(error))?;
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned).ok_or_else(broken);
    let body = |value: &Value| {
        let expr = BASE64_STANDARD.decode(text(value, "expr")?).map_err(|error| broken().source(error))?;
        match DataType::from_json(value.get("parameters").ok_or_else(broken)?)? {
            DataType::Struct(parameters) => Ok(Body { expr: read(&expr)?, parameters }),
            _ => Err(broken()),
        }
    };
    let bodies = value.get("bodies").and_then(Value::as_array).ok_or_else(broken)?;
    let bodies = bodies.iter().map(body).collect::<Result<Vec<_>>>()?;
    let kind = text(&value, "kind")?;
    let context = KernelContext::from_bytes(&kind, text(&value, "context")?.as_bytes())?;
    function(&kind, context, bodies)
}
