//! `aggregate`: step by step, all rows that still have elements at once.

use arrow::array::{Array, ArrayRef, UInt32Array, new_null_array};
use arrow::compute::{interleave, take};
use firesteel_model::Result;
use firesteel_spec::types_arrow::to_arrow;

use super::elements::Elements;
use super::udf::Call;
use crate::errors::from_arrow;
use crate::families::collection::gather::{range, retyped};

pub(super) fn aggregate(call: &Call) -> Result<ArrayRef> {
    let lists = call.list(0)?;
    let valid: Vec<usize> = (0..call.rows).filter(|row| lists.is_valid(*row)).collect();
    let carried = merged(call, &valid)?;
    let finished = match call.lambdas.get(1) {
        None => carried,
        Some(finish) => {
            let rows: Vec<u32> = valid.iter().map(|row| *row as u32).collect();
            call.evaluate(finish, &[carried], &rows)?
        }
    };
    let finished = retyped(finished, &to_arrow(&call.context.result))?;
    let mut next = 0;
    let place = |row: usize| {
        lists.is_valid(row).then(|| {
            next += 1;
            next - 1
        })
    };
    let places: UInt32Array = (0..call.rows).map(place).collect();
    take(&finished, &places, None).map_err(from_arrow)
}

/// The value carried to the end of each of the rows; those that end early wait in `chunks`.
fn merged(call: &Call, rows: &[usize]) -> Result<ArrayRef> {
    let lists = call.list(0)?;
    let indices: UInt32Array = rows.iter().map(|row| Some(*row as u32)).collect();
    let mut carried = take(&call.values[1], &indices, None).map_err(from_arrow)?;
    let data_type = carried.data_type().clone();
    let mut open: Vec<usize> = (0..rows.len()).collect();
    let mut chunks: Vec<ArrayRef> = Vec::new();
    let mut ends = vec![(0, 0); rows.len()];
    for step in 0.. {
        let goes_on = |i: usize| range(lists, rows[i]).len() > step;
        if open.iter().any(|i| !goes_on(*i)) {
            let kept: Vec<u32> = (0..open.len()).filter(|at| goes_on(open[*at])).map(|at| at as u32).collect();
            for (at, i) in open.iter().enumerate() {
                ends[*i] = (chunks.len(), at);
            }
            open.retain(|i| goes_on(*i));
            chunks.push(carried.clone());
            carried = take(&carried, &UInt32Array::from(kept), None).map_err(from_arrow)?;
        }
        if open.is_empty() {
            break;
        }
        let mut elements = Elements::default();
        for i in &open {
            elements.push(rows[*i], std::iter::once(Some(range(lists, rows[*i]).start + step)));
        }
        let after = call.for_each(&elements, &[carried, elements.of(lists.values())?])?;
        carried = retyped(after, &data_type)?;
    }
    if rows.is_empty() {
        return Ok(new_null_array(&data_type, 0));
    }
    let chunks: Vec<&dyn Array> = chunks.iter().map(AsRef::as_ref).collect();
    interleave(&chunks, &ends).map_err(from_arrow)
}
