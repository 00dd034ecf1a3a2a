//! One row of each group: the first, the last, the one with the lowest or highest key.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::DataType as Arrow;
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::ScalarValue;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::to_arrow;

use super::udaf::{Groups, Kind};
use crate::errors::from_arrow;
use crate::udf::KernelContext;

/// The kinds of this module.
pub(crate) static KINDS: &[Kind] = &[
    Kind { name: "first", state: state_types, groups: |context| picks(context, Pick::First) },
    Kind { name: "last", state: state_types, groups: |context| picks(context, Pick::Last) },
    Kind { name: "min_by", state: state_types, groups: |context| picks(context, Pick::Lowest) },
    Kind { name: "max_by", state: state_types, groups: |context| picks(context, Pick::Highest) },
];

/// First option of `first` and `last` that pass over nulls.
pub(crate) const IGNORES_NULLS: &str = "ignore nulls";

#[derive(Clone, Copy, PartialEq)]
enum Pick {
    First,
    Last,
    Lowest,
    Highest,
}

struct Picked {
    value: ScalarValue,
    key: OwnedRow,
}

struct Picks {
    pick: Pick,
    ignores_nulls: bool,
    value_type: Arrow,
    key_type: Arrow,
    converter: RowConverter,
    best: Vec<Option<Picked>>,
}

/// The key of `first` and `last`: present where a row was picked.
fn key_type(context: &KernelContext) -> Arrow {
    context.arguments.get(1).map_or(Arrow::Boolean, to_arrow)
}

fn state_types(context: &KernelContext) -> Vec<Arrow> {
    vec![to_arrow(context.arguments.first().unwrap_or(&DataType::Null)), key_type(context)]
}

fn picks(context: &KernelContext, pick: Pick) -> Result<Box<dyn Groups>> {
    let key_type = key_type(context);
    let value_type = context.arguments.first().map(to_arrow);
    Ok(Box::new(Picks {
        pick,
        ignores_nulls: context.options.first().is_some_and(|option| option == IGNORES_NULLS),
        value_type: value_type.ok_or_else(|| SparkError::internal("an aggregate lacks its argument"))?,
        converter: RowConverter::new(vec![SortField::new(key_type.clone())]).map_err(from_arrow)?,
        key_type,
        best: Vec::new(),
    }))
}

impl Picks {
    /// Of two equal keys the later row is picked.
    fn replaces(&self, new: &[u8], old: &[u8]) -> bool {
        match self.pick {
            Pick::First => false,
            Pick::Last => true,
            Pick::Lowest => new.cmp(old) != Ordering::Greater,
            Pick::Highest => new.cmp(old) != Ordering::Less,
        }
    }

    fn pick_rows(
        &mut self,
        values: &ArrayRef,
        keys: &ArrayRef,
        groups: &[usize],
        kept: &dyn Fn(usize) -> bool,
        total: usize,
    ) -> DataFusionResult<()> {
        if self.best.len() < total {
            self.best.resize_with(total, || None);
        }
        let rows = self.converter.convert_columns(std::slice::from_ref(keys))?;
        let mut candidates: HashMap<usize, usize> = HashMap::new();
        for (row, group) in groups.iter().enumerate() {
            if keys.is_null(row) || !kept(row) {
                continue;
            }
            let key = rows.row(row);
            let beaten = match (candidates.get(group), &self.best[*group]) {
                (Some(old), _) => !self.replaces(key.as_ref(), rows.row(*old).as_ref()),
                (None, Some(old)) => !self.replaces(key.as_ref(), old.key.row().as_ref()),
                (None, None) => false,
            };
            if !beaten {
                candidates.insert(*group, row);
            }
        }
        for (group, row) in candidates {
            let value = ScalarValue::try_from_array(values, row)?;
            self.best[group] = Some(Picked { value, key: rows.row(row).owned() });
        }
        Ok(())
    }

    fn take(&mut self, emit_to: EmitTo) -> DataFusionResult<(ArrayRef, Vec<Option<OwnedRow>>)> {
        let null = ScalarValue::try_from(&self.value_type)?;
        let (values, keys): (Vec<_>, Vec<_>) = emit_to
            .take_needed(&mut self.best)
            .into_iter()
            .map(|picked| picked.map_or((null.clone(), None), |picked| (picked.value, Some(picked.key))))
            .unzip();
        let values = if values.is_empty() {
            arrow::array::new_empty_array(&self.value_type)
        } else {
            ScalarValue::iter_to_array(values)?
        };
        Ok((values, keys))
    }
}

impl GroupsAccumulator for Picks {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> DataFusionResult<()> {
        let Some(value) = values.first() else { return Ok(()) };
        let present: ArrayRef = Arc::new(BooleanArray::from(vec![true; value.len()]));
        let ignores_nulls = self.ignores_nulls;
        let nulls = value.logical_nulls();
        let kept = |row: usize| {
            opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
                && !(ignores_nulls && nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)))
        };
        self.pick_rows(value, values.get(1).unwrap_or(&present), group_indices, &kept, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> DataFusionResult<ArrayRef> {
        Ok(self.take(emit_to)?.0)
    }

    fn state(&mut self, emit_to: EmitTo) -> DataFusionResult<Vec<ArrayRef>> {
        let (values, keys) = self.take(emit_to)?;
        let mut columns = self.converter.convert_rows(keys.iter().flatten().map(OwnedRow::row))?;
        let set = columns.pop().unwrap_or_else(|| arrow::array::new_empty_array(&self.key_type));
        let mut next = 0..;
        let indices: arrow::array::UInt32Array =
            keys.iter().map(|key| key.as_ref().and_then(|_| next.next())).collect();
        Ok(vec![values, arrow::compute::take(&set, &indices, None)?])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total: usize) -> DataFusionResult<()> {
        let [value, key] = values else {
            if self.best.len() < total {
                self.best.resize_with(total, || None);
            }
            return Ok(());
        };
        self.pick_rows(value, key, group_indices, &|_| true, total)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> DataFusionResult<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |array| array.len());
        let mut each = Self {
            pick: self.pick,
            ignores_nulls: self.ignores_nulls,
            value_type: self.value_type.clone(),
            key_type: self.key_type.clone(),
            converter: RowConverter::new(vec![SortField::new(self.key_type.clone())])?,
            best: Vec::new(),
        };
        each.update_batch(values, &(0..rows).collect::<Vec<_>>(), opt_filter, rows)?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.best.iter().flatten().map(|picked| picked.value.size() + picked.key.row().as_ref().len() + 64).sum()
    }
}
