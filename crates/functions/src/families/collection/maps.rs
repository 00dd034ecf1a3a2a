//! Maps: made, taken apart, joined.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, StructArray, UInt32Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{concat, take};
use arrow::datatypes::DataType as Arrow;
use arrow::row::Row;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::types_arrow::{from_arrow as from_arrow_type, to_arrow};
use firesteel_spec::{DataType, StructField};

use super::gather::{comparable, entries, list, range, retyped};
use crate::call::{FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::errors::from_arrow;
use crate::families::args::Args;
use crate::families::rows::{LIST, MAP, TEXT, any_nullable, definitions, kernels, text_literal};
use crate::literal;
use crate::registry::ANY;
use crate::udf::{self, KernelContext};

definitions! {
    "map_keys" (1, 1), Scalar(|c, a| parts(c, "map_keys", a)), "the keys, as an array";
    "map_values" (1, 1), Scalar(|c, a| parts(c, "map_values", a)), "the values, as an array";
    "map_entries" (1, 1), Scalar(|c, a| parts(c, "map_entries", a)), "the entries, as an array of structs";
    "map_contains_key" (2, 2), Scalar(contains_key), "whether the map has the key";
    "map_concat" (0, ANY), Scalar(map_concat), "the entries of several maps in one";
    "map_from_arrays" (2, 2), Scalar(from_arrays), "a map of an array of keys and one of values";
    "map_from_entries" (1, 1), Scalar(from_entries), "a map of an array of structs of two fields";
    "str_to_map" (1, 3), Scalar(str_to_map), "a map of a text split twice";
}

kernels! {
    "make_map" raising => make_map;
    "map_keys" => |a| { let m = a.map(0)?; list(&a.context.result, m.offsets().clone(), m.keys().clone(), m.nulls().cloned()) };
    "map_values" => |a| { let m = a.map(0)?; list(&a.context.result, m.offsets().clone(), m.values().clone(), m.nulls().cloned()) };
    "map_entries" => |a| {
        let m = a.map(0)?;
        list(&a.context.result, m.offsets().clone(), Arc::new(m.entries().clone()), m.nulls().cloned())
    };
    "map_contains_key" => has_key;
    "map_concat" raising => concatenated;
    "map_from_arrays" raising => of_arrays;
    "map_from_entries" raising => of_entries;
    "str_to_map" raising => split;
}

fn diff_types(class: &'static firesteel_model::ErrorClass, sql: &str, name: &str, values: &[Typed]) -> SparkError {
    let types: Vec<_> = values.iter().map(|v| coercion::type_sql(&v.data_type)).collect();
    SparkError::new(class)
        .param("sqlExpr", coercion::quoted(sql))
        .param("functionName", format!("`{name}`"))
        .param("dataType", format!("[{}]", types.join(", ")))
}

/// `map(k, v, ..)`
pub(crate) fn map(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("map", &arguments);
    if !arguments.len().is_multiple_of(2) {
        return Err(SparkError::new(&error_class::WRONG_NUM_ARGS_WITHOUT_SUGGESTION)
            .param("functionName", "`map`")
            .param("expectedNum", "2n (n > 0)")
            .param("actualNum", arguments.len().to_string()));
    }
    let (keys, values): (Vec<_>, Vec<_>) = arguments.into_iter().enumerate().partition(|(i, _)| i % 2 == 0);
    let bare = |pairs: Vec<(usize, Typed)>| pairs.into_iter().map(|(_, value)| value).collect::<Vec<_>>();
    let (keys, values) = (bare(keys), bare(values));
    let failed = diff_types(&error_class::DATATYPE_MISMATCH_CREATE_MAP_KEY_DIFF_TYPES, &sql, "map", &keys);
    let keys = coercion::unify(ctx, keys)?.ok_or(failed)?;
    let failed = diff_types(&error_class::DATATYPE_MISMATCH_CREATE_MAP_VALUE_DIFF_TYPES, &sql, "map", &values);
    let values = coercion::unify(ctx, values)?.ok_or(failed)?;
    let type_of = |all: &[Typed]| all.first().map_or(DataType::Null, |first| first.data_type.clone());
    check_key_type(&type_of(&keys), &sql)?;
    let result = DataType::Map(Box::new(type_of(&keys)), Box::new(type_of(&values)), any_nullable(&values));
    let arguments = keys.into_iter().chain(values).collect();
    udf::call(ctx, "make_map", arguments, result, false, sql)
}

/// Maps cannot be keys, nor stand within them.
///
/// Errors: `DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE`.
pub(crate) fn check_key_type(key: &DataType, sql: &str) -> Result<()> {
    fn holds_map(data_type: &DataType) -> bool {
        match data_type {
            DataType::Map(..) | DataType::Variant => true,
            DataType::Array(element, _) => holds_map(element),
            DataType::Struct(fields) => fields.iter().any(|field| holds_map(&field.data_type)),
            _ => false,
        }
    }
    if holds_map(key) {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_INVALID_MAP_KEY_TYPE)
            .param("sqlExpr", coercion::quoted(sql))
            .param("keyType", coercion::type_sql(key)));
    }
    Ok(())
}

