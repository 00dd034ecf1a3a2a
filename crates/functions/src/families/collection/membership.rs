//! Arrays and the elements in them: searched, added, removed; arrays as sets.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::compute::concat;
use arrow::datatypes::{Int32Type, Int64Type};
use arrow::row::Row;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::gather::{Gather, comparable, range, retyped};
use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::errors::from_arrow;
use crate::families::args::Args;
use crate::families::rows::{LIST, any_nullable, definitions, kernels};
use crate::udf;

definitions! {
    "array_contains" (2, 2), Scalar(|c, a| with_element(c, "array_contains", a, Some(DataType::Boolean))), "whether the value is among the elements";
    "array_position" (2, 2), Scalar(|c, a| with_element(c, "array_position", a, Some(DataType::Long))), "position of the value, from 1, or 0";
    "array_binary_search" (2, 2), Scalar(|c, a| with_element(c, "array_binary_search", a, Some(DataType::Integer))), "position of the value in a sorted array, from 0, or -1 less the position where it belongs";
    "array_remove" (2, 2), Scalar(|c, a| with_element(c, "array_remove", a, None)), "the elements that differ from the value";
    "array_append" (2, 2), Scalar(|c, a| with_element(c, "array_append", a, None)), "the elements and then the value";
    "array_prepend" (2, 2), Scalar(|c, a| with_element(c, "array_prepend", a, None)), "the value and then the elements";
    "array_insert" (3, 3), Scalar(insert), "the elements with the value put in at a position";
    "array_union" (2, 2), Scalar(|c, a| sets(c, "array_union", a)), "every element of either array once";
    "array_intersect" (2, 2), Scalar(|c, a| sets(c, "array_intersect", a)), "every element of both arrays once";
    "array_except" (2, 2), Scalar(|c, a| sets(c, "array_except", a)), "every element of the first array that the second lacks, once";
    "arrays_overlap" (2, 2), Scalar(|c, a| sets(c, "arrays_overlap", a)), "whether the arrays have an element in common";
}

kernels! {
    "array_contains" => contains;
    "array_position" => position;
    "array_binary_search" => binary_search;
    "array_remove" => remove;
    "array_append" => |a| add(a, false);
    "array_prepend" => |a| add(a, true);
    "array_insert" raising => inserted;
    "array_union" => |a| set(a, "union");
    "array_intersect" => |a| set(a, "intersect");
    "array_except" => |a| set(a, "except");
    "arrays_overlap" => overlap;
}

fn differ(sql: &str, name: &str, array: &Typed, other: &Typed) -> SparkError {
    SparkError::new(&error_class::DATATYPE_MISMATCH_ARRAY_FUNCTION_DIFF_TYPES)
        .param("sqlExpr", coercion::quoted(sql))
        .param("functionName", format!("`{name}`"))
        .param("dataType", "\"ARRAY\"")
        .param("leftType", coercion::type_sql(&array.data_type))
        .param("rightType", coercion::type_sql(&other.data_type))
}

/// Casts an array and a value to the type that the elements and the value share.
fn unify_element(ctx: &FunctionContext, name: &str, sql: &str, array: Typed, value: Typed) -> Result<(Typed, Typed)> {
    let DataType::Array(element, holds_nulls) = array.data_type.clone() else {
        if array.data_type == DataType::Null {
            let target = DataType::array(value.data_type.clone());
            return Ok((coercion::convert(ctx, array, &target)?, value));
        }
        return Err(coercion::unexpected_type(&array, &LIST, sql, 0));
    };
    let Some(common) = coercion::common_type(ctx, &[element.as_ref().clone(), value.data_type.clone()]) else {
        return Err(differ(sql, name, &array, &value));
    };
    let target = DataType::Array(Box::new(common.clone()), holds_nulls);
    Ok((coercion::convert(ctx, array, &target)?, coercion::convert(ctx, value, &common)?))
}

fn with_element(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>, fixed: Option<DataType>) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let Ok([array, value]) = <[Typed; 2]>::try_from(arguments) else {
        return Err(SparkError::internal(format!("{name} takes two arguments")));
    };
    if value.data_type == DataType::Null
        && matches!(name, "array_contains" | "array_position" | "array_binary_search" | "array_remove")
    {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_NULL_TYPE)
            .param("sqlExpr", coercion::quoted(&sql))
            .param("functionName", format!("`{name}`")));
    }
    let (array, value) = unify_element(ctx, name, &sql, array, value)?;
    let adds = matches!(name, "array_append" | "array_prepend");
    let holds_nulls = matches!(array.data_type, DataType::Array(_, true));
    let nullable = match name {
        _ if adds => array.nullable,
        "array_contains" => array.nullable || value.nullable || holds_nulls,
        _ => array.nullable || value.nullable,
    };
    let result = fixed.unwrap_or_else(|| match array.data_type.clone() {
        DataType::Array(element, contains_null) if adds => DataType::Array(element, contains_null || value.nullable),
        other => other,
    });
    udf::call(ctx, name, vec![array, value], result, nullable, sql)
}

