//! Values on their way into a table: the lengths of CHAR and VARCHAR.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use crate::call::{FunctionContext, Typed};
use crate::coercion::convert;
use crate::udf::{self, KernelContext};

/// Casts a value for a column of a table: CHAR is padded, and blanks beyond the length are dropped.
///
/// Errors: `EXCEED_LIMIT_LENGTH` when run, and those of casts.
pub fn store(ctx: &FunctionContext, value: Typed, target: &DataType) -> Result<Typed> {
    if !matches!(target, DataType::Char(_) | DataType::Varchar(_)) {
        return convert(ctx, value, target);
    }
    let text = convert(ctx, value, &DataType::STRING)?;
    let (nullable, sql) = (text.nullable, text.sql.clone());
    udf::call(ctx, "store_text", vec![text], target.clone(), nullable, sql)
}

pub(super) fn store_text(context: &KernelContext, arrays: &[ArrayRef], _rows: usize) -> Result<ArrayRef> {
    let (length, pads) = match context.result {
        DataType::Char(length) => (length as usize, true),
        DataType::Varchar(length) => (length as usize, false),
        _ => return Err(SparkError::internal("store_text is for CHAR and VARCHAR")),
    };
    let texts = arrays[0].as_string::<i32>();
    let mut builder = StringBuilder::with_capacity(texts.len(), texts.values().len());
    for text in texts {
        let Some(text) = text else {
            builder.append_null();
            continue;
        };
        let count = if text.is_ascii() { text.len() } else { text.chars().count() };
        if count <= length {
            let blanks = if pads { length - count } else { 0 };
            builder.append_value(format!("{text}{:blanks$}", ""));
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
