//! Rounding: half up, half to even, up and down, to so many decimals.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType as Arrow, Float32Type, Float64Type, Int64Type};
use datafusion::common::ScalarValue;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::errors::from_arrow;
use crate::families::args::Args;
use crate::families::rows::{NUMBER, any_nullable, definitions, fold, fold_doubles, int_literal, kernels, shown_name};
use crate::udf;

definitions! {
    "round" (1, 2), Scalar(|c, a| rounded(c, "round", "round", a)), "the number rounded to so many decimals, halves away from 0";
    "bround" (1, 2), Scalar(|c, a| rounded(c, "bround", "bround", a)), "the number rounded to so many decimals, halves to the even digit";
    "ceil" (1, 2), Scalar(|c, a| whole(c, "ceil", a)), "the lowest whole number that is no lower";
    "ceiling" (1, 2), Scalar(|c, a| whole(c, "ceiling", a)), "the lowest whole number that is no lower";
    "floor" (1, 2), Scalar(|c, a| whole(c, "floor", a)), "the highest whole number that is no higher";
}

kernels! {
    "round" => |a| round(a, Rounding::HalfUp);
    "bround" => |a| round(a, Rounding::HalfEven);
    "ceil" => |a| round(a, Rounding::Up);
    "floor" => |a| round(a, Rounding::Down);
}

#[derive(Clone, Copy, PartialEq)]
enum Rounding {
    HalfUp,
    HalfEven,
    Up,
    Down,
}

fn places_of(call: &str, argument: &Typed) -> Result<i32> {
    let places = fold_doubles(argument).and_then(|values| values.first().copied());
    places.map(|places| places as i32).ok_or_else(|| {
        SparkError::new(&error_class::DATATYPE_MISMATCH_NON_FOLDABLE_INPUT)
            .param("sqlExpr", coercion::quoted(call))
            .param("inputName", "`scale`")
            .param("inputType", coercion::type_sql(&DataType::Integer))
            .param("inputExpr", coercion::quoted(&argument.sql))
    })
}

fn rounded(ctx: &FunctionContext, name: &str, kernel: &str, mut arguments: Vec<Typed>) -> Result<Typed> {
    if arguments.len() == 1 {
        arguments.push(int_literal(0));
    }
    let sql = coercion::call_sql(name, &arguments);
    let places = arguments.pop().map(|argument| places_of(&sql, &argument)).transpose()?.unwrap_or(0);
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[NUMBER])?;
    let result = match &arguments[0].data_type {
        DataType::Decimal(precision, scale) => decimal_result(*precision, *scale, places),
        other => other.clone(),
    };
    let nullable = any_nullable(&arguments) || !ctx.ansi;
    udf::call_with(ctx, kernel, arguments, result, nullable, sql, vec![places.to_string()])
}

/// One more digit before the point, for the carry.
fn decimal_result(precision: u8, scale: i8, places: i32) -> DataType {
    let whole = i32::from(precision) - i32::from(scale) + 1;
    if places < 0 {
        return DataType::Decimal(whole.max(1 - places).min(38) as u8, 0);
    }
    let scale = i32::from(scale).min(places);
    DataType::Decimal((whole + scale).min(38) as u8, scale as i8)
}

fn whole(ctx: &FunctionContext, name: &str, mut arguments: Vec<Typed>) -> Result<Typed> {
    let kernel = if name == "floor" { "floor" } else { "ceil" };
    if arguments.len() == 2 {
        let sql = coercion::call_sql(kernel, &arguments);
        let places = match (&arguments[1].data_type, fold(&arguments[1])) {
            (DataType::Integer, Some(ScalarValue::Int32(Some(places)))) => places,
            _ => {
                return Err(SparkError::new(&error_class::NON_FOLDABLE_ARGUMENT)
                    .param("funcName", format!("`{kernel}`"))
                    .param("paramName", "`scale`")
                    .param("paramType", coercion::type_sql(&DataType::Integer)));
            }
        };
        arguments.truncate(1);
        let number = coercion::coerce_arguments(ctx, name, arguments, &[coercion::Accepts::Decimal])?;
        let DataType::Decimal(precision, scale) = number[0].data_type else {
            return Err(SparkError::internal("a coerced decimal is none"));
        };
        let result = decimal_result(precision, scale, places);
        let nullable = any_nullable(&number) || !ctx.ansi;
        return udf::call_with(ctx, kernel, number, result, nullable, sql, vec![places.to_string()]);
    }
    let sql = coercion::call_sql(&shown_name(name), &arguments);
    let mut arguments = coercion::coerce_arguments(ctx, name, arguments, &[NUMBER])?;
    let result = match &arguments[0].data_type {
        DataType::Decimal(precision, scale) => {
            DataType::Decimal((i32::from(*precision) - i32::from(*scale) + 1).min(38) as u8, 0)
        }
        DataType::Float => {
            arguments = vec![coercion::convert(ctx, arguments.remove(0), &DataType::Double)?];
            DataType::Long
        }
        _ => DataType::Long,
    };
    let nullable = any_nullable(&arguments);
    udf::call_with(ctx, kernel, arguments, result, nullable, sql, vec!["0".to_owned()])
}