fn contains(a: &Args) -> Result<ArrayRef> {
    let lists = a.list(0)?;
    let value = retyped(a.array(1)?.clone(), lists.values().data_type())?;
    let [elements, wanted] = comparable([lists.values(), &value])?;
    let nulls = lists.values().logical_nulls();
    a.try_booleans(|row| {
        if range(lists, row).any(|i| elements.row(i) == wanted.row(row)) {
            return Ok(Some(true));
        }
        let has_null = nulls.as_ref().is_some_and(|nulls| range(lists, row).any(|i| nulls.is_null(i)));
        Ok((!has_null).then_some(false))
    })
}

fn position(a: &Args) -> Result<ArrayRef> {
    let lists = a.list(0)?;
    let value = retyped(a.array(1)?.clone(), lists.values().data_type())?;
    let [elements, wanted] = comparable([lists.values(), &value])?;
    a.values::<Int64Type>(|row| {
        range(lists, row).position(|i| elements.row(i) == wanted.row(row)).map_or(0, |at| at as i64 + 1)
    })
}

fn binary_search(a: &Args) -> Result<ArrayRef> {
    let lists = a.list(0)?;
    let value = retyped(a.array(1)?.clone(), lists.values().data_type())?;
    let [elements, wanted] = comparable([lists.values(), &value])?;
    a.values::<Int32Type>(|row| {
        let positions: Vec<usize> = range(lists, row).collect();
        match positions.binary_search_by(|i| elements.row(*i).cmp(&wanted.row(row))) {
            Ok(found) => found as i32,
            Err(belongs) => -1 - belongs as i32,
        }
    })
}

fn remove(a: &Args) -> Result<ArrayRef> {
    let lists = a.list(0)?;
    let value = retyped(a.array(1)?.clone(), lists.values().data_type())?;
    let [elements, wanted] = comparable([lists.values(), &value])?;
    let nulls = a.nulls();
    let mut gather = Gather::default();
    for row in 0..a.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            gather.null();
        } else {
            gather.row(range(lists, row).filter(|i| elements.row(*i) != wanted.row(row)).map(Some));
        }
    }
    gather.finish(&a.context.result, lists.values())
}

/// The elements of argument 0 and, behind them, the values of another argument.
fn with_values(a: &Args, value: usize) -> Result<(ArrayRef, usize)> {
    let values = a.list(0)?.values();
    let added = retyped(a.array(value)?.clone(), values.data_type())?;
    Ok((concat(&[values.as_ref(), added.as_ref()]).map_err(from_arrow)?, values.len()))
}

fn add(a: &Args, at_start: bool) -> Result<ArrayRef> {
    let lists = a.list(0)?;
    let (all, start) = with_values(a, 1)?;
    let mut gather = Gather::default();
    for row in 0..a.rows {
        let value = [Some(start + row)];
        if lists.is_null(row) {
            gather.null();
        } else if at_start {
            gather.row(value.into_iter().chain(range(lists, row).map(Some)));
        } else {
            gather.row(range(lists, row).map(Some).chain(value));
        }
    }
    gather.finish(&a.context.result, &all)
}

fn insert(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("array_insert", &arguments);
    let Ok([array, position, value]) = <[Typed; 3]>::try_from(arguments) else {
        return Err(SparkError::internal("array_insert takes three arguments"));
    };
    let position = coercion::coerce_argument(ctx, position, &crate::families::rows::INT, &sql, 1)?;
    let (array, value) = unify_element(ctx, "array_insert", &sql, array, value)?;
    let result = match array.data_type.clone() {
        DataType::Array(element, _) => DataType::Array(element, true),
        other => other,
    };
    let nullable = array.nullable || position.nullable;
    udf::call(ctx, "array_insert", vec![array, position, value], result, nullable, sql)
}

