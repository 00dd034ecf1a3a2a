//! Percentiles and histograms of the values of a group.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Float64Builder, ListArray, StructArray, UInt32Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{SortOptions, cast, sort_to_indices, take};
use arrow::datatypes::{DataType as Arrow, DurationMicrosecondType, Float64Type, Int64Type, IntervalYearMonthType};
use firesteel_model::{Result, SparkError};
use firesteel_spec::types_arrow::to_arrow;

use super::collected::{column, list_of};
use super::grouped_rows::Taken;
use crate::errors::from_arrow;
use crate::udf::KernelContext;

/// Options: `one` or `many`, `asc` or `desc`, then the percentages.
struct Wanted {
    is_many: bool,
    descending: bool,
    percentages: Vec<f64>,
}

fn wanted(context: &KernelContext) -> Wanted {
    let option = |i: usize| context.options.get(i).map_or("", String::as_str);
    Wanted {
        is_many: option(0) == "many",
        descending: option(1) == "desc",
        percentages: context.options.iter().skip(2).filter_map(|p| p.parse().ok()).collect(),
    }
}

/// Values and frequencies of a group, in order.
fn sorted(
    values: &Float64Array,
    taken: &Taken,
    range: std::ops::Range<usize>,
    descending: bool,
) -> Result<Vec<(f64, i64)>> {
    let frequencies = taken.columns.get(1).map(|column| column.as_primitive::<Int64Type>());
    let mut pairs = Vec::with_capacity(range.len());
    for row in range {
        let frequency = match frequencies {
            None => 1,
            Some(column) if column.is_null(row) => 0,
            Some(column) => column.value(row),
        };
        if frequency < 0 {
            return Err(SparkError::internal(format!("a frequency must not be negative, found {frequency}")));
        }
        if frequency > 0 {
            pairs.push((values.value(row), frequency));
        }
    }
    pairs.sort_by(|a, b| if descending { b.0.total_cmp(&a.0) } else { a.0.total_cmp(&b.0) });
    Ok(pairs)
}

/// The value at position `position` when every value is repeated as often as its frequency says.
fn at(pairs: &[(f64, i64)], position: i64) -> f64 {
    let mut passed = 0;
    for (value, frequency) in pairs {
        passed += frequency;
        if position < passed {
            return *value;
        }
    }
    pairs.last().map_or(f64::NAN, |pair| pair.0)
}

/// `percentile`: between two neighbours, in proportion.
pub(crate) fn interpolated(context: &KernelContext, taken: &Taken) -> Result<ArrayRef> {
    of_doubles(context, taken, |pairs, total, percentage| {
        let position = percentage * (total - 1) as f64;
        let (lower, higher) = (position.floor() as i64, position.ceil() as i64);
        let (low, high) = (at(pairs, lower), at(pairs, higher));
        if lower == higher || low == high {
            return low;
        }
        (higher as f64 - position) * low + (position - lower as f64) * high
    })
}

/// `percentile_disc`: the first value at or above the percentage.
pub(crate) fn discrete(context: &KernelContext, taken: &Taken) -> Result<ArrayRef> {
    of_doubles(context, taken, |pairs, total, percentage| {
        at(pairs, ((percentage * total as f64).ceil() as i64 - 1).max(0))
    })
}

fn of_doubles(context: &KernelContext, taken: &Taken, pick: fn(&[(f64, i64)], i64, f64) -> f64) -> Result<ArrayRef> {
    let wanted = wanted(context);
    let measured = as_doubles(column(taken, 0)?);
    let mut out = Float64Builder::new();
    let mut valid = Vec::new();
    for range in taken.ranges() {
        let pairs = sorted(&measured, taken, range, wanted.descending)?;
        let total: i64 = pairs.iter().map(|pair| pair.1).sum();
        valid.push(total > 0);
        if total > 0 {
            wanted.percentages.iter().for_each(|p| out.append_value(pick(&pairs, total, *p)));
        } else if !wanted.is_many {
            out.append_null();
        }
    }
    let values = from_doubles(&out.finish(), column(taken, 0)?.data_type());
    if wanted.is_many { many(context, values, &valid, wanted.percentages.len()) } else { Ok(values) }
}

/// Intervals as what they count.
fn as_doubles(values: &ArrayRef) -> Float64Array {
    match values.data_type() {
        Arrow::Interval(_) => values.as_primitive::<IntervalYearMonthType>().unary(f64::from),
        Arrow::Duration(_) => values.as_primitive::<DurationMicrosecondType>().unary(|micros| micros as f64),
        _ => values.as_primitive::<Float64Type>().clone(),
    }
}

