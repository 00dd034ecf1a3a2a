//! Comparisons: DataFusion's own, on operands of one type; floats by Spark's order.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{Float32Type, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::arithmetic::binary_type_error;
use crate::call::{FunctionContext, Typed};
use crate::coercion::{Accepts, comparison_type, convert, quoted, type_sql};
use crate::registry::{Build, Definition};
use crate::udf::{self, Kernel, KernelContext};

/// The operators of this file.
pub(super) static TABLE: &[Definition] = &[
    row("=", |ctx, args| pair(ctx, args, Operator::Eq), "equal"),
    row("==", |ctx, args| pair(ctx, args, Operator::Eq), "equal"),
    row("!=", |ctx, args| pair(ctx, args, Operator::NotEq), "not equal"),
    row("<>", |ctx, args| pair(ctx, args, Operator::NotEq), "not equal"),
    row("<", |ctx, args| pair(ctx, args, Operator::Lt), "less"),
    row("<=", |ctx, args| pair(ctx, args, Operator::LtEq), "less or equal"),
    row(">", |ctx, args| pair(ctx, args, Operator::Gt), "greater"),
    row(">=", |ctx, args| pair(ctx, args, Operator::GtEq), "greater or equal"),
    row("<=>", |ctx, args| pair(ctx, args, Operator::IsNotDistinctFrom), "equal, where NULL equals NULL"),
    row("equal_null", named_equal_null, "equal, where NULL equals NULL"),
];

const fn row(
    name: &'static str,
    build: fn(&FunctionContext, Vec<Typed>) -> Result<Typed>,
    doc: &'static str,
) -> Definition {
    Definition { name, arity: (2, 2), build: Build::Scalar(build), doc }
}

/// The kernels of this file.
pub(super) static KERNELS: &[Kernel] = &[Kernel::arrays("normalize_float", normalize)];

fn pair(ctx: &FunctionContext, arguments: Vec<Typed>, operator: Operator) -> Result<Typed> {
    let [left, right] = <[Typed; 2]>::try_from(arguments).map_err(|_| SparkError::internal("a comparison of two"))?;
    compare(ctx, left, right, operator)
}

fn named_equal_null(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = crate::coercion::call_sql("equal_null", &arguments);
    Ok(Typed { sql, ..pair(ctx, arguments, Operator::IsNotDistinctFrom)? })
}

/// `left <=> right`
pub fn equal_null(ctx: &FunctionContext, left: Typed, right: Typed) -> Result<Typed> {
    compare(ctx, left, right, Operator::IsNotDistinctFrom)
}

/// Compares two values after bringing them to one type.
///
/// Errors: `DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES`, `DATATYPE_MISMATCH.INVALID_ORDERING_TYPE`.
pub fn compare(ctx: &FunctionContext, left: Typed, right: Typed, operator: Operator) -> Result<Typed> {
    let symbol = match operator {
        Operator::Eq | Operator::NotEq => "=",
        Operator::IsNotDistinctFrom => "<=>",
        Operator::Lt => "<",
        Operator::LtEq => "<=",
        Operator::Gt => ">",
        Operator::GtEq => ">=",
        _ => return Err(SparkError::internal("no comparison")),
    };
    let inner = format!("({} {symbol} {})", left.sql, right.sql);
    let is_equality = matches!(operator, Operator::Eq | Operator::NotEq | Operator::IsNotDistinctFrom);
    let common = common(ctx, &left.data_type, &right.data_type, is_equality)
        .ok_or_else(|| binary_type_error(&left, &right, &Accepts::Any, &inner))?;
    check_comparable(&common, is_equality, symbol, &inner)?;
    let nullable = operator != Operator::IsNotDistinctFrom && (left.nullable || right.nullable);
    let (left, right) = (convert(ctx, left, &common)?, convert(ctx, right, &common)?);
    let (left, right) = normalized_pair(ctx, left, right)?;
    let expr = Expr::BinaryExpr(BinaryExpr::new(Box::new(left.expr), operator, Box::new(right.expr)));
    let sql = if operator == Operator::NotEq { format!("(NOT {inner})") } else { inner };
    Ok(Typed { expr, data_type: DataType::Boolean, nullable, sql })
}

fn common(ctx: &FunctionContext, left: &DataType, right: &DataType, is_equality: bool) -> Option<DataType> {
    let legacy_boolean = |a: &DataType, b: &DataType| *a == DataType::Boolean && b.is_numeric();
    if !ctx.ansi && is_equality {
        if legacy_boolean(left, right) {
            return Some(right.clone());
        }
        if legacy_boolean(right, left) {
            return Some(left.clone());
        }
    }
    comparison_type(ctx, left, right)
}

fn check_comparable(common: &DataType, is_equality: bool, symbol: &str, sql: &str) -> Result<()> {
    let fits = match common {
        DataType::String(Some(name)) => {
            return Err(SparkError::unsupported(format!("comparison of strings with the collation {name}")));
        }
        _ => orderable(common, is_equality),
    };
    if fits {
        return Ok(());
    }
    Err(SparkError::new(&error_class::DATATYPE_MISMATCH_INVALID_ORDERING_TYPE)
        .param("sqlExpr", quoted(sql))
        .param("functionName", format!("`{symbol}`"))
        .param("dataType", type_sql(common)))
}

fn orderable(data_type: &DataType, is_equality: bool) -> bool {
    match data_type {
        DataType::Map(..) | DataType::Variant | DataType::Geometry(_) | DataType::Geography(_) => false,
        DataType::CalendarInterval => is_equality,
        DataType::Array(element, _) => orderable(element, is_equality),
        DataType::Struct(fields) => fields.iter().all(|field| orderable(&field.data_type, is_equality)),
        DataType::Udt(udt) => orderable(&udt.sql_type, is_equality),
        _ => true,
    }
}

/// Arrow compares floats bit by bit: -0.0 is below 0.0. A constant that is not zero needs no care.
fn normalized_pair(ctx: &FunctionContext, left: Typed, right: Typed) -> Result<(Typed, Typed)> {
    let harmless = |value: &Typed| match &value.expr {
        Expr::Literal(ScalarValue::Float32(Some(value)), _) => *value != 0.0 && value.is_finite(),
        Expr::Literal(ScalarValue::Float64(Some(value)), _) => *value != 0.0 && value.is_finite(),
        _ => false,
    };
    if harmless(&left) || harmless(&right) {
        return Ok((left, right));
    }
    Ok((normalized(ctx, left)?, normalized(ctx, right)?))
}

/// Gives -0.0 as 0.0 and every NaN as the same NaN; other types stay as they are.
pub fn normalized(ctx: &FunctionContext, value: Typed) -> Result<Typed> {
    if !matches!(value.data_type, DataType::Float | DataType::Double) {
        return Ok(value);
    }
    let (data_type, nullable, sql) = (value.data_type.clone(), value.nullable, value.sql.clone());
    udf::call(ctx, "normalize_float", vec![value], data_type, nullable, sql)
}

fn normalize(_context: &KernelContext, arrays: &[ArrayRef], _rows: usize) -> Result<ArrayRef> {
    Ok(match &arrays[0].data_type() {
        arrow::datatypes::DataType::Float32 => {
            let fix = |value: f32| if value.is_nan() { f32::NAN } else { value + 0.0 };
            Arc::new(arrays[0].as_primitive::<Float32Type>().unary::<_, Float32Type>(fix))
        }
        _ => {
            let fix = |value: f64| if value.is_nan() { f64::NAN } else { value + 0.0 };
            Arc::new(arrays[0].as_primitive::<Float64Type>().unary::<_, Float64Type>(fix))
        }
    })
}
