//! `a.b`, `a[i]`, `m[k]`, `element_at`, `get`: what is inside a struct, an array or a map.

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::Int64Type;
use datafusion::common::ScalarValue;
use firesteel_model::error_class::ErrorClass;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::types::quote;
use firesteel_spec::{DataType, StructField};

use super::field_access;
use super::gather::{Gather, comparable, entries, list as list_of, range, retyped};
use crate::call::{FunctionContext, Typed};
use crate::coercion::{Accepts, call_sql, coerce_argument, quoted, type_sql, unexpected_type};
use crate::errors::from_arrow;
use crate::families::args::Args;
use crate::families::rows::{INT, INTEGRAL, constant, definitions};
use crate::udf::{self, Kernel};

definitions! {
    "get" (2, 2), Scalar(get), "the element at an index from 0, or NULL";
    "element_at" (2, 2), Scalar(|c, a| element_at(c, "element_at", a)), "the element at a place from 1 or from the end, or a map's value";
    "try_element_at" (2, 2), Scalar(|c, a| element_at(c, "try_element_at", a)), "the same, NULL where there is none";
}

/// The kernels of this file.
pub(crate) static KERNELS: &[Kernel] = &[
    Kernel::arrays("array_item", |context, arrays, rows| item(&Args { context, arrays, rows })).raising(),
    Kernel::arrays("array_element_at", |context, arrays, rows| placed(&Args { context, arrays, rows })).raising(),
    Kernel::arrays("array_struct_fields", |context, arrays, rows| fields(&Args { context, arrays, rows })),
    Kernel::arrays("map_item", |context, arrays, rows| value(&Args { context, arrays, rows })),
];

/// A field of a struct, or of every struct in an array; the element of an array at an index from 0; a map's value.
///
/// Errors: `FIELD_NOT_FOUND`, `AMBIGUOUS_REFERENCE_TO_FIELDS`, `INVALID_EXTRACT_BASE_FIELD_TYPE`,
/// `INVALID_EXTRACT_FIELD_TYPE`; while running, `INVALID_ARRAY_INDEX` in ANSI mode.
pub fn build(ctx: &FunctionContext, child: Typed, key: Typed) -> Result<Typed> {
    let named = match constant(&key) {
        Some(ScalarValue::Utf8(Some(name))) => Some(name.clone()),
        _ => None,
    };
    let of_item = format!("{}[{}]", child.sql, key.sql);
    match (&child.data_type, named) {
        (DataType::Struct(fields), Some(name)) => field_of(&child, find_field(fields, &name)?, &name),
        (DataType::Struct(_), None) => {
            Err(SparkError::new(&error_class::INVALID_EXTRACT_FIELD_TYPE).param("extraction", quoted(&key.sql)))
        }
        (DataType::Array(element, contains_null), named) => match (element.as_ref(), named) {
            (DataType::Struct(fields), Some(name)) => {
                let index = find_field(fields, &name)?;
                let field = &fields[index];
                let result = DataType::Array(Box::new(field.data_type.clone()), *contains_null || field.nullable);
                let (sql, nullable) = (format!("{}.{name}", child.sql), child.nullable);
                udf::call_with(ctx, "array_struct_fields", vec![child], result, nullable, sql, vec![index.to_string()])
            }
            (element, _) => {
                let element = element.clone();
                let key = coerce_argument(ctx, key, &INTEGRAL, &of_item, 1)?;
                udf::call(ctx, "array_item", vec![child, key], element, true, of_item)
            }
        },
        (DataType::Map(..), _) => map_value(ctx, child, key, of_item),
        // NULL of no type holds everything, and all of it is NULL.
        (DataType::Null, named) => Ok(Typed { sql: named.unwrap_or(of_item), ..child }),
        _ => Err(SparkError::new(&error_class::INVALID_EXTRACT_BASE_FIELD_TYPE)
            .param("base", quoted(&child.sql))
            .param("other", type_sql(&child.data_type))),
    }
}

/// Field `index` of a struct under the name by which it was asked for.
pub(crate) fn field_of(child: &Typed, index: usize, name: &str) -> Result<Typed> {
    let DataType::Struct(fields) = &child.data_type else {
        return Err(SparkError::internal(format!("{} is no struct", child.data_type.sql())));
    };
    let field = fields.get(index).ok_or_else(|| SparkError::internal(format!("a struct has no field {index}")))?;
    Ok(Typed {
        expr: field_access::field(child.expr.clone(), index, Some(field.name.clone())),
        data_type: field.data_type.clone(),
        nullable: child.nullable || field.nullable,
        sql: format!("{}.{name}", child.sql),
    })
}

/// The place of the field of that name, in any case.
pub(crate) fn find_field(fields: &[StructField], name: &str) -> Result<usize> {
    let wanted = name.to_lowercase();
    let mut found = fields.iter().enumerate().filter(|(_, field)| field.name.to_lowercase() == wanted);
    match (found.next(), found.count()) {
        (Some((index, _)), 0) => Ok(index),
        (Some(_), more) => Err(SparkError::new(&error_class::AMBIGUOUS_REFERENCE_TO_FIELDS)
            .param("field", quote(name))
            .param("count", (more + 1).to_string())),
        (None, _) => {
            let names: Vec<_> = fields.iter().map(|field| quote(&field.name)).collect();
            Err(SparkError::new(&error_class::FIELD_NOT_FOUND)
                .param("fieldName", quote(name))
                .param("fields", names.join(", ")))
        }
    }
}

