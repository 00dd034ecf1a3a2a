//! Bits: `& | ^ ~` and shifts.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{Int8Type, Int16Type, Int32Type, Int64Type};
use datafusion::logical_expr::{BinaryExpr, ColumnarValue, Expr, Operator};
use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;

use super::arithmetic::binary_type_error;
use super::operand::zip;
use crate::call::{FunctionContext, Typed};
use crate::coercion::{Accepts, coerce_argument, convert, tightest_type};
use crate::registry::{Build, Definition};
use crate::udf::{self, Kernel, KernelContext};

/// The operators of this file.
pub(super) static TABLE: &[Definition] = &[
    row("&", 2, |ctx, args| pair(ctx, args, Operator::BitwiseAnd, "&"), "bits set in both"),
    row("|", 2, |ctx, args| pair(ctx, args, Operator::BitwiseOr, "|"), "bits set in one"),
    row("^", 2, |ctx, args| pair(ctx, args, Operator::BitwiseXor, "^"), "bits set in just one"),
    row("~", 1, flip, "every bit turned"),
    row("<<", 2, |ctx, args| shift(ctx, args, "shift_left", "<<"), "bits moved left"),
    row(">>", 2, |ctx, args| shift(ctx, args, "shift_right", ">>"), "bits moved right, keeping the sign"),
    row(">>>", 2, |ctx, args| shift(ctx, args, "shift_right_unsigned", ">>>"), "bits moved right, filled with zeros"),
    row("shiftleft", 2, |ctx, args| shift(ctx, args, "shift_left", "shiftleft"), "bits moved left"),
    row(
        "shiftright",
        2,
        |ctx, args| shift(ctx, args, "shift_right", "shiftright"),
        "bits moved right, keeping the sign",
    ),
    row(
        "shiftrightunsigned",
        2,
        |ctx, args| shift(ctx, args, "shift_right_unsigned", "shiftrightunsigned"),
        "bits moved right, filled with zeros",
    ),
];

const fn row(
    name: &'static str,
    arity: usize,
    build: fn(&FunctionContext, Vec<Typed>) -> Result<Typed>,
    doc: &'static str,
) -> Definition {
    Definition { name, arity: (arity, arity), build: Build::Scalar(build), doc }
}

/// The kernels of this file.
pub(super) static KERNELS: &[Kernel] = &[
    Kernel::arrays("bitwise_not", complement),
    Kernel::values("shift_left", |context, values, rows| {
        shifted(context, values, rows, i32::wrapping_shl, i64::wrapping_shl)
    }),
    Kernel::values("shift_right", |context, values, rows| {
        shifted(context, values, rows, i32::wrapping_shr, i64::wrapping_shr)
    }),
    Kernel::values("shift_right_unsigned", |context, values, rows| {
        let narrow = |value: i32, by: u32| (value as u32).wrapping_shr(by) as i32;
        shifted(context, values, rows, narrow, |value, by| (value as u64).wrapping_shr(by) as i64)
    }),
];

fn pair(ctx: &FunctionContext, arguments: Vec<Typed>, operator: Operator, symbol: &str) -> Result<Typed> {
    let [left, right] = <[Typed; 2]>::try_from(arguments).map_err(|_| SparkError::internal("an operator of two"))?;
    let sql = format!("({} {symbol} {})", left.sql, right.sql);
    let widen = |own: &DataType, other: &DataType| match (own, other) {
        (own, other) if own.is_string() && other.is_integral() => {
            Some(if ctx.ansi { DataType::Long } else { other.clone() })
        }
        (DataType::Null, DataType::Null) => Some(DataType::Integer),
        _ => None,
    };
    let (to_left, to_right) = (widen(&left.data_type, &right.data_type), widen(&right.data_type, &left.data_type));
    let cast = |value: Typed, to: Option<DataType>| match to {
        Some(to) => convert(ctx, value, &to),
        None => Ok(value),
    };
    let (left, right) = (cast(left, to_left)?, cast(right, to_right)?);
    let common = tightest_type(ctx, &left.data_type, &right.data_type).filter(DataType::is_integral);
    let common = common.ok_or_else(|| binary_type_error(&left, &right, &Accepts::Integral, &sql))?;
    let (left, right) = (convert(ctx, left, &common)?, convert(ctx, right, &common)?);
    let nullable = left.nullable || right.nullable;
    let expr = Expr::BinaryExpr(BinaryExpr::new(Box::new(left.expr), operator, Box::new(right.expr)));
    Ok(Typed { expr, data_type: common, nullable, sql })
}

fn flip(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let [value] = <[Typed; 1]>::try_from(arguments).map_err(|_| SparkError::internal("an operator of one"))?;
    let sql = format!("~{}", value.sql);
    let value = coerce_argument(ctx, value, &Accepts::Integral, &sql, 0)?;
    let (data_type, nullable) = (value.data_type.clone(), value.nullable);
    udf::call(ctx, "bitwise_not", vec![value], data_type, nullable, sql)
}

fn complement(context: &KernelContext, arrays: &[ArrayRef], _rows: usize) -> Result<ArrayRef> {
    let array = &arrays[0];
    Ok(match context.result {
        DataType::Byte => Arc::new(array.as_primitive::<Int8Type>().unary::<_, Int8Type>(|value| !value)),
        DataType::Short => Arc::new(array.as_primitive::<Int16Type>().unary::<_, Int16Type>(|value| !value)),
        DataType::Integer => Arc::new(array.as_primitive::<Int32Type>().unary::<_, Int32Type>(|value| !value)),
        _ => Arc::new(array.as_primitive::<Int64Type>().unary::<_, Int64Type>(|value| !value)),
    })
}

fn shift(ctx: &FunctionContext, arguments: Vec<Typed>, kernel: &str, name: &str) -> Result<Typed> {
    let [base, by] = <[Typed; 2]>::try_from(arguments).map_err(|_| SparkError::internal("an operator of two"))?;
    let is_symbol = name.starts_with(['<', '>']);
    let sql = if is_symbol {
        format!("({} {name} {})", base.sql, by.sql)
    } else {
        format!("{name}({}, {})", base.sql, by.sql)
    };
    const BASE: Accepts = Accepts::OneOf(&[Accepts::Is(DataType::Integer), Accepts::Is(DataType::Long)]);
    let base = coerce_argument(ctx, base, &BASE, &sql, 0)?;
    let by = coerce_argument(ctx, by, &Accepts::Is(DataType::Integer), &sql, 1)?;
    let (data_type, nullable) = (base.data_type.clone(), base.nullable || by.nullable);
    udf::call(ctx, kernel, vec![base, by], data_type, nullable, sql)
}

fn shifted(
    context: &KernelContext,
    values: &[ColumnarValue],
    rows: usize,
    narrow: fn(i32, u32) -> i32,
    wide: fn(i64, u32) -> i64,
) -> Result<ColumnarValue> {
    let never = || SparkError::internal("a shift cannot fail");
    if context.result == DataType::Integer {
        let f = |value, by: i32| Some(narrow(value, by as u32));
        return zip::<Int32Type, Int32Type, Int32Type>(context, values, rows, f, |_, _| never());
    }
    let f = |value, by: i32| Some(wide(value, by as u32));
    zip::<Int64Type, Int32Type, Int64Type>(context, values, rows, f, |_, _| never())
}
