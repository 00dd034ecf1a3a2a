//! Functions about the session, types and errors.

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::datatypes::DataType as Arrow;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::args::Args;
use super::rows::{BOOLEAN, TEXT, definitions, text_literal};
use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::udf::{self, Kernel, KernelContext};

definitions! {
    "typeof" (1, 1), Scalar(|_, a| Ok(constant(format!("typeof({})", a[0].sql), &a[0].data_type.simple_string()))), "the type of the argument";
    "version" (0, 0), Scalar(|_, _| Ok(constant("version()".to_owned(), "4.2.0"))), "the version of Spark";
    "current_user" (0, 0), Scalar(|c, _| Ok(constant("current_user()".to_owned(), &c.user))), "the session's user";
    "user" (0, 0), Scalar(|c, _| Ok(constant("current_user()".to_owned(), &c.user))), "the session's user";
    "session_user" (0, 0), Scalar(|c, _| Ok(constant("session_user()".to_owned(), &c.user))), "the session's user";
    "current_catalog" (0, 0), Scalar(|c, _| Ok(constant("current_catalog()".to_owned(), &c.catalog))), "the session's catalog";
    "current_database" (0, 0), Scalar(|c, _| Ok(constant("current_database()".to_owned(), &c.schema))), "the session's schema";
    "current_schema" (0, 0), Scalar(|c, _| Ok(constant("current_schema()".to_owned(), &c.schema))), "the session's schema";
    "raise_error" (1, 2), Scalar(raise), "an error with the user's message";
    "assert_true" (1, 2), Scalar(assert), "an error unless the condition holds";
    "input_file_name" (0, 0), Scalar(|_, _| Err(SparkError::unsupported("input_file_name()"))), "the file that the row is from";
}

/// The kernels of this family.
pub(crate) static KERNELS: &[Kernel] =
    &[Kernel::arrays("raise_error", raised).volatile(), Kernel::arrays("assert_true", asserted).volatile()];

fn constant(sql: String, text: &str) -> Typed {
    Typed { sql, ..text_literal(text) }
}

fn raise(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    if arguments.len() == 2 {
        return Err(SparkError::unsupported("raise_error with an error class"));
    }
    let message = arguments.first().map_or("", |message| message.sql.as_str());
    let sql = format!("raise_error(USER_RAISED_EXCEPTION, map(errorMessage, {message}))");
    arguments = coercion::coerce_arguments(ctx, "raise_error", arguments, &[TEXT])?;
    udf::call(ctx, "raise_error", arguments, DataType::Null, true, sql)
}

fn error(message: &str) -> SparkError {
    SparkError::new(&error_class::USER_RAISED_EXCEPTION).param("errorMessage", message)
}

fn raised(context: &KernelContext, arrays: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let args = Args { context, arrays, rows };
    let text = args.text(0)?;
    if rows == 0 {
        return Ok(new_null_array(&Arrow::Null, 0));
    }
    Err(error(if text.is_null(0) { "null" } else { text.value(0) }))
}

fn assert(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    if arguments.len() == 1 {
        arguments.push(text_literal(&format!("'{}' is not true!", arguments[0].sql)));
    }
    let sql = coercion::call_sql("assert_true", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "assert_true", arguments, &[BOOLEAN, TEXT])?;
    udf::call(ctx, "assert_true", arguments, DataType::Null, true, sql)
}

fn asserted(context: &KernelContext, arrays: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let args = Args { context, arrays, rows };
    let (condition, message) = (args.boolean(0)?, args.text(1)?);
    match (0..rows).find(|row| condition.is_null(*row) || !condition.value(*row)) {
        Some(row) => Err(error(if message.is_null(row) { "null" } else { message.value(row) })),
        None => Ok(new_null_array(&Arrow::Null, rows)),
    }
}
