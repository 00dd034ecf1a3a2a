//! `transform`, `filter`, `exists`, `forall` and `zip_with`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray};
use arrow::datatypes::DataType as Arrow;
use firesteel_model::{Result, SparkError};

use super::elements::Elements;
use super::udf::Call;
use crate::families::collection::gather::{Gather, range, retyped};

impl Call<'_> {
    /// Value `i` as an array of arrays.
    pub(super) fn list(&self, i: usize) -> Result<&ListArray> {
        let list = self.values.get(i).and_then(|value| value.as_list_opt::<i32>());
        list.ok_or_else(|| SparkError::internal(format!("value {i} of a function with lambdas is no array")))
    }
}

/// The elements of all rows, and how many each row has; `None` for a null row.
fn all_elements(call: &Call, lists: &ListArray) -> (Elements, Vec<Option<usize>>) {
    let mut elements = Elements::default();
    let counts = (0..call.rows)
        .map(|row| lists.is_valid(row).then(|| elements.push(row, range(lists, row).map(Some))))
        .collect();
    (elements, counts)
}

/// Arrays of the lambda's values.
fn lists_of(call: &Call, counts: Vec<Option<usize>>, values: ArrayRef) -> Result<ArrayRef> {
    let mut gather = Gather::default();
    let mut start = 0;
    for count in counts {
        match count {
            Some(count) => gather.row((start..start + count).map(Some)),
            None => gather.null(),
        }
        start += count.unwrap_or(0);
    }
    gather.finish_with(&call.context.result, values)
}

pub(super) fn transform(call: &Call) -> Result<ArrayRef> {
    let lists = call.list(0)?;
    let (elements, counts) = all_elements(call, lists);
    let parameters = [elements.of(lists.values())?, elements.positions()];
    lists_of(call, counts, call.for_each(&elements, &parameters)?)
}

/// The predicate's values; nulls stay nulls.
pub(super) fn booleans(values: ArrayRef) -> Result<BooleanArray> {
    let values = retyped(values, &Arrow::Boolean)?;
    Ok(values.as_boolean().clone())
}

pub(super) fn filter(call: &Call) -> Result<ArrayRef> {
    let lists = call.list(0)?;
    let (elements, counts) = all_elements(call, lists);
    let parameters = [elements.of(lists.values())?, elements.positions()];
    let kept = booleans(call.for_each(&elements, &parameters)?)?;
    let mut gather = Gather::default();
    let mut start = 0;
    for count in counts {
        let Some(count) = count else {
            gather.null();
            continue;
        };
        let holds = (start..start + count).filter(|i| kept.is_valid(*i) && kept.value(*i));
        gather.row(holds.map(|i| elements.at[i].map(|at| at as usize)));
        start += count;
    }
    gather.finish(&call.context.result, lists.values())
}

/// `exists` looks for TRUE, `forall` for FALSE; found, the answer is that; else a null makes the answer null.
///
/// Where some element fails, rows are gone through element by element, so that one behind the answer does no harm.
pub(super) fn any(call: &Call, sought: bool) -> Result<ArrayRef> {
    let lists = call.list(0)?;
    let (elements, counts) = all_elements(call, lists);
    let parameters = [elements.of(lists.values())?];
    let Ok(values) = call.for_each(&elements, &parameters) else {
        return any_by_step(call, lists, sought);
    };
    let values = booleans(values)?;
    let mut start = 0;
    let answer = |count: Option<usize>| {
        let range = start..start + count?;
        start = range.end;
        if range.clone().any(|i| values.is_valid(i) && values.value(i) == sought) {
            return Some(sought);
        }
        (!range.into_iter().any(|i| values.is_null(i))).then_some(!sought)
    };
    Ok(Arc::new(counts.into_iter().map(answer).collect::<BooleanArray>()))
}

fn any_by_step(call: &Call, lists: &ListArray, sought: bool) -> Result<ArrayRef> {
    let mut answers: Vec<Option<bool>> = (0..call.rows).map(|row| lists.is_valid(row).then_some(!sought)).collect();
    let mut open: Vec<usize> = (0..call.rows).filter(|row| lists.is_valid(*row)).collect();
    for step in 0.. {
        open.retain(|row| range(lists, *row).len() > step);
        if open.is_empty() {
            break;
        }
        let mut elements = Elements::default();
        open.iter().for_each(|row| _ = elements.push(*row, std::iter::once(Some(range(lists, *row).start + step))));
        let values = booleans(call.for_each(&elements, &[elements.of(lists.values())?])?)?;
        let mut still = Vec::new();
        for (i, row) in open.into_iter().enumerate() {
            if values.is_null(i) {
                answers[row] = None;
                still.push(row);
            } else if values.value(i) == sought {
                answers[row] = Some(sought);
            } else {
                still.push(row);
            }
        }
        open = still;
    }
    Ok(Arc::new(BooleanArray::from(answers)))
}

/// The shorter array is filled up with nulls.
pub(super) fn zip_with(call: &Call) -> Result<ArrayRef> {
    let (left, right) = (call.list(0)?, call.list(1)?);
    let (mut xs, mut ys) = (Elements::default(), Elements::default());
    let mut counts = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        if left.is_null(row) || right.is_null(row) {
            counts.push(None);
            continue;
        }
        let (l, r) = (range(left, row), range(right, row));
        let longest = l.len().max(r.len());
        xs.push(row, (0..longest).map(|i| (i < l.len()).then_some(l.start + i)));
        ys.push(row, (0..longest).map(|i| (i < r.len()).then_some(r.start + i)));
        counts.push(Some(longest));
    }
    let parameters = [xs.of(left.values())?, ys.of(right.values())?];
    lists_of(call, counts, call.for_each(&xs, &parameters)?)
}
