//! Texts without what stands at their ends.

use arrow::array::ArrayRef;
use firesteel_model::Result;
use firesteel_spec::DataType;

use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::families::args::Args;
use crate::families::rows::{TEXT, any_nullable, definitions, kernels};
use crate::udf;

definitions! {
    "trim" (1, 2), Scalar(|c, a| trim(c, "trim", "BOTH", a)), "the text without spaces, or the given characters, at both ends";
    "ltrim" (1, 2), Scalar(|c, a| trim(c, "ltrim", "LEADING", a)), "the text without spaces, or the given characters, at its start";
    "rtrim" (1, 2), Scalar(|c, a| trim(c, "rtrim", "TRAILING", a)), "the text without spaces, or the given characters, at its end";
    "btrim" (1, 2), Scalar(|c, mut a| {
        let sql = coercion::call_sql("btrim", &a);
        a.reverse();
        Ok(Typed { sql, ..trim(c, "trim", "BOTH", a)? })
    }), "the text without spaces, or the given characters, at both ends";
}

kernels! {
    "trim" => |a| trimmed(a, true, true);
    "ltrim" => |a| trimmed(a, true, false);
    "rtrim" => |a| trimmed(a, false, true);
}

/// `trim(text)` and `trim(characters, text)`
fn trim(ctx: &FunctionContext, name: &str, side: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = match arguments.as_slice() {
        [characters, text] => format!("TRIM({side} {} FROM {})", characters.sql, text.sql),
        _ => coercion::call_sql(name, &arguments),
    };
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[TEXT])?;
    let nullable = any_nullable(&arguments);
    udf::call(ctx, name, arguments, DataType::STRING, nullable, sql)
}

fn trimmed(a: &Args, start: bool, end: bool) -> Result<ArrayRef> {
    let text = a.text(a.len() - 1)?;
    let set = if a.len() > 1 { Some(a.text(0)?) } else { None };
    a.slices(|r| {
        let mut text = text.value(r);
        let set = set.map_or(" ", |set| set.value(r));
        let is_trimmed = |c: char| set.contains(c);
        if start {
            text = text.trim_start_matches(is_trimmed);
        }
        if end { text.trim_end_matches(is_trimmed) } else { text }
    })
}
