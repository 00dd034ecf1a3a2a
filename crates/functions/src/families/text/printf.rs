//! Numbers in texts: `format_string`, `format_number`, and masks.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::{DataType as Arrow, Decimal128Type, Float64Type, Int64Type};
use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;

use crate::errors::from_arrow;
use crate::families::args::Args;
use crate::families::rows::Default::Text;
use crate::families::rows::Output::{Is, Maybe, Of};
use crate::families::rows::functions;

functions! {
    "format_string" (TEXT; ..ANY) => Of(|_, a| Ok((DataType::STRING, a.first().is_none_or(|a| a.nullable)))), format_string, "arguments laid into a format like C's";
    "printf" (TEXT; ..ANY) => Of(|_, a| Ok((DataType::STRING, a.first().is_none_or(|a| a.nullable)))), format_string, "arguments laid into a format like C's";
    "format_number" (NUMBER, INT) => Maybe(DataType::STRING), format_number, "the number with commas and so many decimals";
    "mask" (TEXT; TEXT = Text("X"), TEXT = Text("x"), TEXT = Text("n"), ANY = crate::families::rows::Default::Null) => Is(DataType::STRING), mask, "the text with letters and digits hidden";
}

fn format_string(a: &Args) -> Result<ArrayRef> {
    let format = a.text(0)?;
    let mut out = StringBuilder::new();
    for row in 0..a.rows {
        if format.is_null(row) {
            out.append_null();
        } else {
            out.append_value(formatted(format.value(row), &a.arrays[1..], row)?);
        }
    }
    Ok(Arc::new(out.finish()))
}

/// `%[n$][flags][width][.precision]conversion`
#[derive(Default)]
struct Spec {
    argument: Option<usize>,
    flags: String,
    width: usize,
    precision: Option<usize>,
    conversion: char,
}

impl Spec {
    fn parse(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Self> {
        let mut spec = Self::default();
        let mut number = String::new();
        for c in chars.by_ref() {
            match c {
                '-' | '+' | ' ' | ',' | '(' | '#' => spec.flags.push(c),
                '0' if number.is_empty() && spec.precision.is_none() => spec.flags.push(c),
                '0'..='9' => number.push(c),
                '$' => spec.argument = std::mem::take(&mut number).parse().ok(),
                '.' => {
                    spec.width = std::mem::take(&mut number).parse().unwrap_or(0);
                    spec.precision = Some(0);
                }
                conversion => {
                    match spec.precision {
                        Some(_) => spec.precision = number.parse().ok(),
                        None => spec.width = number.parse().unwrap_or(0),
                    }
                    spec.conversion = conversion;
                    return Ok(spec);
                }
            }
        }
        Err(SparkError::internal("a format ends inside a conversion"))
    }

    fn pad(&self, text: String) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        if self.flags.contains('-') {
            return text + &" ".repeat(missing);
        }
        if self.flags.contains('0') && self.conversion != 's' {
            let sign = usize::from(text.starts_with(['-', '+', ' ']));
            return format!("{}{}{}", &text[..sign], "0".repeat(missing), &text[sign..]);
        }
        " ".repeat(missing) + &text
    }

    fn signed(&self, is_negative: bool, digits: String) -> String {
        let digits = if self.flags.contains(',') { with_commas(&digits) } else { digits };
        match (is_negative, self.flags.as_str()) {
            (true, flags) if flags.contains('(') => format!("({digits})"),
            (true, _) => format!("-{digits}"),
            (false, flags) if flags.contains('+') => format!("+{digits}"),
            (false, flags) if flags.contains(' ') => format!(" {digits}"),
            (false, _) => digits,
        }
    }
}

fn formatted(format: &str, arguments: &[ArrayRef], row: usize) -> Result<String> {
    let mut out = String::with_capacity(format.len());
    let mut chars = format.chars().peekable();
    let mut next = 0;
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let spec = Spec::parse(&mut chars)?;
        match spec.conversion {
            '%' => out.push_str(&spec.pad("%".to_owned())),
            'n' => out.push('\n'),
            _ => {
                let index = spec.argument.map_or(next, |argument| argument.saturating_sub(1));
                next += usize::from(spec.argument.is_none());
                let argument = arguments
                    .get(index)
                    .ok_or_else(|| SparkError::internal(format!("the format {format} needs argument {}", index + 1)))?;
                out.push_str(&spec.pad(converted(&spec, argument, row)?));
            }
        }
    }
    Ok(out)
}

