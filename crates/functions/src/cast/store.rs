//! Values on their way into a table: the lengths of CHAR and VARCHAR.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;
use firesteel_spec::expr::CastMode;

use crate::call::{FunctionContext, Typed};
use crate::udf::{self, KernelContext};

/// Casts a value for a column of a table: CHAR is padded, and blanks beyond the length are dropped. Text stays STRING.
///
/// Errors: `EXCEED_LIMIT_LENGTH` when run, and those of casts.
pub fn store(ctx: &FunctionContext, value: Typed, target: &DataType) -> Result<Typed> {
    let (length, pads) = match target {
        DataType::Char(length) => (length, true),
        DataType::Varchar(length) => (length, false),
        _ => return super::cast(ctx, value, target, CastMode::Ansi),
    };
    let text = super::cast(ctx, value, &DataType::STRING, CastMode::Ansi)?;
    let (nullable, sql) = (text.nullable, text.sql.clone());
    let options = vec![length.to_string(), pads.to_string()];
    udf::call_with(ctx, "store_text", vec![text], DataType::STRING, nullable, sql, options)
}

/// Text filled up with blanks to so many characters, never cut; it prints as before.
pub fn fill_up(ctx: &FunctionContext, text: Typed, length: u32) -> Result<Typed> {
    let (nullable, sql) = (text.nullable, text.sql.clone());
    udf::call_with(ctx, "fill_up_text", vec![text], DataType::STRING, nullable, sql, vec![length.to_string()])
}

pub(super) fn fill_up_text(context: &KernelContext, arrays: &[ArrayRef], _rows: usize) -> Result<ArrayRef> {
    let length = length_of(context)?;
    let texts = arrays[0].as_string::<i32>();
    let mut builder = StringBuilder::with_capacity(texts.len(), texts.len() * length);
    for text in texts {
        builder.append_option(text.map(|text| filled_up(text, length)));
    }
    Ok(Arc::new(builder.finish()))
}

fn length_of(context: &KernelContext) -> Result<usize> {
    let length = context.options.first().and_then(|length| length.parse().ok());
    length.ok_or_else(|| SparkError::internal("the length of a text is no number"))
}

fn characters(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

fn filled_up(text: &str, length: usize) -> Cow<'_, str> {
    match length.saturating_sub(characters(text)) {
        0 => Cow::Borrowed(text),
        blanks => Cow::Owned(format!("{text}{:blanks$}", "")),
    }
}

pub(super) fn store_text(context: &KernelContext, arrays: &[ArrayRef], _rows: usize) -> Result<ArrayRef> {
    let length = length_of(context)?;
    let pads = context.options.get(1).is_some_and(|pads| pads == "true");
    let texts = arrays[0].as_string::<i32>();
    let mut builder = StringBuilder::with_capacity(texts.len(), texts.values().len());
    for text in texts {
        let Some(text) = text else {
            builder.append_null();
            continue;
        };
        if characters(text) <= length {
            builder.append_value(if pads { filled_up(text, length) } else { Cow::Borrowed(text) });
            continue;
        }
        let end = text.char_indices().nth(length).map_or(text.len(), |(at, _)| at);
        if text[end..].bytes().any(|byte| byte != b' ') {
            return Err(SparkError::new(&error_class::EXCEED_LIMIT_LENGTH).param("limit", length.to_string()));
        }
        builder.append_value(&text[..end]);
    }
    Ok(Arc::new(builder.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_filled_up_by_characters() {
        assert_eq!(filled_up("ab", 4), "ab  ");
        assert_eq!(filled_up("žž", 3), "žž ");
        assert_eq!(filled_up("abcde", 3), "abcde");
    }
}
