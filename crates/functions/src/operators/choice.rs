//! Kernels that choose among values: GREATEST, LEAST, and the test for NaN.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, make_comparator};
use arrow::compute::{SortOptions, interleave};
use arrow::datatypes::{Float32Type, Float64Type};
use firesteel_model::Result;

use crate::errors::from_arrow;
use crate::udf::{Kernel, KernelContext};

/// The kernels of this file.
pub(super) static KERNELS: &[Kernel] = &[
    Kernel::arrays("greatest", |_, arrays, rows| extreme(arrays, rows, Ordering::Greater)),
    Kernel::arrays("least", |_, arrays, rows| extreme(arrays, rows, Ordering::Less)),
    Kernel::arrays("isnan", isnan),
];

fn extreme(arrays: &[ArrayRef], rows: usize, wanted: Ordering) -> Result<ArrayRef> {
    let options = SortOptions::default();
    let mut comparators = Vec::new();
    for left in arrays {
        let row = arrays.iter().map(|right| make_comparator(left.as_ref(), right.as_ref(), options));
        comparators.push(row.collect::<Result<Vec<_>, _>>().map_err(from_arrow)?);
    }
    let mut picked = Vec::with_capacity(rows);
    for row in 0..rows {
        let mut best: Option<usize> = None;
        for (index, array) in arrays.iter().enumerate() {
            let wins = match best {
                _ if array.is_null(row) => false,
                None => true,
                Some(best) => comparators[index][best](row, row) == wanted,
            };
            if wins {
                best = Some(index);
            }
        }
        picked.push((best.unwrap_or(0), row));
    }
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    interleave(&arrays, &picked).map_err(from_arrow)
}

/// NULL is no NaN.
fn isnan(_context: &KernelContext, arrays: &[ArrayRef], _rows: usize) -> Result<ArrayRef> {
    let array = &arrays[0];
    let found: BooleanArray = match array.data_type() {
        arrow::datatypes::DataType::Float32 => {
            array.as_primitive::<Float32Type>().iter().map(|value| Some(value.is_some_and(f32::is_nan))).collect()
        }
        _ => array.as_primitive::<Float64Type>().iter().map(|value| Some(value.is_some_and(f64::is_nan))).collect(),
    };
    Ok(Arc::new(found))
}