fn map_field(result: &DataType) -> Result<(arrow::datatypes::FieldRef, arrow::datatypes::Fields)> {
    if let Arrow::Map(field, _) = to_arrow(result)
        && let Arrow::Struct(fields) = field.data_type().clone()
    {
        return Ok((field, fields));
    }
    Err(SparkError::internal(format!("{} is no map", result.sql())))
}

/// Maps put together from the keys and values at the same positions; keys must be there and differ.
pub(crate) struct Maps {
    indices: Vec<u32>,
    lengths: Vec<usize>,
    valid: Vec<bool>,
}

impl Maps {
    pub(crate) fn new() -> Self {
        Self { indices: Vec::new(), lengths: Vec::new(), valid: Vec::new() }
    }

    pub(crate) fn row(&mut self, entries: impl IntoIterator<Item = usize>) {
        let before = self.indices.len();
        self.indices.extend(entries.into_iter().map(|i| i as u32));
        self.lengths.push(self.indices.len() - before);
        self.valid.push(true);
    }

    pub(crate) fn null(&mut self) {
        self.lengths.push(0);
        self.valid.push(false);
    }

    /// The maps.
    ///
    /// Errors: `NULL_MAP_KEY`, `DUPLICATED_MAP_KEY`.
    pub(crate) fn finish(self, context: &KernelContext, keys: &ArrayRef, values: &ArrayRef) -> Result<ArrayRef> {
        let indices = UInt32Array::from(self.indices);
        let keys = take(keys, &indices, None).map_err(from_arrow)?;
        let values = take(values, &indices, None).map_err(from_arrow)?;
        let offsets = OffsetBuffer::from_lengths(self.lengths);
        unique(context, offsets, keys, values, Some(NullBuffer::from(self.valid)))
    }
}

