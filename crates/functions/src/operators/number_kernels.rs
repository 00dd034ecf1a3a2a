//! Arithmetic on integers and floats; decimals and intervals are passed on.

use arrow::array::{Array, ArrowPrimitiveType, Datum};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow::error::ArrowError;
use datafusion::logical_expr::ColumnarValue;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::operand::{finish, mode, zip};
use super::{decimal_kernels, interval_kernels};
use crate::cast::Mode;
use crate::errors::{from_arrow, from_datafusion};
use crate::udf::{Kernel, KernelContext};

/// The kernels of this file.
pub(super) static KERNELS: &[Kernel] = &[
    Kernel::values("add", |context, values, rows| arithmetic(context, values, rows, Arithmetic::Add)).raising(),
    Kernel::values("subtract", |context, values, rows| arithmetic(context, values, rows, Arithmetic::Subtract))
        .raising(),
    Kernel::values("multiply", |context, values, rows| arithmetic(context, values, rows, Arithmetic::Multiply))
        .raising(),
    Kernel::values("divide", |context, values, rows| arithmetic(context, values, rows, Arithmetic::Divide)).raising(),
    Kernel::values("integral_divide", |context, values, rows| {
        arithmetic(context, values, rows, Arithmetic::IntegralDivide)
    })
    .raising(),
    Kernel::values("remainder", |context, values, rows| arithmetic(context, values, rows, Arithmetic::Remainder))
        .raising(),
    Kernel::values("pmod", |context, values, rows| arithmetic(context, values, rows, Arithmetic::PositiveRemainder))
        .raising(),
    Kernel::values("negate", |context, values, rows| sign(context, values, rows, true)).raising(),
    Kernel::values("abs", |context, values, rows| sign(context, values, rows, false)).raising(),
];

/// Which operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    IntegralDivide,
    Remainder,
    PositiveRemainder,
}

impl Arithmetic {
    /// The function that gives NULL instead of an overflow.
    pub(super) fn try_name(self) -> &'static str {
        match self {
            Self::Add => "try_add",
            Self::Subtract => "try_subtract",
            Self::Multiply => "try_multiply",
            Self::Divide | Self::IntegralDivide => "try_divide",
            Self::Remainder | Self::PositiveRemainder => "try_mod",
        }
    }
}

fn arithmetic(
    context: &KernelContext,
    values: &[ColumnarValue],
    rows: usize,
    operation: Arithmetic,
) -> Result<ColumnarValue> {
    match &context.arguments[0] {
        DataType::Byte => whole::<Int8Type>(context, values, rows, operation),
        DataType::Short => whole::<Int16Type>(context, values, rows, operation),
        DataType::Integer => whole::<Int32Type>(context, values, rows, operation),
        DataType::Long => whole::<Int64Type>(context, values, rows, operation),
        DataType::Float => float::<Float32Type>(context, values, rows, operation),
        DataType::Double => float::<Float64Type>(context, values, rows, operation),
        DataType::Decimal(..) => decimal_kernels::arithmetic(context, values, rows, operation),
        _ => interval_kernels::arithmetic(context, values, rows, operation),
    }
}

/// Arrow's own loops for what they do as Spark does: nothing fails, or everything does.
fn by_arrow(context: &KernelContext, values: &[ColumnarValue], operation: Arithmetic) -> Result<Option<ColumnarValue>> {
    type Binary = fn(&dyn Datum, &dyn Datum) -> Result<arrow::array::ArrayRef, ArrowError>;
    let is_float = matches!(context.result, DataType::Float | DataType::Double);
    let run: Binary = match (operation, mode(context)) {
        (_, Mode::Try) if !is_float => return Ok(None),
        (Arithmetic::Add, Mode::Ansi) => numeric::add,
        (Arithmetic::Subtract, Mode::Ansi) => numeric::sub,
        (Arithmetic::Multiply, Mode::Ansi) => numeric::mul,
        (Arithmetic::Add, _) => numeric::add_wrapping,
        (Arithmetic::Subtract, _) => numeric::sub_wrapping,
        (Arithmetic::Multiply, _) => numeric::mul_wrapping,
        _ => return Ok(None),
    };
    let datum = |value: &ColumnarValue| -> Result<Box<dyn Datum>> {
        Ok(match value {
            ColumnarValue::Array(array) => Box::new(array.clone()),
            ColumnarValue::Scalar(scalar) => Box::new(scalar.to_scalar().map_err(from_datafusion)?),
        })
    };
    let (left, right) = (datum(&values[0])?, datum(&values[1])?);
    match run(left.as_ref(), right.as_ref()) {
        Ok(array) => finish(values, array).map(Some),
        Err(ArrowError::ArithmeticOverflow(_)) => Err(overflow(operation)),
        Err(other) => Err(from_arrow(other)),
    }
}

