//! Aggregates that order their values themselves, and so take windows of whole partitions only.

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::expr::{FrameBound, FunctionCall, WindowSpec};

use super::Resolver;
use super::call::builtin_name;

const ORDERED: [&str; 3] = ["median", "percentile_cont", "percentile_disc"];

impl Resolver<'_, '_> {
    /// Errors: `INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC`.
    pub(super) fn check_whole_window(&mut self, call: &FunctionCall, window: &WindowSpec) -> Result<()> {
        let Some(name) = builtin_name(&call.name).filter(|name| ORDERED.contains(&name.as_str())) else {
            return Ok(());
        };
        let is_whole = window.frame.as_ref().is_none_or(|frame| {
            frame.is_rows && frame.lower == FrameBound::Unbounded && frame.upper == FrameBound::Unbounded
        });
        if is_whole && window.order_by.is_empty() {
            return Ok(());
        }
        let mut arguments = Vec::new();
        for argument in call.order_by.iter().map(|key| &key.child).chain(&call.arguments) {
            arguments.push(self.value(argument)?.sql);
        }
        Err(SparkError::new(&error_class::INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC)
            .param("aggFunc", format!("\"{name}({})\"", arguments.join(", "))))
    }
}