/// The maps, their keys checked; or with the last value of each key, where the first one stood.
fn unique(
    context: &KernelContext,
    offsets: OffsetBuffer<i32>,
    keys: ArrayRef,
    values: ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    if !context.keeps_last_key {
        check_keys(&keys, &offsets)?;
        return map_array(&context.result, offsets, keys, values, nulls);
    }
    if keys.logical_null_count() > 0 {
        return Err(SparkError::new(&error_class::NULL_MAP_KEY));
    }
    let [rows] = comparable([&keys])?;
    let (mut firsts, mut lasts, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    for pair in offsets.windows(2) {
        let start = firsts.len();
        let mut places: HashMap<Row<'_>, usize> = HashMap::new();
        for entry in pair[0] as u32..pair[1] as u32 {
            let place = *places.entry(rows.row(entry as usize)).or_insert(firsts.len());
            if place == firsts.len() {
                firsts.push(entry);
                lasts.push(entry);
            } else {
                lasts[place] = entry;
            }
        }
        lengths.push(firsts.len() - start);
    }
    let keys = take(&keys, &UInt32Array::from(firsts), None).map_err(from_arrow)?;
    let values = take(&values, &UInt32Array::from(lasts), None).map_err(from_arrow)?;
    map_array(&context.result, OffsetBuffer::from_lengths(lengths), keys, values, nulls)
}

fn check_keys(keys: &ArrayRef, offsets: &OffsetBuffer<i32>) -> Result<()> {
    if keys.logical_null_count() > 0 {
        return Err(SparkError::new(&error_class::NULL_MAP_KEY));
    }
    let [rows] = comparable([keys])?;
    for pair in offsets.windows(2) {
        let mut seen: HashSet<Row<'_>> = HashSet::new();
        for entry in pair[0] as usize..pair[1] as usize {
            if !seen.insert(rows.row(entry)) {
                let key = literal::at(keys, entry, &from_arrow_type(keys.data_type()).unwrap_or(DataType::Null));
                return Err(SparkError::new(&error_class::DUPLICATED_MAP_KEY)
                    .param("key", literal::column_name(&key, "UTC"))
                    .param("mapKeyDedupPolicy", "\"spark.sql.mapKeyDedupPolicy\""));
            }
        }
    }
    Ok(())
}

/// A map column of a Spark type.
pub(crate) fn map_array(
    result: &DataType,
    offsets: OffsetBuffer<i32>,
    keys: ArrayRef,
    values: ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let (field, fields) = map_field(result)?;
    let keys = retyped(keys, fields[0].data_type())?;
    let values = retyped(values, fields[1].data_type())?;
    let entries = StructArray::try_new(fields, vec![keys, values], None).map_err(from_arrow)?;
    Ok(Arc::new(MapArray::try_new(field, offsets, entries, nulls, false).map_err(from_arrow)?))
}

fn joined(columns: &[ArrayRef], target: &Arrow) -> Result<ArrayRef> {
    let columns = columns.iter().map(|c| retyped(c.clone(), target)).collect::<Result<Vec<_>>>()?;
    let columns: Vec<&dyn Array> = columns.iter().map(AsRef::as_ref).collect();
    if columns.is_empty() { Ok(arrow::array::new_empty_array(target)) } else { concat(&columns).map_err(from_arrow) }
}

fn make_map(a: &Args) -> Result<ArrayRef> {
    let (_, fields) = map_field(&a.context.result)?;
    let half = a.len() / 2;
    let keys = joined(&a.arrays[..half], fields[0].data_type())?;
    let values = joined(&a.arrays[half..], fields[1].data_type())?;
    let mut maps = Maps::new();
    (0..a.rows).for_each(|row| maps.row((0..half).map(|column| column * a.rows + row)));
    maps.finish(a.context, &keys, &values)
}

fn parts(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[MAP])?;
    let DataType::Map(key, value, holds_nulls) = arguments[0].data_type.clone() else {
        return Err(SparkError::internal("a map that is none"));
    };
    let result = match name {
        "map_keys" => DataType::Array(key, false),
        "map_values" => DataType::Array(value, holds_nulls),
        _ => {
            let fields = vec![StructField::new("key", *key, false), StructField::new("value", *value, holds_nulls)];
            DataType::Array(Box::new(DataType::Struct(fields)), false)
        }
    };
    let nullable = any_nullable(&arguments);
    udf::call(ctx, name, arguments, result, nullable, sql)
}

fn contains_key(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("map_contains_key", &arguments);
    let DataType::Map(key, ..) = arguments[0].data_type.clone() else {
        return Err(coercion::unexpected_type(&arguments[0], &MAP, &sql, 0));
    };
    let accepts = [Accepts::Any, Accepts::Is(*key)];
    let arguments = coercion::coerce_arguments(ctx, "map_contains_key", arguments, &accepts)?;
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "map_contains_key", arguments, DataType::Boolean, nullable, sql)
}

fn has_key(a: &Args) -> Result<ArrayRef> {
    let maps = a.map(0)?;
    let key = retyped(a.array(1)?.clone(), maps.keys().data_type())?;
    let [keys, wanted] = comparable([maps.keys(), &key])?;
    a.booleans(|row| entries(maps, row).any(|entry| keys.row(entry) == wanted.row(row)))
}

fn map_concat(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("map_concat", &arguments);
    if let Some((i, wrong)) = arguments.iter().enumerate().find(|(_, a)| !matches!(a.data_type, DataType::Map(..))) {
        return Err(coercion::unexpected_type(wrong, &MAP, &sql, i));
    }
    let failed = diff_types(&error_class::DATATYPE_MISMATCH_MAP_CONCAT_DIFF_TYPES, &sql, "map_concat", &arguments);
    let arguments = coercion::unify(ctx, arguments)?.ok_or(failed)?;
    let result = arguments
        .first()
        .map_or(DataType::Map(Box::new(DataType::STRING), Box::new(DataType::STRING), true), |first| {
            first.data_type.clone()
        });
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "map_concat", arguments, result, nullable, sql)
}

fn concatenated(a: &Args) -> Result<ArrayRef> {
    let (_, fields) = map_field(&a.context.result)?;
    let all = (0..a.len()).map(|i| a.map(i)).collect::<Result<Vec<_>>>()?;
    let keys: Vec<_> = all.iter().map(|map| map.keys().clone()).collect();
    let values: Vec<_> = all.iter().map(|map| map.values().clone()).collect();
    let mut starts = vec![0];
    keys.iter().for_each(|keys| starts.push(starts[starts.len() - 1] + keys.len()));
    let (keys, values) = (joined(&keys, fields[0].data_type())?, joined(&values, fields[1].data_type())?);
    let nulls = a.nulls();
    let mut maps = Maps::new();
    for row in 0..a.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            maps.null();
        } else {
            maps.row(
                all.iter().zip(&starts).flat_map(|(map, start)| entries(map, row).map(move |entry| entry + start)),
            );
        }
    }
    maps.finish(a.context, &keys, &values)
}

