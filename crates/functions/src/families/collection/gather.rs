//! Arrays put together from elements of other arrays.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, UInt32Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{SortOptions, take};
use arrow::datatypes::{DataType as Arrow, Float32Type, Float64Type};
use arrow::row::{RowConverter, Rows, SortField};
use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::to_arrow;

use crate::errors::from_arrow;

/// Picks elements row by row; the arrays are made in the end.
#[derive(Default)]
pub(crate) struct Gather {
    indices: Vec<Option<u32>>,
    lengths: Vec<usize>,
    valid: Vec<bool>,
}

impl Gather {
    /// An array of the elements at these positions; `None` for a null element.
    pub(crate) fn row(&mut self, elements: impl IntoIterator<Item = Option<usize>>) {
        let before = self.indices.len();
        self.indices.extend(elements.into_iter().map(|element| element.map(|i| i as u32)));
        self.lengths.push(self.indices.len() - before);
        self.valid.push(true);
    }

    /// A null instead of an array.
    pub(crate) fn null(&mut self) {
        self.lengths.push(0);
        self.valid.push(false);
    }

    /// The elements picked, one after the other.
    pub(crate) fn elements(&self, values: &ArrayRef) -> Result<ArrayRef> {
        take(values, &UInt32Array::from(self.indices.clone()), None).map_err(from_arrow)
    }

    /// The arrays, with elements taken from `values`.
    pub(crate) fn finish(self, result: &DataType, values: &ArrayRef) -> Result<ArrayRef> {
        let values = self.elements(values)?;
        self.finish_with(result, values)
    }

    /// The arrays, with `elements` as they are.
    pub(crate) fn finish_with(self, result: &DataType, elements: ArrayRef) -> Result<ArrayRef> {
        let offsets = OffsetBuffer::from_lengths(self.lengths);
        list(result, offsets, elements, Some(NullBuffer::from(self.valid)))
    }
}

/// An array column of a Spark type.
pub(crate) fn list(
    result: &DataType,
    offsets: OffsetBuffer<i32>,
    elements: ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let Arrow::List(field) = to_arrow(result) else {
        return Err(SparkError::internal(format!("{} is no array", result.sql())));
    };
    let elements = retyped(elements, field.data_type())?;
    Ok(Arc::new(ListArray::try_new(field, offsets, elements, nulls).map_err(from_arrow)?))
}

/// The same values under a type that differs in what may be null only.
pub(crate) fn retyped(values: ArrayRef, target: &Arrow) -> Result<ArrayRef> {
    if values.data_type() == target { Ok(values) } else { arrow::compute::cast(&values, target).map_err(from_arrow) }
}

/// Where the elements of row `row` are.
pub(crate) fn range(list: &ListArray, row: usize) -> Range<usize> {
    let offsets = list.value_offsets();
    offsets[row] as usize..offsets[row + 1] as usize
}

/// Where the entries of row `row` are.
pub(crate) fn entries(map: &MapArray, row: usize) -> Range<usize> {
    let offsets = map.value_offsets();
    offsets[row] as usize..offsets[row + 1] as usize
}

/// Values that can be compared row by row, across several arrays of one type. Nulls come first.
pub(crate) fn comparable<const N: usize>(arrays: [&ArrayRef; N]) -> Result<[Rows; N]> {
    comparable_in(arrays, SortOptions::default())
}

/// The same in another order.
pub(crate) fn comparable_in<const N: usize>(arrays: [&ArrayRef; N], options: SortOptions) -> Result<[Rows; N]> {
    let data_type = arrays.first().map_or(Arrow::Null, |array| array.data_type().clone());
    let converter =
        RowConverter::new(vec![SortField::new_with_options(data_type.clone(), options)]).map_err(from_arrow)?;
    let mut rows = Vec::with_capacity(N);
    for array in arrays {
        let array = retyped(normalised(array)?, &data_type)?;
        rows.push(converter.convert_columns(&[array]).map_err(from_arrow)?);
    }
    rows.try_into().map_err(|_| SparkError::internal("as many rows as arrays"))
}

/// Zeros without sign, NaN in one form, at any depth.
fn normalised(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        Arrow::Float32 => {
            let one = |x: f32| if x.is_nan() { f32::NAN } else { x + 0.0 };
            Arc::new(array.as_primitive::<Float32Type>().unary::<_, Float32Type>(one))
        }
        Arrow::Float64 => {
            let one = |x: f64| if x.is_nan() { f64::NAN } else { x + 0.0 };
            Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(one))
        }
        Arrow::List(field) => {
            let list = array.as_list::<i32>();
            let values = normalised(list.values())?;
            let list = ListArray::try_new(field.clone(), list.offsets().clone(), values, list.nulls().cloned());
            Arc::new(list.map_err(from_arrow)?)
        }
        Arrow::Struct(fields) if !fields.is_empty() => {
            let structs = array.as_struct();
            let columns = structs.columns().iter().map(normalised).collect::<Result<_>>()?;
            let structs = StructArray::try_new(fields.clone(), columns, structs.nulls().cloned());
            Arc::new(structs.map_err(from_arrow)?)
        }
        _ => array.clone(),
    })
}
