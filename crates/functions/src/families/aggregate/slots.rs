//! Aggregates whose state is a few doubles per group: averages, moments, correlations, regressions.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Float64Builder};
use arrow::datatypes::{DataType as Arrow, Float64Type};
use datafusion::common::internal_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

/// What is done with the slots of a group.
#[derive(Clone, Copy)]
pub(crate) struct SlotKind {
    /// Slots per group; they start at 0.
    pub(crate) width: usize,
    /// Adds a row; its values are not null.
    pub(crate) add: fn(&mut [f64], &[f64]),
    /// Adds another group's slots.
    pub(crate) merge: fn(&mut [f64], &[f64]),
    /// The result.
    pub(crate) finish: fn(&[f64]) -> Option<f64>,
}

/// Groups of slots.
pub(crate) struct SlotGroups {
    kind: SlotKind,
    slots: Vec<f64>,
}

impl SlotGroups {
    pub(crate) fn new(kind: SlotKind) -> Self {
        Self { kind, slots: Vec::new() }
    }

    fn grow(&mut self, groups: usize) {
        let length = groups * self.kind.width;
        if self.slots.len() < length {
            self.slots.resize(length, 0.0);
        }
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<f64> {
        match emit_to {
            EmitTo::All => std::mem::take(&mut self.slots),
            EmitTo::First(n) => EmitTo::First(n * self.kind.width).take_needed(&mut self.slots),
        }
    }
}

/// Arrow types of the state.
pub(crate) fn state_types(width: usize) -> Vec<Arrow> {
    vec![Arrow::Float64; width]
}

fn doubles(values: &[ArrayRef]) -> Result<Vec<&Float64Array>> {
    let cast = |array: &'_ ArrayRef| -> bool { array.data_type() == &Arrow::Float64 };
    if !values.iter().all(cast) {
        return Err(internal_datafusion_err!("an aggregate over doubles got another type"));
    }
    Ok(values.iter().map(|array| array.as_primitive::<Float64Type>()).collect())
}

impl GroupsAccumulator for SlotGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        let columns = doubles(values)?;
        let width = self.kind.width;
        let mut row_values = vec![0.0; columns.len()];
        for (row, group) in group_indices.iter().enumerate() {
            let kept = opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if !kept || columns.iter().any(|column| column.is_null(row)) {
                continue;
            }
            for (value, column) in row_values.iter_mut().zip(&columns) {
                *value = column.value(row);
            }
            (self.kind.add)(&mut self.slots[group * width..(group + 1) * width], &row_values);
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let slots = self.take(emit_to);
        let mut out = Float64Builder::with_capacity(slots.len() / self.kind.width);
        slots.chunks(self.kind.width).for_each(|group| out.append_option((self.kind.finish)(group)));
        Ok(Arc::new(out.finish()))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let slots = self.take(emit_to);
        let width = self.kind.width;
        let column = |i: usize| Arc::new(Float64Array::from_iter_values(slots.iter().skip(i).step_by(width).copied()));
        Ok((0..width).map(|i| column(i) as ArrayRef).collect())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.grow(total_num_groups);
        let columns = doubles(values)?;
        let width = self.kind.width;
        let mut other = vec![0.0; width];
        for (row, group) in group_indices.iter().enumerate() {
            for (value, column) in other.iter_mut().zip(&columns) {
                *value = column.value(row);
            }
            (self.kind.merge)(&mut self.slots[group * width..(group + 1) * width], &other);
        }
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |array| array.len());
        let groups: Vec<usize> = (0..rows).collect();
        let mut each = Self::new(self.kind);
        each.update_batch(values, &groups, opt_filter, rows)?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.slots.capacity() * size_of::<f64>()
    }
}
