//! Rows kept by group, for aggregates that need all of them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, UInt32Array, new_empty_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{concat, filter, take};
use arrow::datatypes::{DataType as Arrow, Field};
use datafusion::error::Result;
use datafusion::logical_expr::EmitTo;

/// Rows of several columns, each in a group.
pub(crate) struct GroupedRows {
    types: Vec<Arrow>,
    chunks: Vec<Vec<ArrayRef>>,
    groups: Vec<usize>,
    total: usize,
}

/// Columns sorted by group; group `i` has the rows from offset `i` to offset `i + 1`.
pub(crate) struct Taken {
    pub(crate) columns: Vec<ArrayRef>,
    pub(crate) offsets: OffsetBuffer<i32>,
}

impl GroupedRows {
    pub(crate) fn new(types: Vec<Arrow>) -> Self {
        Self { types, chunks: Vec::new(), groups: Vec::new(), total: 0 }
    }

    /// The state's types: one list per column.
    pub(crate) fn state_types(types: &[Arrow]) -> Vec<Arrow> {
        types.iter().map(|t| Arrow::List(Arc::new(Field::new_list_field(t.clone(), true)))).collect()
    }

    /// Adds rows: those the filter keeps and, where asked, whose first column is not null.
    pub(crate) fn push(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        kept: Option<&BooleanArray>,
        skips_null: bool,
        total: usize,
    ) -> Result<()> {
        self.total = self.total.max(total);
        let first_is_valid = |row| values.first().is_none_or(|array| !array.is_null(row));
        let has_nulls = skips_null && values.first().is_some_and(|array| array.logical_null_count() > 0);
        if kept.is_none() && !has_nulls {
            self.append(values.to_vec(), groups.iter().copied());
            return Ok(());
        }
        let mask: BooleanArray = (0..groups.len())
            .map(|row| {
                Some(kept.is_none_or(|k| k.is_valid(row) && k.value(row)) && (!has_nulls || first_is_valid(row)))
            })
            .collect();
        let values = values.iter().map(|array| filter(array, &mask)).collect::<Result<Vec<_>, _>>()?;
        let groups = groups.iter().enumerate().filter(|(row, _)| mask.value(*row)).map(|(_, group)| *group);
        self.append(values, groups);
        Ok(())
    }

    fn append(&mut self, values: Vec<ArrayRef>, groups: impl Iterator<Item = usize>) {
        if values.first().is_some_and(|array| !array.is_empty()) {
            self.chunks.push(values);
            self.groups.extend(groups);
        }
    }

    /// Adds the states of other accumulators.
    pub(crate) fn merge(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.total = self.total.max(total);
        let Some(first) = states.first() else { return Ok(()) };
        let offsets = first.as_list::<i32>().offsets();
        let lengths = offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize);
        let groups: Vec<usize> =
            groups.iter().zip(lengths).flat_map(|(group, n)| std::iter::repeat_n(*group, n)).collect();
        let values = states.iter().map(|state| {
            let state = state.as_list::<i32>();
            let (start, end) = (state.offsets()[0] as usize, state.offsets()[state.len()] as usize);
            state.values().slice(start, end - start)
        });
        self.append(values.collect(), groups.into_iter());
        Ok(())
    }

    /// Arrow types of the columns.
    pub(crate) fn types(&self) -> &[Arrow] {
        &self.types
    }

    /// All rows and their groups, in the order they came.
    pub(crate) fn into_rows(mut self) -> Result<(Vec<ArrayRef>, Vec<usize>)> {
        Ok((self.concatenated()?, self.groups))
    }

    /// Takes out the rows of the groups to emit.
    pub(crate) fn take(&mut self, emit_to: EmitTo) -> Result<Taken> {
        let emitted = match emit_to {
            EmitTo::All => self.total,
            EmitTo::First(n) => n,
        };
        let columns = self.concatenated()?;
        let groups = std::mem::take(&mut self.groups);
        let (indices, offsets) = sorted_by_group(&groups, emitted);
        let taken = columns.iter().map(|column| take(column, &indices, None)).collect::<Result<Vec<_>, _>>()?;
        let rest: Vec<u32> = (0..groups.len() as u32).filter(|row| groups[*row as usize] >= emitted).collect();
        self.total -= emitted.min(self.total);
        if !rest.is_empty() {
            self.groups = rest.iter().map(|row| groups[*row as usize] - emitted).collect();
            let rest = UInt32Array::from(rest);
            self.chunks = vec![columns.iter().map(|column| take(column, &rest, None)).collect::<Result<Vec<_>, _>>()?];
        }
        Ok(Taken { columns: taken, offsets })
    }

    /// Takes out the rows as a state.
    pub(crate) fn take_state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let taken = self.take(emit_to)?;
        let list = |column: &ArrayRef| {
            let field = Arc::new(Field::new_list_field(column.data_type().clone(), true));
            Arc::new(ListArray::new(field, taken.offsets.clone(), column.clone(), None)) as ArrayRef
        };
        Ok(taken.columns.iter().map(list).collect())
    }

    pub(crate) fn size(&self) -> usize {
        let arrays: usize = self.chunks.iter().flatten().map(|array| array.get_array_memory_size()).sum();
        arrays + self.groups.capacity() * size_of::<usize>()
    }

    fn concatenated(&mut self) -> Result<Vec<ArrayRef>> {
        let chunks = std::mem::take(&mut self.chunks);
        let column = |(i, data_type): (usize, &Arrow)| {
            let parts: Vec<&dyn Array> = chunks.iter().map(|chunk| chunk[i].as_ref()).collect();
            if parts.is_empty() { Ok(new_empty_array(data_type)) } else { Ok(concat(&parts)?) }
        };
        self.types.iter().enumerate().map(column).collect()
    }
}

/// Row numbers by group, in their order within it, and where each group starts.
fn sorted_by_group(groups: &[usize], emitted: usize) -> (UInt32Array, OffsetBuffer<i32>) {
    let mut lengths = vec![0_usize; emitted];
    groups.iter().filter(|group| **group < emitted).for_each(|group| lengths[*group] += 1);
    let offsets = OffsetBuffer::<i32>::from_lengths(lengths.iter().copied());
    let mut next: Vec<usize> = offsets.iter().map(|offset| *offset as usize).collect();
    let mut indices = vec![0_u32; lengths.iter().sum()];
    for (row, group) in groups.iter().enumerate().filter(|(_, group)| **group < emitted) {
        indices[next[*group]] = row as u32;
        next[*group] += 1;
    }
    (UInt32Array::from(indices), offsets)
}