fn map_value(ctx: &FunctionContext, map: Typed, key: Typed, sql: String) -> Result<Typed> {
    let DataType::Map(key_type, value_type, _) = map.data_type.clone() else {
        return Err(unexpected_type(&map, &Accepts::Map, &sql, 0));
    };
    let key = coerce_argument(ctx, key, &Accepts::Is(*key_type), &sql, 1)?;
    udf::call(ctx, "map_item", vec![map, key], *value_type, true, sql)
}

fn element_of(array: &Typed, sql: &str) -> Result<DataType> {
    match &array.data_type {
        DataType::Array(element, _) => Ok(element.as_ref().clone()),
        _ => Err(unexpected_type(array, &Accepts::Array, sql, 0)),
    }
}

fn get(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = call_sql("get", &arguments);
    let Ok([array, index]) = <[Typed; 2]>::try_from(arguments) else {
        return Err(SparkError::internal("get takes two arguments"));
    };
    let element = element_of(&array, &sql)?;
    let index = coerce_argument(ctx, index, &INTEGRAL, &sql, 1)?;
    let lenient = FunctionContext { ansi: false, ..ctx.clone() };
    udf::call(&lenient, "array_item", vec![array, index], element, true, sql)
}

fn element_at(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    const BASE: Accepts = Accepts::OneOf(&[Accepts::Array, Accepts::Map]);
    let sql = call_sql(name, &arguments);
    let Ok([base, key]) = <[Typed; 2]>::try_from(arguments) else {
        return Err(SparkError::internal(format!("{name} takes two arguments")));
    };
    let base = coerce_argument(ctx, base, &BASE, &sql, 0)?;
    if matches!(base.data_type, DataType::Map(..)) {
        return map_value(ctx, base, key, sql);
    }
    let element = element_of(&base, &sql)?;
    let place = coerce_argument(ctx, key, &INT, &sql, 1)?;
    let ctx = FunctionContext { ansi: ctx.ansi && name == "element_at", ..ctx.clone() };
    udf::call(&ctx, "array_element_at", vec![base, place], element, true, sql)
}

/// `INVALID_ARRAY_INDEX` and its kin.
fn bad_index(class: &'static ErrorClass, index: i64, size: usize) -> SparkError {
    SparkError::new(class)
        .param("indexValue", index.to_string())
        .param("arraySize", size.to_string())
        .param("ansiConfig", "\"spark.sql.ansi.enabled\"")
}

fn whole_numbers(array: &ArrayRef) -> Result<PrimitiveArray<Int64Type>> {
    let longs = arrow::compute::cast(array, &arrow::datatypes::DataType::Int64).map_err(from_arrow)?;
    Ok(longs.as_primitive::<Int64Type>().clone())
}

/// One element per row, at the place that `find` gives for index and length.
fn picked(a: &Args, class: &'static ErrorClass, find: fn(i64, usize) -> Result<Option<usize>>) -> Result<ArrayRef> {
    let (list, index) = (a.list(0)?, whole_numbers(a.array(1)?)?);
    let mut gather = Gather::default();
    for row in 0..a.rows {
        if list.is_null(row) || index.is_null(row) {
            gather.row([None]);
            continue;
        }
        let (places, wanted) = (range(list, row), index.value(row));
        let found = find(wanted, places.len())?.filter(|found| *found < places.len());
        if found.is_none() && a.context.ansi {
            return Err(bad_index(class, wanted, places.len()));
        }
        gather.row([found.map(|found| places.start + found)]);
    }
    gather.elements(list.values())
}

fn item(a: &Args) -> Result<ArrayRef> {
    picked(a, &error_class::INVALID_ARRAY_INDEX, |index, _| Ok(usize::try_from(index).ok()))
}

/// Places count from 1, and from the end where they are below 0.
fn placed(a: &Args) -> Result<ArrayRef> {
    picked(a, &error_class::INVALID_ARRAY_INDEX_IN_ELEMENT_AT, |place, length| match place {
        0 => Err(SparkError::new(&error_class::INVALID_INDEX_OF_ZERO)),
        place if place > 0 => Ok(usize::try_from(place - 1).ok()),
        place => Ok(usize::try_from(place.unsigned_abs()).ok().and_then(|back| length.checked_sub(back))),
    })
}

fn fields(a: &Args) -> Result<ArrayRef> {
    let (list, index) = (a.list(0)?, a.option(0)?);
    let column = index.parse::<usize>().ok().zip(list.values().as_struct_opt()).and_then(|(index, structs)| {
        structs.columns().get(index).map(|column| field_access::masked(column, structs.nulls()))
    });
    let Some(column) = column else {
        return Err(SparkError::internal(format!("an array's structs lack field {index}")));
    };
    list_of(&a.context.result, list.offsets().clone(), column?, list.nulls().cloned())
}

/// The value under a key; null where there is none.
fn value(a: &Args) -> Result<ArrayRef> {
    let map = a.map(0)?;
    let wanted = retyped(a.array(1)?.clone(), map.keys().data_type())?;
    let [keys, sought] = comparable([map.keys(), &wanted])?;
    let mut gather = Gather::default();
    for row in 0..a.rows {
        let valid = map.is_valid(row) && wanted.is_valid(row);
        let found = valid.then(|| entries(map, row).find(|entry| keys.row(*entry) == sought.row(row)));
        gather.row([found.flatten()]);
    }
    gather.elements(map.values())
}
