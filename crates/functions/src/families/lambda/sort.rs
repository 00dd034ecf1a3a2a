//! `array_sort` with a comparator: a merge sort of all arrays at once, the comparisons of a step in one batch.

use arrow::array::{Array, ArrayRef, AsArray, Int32Array};
use arrow::datatypes::Int32Type;
use firesteel_model::{Result, SparkError, error_class};

use super::elements::Elements;
use super::udf::Call;
use crate::families::collection::gather::{Gather, range};
use crate::literal;

/// Two sorted runs of one array on their way to be one.
struct Merge {
    row: usize,
    left: std::vec::IntoIter<usize>,
    right: std::vec::IntoIter<usize>,
    merged: Vec<usize>,
}

impl Merge {
    /// The elements that must be compared next.
    fn heads(&self) -> Option<(usize, usize)> {
        Some((*self.left.as_slice().first()?, *self.right.as_slice().first()?))
    }

    fn done(mut self) -> Vec<usize> {
        self.merged.extend(self.left);
        self.merged.extend(self.right);
        self.merged
    }
}

pub(super) fn array_sort(call: &Call) -> Result<ArrayRef> {
    let lists = call.list(0)?;
    let start = |row| if lists.is_valid(row) { range(lists, row).map(|place| vec![place]).collect() } else { vec![] };
    let mut runs: Vec<Vec<Vec<usize>>> = (0..call.rows).map(start).collect();
    while runs.iter().any(|runs| runs.len() > 1) {
        let mut merges = Vec::new();
        for (row, runs) in runs.iter_mut().enumerate() {
            let mut old = std::mem::take(runs).into_iter();
            while let Some(left) = old.next() {
                let right = old.next().unwrap_or_default();
                merges.push(Merge { row, left: left.into_iter(), right: right.into_iter(), merged: Vec::new() });
            }
        }
        merge_all(call, lists.values(), &mut merges)?;
        for merge in merges {
            runs[merge.row].push(merge.done());
        }
    }
    let mut gather = Gather::default();
    for (row, runs) in runs.into_iter().enumerate() {
        if lists.is_valid(row) {
            gather.row(runs.into_iter().flatten().map(Some));
        } else {
            gather.null();
        }
    }
    gather.finish(&call.context.result, lists.values())
}

fn merge_all(call: &Call, values: &ArrayRef, merges: &mut [Merge]) -> Result<()> {
    let mut open: Vec<usize> = (0..merges.len()).collect();
    loop {
        open.retain(|i| merges[*i].heads().is_some());
        if open.is_empty() {
            return Ok(());
        }
        let (mut left, mut right) = (Elements::default(), Elements::default());
        for i in &open {
            if let Some((x, y)) = merges[*i].heads() {
                left.push(merges[*i].row, std::iter::once(Some(x)));
                right.push(merges[*i].row, std::iter::once(Some(y)));
            }
        }
        let (xs, ys) = (left.of(values)?, right.of(values)?);
        let order = call.for_each(&left, &[xs.clone(), ys.clone()])?;
        let order: &Int32Array =
            order.as_primitive_opt::<Int32Type>().ok_or_else(|| SparkError::internal("a comparator gives no INT"))?;
        for (at, i) in open.iter().enumerate() {
            if order.is_null(at) {
                return Err(no_order(call, &xs, &ys, at));
            }
            let merge = &mut merges[*i];
            let next = if order.value(at) <= 0 { merge.left.next() } else { merge.right.next() };
            merge.merged.extend(next);
        }
    }
}

fn no_order(call: &Call, xs: &ArrayRef, ys: &ArrayRef, at: usize) -> SparkError {
    let element = match call.context.arguments.first() {
        Some(firesteel_spec::DataType::Array(element, _)) => element.as_ref(),
        _ => &firesteel_spec::DataType::Null,
    };
    let text = |array| literal::column_name(&literal::at(array, at, element), &call.context.time_zone);
    SparkError::new(&error_class::COMPARATOR_RETURNS_NULL).param("firstValue", text(xs)).param("secondValue", text(ys))
}
