//! The most frequent values of a group, about.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, Int32Array, Int64Array, StringArray, StructArray, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::DataType as Arrow;
use datafusion::common::ScalarValue;
use datasketches::frequencies::{ErrorType, FrequentItemsSketch};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::types_arrow::to_arrow;
use firesteel_spec::{DataType, StructField};

use crate::call::{AggregateCall, CallModifiers, FunctionContext, Typed};
use crate::cast::{Mode, TextStyle, cast_array, writer};
use crate::coercion;
use crate::datetime::Zone;
use crate::errors::from_arrow;
use crate::families::aggregate::{Summary, aggregate_sql, ours, summary_kinds};
use crate::families::args::Args;
use crate::families::collection::gather::list;
use crate::families::rows::{definitions, fold, int_literal, kernels};
use crate::udf::{self, KernelContext};

definitions! {
    "approx_top_k" (1, 3), Aggregate(top), "the most frequent values and about how often they are there";
    "approx_top_k_accumulate" (1, 2), Aggregate(accumulate), "a sketch of the most frequent values";
    "approx_top_k_combine" (1, 2), Aggregate(combine), "one sketch of the most frequent values of several";
    "approx_top_k_estimate" (1, 2), Scalar(estimate), "the most frequent values of a sketch";
}

kernels! {
    "approx_top_k_estimate" => estimates;
}

summary_kinds! {
    "approx_top_k" = Items;
    "approx_top_k_accumulate" = Items;
    "approx_top_k_combine" = Items;
}

const K_DEFAULT: i32 = 5;
const TRACKED_DEFAULT: i32 = 10_000;
const TRACKED_MAX: i32 = 1_000_000;

fn positive(name: &str, argument: &Typed) -> Result<i32> {
    match fold(argument).map(|value| value.cast_to(&Arrow::Int32)) {
        Some(Ok(ScalarValue::Int32(Some(value)))) if value > 0 => Ok(value),
        Some(Ok(ScalarValue::Int32(Some(value)))) => Err(SparkError::new(&error_class::APPROX_TOP_K_NON_POSITIVE_ARG)
            .param("argName", format!("`{name}`"))
            .param("argValue", value.to_string())),
        Some(_) => Err(SparkError::new(&error_class::APPROX_TOP_K_NULL_ARG).param("argName", format!("`{name}`"))),
        None => Err(SparkError::unsupported(format!("approx_top_k with a {name} that is not constant"))),
    }
}

fn tracked(argument: &Typed, k: i32) -> Result<i32> {
    let tracked = positive("maxItemsTracked", argument)?;
    if tracked > TRACKED_MAX {
        return Err(SparkError::new(&error_class::APPROX_TOP_K_MAX_ITEMS_TRACKED_EXCEEDS_LIMIT)
            .param("maxItemsTracked", tracked.to_string())
            .param("limit", TRACKED_MAX.to_string()));
    }
    if tracked < k {
        return Err(SparkError::new(&error_class::APPROX_TOP_K_MAX_ITEMS_TRACKED_LESS_THAN_K)
            .param("maxItemsTracked", tracked.to_string())
            .param("k", k.to_string()));
    }
    Ok(tracked)
}

/// What may be counted: types whose text tells the value.
fn check_item(argument: &Typed, sql: &str) -> Result<()> {
    let t = &argument.data_type;
    let fits = t.is_numeric() || t.is_string() || t.is_datetime() || *t == DataType::Boolean;
    if fits { Ok(()) } else { Err(SparkError::unsupported(format!("{sql} over {}", t.sql()))) }
}

fn counted(item: &DataType) -> DataType {
    let fields = vec![StructField::new("item", item.clone(), true), StructField::new("count", DataType::Long, false)];
    DataType::Array(Box::new(DataType::Struct(fields)), false)
}

fn state(item: &DataType) -> DataType {
    DataType::Struct(vec![
        StructField::new("sketch", DataType::Binary, false),
        StructField::new("maxItemsTracked", DataType::Integer, false),
        StructField::new("itemDataType", item.clone(), true),
        StructField::new("itemDataTypeDDL", DataType::STRING, false),
    ])
}

