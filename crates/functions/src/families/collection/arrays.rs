//! Arrays searched, cut, sorted and put together.

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::compute::SortOptions;
use arrow::datatypes::DataType as Arrow;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::gather::{Gather, comparable, comparable_in, range};
use crate::call::{FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::families::args::Args;
use crate::families::rows::{BOOLEAN, INT, LIST, TEXT, any_nullable, definitions, int_literal, kernels, literal};
use crate::udf;

definitions! {
    "array_size" (1, 1), Scalar(|c, a| sized(c, "array_size", a)), "how many elements";
    "size" (1, 1), Scalar(|c, a| sized(c, "size", a)), "how many elements or entries";
    "cardinality" (1, 1), Scalar(|c, a| sized(c, "cardinality", a)), "how many elements or entries";
    "array_min" (1, 1), Scalar(|c, a| of_element(c, "array_min", a)), "the lowest element";
    "array_max" (1, 1), Scalar(|c, a| of_element(c, "array_max", a)), "the highest element";
    "array_distinct" (1, 1), Scalar(|c, a| same(c, "array_distinct", a, &[LIST])), "every element once";
    "array_compact" (1, 1), Scalar(compact), "the elements that are not null";
    "array_join" (2, 3), Scalar(join), "the elements as one text";
    "array_repeat" (2, 2), Scalar(repeat), "an array of the same value again and again";
    "slice" (3, 3), Scalar(|c, a| same(c, "slice", a, &[LIST, INT, INT])), "so many elements from a position on";
    "sort_array" (1, 2), Scalar(sort), "the elements in order, nulls at the low end";
    "flatten" (1, 1), Scalar(flatten), "the elements of an array's arrays";
    "reverse" (1, 1), Scalar(|c, a| same(c, "reverse", a, &[TEXTS_OR_LISTS])), "the elements or characters from last to first";
    "shuffle" (1, 2), Scalar(shuffle), "the elements in random order";
}

kernels! {
    "size" => size;
    "array_min" => |a| extreme(a, false);
    "array_max" => |a| extreme(a, true);
    "array_distinct" => distinct;
    "array_compact" => compacted;
    "array_join" => joined;
    "array_repeat" => repeated;
    "slice" raising => sliced;
    "sort_array" => sorted;
    "flatten" => flattened;
    "reverse" => reversed;
    "shuffle" => shuffled;
}

fn element_of(data_type: &DataType) -> (DataType, bool) {
    match data_type {
        DataType::Array(element, contains_null) => (element.as_ref().clone(), *contains_null),
        _ => (DataType::Null, true),
    }
}

/// A call whose result has the type of the first argument.
fn same(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>, accepts: &[Accepts]) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let arguments = coercion::coerce_arguments(ctx, name, arguments, accepts)?;
    let (result, nullable) = (arguments[0].data_type.clone(), any_nullable(&arguments));
    udf::call(ctx, name, arguments, result, nullable, sql)
}

fn sized(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let accepts = if name == "array_size" { LIST } else { Accepts::OneOf(&[Accepts::Array, Accepts::Map]) };
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[accepts])?;
    // Without ANSI the size of NULL is -1.
    let legacy = !ctx.ansi && name != "array_size";
    let nullable = any_nullable(&arguments) && !legacy;
    let options = if legacy { vec!["-1".to_owned()] } else { Vec::new() };
    udf::call_with(ctx, "size", arguments, DataType::Integer, nullable, sql, options)
}

fn size(a: &Args) -> Result<ArrayRef> {
    let array = a.array(0)?;
    let offsets = match array.as_list_opt::<i32>() {
        Some(list) => list.value_offsets(),
        None => a.map(0)?.value_offsets(),
    };
    let of_null = a.context.options.first().map(|_| -1);
    let size = |row: usize| if array.is_null(row) { of_null } else { Some(offsets[row + 1] - offsets[row]) };
    Ok(std::sync::Arc::new((0..a.rows).map(size).collect::<arrow::array::Int32Array>()))
}

fn of_element(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[LIST])?;
    let (element, _) = element_of(&arguments[0].data_type);
    udf::call(ctx, name, arguments, element, true, sql)
}

fn extreme(a: &Args, is_max: bool) -> Result<ArrayRef> {
    let lists = a.list(0)?;
    let values = lists.values();
    let nulls = values.logical_nulls();
    let [rows] = comparable([values])?;
    let mut gather = Gather::default();
    for row in 0..a.rows {
        let there = range(lists, row).filter(|i| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*i)));
        let by_value = |x: &usize, y: &usize| rows.row(*x).cmp(&rows.row(*y));
        let best = if is_max { there.max_by(by_value) } else { there.min_by(by_value) };
        gather.row([if lists.is_null(row) { None } else { best }]);
    }
    gather.elements(values)
}

