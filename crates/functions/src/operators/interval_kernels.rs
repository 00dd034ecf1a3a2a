//! Arithmetic on intervals: sums, differences, products and quotients with numbers.

use arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{
    Decimal128Type, DurationMicrosecondType, Float64Type, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType,
    IntervalYearMonthType, i256,
};
use datafusion::logical_expr::ColumnarValue;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::number_kernels::Arithmetic;
use super::operand::zip;
use crate::number::{divide_half_up, power_of_ten};
use crate::udf::{Kernel, KernelContext};

/// The kernels of this file. Numbers come as BIGINT, DECIMAL or DOUBLE.
pub(super) static KERNELS: &[Kernel] = &[
    Kernel::values("interval_multiply", |context, values, rows| scale(context, values, rows, false)).raising(),
    Kernel::values("interval_divide", |context, values, rows| scale(context, values, rows, true)).raising(),
];

/// Sums, differences, and whole quotients of intervals of one kind.
pub(super) fn arithmetic(
    context: &KernelContext,
    values: &[ColumnarValue],
    rows: usize,
    operation: Arithmetic,
) -> Result<ColumnarValue> {
    // Overflows of intervals are errors in every mode but TRY.
    let strict = KernelContext { ansi: true, ..context.clone() };
    let error = || overflow(Some(operation.try_name()));
    match (&context.arguments[0], operation) {
        (DataType::YearMonthInterval(..), Arithmetic::IntegralDivide) => {
            zip::<IntervalYearMonthType, IntervalYearMonthType, Int64Type>(
                &strict,
                values,
                rows,
                |a, b| i64::from(a).checked_div(i64::from(b)),
                |_, b| if b == 0 { by_zero() } else { error() },
            )
        }
        (DataType::DayTimeInterval(..), Arithmetic::IntegralDivide) => {
            zip::<DurationMicrosecondType, DurationMicrosecondType, Int64Type>(
                &strict,
                values,
                rows,
                i64::checked_div,
                |_, b| if b == 0 { by_zero() } else { error() },
            )
        }
        (DataType::YearMonthInterval(..), _) => {
            let f = if operation == Arithmetic::Add { i32::checked_add } else { i32::checked_sub };
            zip::<IntervalYearMonthType, IntervalYearMonthType, IntervalYearMonthType>(
                &strict,
                values,
                rows,
                f,
                |_, _| error(),
            )
        }
        (DataType::DayTimeInterval(..), _) => {
            let f = if operation == Arithmetic::Add { i64::checked_add } else { i64::checked_sub };
            zip::<DurationMicrosecondType, DurationMicrosecondType, DurationMicrosecondType>(
                &strict,
                values,
                rows,
                f,
                |_, _| error(),
            )
        }
        (DataType::CalendarInterval, Arithmetic::Add | Arithmetic::Subtract) => {
            let adds = operation == Arithmetic::Add;
            zip::<IntervalMonthDayNanoType, IntervalMonthDayNanoType, IntervalMonthDayNanoType>(
                &strict,
                values,
                rows,
                |a, b| calendar_sum(a, b, adds),
                |_, _| error(),
            )
        }
        (other, _) => Err(SparkError::internal(format!("no arithmetic on {}", other.sql()))),
    }
}

fn calendar_sum(a: IntervalMonthDayNano, b: IntervalMonthDayNano, adds: bool) -> Option<IntervalMonthDayNano> {
    let narrow = |a: i32, b: i32| if adds { a.checked_add(b) } else { a.checked_sub(b) };
    let nanos = if adds { a.nanoseconds.checked_add(b.nanoseconds) } else { a.nanoseconds.checked_sub(b.nanoseconds) };
    Some(IntervalMonthDayNano::new(narrow(a.months, b.months)?, narrow(a.days, b.days)?, nanos?))
}

/// `INTERVAL_ARITHMETIC_OVERFLOW.*`
pub(super) fn overflow(try_name: Option<&str>) -> SparkError {
    match try_name {
        Some(name) => SparkError::new(&error_class::INTERVAL_ARITHMETIC_OVERFLOW_WITH_SUGGESTION)
            .param("functionName", format!("`{name}`")),
        None => SparkError::new(&error_class::INTERVAL_ARITHMETIC_OVERFLOW_WITHOUT_SUGGESTION),
    }
}

fn by_zero() -> SparkError {
    SparkError::new(&error_class::INTERVAL_DIVIDED_BY_ZERO)
}

fn scale(context: &KernelContext, values: &[ColumnarValue], rows: usize, divides: bool) -> Result<ColumnarValue> {
    match &context.arguments[0] {
        DataType::YearMonthInterval(..) => {
            scaled::<IntervalYearMonthType>(context, values, rows, divides, i128::from, |value| {
                i32::try_from(value).ok()
            })
        }
        DataType::DayTimeInterval(..) => {
            scaled::<DurationMicrosecondType>(context, values, rows, divides, i128::from, |value| {
                i64::try_from(value).ok()
            })
        }
        _ => calendar(context, values, rows, divides),
    }
}