fn inserted(a: &Args) -> Result<ArrayRef> {
    let (lists, position) = (a.list(0)?, a.int(1)?);
    let (all, start) = with_values(a, 2)?;
    let mut gather = Gather::default();
    for row in 0..a.rows {
        if lists.is_null(row) || position.is_null(row) {
            gather.null();
            continue;
        }
        let mut elements: Vec<Option<usize>> = range(lists, row).map(Some).collect();
        let value = Some(start + row);
        match position.value(row) {
            0 => return Err(SparkError::new(&error_class::INVALID_INDEX_OF_ZERO)),
            at if at > 0 => {
                let at = at as usize - 1;
                if at > elements.len() {
                    elements.resize(at, None);
                }
                elements.insert(at, value);
            }
            at => {
                // -1 is behind the last element.
                let back = at.unsigned_abs() as usize - 1;
                match elements.len().checked_sub(back) {
                    Some(at) => elements.insert(at, value),
                    None => {
                        let missing = back - elements.len();
                        elements.splice(0..0, std::iter::once(value).chain(std::iter::repeat_n(None, missing)));
                    }
                }
            }
        }
        gather.row(elements);
    }
    gather.finish(&a.context.result, &all)
}

fn sets(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    if let Some((i, wrong)) =
        arguments.iter().enumerate().find(|(_, a)| !matches!(a.data_type, DataType::Array(..) | DataType::Null))
    {
        return Err(coercion::unexpected_type(wrong, &LIST, &sql, i));
    }
    let failed = differ(&sql, name, &arguments[0], &arguments[1]);
    let holds_nulls: Vec<bool> = arguments.iter().map(|a| matches!(a.data_type, DataType::Array(_, true))).collect();
    let arguments = coercion::unify(ctx, arguments)?.ok_or(failed)?;
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[LIST])?;
    let nullable = any_nullable(&arguments);
    if name == "arrays_overlap" {
        let nullable = nullable || holds_nulls.contains(&true);
        return udf::call(ctx, name, arguments, DataType::Boolean, nullable, sql);
    }
    let element = match arguments[0].data_type.clone() {
        DataType::Array(element, _) => element,
        other => Box::new(other),
    };
    let contains_null = match name {
        "array_union" => holds_nulls.contains(&true),
        "array_intersect" => !holds_nulls.contains(&false),
        _ => holds_nulls[0],
    };
    udf::call(ctx, name, arguments, DataType::Array(element, contains_null), nullable, sql)
}

fn set(a: &Args, kind: &str) -> Result<ArrayRef> {
    let (left, right) = (a.list(0)?, a.list(1)?);
    let right_values = retyped(right.values().clone(), left.values().data_type())?;
    let all = concat(&[left.values().as_ref(), right_values.as_ref()]).map_err(from_arrow)?;
    let [rows] = comparable([&all])?;
    let start = left.values().len();
    let nulls = a.nulls();
    let mut gather = Gather::default();
    for row in 0..a.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            gather.null();
            continue;
        }
        let others = range(right, row).map(|i| i + start);
        let mut seen: HashSet<Row<'_>> = HashSet::new();
        if kind == "union" {
            gather.row(range(left, row).chain(others).filter(|i| seen.insert(rows.row(*i))).map(Some));
            continue;
        }
        let other: HashSet<Row<'_>> = others.map(|i| rows.row(i)).collect();
        let wanted = kind == "intersect";
        let kept = range(left, row).filter(|i| other.contains(&rows.row(*i)) == wanted && seen.insert(rows.row(*i)));
        gather.row(kept.map(Some));
    }
    gather.finish(&a.context.result, &all)
}

/// Null where nothing is in common but a null might be.
fn overlap(a: &Args) -> Result<ArrayRef> {
    let (left, right) = (a.list(0)?, a.list(1)?);
    let right_values = retyped(right.values().clone(), left.values().data_type())?;
    let [x, y] = comparable([left.values(), &right_values])?;
    let (x_nulls, y_nulls) = (left.values().logical_nulls(), right_values.logical_nulls());
    let is_null = |nulls: &Option<arrow::buffer::NullBuffer>, i: usize| nulls.as_ref().is_some_and(|n| n.is_null(i));
    let nulls = a.nulls();
    let judge = |row: usize| {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        let (l, r) = (range(left, row), range(right, row));
        let there: HashSet<Row<'_>> = r.clone().filter(|i| !is_null(&y_nulls, *i)).map(|i| y.row(i)).collect();
        if l.clone().any(|i| !is_null(&x_nulls, i) && there.contains(&x.row(i))) {
            return Some(true);
        }
        let has_null = l.clone().any(|i| is_null(&x_nulls, i)) || r.clone().any(|i| is_null(&y_nulls, i));
        (l.is_empty() || r.is_empty() || !has_null).then_some(false)
    };
    Ok(std::sync::Arc::new((0..a.rows).map(judge).collect::<BooleanArray>()))
}
