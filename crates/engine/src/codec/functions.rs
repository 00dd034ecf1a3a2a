//! Functions on the wire: ours by name and options, DataFusion's by name alone.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use firesteel_functions::errors::to_datafusion;
use firesteel_functions::families::{aggregate, lambda, window};
use firesteel_functions::udf;
use firesteel_model::SparkError;
use prost::Message;

use super::lambdas;

/// The names of our window functions begin with it.
const WINDOW_PREFIX: &str = "spark_";

#[derive(Clone, PartialEq, Message)]
pub(super) struct FunctionNode {
    #[prost(string, tag = "1")]
    name: String,
    /// What one of ours depends on beside its arguments; none for DataFusion's.
    #[prost(bytes = "vec", optional, tag = "2")]
    options: Option<Vec<u8>>,
}

/// DataFusion's functions by name.
#[derive(Debug)]
pub(super) struct Functions {
    scalar: HashMap<String, Arc<ScalarUDF>>,
    aggregate: HashMap<String, Arc<AggregateUDF>>,
    window: HashMap<String, Arc<WindowUDF>>,
}

impl Functions {
    pub(super) fn new() -> Self {
        let scalar = SessionStateDefaults::default_scalar_functions();
        let aggregate = SessionStateDefaults::default_aggregate_functions();
        let window = SessionStateDefaults::default_window_functions();
        Self {
            scalar: scalar.into_iter().map(|function| (function.name().to_owned(), function)).collect(),
            aggregate: aggregate.into_iter().map(|function| (function.name().to_owned(), function)).collect(),
            window: window.into_iter().map(|function| (function.name().to_owned(), function)).collect(),
        }
    }

    pub(super) fn write_scalar(&self, function: &ScalarUDF) -> Result<FunctionNode> {
        if let Some((name, options)) = udf::encode(function) {
            return Ok(FunctionNode { name, options: Some(options) });
        }
        if let Some(options) = lambda::encode(function, &|body| lambdas::write(body, self)) {
            let options = options.map_err(to_datafusion)?;
            return Ok(FunctionNode { name: lambda::NAME.to_owned(), options: Some(options) });
        }
        by_name(function.name(), self.scalar.contains_key(function.name()))
    }

    pub(super) fn read_scalar(&self, node: &FunctionNode) -> Result<Arc<ScalarUDF>> {
        let Some(options) = &node.options else {
            return self.scalar.get(&node.name).cloned().ok_or_else(|| unknown(&node.name));
        };
        let function = match node.name.as_str() {
            lambda::NAME => lambda::decode(options, &|bytes| lambdas::read(bytes, self)),
            ours => udf::decode(ours, options),
        };
        Ok(Arc::new(function.map_err(to_datafusion)?))
    }

    pub(super) fn write_aggregate(&self, function: &AggregateUDF) -> Result<FunctionNode> {
        match aggregate::encode(function) {
            Some((name, options)) => Ok(FunctionNode { name, options: Some(options) }),
            None => by_name(function.name(), self.aggregate.contains_key(function.name())),
        }
    }

    pub(super) fn read_aggregate(&self, node: &FunctionNode) -> Result<Arc<AggregateUDF>> {
        match &node.options {
            Some(options) => aggregate::decode(&node.name, options).map_err(to_datafusion),
            None => self.aggregate.get(&node.name).cloned().ok_or_else(|| unknown(&node.name)),
        }
    }

    pub(super) fn write_window(&self, function: &WindowUDF) -> Result<FunctionNode> {
        let name = function.name();
        if name.starts_with(WINDOW_PREFIX) {
            return Ok(FunctionNode { name: name.to_owned(), options: Some(Vec::new()) });
        }
        by_name(name, self.window.contains_key(name))
    }

    pub(super) fn read_window(&self, node: &FunctionNode) -> Result<Arc<WindowUDF>> {
        match &node.options {
            Some(_) => window::decode_window(&node.name).map_err(to_datafusion),
            None => self.window.get(&node.name).cloned().ok_or_else(|| unknown(&node.name)),
        }
    }
}

/// A function without options must be found by its name elsewhere.
fn by_name(name: &str, is_known: bool) -> Result<FunctionNode> {
    if is_known { Ok(FunctionNode { name: name.to_owned(), options: None }) } else { Err(unknown(name)) }
}

fn unknown(name: &str) -> DataFusionError {
    to_datafusion(SparkError::unsupported(format!("the function {name} on executors")))
}