fn scaled<I: ArrowPrimitiveType>(
    context: &KernelContext,
    values: &[ColumnarValue],
    rows: usize,
    divides: bool,
    widen: impl Fn(I::Native) -> i128,
    narrow: impl Fn(i128) -> Option<I::Native>,
) -> Result<ColumnarValue> {
    let strict = KernelContext { ansi: true, ..context.clone() };
    let name = if divides { "try_divide" } else { "try_multiply" };
    match &context.arguments[1] {
        DataType::Long => zip::<I, Int64Type, I>(
            &strict,
            values,
            rows,
            |interval, number| narrow(by_whole(widen(interval), i128::from(number), 0, divides)?),
            |_, number| if divides && number == 0 { by_zero() } else { overflow(Some(name)) },
        ),
        DataType::Decimal(_, digits) => zip::<I, Decimal128Type, I>(
            &strict,
            values,
            rows,
            |interval, number| narrow(by_whole(widen(interval), number, *digits, divides)?),
            |_, number| if divides && number == 0 { by_zero() } else { overflow(None) },
        ),
        DataType::Double => zip::<I, Float64Type, I>(
            &strict,
            values,
            rows,
            |interval, number| narrow(by_double(widen(interval), number, divides)?),
            |_, number| if divides && number == 0.0 { by_zero() } else { overflow(None) },
        ),
        other => Err(SparkError::internal(format!("no interval times {}", other.sql()))),
    }
}

/// Rounded HALF_UP; the number has `digits` digits after the point.
fn by_whole(interval: i128, number: i128, digits: i8, divides: bool) -> Option<i128> {
    let power = power_of_ten(u32::from(digits.unsigned_abs()));
    let (interval, number) = (i256::from_i128(interval), i256::from_i128(number));
    if divides {
        if number == i256::ZERO {
            return None;
        }
        return divide_half_up(interval.checked_mul(power)?, number).to_i128();
    }
    divide_half_up(interval.checked_mul(number)?, power).to_i128()
}

fn by_double(interval: i128, number: f64, divides: bool) -> Option<i128> {
    if divides && number == 0.0 {
        return None;
    }
    let exact = if divides { interval as f64 / number } else { interval as f64 * number };
    // Half away from zero, as `round` does.
    let rounded = exact.round();
    (rounded.is_finite() && rounded.abs() < 2_f64.powi(64)).then_some(rounded as i128)
}

/// A calendar interval times or by a DOUBLE: fractions of months are dropped, of days go on to microseconds.
fn calendar(context: &KernelContext, values: &[ColumnarValue], rows: usize, divides: bool) -> Result<ColumnarValue> {
    const NANOS_PER_DAY: f64 = 86_400e9;
    let strict = KernelContext { ansi: true, ..context.clone() };
    zip::<IntervalMonthDayNanoType, Float64Type, IntervalMonthDayNanoType>(
        &strict,
        values,
        rows,
        |interval, number| {
            if divides && number == 0.0 {
                return None;
            }
            let by = |value: f64| if divides { value / number } else { value * number };
            let months = by(f64::from(interval.months));
            let days = by(f64::from(interval.days));
            let micros = ((by(interval.nanoseconds as f64) + days.fract() * NANOS_PER_DAY) / 1_000.0).round();
            let fits =
                months.abs() <= f64::from(i32::MAX) && days.abs() <= f64::from(i32::MAX) && micros.abs() < 9.2e15;
            fits.then(|| IntervalMonthDayNano::new(months as i32, days as i32, micros as i64 * 1_000))
        },
        |_, number| if divides && number == 0.0 { by_zero() } else { overflow(None) },
    )
}

/// The months, days and microseconds of an interval in a row.
pub(super) type Parts = Box<dyn Fn(usize) -> (i64, i64, i64)>;

/// The intervals of a column, row by row.
pub(super) fn parts(array: &ArrayRef, data_type: &DataType) -> Result<Parts> {
    Ok(match data_type {
        DataType::YearMonthInterval(..) => {
            let months = array.as_primitive::<IntervalYearMonthType>().clone();
            Box::new(move |row| (i64::from(months.value(row)), 0, 0))
        }
        DataType::DayTimeInterval(..) => {
            let micros = array.as_primitive::<DurationMicrosecondType>().clone();
            let day = crate::datetime::civil::MICROS_PER_DAY;
            Box::new(move |row| (0, micros.value(row) / day, micros.value(row) % day))
        }
        DataType::CalendarInterval => {
            let intervals = array.as_primitive::<IntervalMonthDayNanoType>().clone();
            Box::new(move |row| {
                let value = intervals.value(row);
                (i64::from(value.months), i64::from(value.days), value.nanoseconds / 1_000)
            })
        }
        other => return Err(SparkError::internal(format!("{} is no interval", other.sql()))),
    })
}
