//! `listagg`: the texts of a group in one.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, StringBuilder, UInt32Array};
use arrow::compute::{SortColumn, SortOptions, lexsort_to_indices};
use arrow::datatypes::DataType as Arrow;
use firesteel_model::Result;

use super::collected::column;
use super::grouped_rows::Taken;
use crate::errors::from_arrow;
use crate::udf::KernelContext;

/// Options: `join`, the delimiter, then `asc first`, `desc last` .. for each further column, which orders the texts.
pub(crate) fn joined(context: &KernelContext, taken: &Taken) -> Result<ArrayRef> {
    let delimiter = context.options.get(1).map_or("", String::as_str);
    let values = column(taken, 0)?;
    let orders: Vec<Vec<u32>> = taken.ranges().map(|range| ordered(context, taken, range)).collect::<Result<_>>()?;
    if values.data_type() == &Arrow::Binary {
        let values = values.as_binary::<i32>();
        let mut out = BinaryBuilder::new();
        for order in orders {
            let parts: Vec<&[u8]> = order.iter().map(|row| values.value(*row as usize)).collect();
            out.append_option((!parts.is_empty()).then(|| parts.join(delimiter.as_bytes())));
        }
        return Ok(Arc::new(out.finish()));
    }
    let values = values.as_string::<i32>();
    let mut out = StringBuilder::new();
    for order in orders {
        let parts: Vec<&str> = order.iter().map(|row| values.value(*row as usize)).collect();
        out.append_option((!parts.is_empty()).then(|| parts.join(delimiter)));
    }
    Ok(Arc::new(out.finish()))
}

fn ordered(context: &KernelContext, taken: &Taken, range: std::ops::Range<usize>) -> Result<Vec<u32>> {
    let flags = context.options.iter().skip(2);
    let keys: Vec<SortColumn> = taken
        .columns
        .iter()
        .skip(1)
        .zip(flags)
        .map(|(key, flag)| SortColumn {
            values: key.slice(range.start, range.len()),
            options: Some(SortOptions { descending: flag.starts_with("desc"), nulls_first: flag.ends_with("first") }),
        })
        .collect();
    if keys.is_empty() || range.is_empty() {
        return Ok(range.map(|row| row as u32).collect());
    }
    let indices: UInt32Array = lexsort_to_indices(&keys, None).map_err(from_arrow)?;
    Ok(indices.values().iter().map(|row| row + range.start as u32).collect())
}