trait Whole: Copy + PartialEq + PartialOrd + Default {
    fn apply(self, other: Self, operation: Arithmetic, wraps: bool) -> Option<Self>;
    fn to_long(self) -> i64;
}

macro_rules! whole {
    ($($native:ty),*) => {$(
        impl Whole for $native {
            fn apply(self, other: Self, operation: Arithmetic, wraps: bool) -> Option<Self> {
                match operation {
                    Arithmetic::Add => self.checked_add(other),
                    Arithmetic::Subtract => self.checked_sub(other),
                    Arithmetic::Multiply => self.checked_mul(other),
                    _ if other == 0 => None,
                    Arithmetic::Divide | Arithmetic::IntegralDivide if wraps => Some(self.wrapping_div(other)),
                    Arithmetic::Divide | Arithmetic::IntegralDivide => self.checked_div(other),
                    Arithmetic::Remainder => Some(self.wrapping_rem(other)),
                    Arithmetic::PositiveRemainder => {
                        let remainder = self.wrapping_rem(other);
                        let moved = if remainder < 0 { remainder.wrapping_add(other).wrapping_rem(other) } else { remainder };
                        Some(moved)
                    }
                }
            }

            fn to_long(self) -> i64 {
                i64::from(self)
            }
        }
    )*};
}

whole!(i8, i16, i32, i64);

fn whole<T: ArrowPrimitiveType>(
    context: &KernelContext,
    values: &[ColumnarValue],
    rows: usize,
    operation: Arithmetic,
) -> Result<ColumnarValue>
where
    T::Native: Whole,
{
    if let Some(result) = by_arrow(context, values, operation)? {
        return Ok(result);
    }
    let wraps = mode(context) == Mode::Legacy;
    zip::<T, T, T>(
        context,
        values,
        rows,
        |a, b| a.apply(b, operation, wraps),
        |_, b| if b.to_long() == 0 { by_zero(operation) } else { overflow(operation) },
    )
}

trait Float:
    Copy
    + PartialEq
    + PartialOrd
    + std::ops::Div<Output = Self>
    + std::ops::Rem<Output = Self>
    + std::ops::Add<Output = Self>
    + Default
{
}

impl Float for f32 {}
impl Float for f64 {}

fn float<T: ArrowPrimitiveType>(
    context: &KernelContext,
    values: &[ColumnarValue],
    rows: usize,
    operation: Arithmetic,
) -> Result<ColumnarValue>
where
    T::Native: Float,
{
    if let Some(result) = by_arrow(context, values, operation)? {
        return Ok(result);
    }
    let zero = T::Native::default();
    zip::<T, T, T>(
        context,
        values,
        rows,
        |a, b| match operation {
            _ if b == zero => None,
            Arithmetic::Divide => Some(a / b),
            Arithmetic::PositiveRemainder => {
                let remainder = a % b;
                Some(if remainder < zero { (remainder + b) % b } else { remainder })
            }
            _ => Some(a % b),
        },
        |_, _| by_zero(operation),
    )
}