fn round(a: &Args, rounding: Rounding) -> Result<ArrayRef> {
    let places: i32 = a.option(0)?.parse().unwrap_or(0);
    let array = a.array(0)?;
    match (array.data_type(), &a.context.result) {
        (Arrow::Decimal128(_, scale), DataType::Decimal(precision, _)) => {
            let (scale, precision) = (i32::from(*scale), *precision);
            let numbers = a.decimal(0)?;
            a.try_decimals(|r| {
                let value = cut(numbers.value(r), scale, places, rounding);
                match value.filter(|v| v.unsigned_abs() < 10_u128.pow(u32::from(precision))) {
                    None if a.context.ansi => Err(overflow()),
                    value => Ok(value),
                }
            })
        }
        (Arrow::Float64, DataType::Long) => {
            let numbers = a.double(0)?;
            a.longs(
                |r| if rounding == Rounding::Up { numbers.value(r).ceil() } else { numbers.value(r).floor() } as i64,
            )
        }
        (Arrow::Float64, _) => {
            let numbers = a.double(0)?;
            a.values::<Float64Type>(|r| round_double(numbers.value(r), places, rounding))
        }
        (Arrow::Float32, _) => {
            let numbers = a.primitive::<Float32Type>(0)?;
            a.values::<Float32Type>(|r| {
                let value = numbers.value(r);
                if !value.is_finite() {
                    return value;
                }
                // Its shortest decimal, not its exact value, is what is rounded.
                round_double(value.to_string().parse().unwrap_or(f64::from(value)), places, rounding) as f32
            })
        }
        _ => round_integers(a, places, rounding),
    }
}

fn round_integers(a: &Args, places: i32, rounding: Rounding) -> Result<ArrayRef> {
    use firesteel_spec::types_arrow::to_arrow;
    let array = a.array(0)?;
    let target = to_arrow(&a.context.result);
    if places >= 0 {
        return arrow::compute::cast(array, &target).map_err(from_arrow);
    }
    let (low, high) = match a.context.result {
        DataType::Byte => (i128::from(i8::MIN), i128::from(i8::MAX)),
        DataType::Short => (i128::from(i16::MIN), i128::from(i16::MAX)),
        DataType::Integer => (i128::from(i32::MIN), i128::from(i32::MAX)),
        _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
    };
    let longs = arrow::compute::cast(array, &Arrow::Int64).map_err(from_arrow)?;
    let longs = longs.as_primitive::<Int64Type>();
    let rounded = a.try_values::<Int64Type>(|r| {
        let value = cut(i128::from(longs.value(r)), 0, places, rounding).unwrap_or(0);
        if (low..=high).contains(&value) {
            return Ok(Some(value as i64));
        }
        let bits = (high - low + 1).ilog2();
        if a.context.ansi { Err(overflow()) } else { Ok(Some(((value << (128 - bits)) >> (128 - bits)) as i64)) }
    })?;
    arrow::compute::cast(&rounded, &target).map_err(from_arrow)
}

fn overflow() -> SparkError {
    SparkError::new(&error_class::ARITHMETIC_OVERFLOW)
        .param("message", "Overflow")
        .param("alternative", "")
        .param("config", "\"spark.sql.ansi.enabled\"")
}

/// The number `value / 10^scale` at `places` decimals: an integer of scale `min(scale, max(places, 0))`.
fn cut(value: i128, scale: i32, places: i32, rounding: Rounding) -> Option<i128> {
    if places >= scale {
        return Some(value);
    }
    let dropped = u32::try_from(scale - places).ok()?;
    let Some(unit) = 10_i128.checked_pow(dropped) else { return Some(0) };
    let (quotient, rest) = (value.div_euclid(unit), value.rem_euclid(unit));
    let up = match rounding {
        Rounding::Up => rest > 0,
        Rounding::Down => false,
        Rounding::HalfUp if value < 0 => rest > unit - rest,
        Rounding::HalfUp => rest >= unit - rest,
        Rounding::HalfEven => rest > unit - rest || (rest == unit - rest && quotient % 2 != 0),
    };
    let quotient = quotient + i128::from(up);
    if places < 0 { quotient.checked_mul(10_i128.checked_pow(places.unsigned_abs())?) } else { Some(quotient) }
}

/// Rounds the shortest decimal that stands for the double.
fn round_double(value: f64, places: i32, rounding: Rounding) -> f64 {
    if !value.is_finite() || value == 0.0 {
        return value;
    }
    let text = format!("{:e}", value.abs());
    let Some((mantissa, exponent)) = text.split_once('e') else { return value };
    let (digits, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (Ok(unscaled), Ok(exponent)) = (format!("{digits}{fraction}").parse::<i128>(), exponent.parse::<i32>()) else {
        return value;
    };
    let scale = fraction.len() as i32 - exponent;
    if places >= scale {
        return value;
    }
    let signed = if value < 0.0 { -unscaled } else { unscaled };
    let Some(rounded) = cut(signed, scale, places, rounding) else { return value };
    let kept = places.max(0);
    format!("{rounded}e{}", -kept).parse().unwrap_or(value)
}
