//! Functions of doubles.

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType as Arrow, DurationMicrosecondType, Float64Type, Int64Type, IntervalYearMonthType};
use firesteel_model::Result;
use firesteel_spec::DataType;

use crate::families::args::Args;
use crate::families::rows::Output::{Is, Maybe, Never};
use crate::families::rows::functions;

functions! {
    "acos" (DOUBLE) => Is(DataType::Double), |a| unary(a, f64::acos), "the angle of that cosine";
    "acosh" (DOUBLE) => Is(DataType::Double), |a| unary(a, f64::acosh), "the inverse of cosh";
    "asin" (DOUBLE) => Is(DataType::Double), |a| unary(a, f64::asin), "the angle of that sine";
    "asinh" (DOUBLE) => Is(DataType::Double), |a| unary(a, f64::asinh), "the inverse of sinh";
    "atan" (DOUBLE) => Is(DataType::Double), |a| unary(a, f64::atan), "the angle of that tangent";
    "atanh" (DOUBLE) => Is(DataType::Double), |a| unary(a, f64::atanh), "the inverse of tanh";
    "atan2" (DOUBLE, DOUBLE) => Is(DataType::Double), |a| binary(a, |y, x| (y + 0.0).atan2(x + 0.0)), "the angle of the point (x, y), y first";
    "cbrt" (DOUBLE) => Is(DataType::Double), |a| unary(a, f64::cbrt), "the cube root";
    "cos" (DOUBLE) => Is(DataType::Double), |a| unary(a, f64::cos), "the cosine";
    "cosh" (DOUBLE) => Is(DataType::Double), |a| unary(a, f64::cosh), "the hyperbolic cosine";
    "cot" (DOUBLE) => Is(DataType::Double), |a| unary(a, |x| 1.0 / x.tan()), "the cotangent";
    "csc" (DOUBLE) => Is(DataType::Double), |a| unary(a, |x| 1.0 / x.sin()), "the cosecant";
    "sec" (DOUBLE) => Is(DataType::Double), |a| unary(a, |x| 1.0 / x.cos()), "the secant";
    "degrees" (DOUBLE) => Is(DataType::Double), |a| unary(a, |x| x * (180.0 / std::f64::consts::PI)), "radians as degrees";
    "radians" (DOUBLE) => Is(DataType::Double), |a| unary(a, |x| x * (std::f64::consts::PI / 180.0)), "degrees as radians";
    "e" () => Never(DataType::Double), |a| a.doubles(|_| std::f64::consts::E), "Euler's number";
    "pi" () => Never(DataType::Double), |a| a.doubles(|_| std::f64::consts::PI), "half the circumference of the unit circle";
    "exp" (DOUBLE) => Is(DataType::Double), |a| unary(a, f64::exp), "Euler's number to that power";
    "expm1" (DOUBLE) => Is(DataType::Double), |a| unary(a, f64::exp_m1), "Euler's number to that power, less 1";
    "hypot" (DOUBLE, DOUBLE) => Is(DataType::Double), |a| binary(a, f64::hypot), "the long side of a right triangle";
    "ln" (DOUBLE) => Maybe(DataType::Double), |a| logarithm(a, 0.0, f64::ln), "the natural logarithm";
    "log10" (DOUBLE) => Maybe(DataType::Double), |a| logarithm(a, 0.0, f64::log10), "the logarithm to base 10";
    "log2" (DOUBLE) => Maybe(DataType::Double), |a| logarithm(a, 0.0, |x| x.ln() / std::f64::consts::LN_2), "the logarithm to base 2";
    "log1p" (DOUBLE) => Maybe(DataType::Double), |a| logarithm(a, -1.0, f64::ln_1p), "the natural logarithm of one more";
    "pow" (DOUBLE, DOUBLE) => Is(DataType::Double), |a| binary(a, power), "the first to the power of the second";
    "power" (DOUBLE, DOUBLE) => Is(DataType::Double), |a| binary(a, power), "the first to the power of the second";
    "rint" (DOUBLE) => Is(DataType::Double), |a| unary(a, f64::round_ties_even), "the nearest whole number, as a DOUBLE";
    "sign" (MEASURE) => Is(DataType::Double), signs, "-1, 0 or 1";
    "signum" (MEASURE) => Is(DataType::Double), signs, "-1, 0 or 1";
    "sin" (DOUBLE) => Is(DataType::Double), |a| unary(a, f64::sin), "the sine";
    "sinh" (DOUBLE) => Is(DataType::Double), |a| unary(a, f64::sinh), "the hyperbolic sine";
    "sqrt" (DOUBLE) => Is(DataType::Double), |a| unary(a, f64::sqrt), "the square root";
    "tan" (DOUBLE) => Is(DataType::Double), |a| unary(a, f64::tan), "the tangent";
    "tanh" (DOUBLE) => Is(DataType::Double), |a| unary(a, f64::tanh), "the hyperbolic tangent";
    "width_bucket" (MEASURE, MEASURE, MEASURE, LONG) => Maybe(DataType::Long), width_bucket, "which of so many equal buckets between two bounds the value is in";
    "log" (DOUBLE; DOUBLE = crate::families::rows::Default::Absent) => Maybe(DataType::Double), log, "the logarithm to a base, or the natural one";
}

