//! DISTINCT around any aggregate: each group keeps its distinct rows and aggregates them in the end.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::DataType as Arrow;
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::error::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::grouped_rows::GroupedRows;
use super::udaf::Groups;

/// The distinct rows of each group, and what aggregates them.
pub(crate) struct DistinctGroups {
    converter: RowConverter,
    seen: HashSet<(usize, OwnedRow)>,
    rows: GroupedRows,
    inner: Box<dyn Groups>,
}

impl DistinctGroups {
    pub(crate) fn new(types: Vec<Arrow>, inner: Box<dyn Groups>) -> Result<Self> {
        let converter = RowConverter::new(types.iter().cloned().map(SortField::new).collect())?;
        Ok(Self { converter, seen: HashSet::new(), rows: GroupedRows::new(types), inner })
    }

    fn insert(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        let rows = self.converter.convert_columns(values)?;
        let mut is_new = |row: usize| {
            let kept = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            kept && self.seen.insert((groups[row], rows.row(row).owned()))
        };
        let mask: BooleanArray = (0..groups.len()).map(|row| Some(is_new(row))).collect();
        self.rows.push(values, groups, Some(&mask), false, total)
    }

    fn forget(&mut self, emit_to: EmitTo) {
        self.seen = match emit_to {
            EmitTo::All => HashSet::new(),
            EmitTo::First(n) => {
                std::mem::take(&mut self.seen).into_iter().filter(|(g, _)| *g >= n).map(|(g, r)| (g - n, r)).collect()
            }
        };
    }
}

impl GroupsAccumulator for DistinctGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.insert(values, group_indices, opt_filter, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.forget(emit_to);
        let taken = self.rows.take(emit_to)?;
        let groups: Vec<usize> = (0..taken.offsets.len() - 1)
            .flat_map(|g| std::iter::repeat_n(g, (taken.offsets[g + 1] - taken.offsets[g]) as usize))
            .collect();
        self.inner.update_batch(&taken.columns, &groups, None, taken.offsets.len() - 1)?;
        self.inner.evaluate(EmitTo::All)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.forget(emit_to);
        self.rows.take_state(emit_to)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        let mut merged = GroupedRows::new(self.rows.types().to_vec());
        merged.merge(values, group_indices, total_num_groups)?;
        let (columns, groups) = merged.into_rows()?;
        self.insert(&columns, &groups, None, total_num_groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |array| array.len());
        let mut each = GroupedRows::new(self.rows.types().to_vec());
        each.push(values, &(0..rows).collect::<Vec<_>>(), opt_filter, false, rows)?;
        each.take_state(EmitTo::All)
    }

    fn size(&self) -> usize {
        let rows: usize = self.seen.iter().map(|(_, row)| row.row().as_ref().len() + 64).sum();
        rows + self.rows.size() + self.inner.size()
    }
}
