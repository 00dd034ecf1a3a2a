//! Numbers as text, as Java reads and writes them.

use std::fmt::Write;

/// Writes a DOUBLE as Java's `Double.toString` does: `1.0`, `1.0E10`, `1.0E-5`, `NaN`, `Infinity`.
pub fn write_double(out: &mut String, value: f64) {
    if !write_special(out, value) {
        let mut buffer = ryu::Buffer::new();
        write_shortest(out, buffer.format_finite(value));
    }
}

/// Writes a FLOAT as Java's `Float.toString` does.
pub fn write_float(out: &mut String, value: f32) {
    if !write_special(out, f64::from(value)) {
        let mut buffer = ryu::Buffer::new();
        write_shortest(out, buffer.format_finite(value));
    }
}

fn write_special(out: &mut String, value: f64) -> bool {
    let text = if value.is_nan() {
        "NaN"
    } else if value == f64::INFINITY {
        "Infinity"
    } else if value == f64::NEG_INFINITY {
        "-Infinity"
    } else {
        return false;
    };
    out.push_str(text);
    true
}

/// Writes the shortest digits in Java's form: plain from 10^-3 up to 10^7, otherwise one digit, a point and an exponent.
fn write_shortest(out: &mut String, text: &str) {
    let (text, negative) = match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    if negative {
        out.push('-');
    }
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = [0_u8; 40];
    let mut count = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        digits[count] = byte;
        count += 1;
    }
    let leading = digits[..count].iter().take_while(|d| **d == b'0').count();
    let kept = count - digits[..count].iter().rev().take_while(|d| **d == b'0').count();
    if leading == count {
        out.push_str("0.0");
        return;
    }
    // The value is 0.d1d2d3.. * 10^point.
    let point = whole.len() as i32 - leading as i32 + exponent.parse::<i32>().unwrap_or(0);
    let digits = std::str::from_utf8(&digits[leading..kept]).unwrap_or("0");
    if (-2..=7).contains(&point) {
        write_plain(out, digits, point);
    } else {
        let rest = if digits.len() > 1 { &digits[1..] } else { "0" };
        let _ = write!(out, "{}.{rest}E{}", &digits[..1], point - 1);
    }
}

fn write_plain(out: &mut String, digits: &str, point: i32) {
    if point <= 0 {
        out.push_str("0.");
        for _ in point..0 {
            out.push('0');
        }
        out.push_str(digits);
        return;
    }
    let point = point as usize;
    if digits.len() <= point {
        out.push_str(digits);
        for _ in digits.len()..point {
            out.push('0');
        }
        out.push_str(".0");
    } else {
        out.push_str(&digits[..point]);
        out.push('.');
        out.push_str(&digits[point..]);
    }
}

/// Writes a DECIMAL as Java's `BigDecimal.toString` does (as casts in Spark), or `toPlainString` when `plain`.
pub fn write_decimal(out: &mut String, unscaled: i128, scale: i8, plain: bool) {
    if unscaled < 0 {
        out.push('-');
    }
    let digits = unscaled.unsigned_abs().to_string();
    let scale = i32::from(scale);
    let adjusted = digits.len() as i32 - 1 - scale;
    if scale == 0 {
        out.push_str(&digits);
    } else if plain || (scale >= 0 && adjusted >= -6) {
        if scale < 0 {
            out.push_str(&digits);
            (0..-scale).for_each(|_| out.push('0'));
            return;
        }
        let scale = scale as usize;
        if digits.len() > scale {
            out.push_str(&digits[..digits.len() - scale]);
        } else {
            out.push('0');
        }
        out.push('.');
        (digits.len()..scale).for_each(|_| out.push('0'));
        out.push_str(&digits[digits.len().saturating_sub(scale)..]);
    } else {
        out.push_str(&digits[..1]);
        if digits.len() > 1 {
            out.push('.');
            out.push_str(&digits[1..]);
        }
        let _ = write!(out, "E{}{adjusted}", if adjusted >= 0 { "+" } else { "" });
    }
}