fn from_arrays(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("map_from_arrays", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "map_from_arrays", arguments, &[LIST])?;
    let (DataType::Array(key, _), DataType::Array(value, holds_nulls)) =
        (arguments[0].data_type.clone(), arguments[1].data_type.clone())
    else {
        return Err(SparkError::internal("an array that is none"));
    };
    check_key_type(&key, &sql)?;
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "map_from_arrays", arguments, DataType::Map(key, value, holds_nulls), nullable, sql)
}

fn of_arrays(a: &Args) -> Result<ArrayRef> {
    let (keys, values) = (a.list(0)?, a.list(1)?);
    let nulls = a.nulls();
    let (mut at_keys, mut at_values, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..a.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            lengths.push(0);
            continue;
        }
        let (k, v) = (range(keys, row), range(values, row));
        if k.len() != v.len() {
            return Err(SparkError::new(&error_class::MAP_ARRAYS_DIFF_LENGTH));
        }
        lengths.push(k.len());
        at_keys.extend(k.map(|i| i as u32));
        at_values.extend(v.map(|i| i as u32));
    }
    let keys = take(keys.values(), &UInt32Array::from(at_keys), None).map_err(from_arrow)?;
    let values = take(values.values(), &UInt32Array::from(at_values), None).map_err(from_arrow)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    unique(a.context, offsets, keys, values, nulls)
}

fn from_entries(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("map_from_entries", &arguments);
    let wrong = || {
        SparkError::new(&error_class::DATATYPE_MISMATCH_MAP_FROM_ENTRIES_WRONG_TYPE)
            .param("sqlExpr", coercion::quoted(&sql))
            .param("functionName", "`map_from_entries`")
            .param("childExpr", coercion::quoted(&arguments[0].sql))
            .param("childType", coercion::type_sql(&arguments[0].data_type))
    };
    let DataType::Array(element, holds_nulls) = arguments[0].data_type.clone() else { return Err(wrong()) };
    let DataType::Struct(fields) = *element else { return Err(wrong()) };
    let [key, value] = <[StructField; 2]>::try_from(fields).map_err(|_| wrong())?;
    check_key_type(&key.data_type, &sql)?;
    let nullable = any_nullable(&arguments) || holds_nulls;
    let result = DataType::Map(Box::new(key.data_type), Box::new(value.data_type), value.nullable);
    udf::call(ctx, "map_from_entries", arguments, result, nullable, sql)
}

/// A null entry makes the whole map null.
fn of_entries(a: &Args) -> Result<ArrayRef> {
    let lists = a.list(0)?;
    let structs = lists.values().as_struct();
    let mut maps = Maps::new();
    for row in 0..a.rows {
        if lists.is_null(row) || range(lists, row).any(|entry| structs.is_null(entry)) {
            maps.null();
        } else {
            maps.row(range(lists, row));
        }
    }
    maps.finish(a.context, structs.column(0), structs.column(1))
}

fn str_to_map(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    if arguments.len() < 2 {
        arguments.push(text_literal(","));
    }
    if arguments.len() < 3 {
        arguments.push(text_literal(":"));
    }
    let sql = coercion::call_sql("str_to_map", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "str_to_map", arguments, &[TEXT])?;
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "str_to_map", arguments, DataType::map(DataType::STRING, DataType::STRING), nullable, sql)
}

fn split(a: &Args) -> Result<ArrayRef> {
    use arrow::array::StringArray;
    let (text, pair, key_value) = (a.text(0)?, a.text(1)?, a.text(2)?);
    let nulls = a.nulls();
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    let mut maps = Maps::new();
    for row in 0..a.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            maps.null();
            continue;
        }
        let before = keys.len();
        let pairs = crate::families::text::regex::pieces("str_to_map", text.value(row), pair.value(row))?;
        for entry in pairs {
            let parts = crate::families::text::regex::halves("str_to_map", entry, key_value.value(row))?;
            keys.push(parts.0.to_owned());
            values.push(parts.1.map(str::to_owned));
        }
        maps.row(before..keys.len());
    }
    let keys: ArrayRef = Arc::new(StringArray::from(keys));
    let values: ArrayRef = Arc::new(StringArray::from(values));
    maps.finish(a.context, &keys, &values)
}
