//! Arithmetic on decimals: exact in 256 bits, then rounded HALF_UP to the result's scale once.

use arrow::datatypes::{Decimal128Type, Int64Type, i256};
use datafusion::logical_expr::ColumnarValue;
use firesteel_model::Result;
use firesteel_spec::DataType;

use super::number_kernels::{Arithmetic, by_zero, overflow};
use super::operand::zip;
use crate::cast::wide_out_of_range;
use crate::number::{divide_half_up, first_beyond, fits, power_of_ten, rescale};
use crate::udf::KernelContext;

/// Scales of both operands and of the result, and the result's precision.
#[derive(Clone, Copy)]
struct Shape {
    left: i32,
    right: i32,
    result: i32,
    precision: u8,
}

pub(super) fn arithmetic(
    context: &KernelContext,
    values: &[ColumnarValue],
    rows: usize,
    operation: Arithmetic,
) -> Result<ColumnarValue> {
    let (DataType::Decimal(_, left), DataType::Decimal(_, right)) = (&context.arguments[0], &context.arguments[1])
    else {
        return Err(firesteel_model::SparkError::internal("operands are no decimals"));
    };
    let (left, right) = (i32::from(*left), i32::from(*right));
    let DataType::Decimal(precision, result) = context.result else {
        return zip::<Decimal128Type, Decimal128Type, Int64Type>(
            context,
            values,
            rows,
            |a, b| whole_quotient(a, b, left, right),
            |_, b| if b == 0 { by_zero(operation) } else { overflow(operation) },
        );
    };
    let shape = Shape { left, right, result: i32::from(result), precision };
    if let Some(factors) = narrow(context, shape, operation) {
        let subtracts = operation == Arithmetic::Subtract;
        return zip::<Decimal128Type, Decimal128Type, Decimal128Type>(
            context,
            values,
            rows,
            |a, b| {
                // What lies under a NULL may be anything.
                let (a, b) = (a.wrapping_mul(factors.0), b.wrapping_mul(factors.1));
                Some(if subtracts { a.wrapping_sub(b) } else { a.wrapping_add(b) })
            },
            |_, _| overflow(operation),
        );
    }
    let error = |a, b| {
        if b == 0 && !matches!(operation, Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Multiply) {
            return by_zero(operation);
        }
        let (value, scale) = exact(a, b, shape, operation).unwrap_or((i256::MAX, 0));
        wide_out_of_range(value, scale, shape.precision, shape.result as i8)
    };
    if operation == Arithmetic::Multiply && shape.result == shape.left + shape.right {
        let limit = first_beyond(shape.precision);
        let product = |a, b| product(a, b).filter(|value| value.unsigned_abs() < limit);
        return zip::<Decimal128Type, Decimal128Type, Decimal128Type>(context, values, rows, product, error);
    }
    let wide = |a, b| wide(a, b, shape, operation);
    zip::<Decimal128Type, Decimal128Type, Decimal128Type>(context, values, rows, wide, error)
}

/// One instruction for the factors that are usual.
#[inline]
fn product(a: i128, b: i128) -> Option<i128> {
    match (i64::try_from(a), i64::try_from(b)) {
        (Ok(a), Ok(b)) => Some(i128::from(a) * i128::from(b)),
        _ => a.checked_mul(b),
    }
}

/// The factors that bring both operands to the result's scale where neither they nor the result can leave 128 bits.
fn narrow(context: &KernelContext, shape: Shape, operation: Arithmetic) -> Option<(i128, i128)> {
    if !matches!(operation, Arithmetic::Add | Arithmetic::Subtract) || shape.result != shape.left.max(shape.right) {
        return None;
    }
    let (DataType::Decimal(p1, _), DataType::Decimal(p2, _)) = (&context.arguments[0], &context.arguments[1]) else {
        return None;
    };
    let digits = (i32::from(*p1) - shape.left).max(i32::from(*p2) - shape.right) + shape.result + 1;
    let factor = |scale: i32| 10_i128.pow((shape.result - scale) as u32);
    (digits <= i32::from(shape.precision)).then(|| (factor(shape.left), factor(shape.right)))
}

/// The result before rounding, and its scale.
fn exact(a: i128, b: i128, shape: Shape, operation: Arithmetic) -> Option<(i256, i32)> {
    let (x, y) = (i256::from_i128(a), i256::from_i128(b));
    let scale = shape.left.max(shape.right);
    let align = |value: i256, from: i32| value.checked_mul(power_of_ten((scale - from) as u32));
    Some(match operation {
        Arithmetic::Add => (align(x, shape.left)?.checked_add(align(y, shape.right)?)?, scale),
        Arithmetic::Subtract => (align(x, shape.left)?.checked_sub(align(y, shape.right)?)?, scale),
        Arithmetic::Multiply => (x.checked_mul(y)?, shape.left + shape.right),
        _ if b == 0 => return None,
        Arithmetic::Divide | Arithmetic::IntegralDivide => {
            let shift = shape.result - shape.left + shape.right;
            let numerator = if shift >= 0 { x.checked_mul(power_of_ten(shift as u32))? } else { x };
            let divisor = if shift < 0 { y.checked_mul(power_of_ten(shift.unsigned_abs()))? } else { y };
            (divide_half_up(numerator, divisor), shape.result)
        }
        Arithmetic::Remainder => (align(x, shape.left)?.wrapping_rem(align(y, shape.right)?), scale),
        Arithmetic::PositiveRemainder => {
            let y = align(y, shape.right)?;
            let remainder = align(x, shape.left)?.wrapping_rem(y);
            let moved = if remainder < i256::ZERO { remainder.wrapping_add(y).wrapping_rem(y) } else { remainder };
            (moved, scale)
        }
    })
}

fn wide(a: i128, b: i128, shape: Shape, operation: Arithmetic) -> Option<i128> {
    let (value, scale) = exact(a, b, shape, operation)?;
    if scale == shape.result {
        fits(value, shape.precision)
    } else {
        rescale(value, scale, shape.result, shape.precision)
    }
}

fn whole_quotient(a: i128, b: i128, left: i32, right: i32) -> Option<i64> {
    if b == 0 {
        return None;
    }
    let scale = left.max(right);
    let align = |value: i128, from: i32| i256::from_i128(value).checked_mul(power_of_ten((scale - from) as u32));
    let quotient = align(a, left)?.wrapping_div(align(b, right)?);
    i64::try_from(quotient.to_i128()?).ok()
}