/// A whole number within bounds. With `cut`, digits after a point are checked and dropped.
pub fn parse_integer(text: &str, min: i64, max: i64, cut: bool) -> Option<i64> {
    let bytes = crate::datetime::trim(text).as_bytes();
    let (negative, digits) = match bytes.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, bytes),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value: i64 = 0;
    let mut at = 0;
    // Counted downwards: the lowest number has no positive counterpart.
    while at < digits.len() && digits[at].is_ascii_digit() {
        value = value.checked_mul(10)?.checked_sub(i64::from(digits[at] - b'0'))?;
        at += 1;
    }
    if at < digits.len() {
        let is_fraction = cut && digits[at] == b'.' && digits[at + 1..].iter().all(u8::is_ascii_digit);
        if !is_fraction {
            return None;
        }
    }
    let value = if negative { value } else { value.checked_neg()? };
    (min..=max).contains(&value).then_some(value)
}

/// A DOUBLE as Java's `Double.parseDouble` reads it, and `inf`, `infinity`, `nan` in any case.
pub fn parse_double(text: &str) -> Option<f64> {
    let text = crate::datetime::trim(text);
    parse_special(text).or_else(|| java_float(text)?.parse().ok())
}

/// A FLOAT in the same forms.
pub fn parse_float(text: &str) -> Option<f32> {
    let text = crate::datetime::trim(text);
    parse_special(text).map(|value| value as f32).or_else(|| java_float(text)?.parse().ok())
}

fn parse_special(text: &str) -> Option<f64> {
    Some(match text.to_ascii_lowercase().as_str() {
        "inf" | "+inf" | "infinity" | "+infinity" => f64::INFINITY,
        "-inf" | "-infinity" => f64::NEG_INFINITY,
        "nan" => f64::NAN,
        _ => return None,
    })
}

/// The text without Java's type suffix, if it is a decimal number.
fn java_float(text: &str) -> Option<&str> {
    let text = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    let is_number = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
        && text.bytes().any(|b| b.is_ascii_digit());
    is_number.then_some(text)
}

/// A decimal number as digits and scale: `12.5` is (125, 1), `1E3` is (1, -3). `None` where it is none or has too
/// many digits to be held.
pub fn parse_big_decimal(text: &str) -> Option<(arrow::datatypes::i256, i32)> {
    use arrow::datatypes::i256;
    let bytes = crate::datetime::trim(text).as_bytes();
    let (negative, bytes) = match bytes.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, bytes),
    };
    let exponent_at = bytes.iter().position(|b| matches!(b, b'e' | b'E'));
    let (mantissa, exponent) = match exponent_at {
        Some(at) => (&bytes[..at], std::str::from_utf8(&bytes[at + 1..]).ok()?.parse::<i32>().ok()?),
        None => (bytes, 0),
    };
    let (mut value, mut scale, mut seen_point, mut digits, mut significant) = (i256::ZERO, 0_i32, false, 0, 0);
    for byte in mantissa {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                significant += usize::from(significant > 0 || *byte != b'0');
                if significant > 70 {
                    // Far beyond any DECIMAL: more digits only move the point.
                    scale -= i32::from(!seen_point);
                    continue;
                }
                value = value.wrapping_mul(i256::from_i128(10)).wrapping_add(i256::from_i128(i128::from(byte - b'0')));
                scale += i32::from(seen_point);
            }
            b'.' if !seen_point => seen_point = true,
            _ => return None,
        }
    }
    if digits == 0 {
        return None;
    }
    Some((if negative { value.wrapping_neg() } else { value }, scale.checked_sub(exponent)?))
}

/// Digits of 10^n, up to what an i256 holds.
pub(crate) fn power_of_ten(exponent: u32) -> arrow::datatypes::i256 {
    use arrow::datatypes::i256;
    i256::from_i128(10).wrapping_pow(exponent)
}

