//! Spark's implicit casts: what a function's argument is turned into, and the type that several values share.
//!
//! ```text
//!   Accepts (what a parameter takes) --implicit_type--> DataType --cast--> Typed with the same SQL text
//!   common_type([INT, BIGINT, STRING]) --> BIGINT
//! ```

mod accepts;
mod common_type;
mod decimals;
mod implicit;

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

pub use accepts::Accepts;
pub use common_type::{common_type, common_type_without_strings, comparison_type, same_type, tightest_type, widest};
pub use decimals::{bounded, bounded_keeping_integral_digits, decimal_for, integral_digits, wider_decimal};
pub(crate) use implicit::is_atomic;
pub use implicit::{can_store, implicit_type};

use crate::call::{FunctionContext, Typed};
pub use crate::cast::cast;

/// Casts an argument to `target` where Spark does so by itself; its SQL text stays.
///
/// Errors: `DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE` about the argument itself; use [`coerce_arguments`] where the
/// call's name is known.
pub fn coerce(ctx: &FunctionContext, value: Typed, target: &DataType) -> Result<Typed> {
    let accepts = Accepts::Is(target.clone());
    let sql = value.sql.clone();
    coerce_argument(ctx, value, &accepts, &sql, 0)
}

/// Casts every argument of the call `name(..)` to what its parameter takes; the last parameter repeats.
///
/// Errors: `DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE`, naming the call and the argument.
pub fn coerce_arguments(
    ctx: &FunctionContext,
    name: &str,
    arguments: Vec<Typed>,
    parameters: &[Accepts],
) -> Result<Vec<Typed>> {
    let sql = call_sql(name, &arguments);
    let Some(last) = parameters.last() else { return Ok(arguments) };
    let parameters = parameters.iter().chain(std::iter::repeat(last));
    let pairs = arguments.into_iter().zip(parameters).enumerate();
    pairs.map(|(index, (argument, accepts))| coerce_argument(ctx, argument, accepts, &sql, index)).collect()
}

/// Casts one argument of the call that prints as `call`; `index` counts from 0.
pub fn coerce_argument(
    ctx: &FunctionContext,
    value: Typed,
    accepts: &Accepts,
    call: &str,
    index: usize,
) -> Result<Typed> {
    match implicit_type(ctx, &value.data_type, accepts) {
        Some(target) => convert(ctx, value, &target),
        None => Err(unexpected_type(&value, accepts, call, index)),
    }
}

/// Casts all values to their common type; `None` when they have none.
pub fn unify(ctx: &FunctionContext, values: Vec<Typed>) -> Result<Option<Vec<Typed>>> {
    let types: Vec<_> = values.iter().map(|value| value.data_type.clone()).collect();
    let Some(target) = common_type(ctx, &types) else { return Ok(None) };
    values.into_iter().map(|value| convert(ctx, value, &target)).collect::<Result<Vec<_>>>().map(Some)
}

/// Casts without a word: the SQL text stays. The cast must be one Spark does by itself.
pub fn convert(ctx: &FunctionContext, value: Typed, target: &DataType) -> Result<Typed> {
    if value.data_type == *target {
        return Ok(value);
    }
    let sql = value.sql.clone();
    Ok(Typed { sql, ..crate::cast::cast_unchecked(ctx, value, target)? })
}

/// `name(a, b)`
pub fn call_sql(name: &str, arguments: &[Typed]) -> String {
    let arguments: Vec<_> = arguments.iter().map(|argument| argument.sql.as_str()).collect();
    format!("{name}({})", arguments.join(", "))
}

/// `DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE`; `index` counts from 0.
pub fn unexpected_type(value: &Typed, accepts: &Accepts, call: &str, index: usize) -> SparkError {
    SparkError::new(&error_class::DATATYPE_MISMATCH_UNEXPECTED_INPUT_TYPE)
        .param("sqlExpr", quoted(call))
        .param("paramIndex", ordinal(index))
        .param("requiredType", accepts.sql())
        .param("inputSql", quoted(&value.sql))
        .param("inputType", type_sql(&value.data_type))
}

/// A type as messages show it: `"INT"`.
pub fn type_sql(data_type: &DataType) -> String {
    quoted(&data_type.sql())
}

/// An expression as messages show it.
pub fn quoted(sql: &str) -> String {
    format!("\"{}\"", sql.replace('"', "\"\""))
}

/// `first`, `second`, `third`, `4th`; counts from 0.
pub fn ordinal(index: usize) -> String {
    match index {
        0 => "first".to_owned(),
        1 => "second".to_owned(),
        2 => "third".to_owned(),
        other => format!("{}th", other + 1),
    }
}
