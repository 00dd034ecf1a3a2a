//! Functions about the session, types and errors.

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::datatypes::DataType as Arrow;
use datafusion::common::ScalarValue;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::args::Args;
use super::rows::{BOOLEAN, TEXT, definitions, fold_text, literal, text_literal};
use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::udf::{self, Kernel, KernelContext};

definitions! {
    "typeof" (1, 1), Scalar(|_, a| Ok(constant(format!("typeof({})", a[0].sql), &a[0].data_type.simple_string()))), "the type of the argument";
    "version" (0, 0), Scalar(|_, _| Ok(constant("version()".to_owned(), "4.2.0"))), "the version of Spark";
    "current_user" (0, 0), Scalar(|c, _| Ok(constant("current_user()".to_owned(), &c.user))), "the session's user";
    "user" (0, 0), Scalar(|c, _| Ok(constant("user()".to_owned(), &c.user))), "the session's user";
    "session_user" (0, 0), Scalar(|c, _| Ok(constant("session_user()".to_owned(), &c.user))), "the session's user";
    "current_catalog" (0, 0), Scalar(|c, _| Ok(constant("current_catalog()".to_owned(), &c.catalog))), "the session's catalog";
    "current_database" (0, 0), Scalar(|c, _| Ok(constant("current_schema()".to_owned(), &c.schema))), "the session's schema";
    "current_schema" (0, 0), Scalar(|c, _| Ok(constant("current_schema()".to_owned(), &c.schema))), "the session's schema";
    "current_path" (0, 0), Scalar(|c, _| Ok(constant("current_path()".to_owned(), &format!("system.builtin,system.session,{}.{}", c.catalog, c.schema)))), "where names of functions are looked for";
    "collation" (1, 1), Scalar(collation), "the collation of a text";
    "collate" (2, 2), Scalar(collate), "the text under another collation";
    "input_file_name" (0, 0), Scalar(|_, _| Ok(constant("input_file_name()".to_owned(), ""))), "the path of the file that the row is from, empty where it is from none";
    "input_file_block_start" (0, 0), Scalar(|_, _| Ok(no_block("input_file_block_start()"))), "where the part of the file begins that the row is from, -1 where it is from none";
    "input_file_block_length" (0, 0), Scalar(|_, _| Ok(no_block("input_file_block_length()"))), "the size of the part of the file that the row is from, -1 where it is from none";
    "raise_error" (1, 1), Scalar(raise), "an error with the user's message";
    "assert_true" (1, 2), Scalar(assert), "an error unless the condition holds";
}

/// The kernels of this family.
pub(crate) static KERNELS: &[Kernel] = &[
    Kernel::arrays("collate", |_, arrays, _| {
        arrays.first().cloned().ok_or_else(|| SparkError::internal("a text lacks"))
    }),
    Kernel::arrays("raise_error", raised).volatile(),
    Kernel::arrays("assert_true", asserted).volatile(),
    Kernel::arrays("too_many_rows", |_, _, rows| several_rows(rows)).volatile(),
];

/// What a subquery that stands for one value is where it gives more rows: an error.
pub fn too_many_rows(ctx: &FunctionContext) -> Result<Typed> {
    udf::call(ctx, "too_many_rows", Vec::new(), DataType::Null, true, "too_many_rows()".to_owned())
}

fn several_rows(rows: usize) -> Result<ArrayRef> {
    match rows {
        0 => Ok(new_null_array(&Arrow::Null, 0)),
        _ => Err(SparkError::new(&error_class::SCALAR_SUBQUERY_TOO_MANY_ROWS)),
    }
}

fn constant(sql: String, text: &str) -> Typed {
    Typed { sql, ..text_literal(text) }
}

/// What a row of no file says of one.
fn no_block(sql: &str) -> Typed {
    literal(ScalarValue::Int64(Some(-1)), DataType::Long, sql)
}

const DEFAULT_COLLATION: &str = "UTF8_BINARY";

/// The collation's full name; what is no text is cast to one first, as in Spark.
fn collation(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("collation", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "collation", arguments, &[TEXT])?;
    let name = match &arguments[0].data_type {
        DataType::String(Some(name)) => name.as_str(),
        _ => DEFAULT_COLLATION,
    };
    Ok(constant(sql, &format!("SYSTEM.BUILTIN.{name}")))
}

/// The same bytes under a type that names the collation.
fn collate(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("collate", &arguments);
    let Some(given) = fold_text(&arguments[1]) else {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_NON_FOLDABLE_INPUT)
            .param("sqlExpr", coercion::quoted(&sql))
            .param("inputName", "`collation`")
            .param("inputType", "\"STRING\"")
            .param("inputExpr", coercion::quoted(&arguments[1].sql)));
    };
    let short = given.rsplit('.').next().unwrap_or_default().to_uppercase();
    let target = match short.as_str() {
        DEFAULT_COLLATION => DataType::STRING,
        "UTF8_LCASE" => DataType::String(Some(short)),
        _ if short.starts_with("UNICODE") || short.starts_with("UTF8_") => {
            return Err(SparkError::unsupported(format!("the collation {given}")));
        }
        _ => {
            return Err(SparkError::new(&error_class::COLLATION_INVALID_NAME)
                .param("collationName", given)
                .param("proposals", "UTF8_BINARY"));
        }
    };
    let mut arguments = coercion::coerce_arguments(ctx, "collate", arguments, &[TEXT])?;
    let value = arguments.remove(0);
    if value.data_type == target {
        return Ok(Typed { sql, ..value });
    }
    let nullable = value.nullable;
    udf::call(ctx, "collate", vec![value], target, nullable, sql)
}

fn raise(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
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