/// `ARITHMETIC_OVERFLOW`, naming the function that tolerates it.
pub(super) fn overflow(operation: Arithmetic) -> SparkError {
    let (message, name) = match operation {
        Arithmetic::IntegralDivide => ("Overflow in integral divide", "try_divide"),
        other => ("overflow", other.try_name()),
    };
    arithmetic_overflow(message, &format!(" Use '{name}' to tolerate overflow and return NULL instead."))
}

/// `ARITHMETIC_OVERFLOW`
pub(super) fn arithmetic_overflow(message: &str, alternative: &str) -> SparkError {
    SparkError::new(&error_class::ARITHMETIC_OVERFLOW)
        .param("message", message)
        .param("alternative", alternative)
        .param("config", "\"spark.sql.ansi.enabled\"")
}

/// `DIVIDE_BY_ZERO` or `REMAINDER_BY_ZERO`
pub(super) fn by_zero(operation: Arithmetic) -> SparkError {
    let class = match operation {
        Arithmetic::Remainder | Arithmetic::PositiveRemainder => &error_class::REMAINDER_BY_ZERO,
        _ => &error_class::DIVIDE_BY_ZERO,
    };
    SparkError::new(class).param("config", "\"spark.sql.ansi.enabled\"")
}

fn sign(context: &KernelContext, values: &[ColumnarValue], _rows: usize, negates: bool) -> Result<ColumnarValue> {
    use arrow::array::{AsArray, PrimitiveArray};
    use arrow::datatypes as types;
    use std::sync::Arc;
    let array = values[0].to_array(1).map_err(from_datafusion)?;
    let is_strict = mode(context) == Mode::Ansi || !context.result.is_numeric();
    macro_rules! exact {
        ($type:ty) => {{
            let values = array.as_primitive::<$type>();
            let keep = |value: <$type as ArrowPrimitiveType>::Native| !negates && value >= 0;
            let result: PrimitiveArray<$type> = if is_strict {
                let checked = |value: <$type as ArrowPrimitiveType>::Native| {
                    if keep(value) { Ok(value) } else { value.checked_neg().ok_or(ArrowError::DivideByZero) }
                };
                values.try_unary(checked).map_err(|_: ArrowError| sign_overflow(context))?
            } else {
                values.unary(|value| if keep(value) { value } else { value.wrapping_neg() })
            };
            Arc::new(result.with_data_type(array.data_type().clone())) as arrow::array::ArrayRef
        }};
    }
    macro_rules! float {
        ($type:ty) => {{
            let values = array.as_primitive::<$type>();
            Arc::new(values.unary::<_, $type>(|value| if negates { -value } else { value.abs() }))
        }};
    }
    let result: arrow::array::ArrayRef = match &context.result {
        DataType::Byte => exact!(types::Int8Type),
        DataType::Short => exact!(types::Int16Type),
        DataType::Integer => exact!(types::Int32Type),
        DataType::Long => exact!(types::Int64Type),
        DataType::Decimal(..) => exact!(types::Decimal128Type),
        DataType::Float => float!(types::Float32Type),
        DataType::Double => float!(types::Float64Type),
        DataType::YearMonthInterval(..) => exact!(types::IntervalYearMonthType),
        DataType::DayTimeInterval(..) => exact!(types::DurationMicrosecondType),
        DataType::CalendarInterval => {
            let values = array.as_primitive::<types::IntervalMonthDayNanoType>();
            let negated = |value: types::IntervalMonthDayNano| {
                types::IntervalMonthDayNano::new(
                    value.months.wrapping_neg(),
                    value.days.wrapping_neg(),
                    value.nanoseconds.wrapping_neg(),
                )
            };
            Arc::new(values.unary::<_, types::IntervalMonthDayNanoType>(negated))
        }
        other => return Err(SparkError::internal(format!("no sign of {}", other.sql()))),
    };
    finish(values, result)
}

fn sign_overflow(context: &KernelContext) -> SparkError {
    if context.result.is_numeric() {
        arithmetic_overflow("overflow", "")
    } else {
        SparkError::new(&error_class::INTERVAL_ARITHMETIC_OVERFLOW_WITHOUT_SUGGESTION)
    }
}