fn distinct(a: &Args) -> Result<ArrayRef> {
    let lists = a.list(0)?;
    let [rows] = comparable([lists.values()])?;
    let mut gather = Gather::default();
    for row in 0..a.rows {
        if lists.is_null(row) {
            gather.null();
            continue;
        }
        let mut seen = std::collections::HashSet::new();
        gather.row(range(lists, row).filter(|i| seen.insert(rows.row(*i))).map(Some));
    }
    gather.finish(&a.context.result, lists.values())
}

fn compact(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("array_compact", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "array_compact", arguments, &[LIST])?;
    let (element, _) = element_of(&arguments[0].data_type);
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "array_compact", arguments, DataType::Array(Box::new(element), false), nullable, sql)
}

fn compacted(a: &Args) -> Result<ArrayRef> {
    let lists = a.list(0)?;
    let nulls = lists.values().logical_nulls();
    let mut gather = Gather::default();
    for row in 0..a.rows {
        if lists.is_null(row) {
            gather.null();
        } else {
            let there = range(lists, row).filter(|i| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*i)));
            gather.row(there.map(Some));
        }
    }
    gather.finish(&a.context.result, lists.values())
}

const ARRAY_OF_TEXT: Accepts = Accepts::ArrayOf(&Accepts::String);

fn join(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("array_join", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "array_join", arguments, &[ARRAY_OF_TEXT, TEXT, TEXT])?;
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "array_join", arguments, DataType::STRING, nullable, sql)
}

fn joined(a: &Args) -> Result<ArrayRef> {
    let (lists, separator) = (a.list(0)?, a.text(1)?);
    let texts = lists.values().as_string::<i32>();
    let for_null = if a.len() > 2 { Some(a.text(2)?) } else { None };
    let nulls = a.nulls();
    let mut out = StringBuilder::new();
    for row in 0..a.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            out.append_null();
            continue;
        }
        let text = |i: usize| {
            if texts.is_valid(i) { Some(texts.value(i)) } else { for_null.map(|text| text.value(row)) }
        };
        out.append_value(range(lists, row).filter_map(text).collect::<Vec<_>>().join(separator.value(row)));
    }
    Ok(std::sync::Arc::new(out.finish()))
}

fn repeat(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("array_repeat", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "array_repeat", arguments, &[Accepts::Any, INT])?;
    let element = &arguments[0];
    let result = DataType::Array(Box::new(element.data_type.clone()), element.nullable);
    let nullable = arguments[1].nullable;
    udf::call(ctx, "array_repeat", arguments, result, nullable, sql)
}

fn repeated(a: &Args) -> Result<ArrayRef> {
    let count = a.int(1)?;
    let mut gather = Gather::default();
    for row in 0..a.rows {
        if count.is_null(row) {
            gather.null();
        } else {
            gather.row(std::iter::repeat_n(Some(row), count.value(row).max(0) as usize));
        }
    }
    gather.finish(&a.context.result, a.array(0)?)
}

fn parameter_error(class: &'static firesteel_model::ErrorClass, parameter: &str, value: i32) -> SparkError {
    SparkError::new(class)
        .param("parameter", format!("`{parameter}`"))
        .param("functionName", "`slice`")
        .param("length", value.to_string())
}

fn sliced(a: &Args) -> Result<ArrayRef> {
    let (lists, start, length) = (a.list(0)?, a.int(1)?, a.int(2)?);
    let nulls = a.nulls();
    let mut gather = Gather::default();
    for row in 0..a.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            gather.null();
            continue;
        }
        let (start, length, range) = (start.value(row), length.value(row), range(lists, row));
        if start == 0 {
            return Err(parameter_error(&error_class::INVALID_PARAMETER_VALUE_START, "start", start));
        }
        if length < 0 {
            return Err(parameter_error(&error_class::INVALID_PARAMETER_VALUE_LENGTH, "length", length));
        }
        let first = if start > 0 { i64::from(start) - 1 } else { range.len() as i64 + i64::from(start) };
        let first = usize::try_from(first).unwrap_or(range.len());
        gather.row(range.skip(first).take(length as usize).map(Some));
    }
    gather.finish(&a.context.result, lists.values())
}

fn sort(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    if arguments.len() == 1 {
        let yes = datafusion::common::ScalarValue::Boolean(Some(true));
        arguments.push(literal(yes, DataType::Boolean, "true"));
    }
    same(ctx, "sort_array", arguments, &[LIST, BOOLEAN])
}

