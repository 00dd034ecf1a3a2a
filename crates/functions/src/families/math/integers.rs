//! Functions of whole numbers: bits, digits, factorials.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType as Arrow, Int8Type, Int64Type};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use crate::errors::from_arrow;
use crate::families::args::Args;
use crate::families::rows::Output::{Is, Maybe};
use crate::families::rows::functions;

functions! {
    "bin" (LONG) => Is(DataType::STRING), |a| { let n = a.long(0)?; a.texts(|r| format!("{:b}", n.value(r))) }, "the number in binary digits";
    "conv" (TEXT, INT, INT) => Maybe(DataType::STRING), conv, "digits of one base in another";
    "factorial" (INT) => Maybe(DataType::Long), factorial, "the product of the numbers up to it, for 0 to 20";
    "bit_count" (BITS) => Is(DataType::Integer), bit_count, "how many bits are set";
    "bit_get" (INTEGRAL, INT) => Is(DataType::Byte), bit_get, "the bit at a position, from the right";
    "getbit" (INTEGRAL, INT) => Is(DataType::Byte), bit_get, "the bit at a position, from the right";
}

fn longs(array: &ArrayRef) -> Result<ArrayRef> {
    arrow::compute::cast(array, &Arrow::Int64).map_err(from_arrow)
}

fn factorial(a: &Args) -> Result<ArrayRef> {
    let n = a.int(0)?;
    a.try_values::<Int64Type>(|r| Ok((0..=20).contains(&n.value(r)).then(|| (1..=i64::from(n.value(r))).product())))
}

fn bit_count(a: &Args) -> Result<ArrayRef> {
    let n = longs(a.array(0)?)?;
    let n = n.as_primitive::<Int64Type>();
    a.ints(|r| n.value(r).count_ones() as i32)
}

fn bit_get(a: &Args) -> Result<ArrayRef> {
    let width = match a.data_type(0)? {
        DataType::Byte => 8,
        DataType::Short => 16,
        DataType::Integer => 32,
        _ => 64,
    };
    let (n, position) = (longs(a.array(0)?)?, a.int(1)?);
    let n = n.as_primitive::<Int64Type>();
    a.try_values::<Int8Type>(|r| match position.value(r) {
        position if (0..width).contains(&position) => Ok(Some((n.value(r) >> position & 1) as i8)),
        position => Err(SparkError::new(&error_class::INVALID_PARAMETER_VALUE_BIT_POSITION_RANGE)
            .param("parameter", "`pos`")
            .param("functionName", "`getbit`")
            .param("upper", width.to_string())
            .param("invalidValue", position.to_string())),
    })
}

fn conv(a: &Args) -> Result<ArrayRef> {
    let (text, from, to) = (a.text(0)?, a.int(1)?, a.int(2)?);
    a.try_texts(|r| {
        let (from, to) = (from.value(r), to.value(r));
        if !(2..=36).contains(&from) || !(2..=36).contains(&to.abs()) {
            return Ok(None);
        }
        converted(text.value(r).trim(), from as u32, to, a.context.ansi)
    })
}

fn converted(text: &str, from: u32, to: i32, ansi: bool) -> Result<Option<String>> {
    if text.is_empty() {
        return Ok(None);
    }
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let mut value: u64 = 0;
    for digit in digits.chars().map_while(|c| c.to_digit(from)) {
        match value.checked_mul(u64::from(from)).and_then(|v| v.checked_add(u64::from(digit))) {
            Some(next) => value = next,
            None if ansi => {
                return Err(SparkError::new(&error_class::ARITHMETIC_OVERFLOW)
                    .param("message", "the digits given to conv() overflow")
                    .param("alternative", "")
                    .param("config", "\"spark.sql.ansi.enabled\""));
            }
            None => {
                value = u64::MAX;
                break;
            }
        }
    }
    let value = if is_negative && to > 0 {
        if (value as i64) < 0 { u64::MAX } else { (value as i64).wrapping_neg() as u64 }
    } else {
        value
    };
    let signed = to < 0 && (is_negative || (value as i64) < 0);
    let magnitude = if to < 0 && !is_negative { (value as i64).unsigned_abs() } else { value };
    let digits = in_base(magnitude, u64::from(to.unsigned_abs()));
    Ok(Some(if signed && magnitude != 0 { format!("-{digits}") } else { digits }))
}

fn in_base(mut value: u64, base: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = std::char::from_digit((value % base) as u32, 36).unwrap_or('0');
        digits.push(digit.to_ascii_uppercase());
        value /= base;
        if value == 0 {
            return digits.iter().rev().collect();
        }
    }
}
