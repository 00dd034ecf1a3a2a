//! Distinct values and most frequent values of groups.

use std::collections::{HashMap, HashSet};

use arrow::array::{ArrayRef, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use arrow::row::{Row, RowConverter, Rows, SortField};
use firesteel_model::Result;

use super::collected::{column, list_of};
use super::grouped_rows::Taken;
use crate::errors::from_arrow;
use crate::udf::KernelContext;

fn rows_of(values: &ArrayRef) -> Result<Rows> {
    let converter = RowConverter::new(vec![SortField::new(values.data_type().clone())]).map_err(from_arrow)?;
    converter.convert_columns(std::slice::from_ref(values)).map_err(from_arrow)
}

/// `collect_set`: each value once, in the order they first came.
pub(crate) fn sets(context: &KernelContext, taken: &Taken) -> Result<ArrayRef> {
    let values = column(taken, 0)?;
    let rows = rows_of(values)?;
    let (mut kept, mut lengths) = (Vec::new(), Vec::new());
    for range in taken.ranges() {
        let before = kept.len();
        let mut seen: HashSet<Row<'_>> = HashSet::with_capacity(range.len());
        kept.extend(range.filter(|row| seen.insert(rows.row(*row))).map(|row| row as u32));
        lengths.push(kept.len() - before);
    }
    let values = take(values, &UInt32Array::from(kept), None).map_err(from_arrow)?;
    list_of(context, OffsetBuffer::from_lengths(lengths), values)
}

/// `mode`: the most frequent value; of several, the lowest, or the highest where the first option is `desc`.
pub(crate) fn modes(context: &KernelContext, taken: &Taken) -> Result<ArrayRef> {
    let values = column(taken, 0)?;
    let rows = rows_of(values)?;
    let descending = context.options.first().is_some_and(|option| option == "desc");
    let mut picked: Vec<Option<u32>> = Vec::new();
    for range in taken.ranges() {
        let mut counts: HashMap<Row<'_>, (usize, usize)> = HashMap::new();
        for row in range {
            counts.entry(rows.row(row)).or_insert((0, row)).0 += 1;
        }
        let best = counts.into_iter().max_by(|(a, (a_count, _)), (b, (b_count, _))| {
            let by_value = if descending { a.cmp(b) } else { b.cmp(a) };
            a_count.cmp(b_count).then(by_value)
        });
        picked.push(best.map(|(_, (_, row))| row as u32));
    }
    take(values, &UInt32Array::from(picked), None).map_err(from_arrow)
}

/// `pandas_mode`: every value that is as frequent as the most frequent one, in the order they first came.
pub(crate) fn all_modes(context: &KernelContext, taken: &Taken) -> Result<ArrayRef> {
    let values = column(taken, 0)?;
    let rows = rows_of(values)?;
    let (mut kept, mut lengths) = (Vec::new(), Vec::new());
    for range in taken.ranges() {
        let before = kept.len();
        let mut counts: HashMap<Row<'_>, usize> = HashMap::new();
        for row in range.clone() {
            *counts.entry(rows.row(row)).or_default() += 1;
        }
        let most = counts.values().max().copied().unwrap_or(0);
        let modes = range.filter(|row| counts.remove(&rows.row(*row)) == Some(most));
        kept.extend(modes.map(|row| row as u32));
        lengths.push(kept.len() - before);
    }
    let values = take(values, &UInt32Array::from(kept), None).map_err(from_arrow)?;
    list_of(context, OffsetBuffer::from_lengths(lengths), values)
}