fn from_doubles(values: &Float64Array, target: &Arrow) -> ArrayRef {
    match target {
        Arrow::Interval(_) => Arc::new(values.unary::<_, IntervalYearMonthType>(|months| months as i32)),
        Arrow::Duration(_) => Arc::new(values.unary::<_, DurationMicrosecondType>(|micros| micros as i64)),
        _ => Arc::new(values.clone()),
    }
}

/// One array per group, null where there were no rows.
fn many(context: &KernelContext, values: ArrayRef, valid: &[bool], width: usize) -> Result<ArrayRef> {
    let offsets = OffsetBuffer::from_lengths(valid.iter().map(|valid| if *valid { width } else { 0 }));
    let Arrow::List(field) = to_arrow(&context.result) else {
        return Err(SparkError::internal("several percentiles need an array"));
    };
    let nulls = NullBuffer::from(valid.to_vec());
    Ok(Arc::new(ListArray::try_new(field, offsets, values, Some(nulls)).map_err(from_arrow)?))
}

/// `percentile_approx`: the value of that rank; more exact than asked.
pub(crate) fn ranked(context: &KernelContext, taken: &Taken) -> Result<ArrayRef> {
    let wanted = wanted(context);
    let values = column(taken, 0)?;
    let (mut picked, mut valid) = (Vec::new(), Vec::new());
    for range in taken.ranges() {
        let (start, rows) = (range.start as u32, range.len());
        let options = SortOptions { descending: wanted.descending, nulls_first: true };
        let order = sort_to_indices(&values.slice(range.start, rows), Some(options), None).map_err(from_arrow)?;
        valid.push(rows > 0);
        if rows > 0 {
            picked.extend(wanted.percentages.iter().map(|p| {
                let rank = ((p * rows as f64).ceil() as usize).clamp(1, rows);
                Some(start + order.value(rank - 1))
            }));
        } else if !wanted.is_many {
            picked.push(None);
        }
    }
    let picked = take(values, &UInt32Array::from(picked), None).map_err(from_arrow)?;
    if wanted.is_many { many(context, picked, &valid, wanted.percentages.len()) } else { Ok(picked) }
}

/// `histogram_numeric`: at most so many bins as the first option says, the nearest two merged again and again.
pub(crate) fn histograms(context: &KernelContext, taken: &Taken) -> Result<ArrayRef> {
    let bins_max: usize = context.options.get(1).and_then(|n| n.parse().ok()).unwrap_or(2);
    let values = cast(column(taken, 0)?, &Arrow::Float64).map_err(from_arrow)?;
    let values = values.as_primitive::<Float64Type>();
    let (mut xs, mut ys, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    for range in taken.ranges() {
        let mut bins: Vec<(f64, f64)> = Vec::new();
        range.for_each(|row| add_to_bins(&mut bins, values.value(row), bins_max));
        lengths.push(bins.len());
        xs.extend(bins.iter().map(|bin| bin.0));
        ys.extend(bins.iter().map(|bin| bin.1));
    }
    let Arrow::List(field) = to_arrow(&context.result) else {
        return Err(SparkError::internal("a histogram is an array"));
    };
    let Arrow::Struct(fields) = field.data_type().clone() else {
        return Err(SparkError::internal("a histogram is an array of structs"));
    };
    let xs: ArrayRef = cast(&Float64Array::from(xs), fields[0].data_type()).map_err(from_arrow)?;
    let bins = StructArray::try_new(fields, vec![xs, Arc::new(Float64Array::from(ys))], None).map_err(from_arrow)?;
    list_of(context, OffsetBuffer::from_lengths(lengths), Arc::new(bins))
}

fn add_to_bins(bins: &mut Vec<(f64, f64)>, value: f64, bins_max: usize) {
    match bins.binary_search_by(|bin| bin.0.total_cmp(&value)) {
        Ok(found) => bins[found].1 += 1.0,
        Err(place) => bins.insert(place, (value, 1.0)),
    }
    if bins.len() <= bins_max {
        return;
    }
    let gap = |i: &usize| bins[i + 1].0 - bins[*i].0;
    let Some(nearest) = (0..bins.len() - 1).min_by(|a, b| gap(a).total_cmp(&gap(b))) else { return };
    let ((x, n), (y, m)) = (bins[nearest], bins[nearest + 1]);
    bins[nearest] = ((x * n + y * m) / (n + m), n + m);
    bins.remove(nearest + 1);
}
