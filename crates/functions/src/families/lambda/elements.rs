//! The elements that a lambda is called for, in one batch, with the arguments from outside repeated beside them.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, RecordBatchOptions, UInt32Array, new_empty_array};
use arrow::compute::take;
use firesteel_model::Result;

use super::udf::{Call, Lambda};
use crate::errors::{from_arrow, from_datafusion};
use crate::families::collection::gather::retyped;

/// Elements by position in their column, and the row that each belongs to.
#[derive(Default)]
pub(super) struct Elements {
    /// Position among the column's values; `None` for a null.
    pub(super) at: Vec<Option<u32>>,
    /// Row of the outer batch.
    pub(super) rows: Vec<u32>,
    /// Position in the array, from 0.
    pub(super) positions: Vec<i32>,
}

impl Elements {
    /// Adds the elements of a row.
    pub(super) fn push(&mut self, row: usize, elements: impl Iterator<Item = Option<usize>>) -> usize {
        let before = self.at.len();
        self.at.extend(elements.map(|element| element.map(|i| i as u32)));
        let count = self.at.len() - before;
        self.rows.extend(std::iter::repeat_n(row as u32, count));
        self.positions.extend(0..count as i32);
        count
    }

    /// The elements' values.
    pub(super) fn of(&self, values: &ArrayRef) -> Result<ArrayRef> {
        take(values, &UInt32Array::from(self.at.clone()), None).map_err(from_arrow)
    }

    /// Their positions.
    pub(super) fn positions(&self) -> ArrayRef {
        Arc::new(Int32Array::from(self.positions.clone()))
    }
}

impl Call<'_> {
    /// The lambda's values, given its parameters and the outer row of each; those it does not take are left out.
    pub(super) fn evaluate(&self, lambda: &Lambda, parameters: &[ArrayRef], rows: &[u32]) -> Result<ArrayRef> {
        if rows.is_empty() {
            return Ok(new_empty_array(&lambda.body.data_type(&lambda.schema).map_err(from_datafusion)?));
        }
        let outer_rows = UInt32Array::from(rows.to_vec());
        let outer = self.captured.iter().map(|column| take(column, &outer_rows, None).map_err(from_arrow));
        let columns = parameters.iter().take(lambda.parameters).map(|parameter| Ok(parameter.clone())).chain(outer);
        let columns = columns
            .zip(lambda.schema.fields())
            .map(|(column, field)| retyped(column?, field.data_type()))
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let batch = RecordBatch::try_new_with_options(lambda.schema.clone(), columns, &options).map_err(from_arrow)?;
        let value = lambda.body.evaluate(&batch).map_err(from_datafusion)?;
        value.into_array(rows.len()).map_err(from_datafusion)
    }

    /// The lambda's value for every element, given its parameters.
    pub(super) fn for_each(&self, elements: &Elements, parameters: &[ArrayRef]) -> Result<ArrayRef> {
        self.evaluate(&self.lambdas[0], parameters, &elements.rows)
    }
}