/// Ascending: nulls first. Descending: nulls last. With the option `nulls last`, ascending and nulls last.
fn sorted(a: &Args) -> Result<ArrayRef> {
    let (lists, ascending) = (a.list(0)?, a.boolean(1)?);
    let nulls_last = !a.context.options.is_empty();
    let order = |descending, nulls_first| SortOptions { descending, nulls_first };
    let [up] = comparable_in([lists.values()], order(false, !nulls_last))?;
    let [down] = comparable_in([lists.values()], order(true, false))?;
    let nulls = a.nulls();
    let mut gather = Gather::default();
    for row in 0..a.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            gather.null();
            continue;
        }
        let rows = if ascending.value(row) { &up } else { &down };
        let mut elements: Vec<usize> = range(lists, row).collect();
        elements.sort_by(|x, y| rows.row(*x).cmp(&rows.row(*y)));
        gather.row(elements.into_iter().map(Some));
    }
    gather.finish(&a.context.result, lists.values())
}

/// How Spark prints the comparator that stands where none is given.
const DEFAULT_ORDER: &str = "lambdafunction((IF(((namedlambdavariable() IS NULL) AND (namedlambdavariable() IS NULL)), 0, \
    (IF((namedlambdavariable() IS NULL), 1, (IF((namedlambdavariable() IS NULL), -1, \
    (IF((namedlambdavariable() < namedlambdavariable()), -1, (IF((namedlambdavariable() > namedlambdavariable()), 1, 0)))))))))), \
    namedlambdavariable(), namedlambdavariable())";

/// `array_sort` without a comparator: ascending, nulls last.
pub(crate) fn sort_ascending(ctx: &FunctionContext, argument: Typed) -> Result<Typed> {
    let sql = format!("array_sort({}, {DEFAULT_ORDER})", argument.sql);
    let yes = datafusion::common::ScalarValue::Boolean(Some(true));
    let arguments = vec![argument, literal(yes, DataType::Boolean, "true")];
    let arguments = coercion::coerce_arguments(ctx, "array_sort", arguments, &[LIST, BOOLEAN])?;
    let (result, nullable) = (arguments[0].data_type.clone(), arguments[0].nullable);
    udf::call_with(ctx, "sort_array", arguments, result, nullable, sql, vec!["nulls last".to_owned()])
}

fn flatten(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("flatten", &arguments);
    let accepts = Accepts::ArrayOf(&Accepts::Array);
    let arguments = coercion::coerce_arguments(ctx, "flatten", arguments, &[accepts])?;
    let (result, holds_nulls) = element_of(&arguments[0].data_type);
    let nullable = arguments[0].nullable || holds_nulls;
    udf::call(ctx, "flatten", arguments, result, nullable, sql)
}

/// A null among the arrays makes the whole null.
fn flattened(a: &Args) -> Result<ArrayRef> {
    let lists = a.list(0)?;
    let inner = lists.values().as_list::<i32>();
    let mut gather = Gather::default();
    for row in 0..a.rows {
        if lists.is_null(row) || range(lists, row).any(|i| inner.is_null(i)) {
            gather.null();
        } else {
            gather.row(range(lists, row).flat_map(|i| range(inner, i)).map(Some));
        }
    }
    gather.finish(&a.context.result, inner.values())
}

const TEXTS_OR_LISTS: Accepts = Accepts::OneOf(&[Accepts::String, Accepts::Array, Accepts::Is(DataType::Binary)]);

fn reversed(a: &Args) -> Result<ArrayRef> {
    if *a.array(0)?.data_type() == Arrow::Utf8 {
        let text = a.text(0)?;
        return a.texts(|row| text.value(row).chars().rev().collect());
    }
    if *a.array(0)?.data_type() == Arrow::Binary {
        let bytes = a.binary(0)?;
        return a.try_binaries(|row| Ok(Some(bytes.value(row).iter().rev().copied().collect())));
    }
    let lists = a.list(0)?;
    let mut gather = Gather::default();
    for row in 0..a.rows {
        if lists.is_null(row) {
            gather.null();
        } else {
            gather.row(range(lists, row).rev().map(Some));
        }
    }
    gather.finish(&a.context.result, lists.values())
}

/// Without a seed, every query has its own.
fn shuffle(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("shuffle", &arguments);
    if arguments.len() == 1 {
        arguments.push(int_literal(ctx.now_us as i32));
    }
    Ok(Typed { sql, ..same(ctx, "shuffle", arguments, &[LIST, Accepts::Is(DataType::Long)])? })
}

fn shuffled(a: &Args) -> Result<ArrayRef> {
    let (lists, seed) = (a.list(0)?, a.long(1)?);
    let mut gather = Gather::default();
    for row in 0..a.rows {
        if lists.is_null(row) {
            gather.null();
            continue;
        }
        let mut random = crate::families::random::XorShift::new(seed.value(row).wrapping_add(row as i64));
        let mut elements: Vec<usize> = range(lists, row).collect();
        for i in (1..elements.len()).rev() {
            elements.swap(i, (random.next_double() * (i + 1) as f64) as usize);
        }
        gather.row(elements.into_iter().map(Some));
    }
    gather.finish(&a.context.result, lists.values())
}
