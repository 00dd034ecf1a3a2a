//! Aggregates that keep a small summary of every group: bitmaps, vectors, sketches, schemas.
//!
//! ```text
//!   rows --add--> Summary --to_bytes--> state between tasks --merge--> Summary --finish--> column
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray};
use arrow::datatypes::DataType as Arrow;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use firesteel_model::Result;

use super::udaf::Groups;
use crate::errors::to_datafusion;
use crate::udf::KernelContext;

/// What an aggregate knows of a group.
pub(crate) trait Summary: Sized + Send + Sync + 'static {
    /// Of a group of which no row has been seen.
    fn new(context: &KernelContext) -> Result<Self>;
    /// Adds a row whose first argument is not null.
    fn add(&mut self, context: &KernelContext, columns: &[ArrayRef], row: usize) -> Result<()>;
    /// The state between tasks.
    fn to_bytes(&self) -> Result<Vec<u8>>;
    /// Adds another one's state.
    fn merge(&mut self, context: &KernelContext, state: &[u8]) -> Result<()>;
    /// Bytes of memory held.
    fn size(&self) -> usize;
    /// The result; `None` for groups without rows.
    fn finish(context: &KernelContext, groups: Vec<Option<Self>>) -> Result<ArrayRef>;
}

/// Arrow types of the state.
pub(crate) fn state_types(_: &KernelContext) -> Vec<Arrow> {
    vec![Arrow::Binary]
}

/// Groups of that summary.
pub(crate) fn summaries<S: Summary>(context: &KernelContext) -> Result<Box<dyn Groups>> {
    Ok(Box::new(Summaries::<S> { context: context.clone(), groups: Vec::new(), bytes: 0 }))
}

/// A kind of aggregate that keeps summaries.
macro_rules! summary_kinds {
    ($($name:literal = $summary:ty;)*) => {
        /// The kinds of this module.
        pub(crate) static KINDS: &[crate::families::aggregate::udaf::Kind] =
            &[$(crate::families::aggregate::udaf::Kind {
                name: $name,
                state: crate::families::aggregate::summaries::state_types,
                groups: crate::families::aggregate::summaries::summaries::<$summary>,
            }),*];
    };
}
pub(crate) use summary_kinds;

/// The summaries as they are, in a BINARY column; those of no rows as `empty` has it.
pub(crate) fn as_binary<S: Summary>(groups: Vec<Option<S>>, empty: Option<&S>) -> Result<ArrayRef> {
    let empty = empty.map(S::to_bytes).transpose()?;
    let bytes = groups.iter().map(|group| match group {
        Some(summary) => summary.to_bytes().map(Some),
        None => Ok(empty.clone()),
    });
    Ok(Arc::new(bytes.collect::<Result<BinaryArray>>()?))
}

struct Summaries<S> {
    context: KernelContext,
    groups: Vec<Option<S>>,
    bytes: usize,
}

impl<S: Summary> Summaries<S> {
    fn grow(&mut self, total: usize) {
        if self.groups.len() < total {
            self.groups.resize_with(total, || None);
        }
    }

    /// Changes a group's summary, which is made where there is none.
    fn change(&mut self, group: usize, change: impl FnOnce(&KernelContext, &mut S) -> Result<()>) -> Result<()> {
        let slot = &mut self.groups[group];
        let summary = match slot {
            Some(summary) => summary,
            None => slot.insert(S::new(&self.context)?),
        };
        let before = summary.size();
        change(&self.context, summary)?;
        self.bytes = (self.bytes + summary.size()).saturating_sub(before);
        Ok(())
    }

    fn update(&mut self, values: &[ArrayRef], groups: &[usize], filter: Option<&BooleanArray>) -> Result<()> {
        let nulls = values.first().and_then(|column| column.logical_nulls());
        for (row, group) in groups.iter().enumerate() {
            let kept = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if kept && nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                self.change(*group, |context, summary| summary.add(context, values, row))?;
            }
        }
        Ok(())
    }
}

impl<S: Summary> GroupsAccumulator for Summaries<S> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> DataFusionResult<()> {
        self.grow(total_num_groups);
        self.update(values, group_indices, opt_filter).map_err(to_datafusion)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> DataFusionResult<ArrayRef> {
        let groups = emit_to.take_needed(&mut self.groups);
        S::finish(&self.context, groups).map_err(to_datafusion)
    }

    fn state(&mut self, emit_to: EmitTo) -> DataFusionResult<Vec<ArrayRef>> {
        let groups = emit_to.take_needed(&mut self.groups);
        Ok(vec![as_binary(groups, None).map_err(to_datafusion)?])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total: usize) -> DataFusionResult<()> {
        self.grow(total);
        let Some(states) = values.first() else { return Ok(()) };
        let states = states.as_binary::<i32>();
        for (row, group) in group_indices.iter().enumerate().filter(|(row, _)| states.is_valid(*row)) {
            let merged = self.change(*group, |context, summary| summary.merge(context, states.value(row)));
            merged.map_err(to_datafusion)?;
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> DataFusionResult<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |array| array.len());
        let mut each = Self { context: self.context.clone(), groups: Vec::new(), bytes: 0 };
        each.update_batch(values, &(0..rows).collect::<Vec<_>>(), opt_filter, rows)?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.bytes + self.groups.capacity() * size_of::<Option<S>>()
    }
}