fn unary(a: &Args, f: fn(f64) -> f64) -> Result<ArrayRef> {
    Ok(std::sync::Arc::new(a.double(0)?.unary::<_, Float64Type>(f)))
}

/// A number, or what an interval counts.
fn measure(a: &Args, i: usize) -> Result<Float64Array> {
    let array = a.array(i)?;
    Ok(match array.data_type() {
        Arrow::Interval(_) => array.as_primitive::<IntervalYearMonthType>().unary(f64::from),
        Arrow::Duration(_) => array.as_primitive::<DurationMicrosecondType>().unary(|micros| micros as f64),
        _ => a.double(i)?.clone(),
    })
}

fn signs(a: &Args) -> Result<ArrayRef> {
    Ok(std::sync::Arc::new(measure(a, 0)?.unary::<_, Float64Type>(signum)))
}

fn binary(a: &Args, f: fn(f64, f64) -> f64) -> Result<ArrayRef> {
    let (x, y) = (a.double(0)?, a.double(1)?);
    a.doubles(|r| f(x.value(r), y.value(r)))
}

fn logarithm(a: &Args, above: f64, f: fn(f64) -> f64) -> Result<ArrayRef> {
    let x = a.double(0)?;
    a.try_values::<Float64Type>(|r| {
        let x = x.value(r);
        Ok((x > above || x.is_nan()).then(|| f(x)))
    })
}

fn log(a: &Args) -> Result<ArrayRef> {
    if a.len() == 1 {
        return logarithm(a, 0.0, f64::ln);
    }
    let (base, x) = (a.double(0)?, a.double(1)?);
    a.try_values::<Float64Type>(|r| {
        let (base, x) = (base.value(r), x.value(r));
        Ok((base > 0.0 && x > 0.0).then(|| x.ln() / base.ln()))
    })
}

/// Java's: a NaN exponent gives NaN, and so does 1 to an infinite power.
fn power(x: f64, y: f64) -> f64 {
    if y.is_nan() || (x.abs() == 1.0 && y.is_infinite()) { f64::NAN } else { x.powf(y) }
}

fn signum(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() { x } else { x.signum() }
}

fn width_bucket(a: &Args) -> Result<ArrayRef> {
    let (value, low, high, count) = (measure(a, 0)?, measure(a, 1)?, measure(a, 2)?, a.long(3)?);
    a.try_values::<Int64Type>(|r| {
        let (value, low, high, count) = (value.value(r), low.value(r), high.value(r), count.value(r));
        let is_bad =
            count <= 0 || count == i64::MAX || value.is_nan() || low == high || !low.is_finite() || !high.is_finite();
        if is_bad {
            return Ok(None);
        }
        let (lower, upper) = (low.min(high), low.max(high));
        let (below, above) = if low < high { (0, count + 1) } else { (count + 1, 0) };
        Ok(Some(if value < lower {
            below
        } else if value > upper || (low < high && value == upper) {
            above
        } else if low < high {
            (count as f64 * (value - lower) / (upper - lower)) as i64 + 1
        } else if value == lower {
            below
        } else {
            (count as f64 * (upper - value) / (upper - lower)) as i64 + 1
        }))
    })
}
