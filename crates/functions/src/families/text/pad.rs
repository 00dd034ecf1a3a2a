//! Texts and bytes filled or cut to a length.

use arrow::array::{ArrayRef, AsArray};
use datafusion::common::ScalarValue;
use firesteel_model::Result;
use firesteel_spec::DataType;

use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::families::args::Args;
use crate::families::rows::{BINARY, INT, TEXT, any_nullable, definitions, kernels, literal, text_literal};
use crate::udf;

definitions! {
    "lpad" (2, 3), Scalar(|c, a| pad(c, "lpad", a)), "the text filled or cut to a length, at its start";
    "rpad" (2, 3), Scalar(|c, a| pad(c, "rpad", a)), "the text filled or cut to a length, at its end";
}

kernels! {
    "lpad" => |a| fill(a, true);
    "rpad" => |a| fill(a, false);
}

/// Bytes are filled with bytes, 0 by default; everything else is text.
fn pad(ctx: &FunctionContext, name: &str, mut arguments: Vec<Typed>) -> Result<Typed> {
    let mut is_binary = arguments[0].data_type == DataType::Binary;
    match arguments.get(2) {
        Some(with) => is_binary &= with.data_type == DataType::Binary,
        None if is_binary => {
            arguments.push(literal(ScalarValue::Binary(Some(vec![0])), DataType::Binary, "X'00'"));
        }
        None => arguments.push(text_literal(" ")),
    }
    let sql = coercion::call_sql(name, &arguments);
    let (accepts, result) =
        if is_binary { ([BINARY, INT, BINARY], DataType::Binary) } else { ([TEXT, INT, TEXT], DataType::STRING) };
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &accepts)?;
    let nullable = any_nullable(&arguments);
    udf::call(ctx, name, arguments, result, nullable, sql)
}

fn fill(a: &Args, at_start: bool) -> Result<ArrayRef> {
    let widths = a.int(1)?;
    let width = |row: usize| usize::try_from(widths.value(row)).unwrap_or(0);
    if let (Some(bytes), Some(with)) = (a.array(0)?.as_binary_opt::<i32>(), a.array(2)?.as_binary_opt::<i32>()) {
        return a.try_binaries(|r| Ok(Some(filled(bytes.value(r), width(r), with.value(r), at_start))));
    }
    let (text, with) = (a.text(0)?, a.text(2)?);
    a.texts(|r| {
        let (text, with): (Vec<char>, Vec<char>) = (text.value(r).chars().collect(), with.value(r).chars().collect());
        filled(&text, width(r), &with, at_start).into_iter().collect()
    })
}

fn filled<T: Copy>(text: &[T], width: usize, with: &[T], at_start: bool) -> Vec<T> {
    if text.len() >= width || with.is_empty() {
        return text[..width.min(text.len())].to_vec();
    }
    let fill = with.iter().copied().cycle().take(width - text.len());
    let text = text.iter().copied();
    if at_start { fill.chain(text).collect() } else { text.chain(fill).collect() }
}