/// Moves an unscaled value from one scale to another, HALF_UP; `None` where the result has more than `precision`
/// digits.
pub(crate) fn rescale(value: arrow::datatypes::i256, from: i32, to: i32, precision: u8) -> Option<i128> {
    use arrow::datatypes::i256;
    let moved = if to >= from {
        let by = (to - from) as u32;
        if value == i256::ZERO {
            value
        } else if by > 76 {
            return None;
        } else {
            value.checked_mul(power_of_ten(by))?
        }
    } else {
        let by = (from - to) as u32;
        if by > 76 { i256::ZERO } else { divide_half_up(value, power_of_ten(by)) }
    };
    fits(moved, precision)
}

/// The value where it has at most `precision` digits.
pub(crate) fn fits(value: arrow::datatypes::i256, precision: u8) -> Option<i128> {
    value.to_i128().filter(|value| value.unsigned_abs() < first_beyond(precision))
}

/// The least absolute value with more than so many digits.
pub(crate) fn first_beyond(precision: u8) -> u128 {
    10_u128.pow(u32::from(precision))
}

/// A quotient rounded half away from zero; the divisor is not zero.
pub(crate) fn divide_half_up(value: arrow::datatypes::i256, divisor: arrow::datatypes::i256) -> arrow::datatypes::i256 {
    use arrow::datatypes::i256;
    let (quotient, remainder) = (value.wrapping_div(divisor), value.wrapping_rem(divisor));
    let away = remainder.wrapping_abs().wrapping_mul(i256::from_i128(2)) >= divisor.wrapping_abs();
    if !away {
        return quotient;
    }
    let one = i256::from_i128(1);
    let is_negative = (value < i256::ZERO) != (divisor < i256::ZERO);
    if is_negative { quotient.wrapping_sub(one) } else { quotient.wrapping_add(one) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_as_java_writes_them() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (1e7, "1.0E7"),
            (9_999_999.0, "9999999.0"),
            (12_345_678.9, "1.23456789E7"),
            (0.001, "0.001"),
            (0.000_99, "9.9E-4"),
            (1e-5, "1.0E-5"),
            (1e10, "1.0E10"),
            (123.456, "123.456"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
            (2e-323, "2.0E-323"),
        ] {
            let mut out = String::new();
            write_double(&mut out, value);
            assert_eq!(out, expected);
        }
        let mut out = String::new();
        write_float(&mut out, 3.3);
        assert_eq!(out, "3.3");
    }

    #[test]
    fn decimals_as_java_writes_them() {
        for (unscaled, scale, expected) in [
            (125, 1, "12.5"),
            (-5, 2, "-0.05"),
            (0, 2, "0.00"),
            (1, 7, "1E-7"),
            (12, 8, "1.2E-7"),
            (0, 7, "0E-7"),
            (1, 6, "0.000001"),
        ] {
            let mut out = String::new();
            write_decimal(&mut out, unscaled, scale, false);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn integers() {
        for (text, cut, expected) in [
            (" 12 ", false, Some(12)),
            ("+12", false, Some(12)),
            ("12.5", false, None),
            ("12.5", true, Some(12)),
            ("12.x", true, None),
            ("", true, None),
            ("-", true, None),
            ("-9223372036854775808", false, Some(i64::MIN)),
            ("9223372036854775808", false, None),
        ] {
            assert_eq!(parse_integer(text, i64::MIN, i64::MAX, cut), expected, "{text}");
        }
        assert_eq!(parse_integer("128", -128, 127, true), None);
    }

    #[test]
    fn floats_and_decimals() {
        assert_eq!(parse_double(" 1e3 "), Some(1000.0));
        assert_eq!(parse_double("1.5d"), Some(1.5));
        assert_eq!(parse_double("-Infinity"), Some(f64::NEG_INFINITY));
        assert_eq!(parse_double("1x"), None);
        let decimal = |text| parse_big_decimal(text).and_then(|(value, scale)| rescale(value, scale, 2, 5));
        assert_eq!(decimal("1.005"), Some(101));
        assert_eq!(decimal("-1.005"), Some(-101));
        assert_eq!(decimal("1E2"), Some(10_000));
        assert_eq!(decimal("1E3"), None);
        assert_eq!(decimal("1.2.3"), None);
    }
}
