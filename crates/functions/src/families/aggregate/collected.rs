//! Aggregates that see all rows of a group at the end: lists, sets, percentiles, modes, joined text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, ListArray, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{SortOptions, sort_to_indices, take};
use arrow::datatypes::DataType as Arrow;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use firesteel_model::{Result, SparkError};
use firesteel_spec::types_arrow::to_arrow;

use super::grouped_rows::{GroupedRows, Taken};
use super::udaf::{Groups, Kind};
use super::{joined, percentiles, sets};
use crate::errors::to_datafusion;
use crate::udf::KernelContext;

/// Turns the rows of all groups into one value per group.
pub(crate) type Finish = fn(&KernelContext, &Taken) -> Result<ArrayRef>;

macro_rules! collected {
    ($($name:literal = $finish:expr;)*) => {
        /// The kinds of this module.
        pub(crate) static KINDS: &[Kind] = &[$(Kind {
            name: $name,
            state: |context| GroupedRows::state_types(&argument_types(context)),
            groups: |context| Ok(collecting(context, $finish)),
        }),*];
    };
}

collected! {
    "collect_list" = lists;
    "collect_set" = sets::sets;
    "best_by" = best_by;
    "percentile_exact" = percentiles::interpolated;
    "percentile_disc" = percentiles::discrete;
    "percentile_approx" = percentiles::ranked;
    "mode" = sets::modes;
    "modes" = sets::all_modes;
    "listagg" = joined::joined;
    "histogram_numeric" = percentiles::histograms;
}

/// First option of an aggregate that keeps nulls.
pub(crate) const KEEPS_NULLS: &str = "nulls";

struct Collected {
    rows: GroupedRows,
    finish: Finish,
    context: KernelContext,
    skips_null: bool,
}

fn argument_types(context: &KernelContext) -> Vec<Arrow> {
    context.arguments.iter().map(to_arrow).collect()
}

fn collecting(context: &KernelContext, finish: Finish) -> Box<dyn Groups> {
    let skips_null = context.options.first().is_none_or(|option| option != KEEPS_NULLS);
    Box::new(Collected {
        rows: GroupedRows::new(argument_types(context)),
        finish,
        context: context.clone(),
        skips_null,
    })
}

/// `collect_list`: what was kept is the value already.
fn lists(context: &KernelContext, taken: &Taken) -> Result<ArrayRef> {
    list_of(context, taken.offsets.clone(), column(taken, 0)?.clone())
}

/// `min_by` and `max_by` of several rows: the values beside the first keys.
fn best_by(context: &KernelContext, taken: &Taken) -> Result<ArrayRef> {
    let option = |i: usize| context.options.get(i).map_or("", String::as_str);
    let count: usize = option(1).parse().unwrap_or(1);
    let order = SortOptions { descending: option(0) == "desc", nulls_first: false };
    let keys = column(taken, 0)?;
    let (mut picked, mut lengths) = (Vec::new(), Vec::new());
    for range in taken.ranges() {
        let sorted = sort_to_indices(&keys.slice(range.start, range.len()), Some(order), Some(count));
        let sorted = sorted.map_err(crate::errors::from_arrow)?;
        lengths.push(sorted.len());
        picked.extend(sorted.values().iter().map(|at| *at + range.start as u32));
    }
    let values = take(column(taken, 1)?, &UInt32Array::from(picked), None).map_err(crate::errors::from_arrow)?;
    list_of(context, OffsetBuffer::from_lengths(lengths), values)
}

/// A list array of the result's type.
pub(crate) fn list_of(context: &KernelContext, offsets: OffsetBuffer<i32>, values: ArrayRef) -> Result<ArrayRef> {
    let Arrow::List(field) = to_arrow(&context.result) else {
        return Err(SparkError::internal("an aggregate that gives arrays has another result type"));
    };
    Ok(Arc::new(ListArray::try_new(field, offsets, values, None).map_err(crate::errors::from_arrow)?))
}

/// Column `i` of the rows.
pub(crate) fn column(taken: &Taken, i: usize) -> Result<&ArrayRef> {
    taken.columns.get(i).ok_or_else(|| SparkError::internal(format!("an aggregate lacks argument {i}")))
}

impl Taken {
    /// First row and row after the last, group by group.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        self.offsets.windows(2).map(|pair| pair[0] as usize..pair[1] as usize)
    }
}

impl GroupsAccumulator for Collected {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> DataFusionResult<()> {
        self.rows.push(values, group_indices, opt_filter, self.skips_null, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> DataFusionResult<ArrayRef> {
        let taken = self.rows.take(emit_to)?;
        (self.finish)(&self.context, &taken).map_err(to_datafusion)
    }

    fn state(&mut self, emit_to: EmitTo) -> DataFusionResult<Vec<ArrayRef>> {
        self.rows.take_state(emit_to)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total: usize) -> DataFusionResult<()> {
        self.rows.merge(values, group_indices, total)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> DataFusionResult<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |array| array.len());
        let mut each = GroupedRows::new(self.rows.types().to_vec());
        each.push(values, &(0..rows).collect::<Vec<_>>(), opt_filter, self.skips_null, rows)?;
        each.take_state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.rows.size()
    }
}
