//! `map_filter`, `transform_keys`, `transform_values` and `map_zip_with`.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, MapArray};
use arrow::compute::concat;
use arrow::row::Row;
use firesteel_model::{Result, SparkError};

use super::arrays::booleans;
use super::elements::Elements;
use super::udf::Call;
use crate::errors::from_arrow;
use crate::families::collection::gather::{comparable, entries, retyped};
use crate::families::collection::maps::Maps;

fn map<'a>(call: &'a Call, i: usize) -> Result<&'a MapArray> {
    let map = call.values.get(i).and_then(|value| value.as_map_opt());
    map.ok_or_else(|| SparkError::internal(format!("value {i} of a function with lambdas is no map")))
}

fn all_entries(call: &Call, maps: &MapArray) -> (Elements, Vec<Option<usize>>) {
    let mut elements = Elements::default();
    let counts = (0..call.rows)
        .map(|row| maps.is_valid(row).then(|| elements.push(row, entries(maps, row).map(Some))))
        .collect();
    (elements, counts)
}

pub(super) fn filter(call: &Call) -> Result<ArrayRef> {
    let maps = map(call, 0)?;
    let (elements, counts) = all_entries(call, maps);
    let (keys, values) = (elements.of(maps.keys())?, elements.of(maps.values())?);
    let kept = booleans(call.for_each(&elements, &[keys.clone(), values.clone()])?)?;
    let mut made = Maps::new();
    let mut start = 0;
    for count in counts {
        let Some(count) = count else {
            made.null();
            continue;
        };
        made.row((start..start + count).filter(|i| kept.is_valid(*i) && kept.value(*i)));
        start += count;
    }
    made.finish(call.context, &keys, &values)
}

pub(super) fn transform(call: &Call, keys_change: bool) -> Result<ArrayRef> {
    let maps = map(call, 0)?;
    let (elements, counts) = all_entries(call, maps);
    let (keys, values) = (elements.of(maps.keys())?, elements.of(maps.values())?);
    let changed = call.for_each(&elements, &[keys.clone(), values.clone()])?;
    let mut made = Maps::new();
    let mut start = 0;
    for count in counts {
        match count {
            Some(count) => made.row(start..start + count),
            None => made.null(),
        }
        start += count.unwrap_or(0);
    }
    if keys_change { made.finish(call.context, &changed, &values) } else { made.finish(call.context, &keys, &changed) }
}

/// Every key of either map, with both values; null for the map that lacks it.
pub(super) fn zip_with(call: &Call) -> Result<ArrayRef> {
    let (left, right) = (map(call, 0)?, map(call, 1)?);
    let right_keys = retyped(right.keys().clone(), left.keys().data_type())?;
    let keys = concat(&[left.keys().as_ref(), right_keys.as_ref()]).map_err(from_arrow)?;
    let [rows] = comparable([&keys])?;
    let start = left.keys().len();
    let (mut ks, mut xs, mut ys) = (Elements::default(), Elements::default(), Elements::default());
    let mut made = Maps::new();
    for row in 0..call.rows {
        if left.is_null(row) || right.is_null(row) {
            made.null();
            continue;
        }
        let mut found: HashMap<Row<'_>, usize> = HashMap::new();
        let mut all: Vec<(usize, Option<usize>, Option<usize>)> = Vec::new();
        for entry in entries(left, row) {
            found.insert(rows.row(entry), all.len());
            all.push((entry, Some(entry), None));
        }
        for entry in entries(right, row) {
            match found.get(&rows.row(start + entry)) {
                Some(at) => all[*at].2 = Some(entry),
                None => all.push((start + entry, None, Some(entry))),
            }
        }
        let first = ks.at.len();
        ks.push(row, all.iter().map(|(key, ..)| Some(*key)));
        xs.push(row, all.iter().map(|(_, x, _)| *x));
        ys.push(row, all.iter().map(|(.., y)| *y));
        made.row(first..ks.at.len());
    }
    let keys = ks.of(&keys)?;
    let parameters = [keys.clone(), xs.of(left.values())?, ys.of(right.values())?];
    let values = call.for_each(&ks, &parameters)?;
    made.finish(call.context, &keys, &values)
}