/// The type of the items of a sketch.
fn item_of(state: &Typed, sql: &str) -> Result<DataType> {
    match &state.data_type {
        DataType::Struct(fields) if fields.len() == 4 && fields[0].data_type == DataType::Binary => {
            Ok(fields[2].data_type.clone())
        }
        _ => Err(coercion::unexpected_type(state, &coercion::Accepts::Struct, sql, 0)),
    }
}

fn top(ctx: &FunctionContext, mut arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<AggregateCall> {
    for default in [K_DEFAULT, TRACKED_DEFAULT].into_iter().skip(arguments.len() - 1) {
        arguments.push(int_literal(default));
    }
    let sql = aggregate_sql("approx_top_k", &arguments, modifiers);
    check_item(&arguments[0], &sql)?;
    let k = positive("k", &arguments[1])?;
    let tracked = tracked(&arguments[2], k)?;
    arguments.truncate(1);
    let result = (counted(&arguments[0].data_type), false);
    let options = vec!["top".to_owned(), tracked.to_string(), k.to_string()];
    ours(ctx, "approx_top_k", arguments, modifiers, result, options, sql)
}

fn accumulate(ctx: &FunctionContext, mut arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<AggregateCall> {
    if arguments.len() == 1 {
        arguments.push(int_literal(TRACKED_DEFAULT));
    }
    let sql = aggregate_sql("approx_top_k_accumulate", &arguments, modifiers);
    check_item(&arguments[0], &sql)?;
    let tracked = tracked(&arguments[1], 1)?;
    arguments.truncate(1);
    let result = (state(&arguments[0].data_type), false);
    let options = vec!["accumulate".to_owned(), tracked.to_string()];
    ours(ctx, "approx_top_k_accumulate", arguments, modifiers, result, options, sql)
}

fn combine(ctx: &FunctionContext, mut arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<AggregateCall> {
    let sql = aggregate_sql("approx_top_k_combine", &arguments, modifiers);
    let item = item_of(&arguments[0], &sql)?;
    let tracked = arguments.get(1).map_or(Ok(TRACKED_DEFAULT), |argument| tracked(argument, 1))?;
    arguments.truncate(1);
    let options = vec!["combine".to_owned(), tracked.to_string()];
    ours(ctx, "approx_top_k_combine", arguments, modifiers, (state(&item), false), options, sql)
}

fn estimate(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    if arguments.len() == 1 {
        arguments.push(int_literal(K_DEFAULT));
    }
    let sql = coercion::call_sql("approx_top_k_estimate", &arguments);
    let item = item_of(&arguments[0], &sql)?;
    let k = positive("k", &arguments[1])?;
    arguments.truncate(1);
    let nullable = arguments[0].nullable;
    udf::call_with(ctx, "approx_top_k_estimate", arguments, counted(&item), nullable, sql, vec![k.to_string()])
}

/// Values by their text.
struct Items {
    sketch: FrequentItemsSketch<String>,
    tracked: usize,
}

fn read(bytes: &[u8]) -> Result<FrequentItemsSketch<String>> {
    FrequentItemsSketch::deserialize(bytes)
        .map_err(|error| SparkError::internal("a sketch of frequent items is broken").source(error))
}

fn items_of(tracked: usize) -> Result<Items> {
    let size = (tracked * 4).div_ceil(3).next_power_of_two().max(8);
    let sketch = FrequentItemsSketch::new(size)
        .map_err(|error| SparkError::internal("a sketch of frequent items cannot be made").source(error))?;
    Ok(Items { sketch, tracked })
}

impl Items {
    /// The most frequent ones, the first first.
    fn top(&self, k: usize) -> Vec<(String, u64)> {
        let rows = self.sketch.frequent_items(ErrorType::NoFalsePositives);
        rows.iter().take(k).map(|row| (row.item().clone(), row.estimate())).collect()
    }
}

/// Lists of items and counts, as the type.
fn lists(result: &DataType, zone: &str, groups: Vec<Option<Vec<(String, u64)>>>) -> Result<ArrayRef> {
    let (DataType::Array(element, _), Arrow::List(field)) = (result, to_arrow(result)) else {
        return Err(SparkError::internal("the most frequent values are no array"));
    };
    let (DataType::Struct(parts), Arrow::Struct(fields)) = (element.as_ref(), field.data_type().clone()) else {
        return Err(SparkError::internal("a frequent value is no struct"));
    };
    let lengths = groups.iter().map(|group| group.as_ref().map_or(0, Vec::len));
    let offsets = OffsetBuffer::from_lengths(lengths);
    let valid = groups.iter().map(Option::is_some).collect::<Vec<_>>();
    let (texts, counts): (Vec<_>, Vec<_>) = groups.into_iter().flatten().flatten().unzip();
    let texts: ArrayRef = Arc::new(StringArray::from(texts));
    let items = cast_array(&texts, &DataType::STRING, &parts[0].data_type, Mode::Try, zone)?;
    let counts: ArrayRef = Arc::new(Int64Array::from_iter_values(counts.into_iter().map(|count| count as i64)));
    let values = StructArray::try_new(fields, vec![items, counts], None).map_err(from_arrow)?;
    list(result, offsets, Arc::new(values), Some(valid.into()))
}

fn estimates(a: &Args) -> Result<ArrayRef> {
    let states = a.structs(0)?;
    let (sketches, k) = (states.column(0).as_binary::<i32>(), a.option(0)?.parse().unwrap_or(5));
    let one = |row: usize| -> Result<Option<Vec<(String, u64)>>> {
        if states.is_null(row) {
            return Ok(None);
        }
        Ok(Some(Items { sketch: read(sketches.value(row))?, tracked: 0 }.top(k)))
    };
    let groups = (0..a.rows).map(one).collect::<Result<Vec<_>>>()?;
    lists(&a.context.result, &a.context.time_zone, groups)
}

impl Summary for Items {
    fn new(context: &KernelContext) -> Result<Self> {
        items_of(context.options.get(1).and_then(|tracked| tracked.parse().ok()).unwrap_or(TRACKED_DEFAULT as usize))
    }

    fn add(&mut self, context: &KernelContext, columns: &[ArrayRef], row: usize) -> Result<()> {
        let (Some(column), Some(data_type)) = (columns.first(), context.arguments.first()) else { return Ok(()) };
        if let Some(states) = column.as_struct_opt() {
            self.sketch.merge(&read(states.column(0).as_binary::<i32>().value(row))?);
            return Ok(());
        }
        if data_type.is_string() {
            self.sketch.update(column.as_string::<i32>().value(row).to_owned());
            return Ok(());
        }
        let zone = Zone::parse(&context.time_zone)?;
        let style = TextStyle { null: "null", hex_bytes: false, plain_decimals: true, zone };
        let mut text = String::new();
        writer(column, data_type, &style)?(&mut text, row);
        self.sketch.update(text);
        Ok(())
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(self.sketch.serialize())
    }

    fn merge(&mut self, _: &KernelContext, state: &[u8]) -> Result<()> {
        self.sketch.merge(&read(state)?);
        Ok(())
    }

    fn size(&self) -> usize {
        self.sketch.estimated_size()
    }

    fn finish(context: &KernelContext, groups: Vec<Option<Self>>) -> Result<ArrayRef> {
        let mut all = Vec::with_capacity(groups.len());
        for group in groups {
            all.push(group.map_or_else(|| Self::new(context), Ok)?);
        }
        if let Some(k) = context.options.get(2).and_then(|k| k.parse().ok()) {
            let found = all.iter().map(|items| Some(items.top(k))).collect();
            return lists(&context.result, &context.time_zone, found);
        }
        let (DataType::Struct(parts), Arrow::Struct(fields)) = (&context.result, to_arrow(&context.result)) else {
            return Err(SparkError::internal("a sketch of frequent items is no struct"));
        };
        let item = &parts[2].data_type;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(BinaryArray::from_iter_values(all.iter().map(|items| items.sketch.serialize()))),
            Arc::new(Int32Array::from_iter_values(all.iter().map(|items| items.tracked as i32))),
            new_null_array(&to_arrow(item), all.len()),
            Arc::new(StringArray::from(vec![format!("item {}", item.sql()); all.len()])),
        ];
        Ok(Arc::new(StructArray::try_new(fields, columns, None).map_err(from_arrow)?))
    }
}