fn converted(spec: &Spec, argument: &ArrayRef, row: usize) -> Result<String> {
    if argument.is_null(row) {
        return Ok("null".to_owned());
    }
    let one = argument.slice(row, 1);
    let cast = |to: &Arrow| arrow::compute::cast(&one, to).map_err(from_arrow);
    let long = || Ok::<i64, SparkError>(cast(&Arrow::Int64)?.as_primitive::<Int64Type>().value(0));
    let double = || Ok::<f64, SparkError>(cast(&Arrow::Float64)?.as_primitive::<Float64Type>().value(0));
    let bits = match one.data_type() {
        Arrow::Int8 => 0xff,
        Arrow::Int16 => 0xffff,
        Arrow::Int32 => 0xffff_ffff,
        _ => u64::MAX,
    };
    Ok(match spec.conversion {
        'd' => {
            let value = long()?;
            spec.signed(value < 0, value.unsigned_abs().to_string())
        }
        'x' => format!("{:x}", long()? as u64 & bits),
        'X' => format!("{:X}", long()? as u64 & bits),
        'o' => format!("{:o}", long()? as u64 & bits),
        'c' => char::from_u32(long()? as u32).map(String::from).unwrap_or_default(),
        'f' => {
            let precision = spec.precision.unwrap_or(6);
            if let Some(decimal) = one.as_primitive_opt::<Decimal128Type>() {
                let (value, scale) = (decimal.value(0), decimal.scale());
                return Ok(spec.signed(value < 0, fixed(value.unsigned_abs(), scale, precision)));
            }
            let value = double()?;
            spec.signed(value.is_sign_negative() && value != 0.0, format!("{:.*}", precision, value.abs()))
        }
        'e' | 'E' => {
            let value = double()?;
            let text = format!("{:.*e}", spec.precision.unwrap_or(6), value.abs());
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            let sign = if exponent < 0 { '-' } else { '+' };
            let text = format!("{mantissa}e{sign}{:02}", exponent.abs());
            spec.signed(value < 0.0, if spec.conversion == 'E' { text.to_uppercase() } else { text })
        }
        's' | 'S' => {
            let text = cast(&Arrow::Utf8)?;
            let text = text.as_string::<i32>().value(0).to_owned();
            let text = match spec.precision {
                Some(precision) => text.chars().take(precision).collect(),
                None => text,
            };
            if spec.conversion == 'S' { text.to_uppercase() } else { text }
        }
        'b' => cast(&Arrow::Utf8)?.as_string::<i32>().value(0).to_owned(),
        other => return Err(SparkError::internal(format!("no conversion is called %{other}"))),
    })
}

/// A decimal with so many digits after the point, HALF_UP.
fn fixed(value: u128, scale: i8, precision: usize) -> String {
    let scale = usize::from(scale.unsigned_abs());
    let value = match scale.checked_sub(precision) {
        Some(cut) if cut > 0 => {
            let unit = 10_u128.pow(cut as u32);
            (value + unit / 2) / unit
        }
        _ => value,
    };
    let kept = scale.min(precision);
    let digits = format!("{value:0>width$}", width = kept + 1);
    let (whole, fraction) = digits.split_at(digits.len() - kept);
    match precision {
        0 => whole.to_owned(),
        _ => format!("{whole}.{fraction:0<precision$}"),
    }
}

/// Digits with a comma before every three of the whole part.
pub(crate) fn with_commas(digits: &str) -> String {
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

fn format_number(a: &Args) -> Result<ArrayRef> {
    let places = a.int(1)?;
    let array = a.array(0)?;
    if let Some(decimals) = array.as_primitive_opt::<Decimal128Type>() {
        let scale = decimals.scale();
        return a.try_texts(|r| {
            let (value, places) = (decimals.value(r), places.value(r));
            let sign = if value < 0 { "-" } else { "" };
            let text = |places| format!("{sign}{}", with_commas(&fixed(value.unsigned_abs(), scale, places)));
            Ok(usize::try_from(places).ok().map(text))
        });
    }
    if array.data_type().is_integer() {
        let longs = arrow::compute::cast(array, &Arrow::Int64).map_err(from_arrow)?;
        let longs = longs.as_primitive::<Int64Type>();
        return a.try_texts(|r| {
            let value = longs.value(r);
            let sign = if value < 0 { "-" } else { "" };
            let text = |places| format!("{sign}{}", with_commas(&fixed(u128::from(value.unsigned_abs()), 0, places)));
            Ok(usize::try_from(places.value(r)).ok().map(text))
        });
    }
    let doubles = arrow::compute::cast(array, &Arrow::Float64).map_err(from_arrow)?;
    let doubles = doubles.as_primitive::<Float64Type>();
    a.try_texts(|r| {
        let value = doubles.value(r);
        let sign = if value < 0.0 { "-" } else { "" };
        // Rust rounds the exact value half to even, as Java's DecimalFormat does.
        let text = |places: usize| format!("{sign}{}", with_commas(&format!("{:.*}", places, value.abs())));
        Ok(usize::try_from(places.value(r)).ok().map(text))
    })
}

fn mask(a: &Args) -> Result<ArrayRef> {
    let text = a.text(0)?;
    let hidden = |i: usize| -> Result<Vec<Option<char>>> {
        let array = arrow::compute::cast(a.array(i)?, &Arrow::Utf8).map_err(from_arrow)?;
        let array = array.as_string::<i32>();
        Ok((0..a.rows).map(|r| if array.is_null(r) { None } else { array.value(r).chars().next() }).collect())
    };
    let (upper, lower, digit, other) = (hidden(1)?, hidden(2)?, hidden(3)?, hidden(4)?);
    let mut out = StringBuilder::new();
    for r in 0..a.rows {
        let masked = |c: char| {
            let mask = match c {
                c if c.is_uppercase() => upper[r],
                c if c.is_lowercase() => lower[r],
                c if c.is_ascii_digit() => digit[r],
                _ => other[r],
            };
            mask.unwrap_or(c)
        };
        out.append_option(text.is_valid(r).then(|| text.value(r).chars().map(masked).collect::<String>()));
    }
    Ok(Arc::new(out.finish()))
}
