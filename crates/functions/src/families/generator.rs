//! Generators: one row in, any number of rows out. Each becomes an array of structs, a struct per row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, StringArray};
use arrow::datatypes::DataType as Arrow;
use datafusion::common::ScalarValue;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::types_arrow::to_arrow;
use firesteel_spec::{DataType, StructField};

use super::args::Args;
use super::collection::build::struct_array;
use super::collection::gather::{Gather, entries, range};
use super::rows::{TEXT, definitions, fold, kernels, literal};
use crate::call::{FunctionContext, GeneratorCall, GeneratorKind, Typed};
use crate::coercion::{self, Accepts};
use crate::registry::ANY;
use crate::udf;
use crate::variant::{Kind, Value, variants};

use GeneratorKind::{Inner, Outer};

definitions! {
    "explode" (1, 1), Generator(|c, a| explode(c, "explode", a, false, Inner)), "a row for every element or entry";
    "explode_outer" (1, 1), Generator(|c, a| explode(c, "explode_outer", a, false, Outer)), "a row for every element or entry, a row of nulls where there is none";
    "posexplode" (1, 1), Generator(|c, a| explode(c, "posexplode", a, true, Inner)), "a row for every element or entry, with its position";
    "posexplode_outer" (1, 1), Generator(|c, a| explode(c, "posexplode_outer", a, true, Outer)), "a row for every element or entry, with its position, a row of nulls where there is none";
    "inline" (1, 1), Generator(|c, a| inline(c, "inline", a, Inner)), "a row for every struct in an array";
    "inline_outer" (1, 1), Generator(|c, a| inline(c, "inline_outer", a, Outer)), "a row for every struct in an array, a row of nulls where there is none";
    "stack" (2, ANY), Generator(stack), "the arguments in so many rows";
    "variant_explode" (1, 1), Generator(|c, a| variant_explode(c, "variant_explode", a, Inner)), "a row for every field or element of a VARIANT";
    "variant_explode_outer" (1, 1), Generator(|c, a| variant_explode(c, "variant_explode_outer", a, Outer)), "a row for every field or element of a VARIANT, a row of nulls where there is none";
    "json_tuple" (2, ANY), Generator(json_tuple), "fields of a JSON object, as columns";
}

kernels! {
    "generate_elements" => elements;
    "generate_structs" => structs;
    "variant_explode" => variant_parts;
    "json_tuple" => super::json::path::tuples;
}

/// A call whose rows the kernel gives.
fn generated(
    ctx: &FunctionContext,
    kernel: &str,
    kind: GeneratorKind,
    arguments: Vec<Typed>,
    columns: Vec<StructField>,
    sql: String,
) -> Result<GeneratorCall> {
    let result = DataType::Array(Box::new(DataType::Struct(columns.clone())), false);
    let rows = udf::call(ctx, kernel, arguments, result, true, sql.clone())?;
    let columns =
        columns.into_iter().map(|column| StructField { nullable: column.nullable || kind == Outer, ..column });
    Ok(GeneratorCall { kind, rows: rows.expr, columns: columns.collect(), sql })
}

/// The argument, which may not be a bare NULL. Errors name the generator without `_outer`.
fn taken(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>, accepts: &Accepts) -> Result<Vec<Typed>> {
    let plain = name.trim_end_matches("_outer");
    match arguments.first() {
        Some(value) if value.data_type == DataType::Null => {
            Err(coercion::unexpected_type(value, accepts, &coercion::call_sql(plain, &arguments), 0))
        }
        _ => coercion::coerce_arguments(ctx, plain, arguments, std::slice::from_ref(accepts)),
    }
}

const EXPLODED: Accepts = Accepts::OneOf(&[Accepts::Array, Accepts::Map]);

fn explode(
    ctx: &FunctionContext,
    name: &str,
    arguments: Vec<Typed>,
    has_position: bool,
    kind: GeneratorKind,
) -> Result<GeneratorCall> {
    let sql = coercion::call_sql(name, &arguments);
    let arguments = taken(ctx, name, arguments, &EXPLODED)?;
    let mut columns = Vec::new();
    if has_position {
        columns.push(StructField::new("pos", DataType::Integer, false));
    }
    match &arguments[0].data_type {
        DataType::Map(key, value, holds_nulls) => {
            columns.push(StructField::new("key", key.as_ref().clone(), false));
            columns.push(StructField::new("value", value.as_ref().clone(), *holds_nulls));
        }
        DataType::Array(element, holds_nulls) => {
            columns.push(StructField::new("col", element.as_ref().clone(), *holds_nulls));
        }
        _ => return Err(coercion::unexpected_type(&arguments[0], &EXPLODED, &sql, 0)),
    }
    generated(ctx, "generate_elements", kind, arguments, columns, sql)
}

fn element_type(a: &Args) -> Result<Arrow> {
    match to_arrow(&a.context.result) {
        Arrow::List(field) => Ok(field.data_type().clone()),
        _ => Err(SparkError::internal("a generator gives no array")),
    }
}

/// Elements or entries, behind their positions where the result has one field more.
fn elements(a: &Args) -> Result<ArrayRef> {
    let array = a.array(0)?;
    let (list, map) = (array.as_list_opt::<i32>(), array.as_map_opt());
    let sources: Vec<ArrayRef> = match (list, map) {
        (Some(list), _) => vec![list.values().clone()],
        (_, Some(map)) => vec![map.keys().clone(), map.values().clone()],
        _ => return Err(SparkError::internal("only arrays and maps are exploded")),
    };
    let (mut picked, mut rows, mut positions) = (Gather::default(), Gather::default(), Vec::new());
    for row in 0..a.rows {
        if array.is_null(row) {
            rows.null();
            continue;
        }
        let range = match (list, map) {
            (Some(list), _) => range(list, row),
            (_, Some(map)) => entries(map, row),
            _ => 0..0,
        };
        let first = positions.len();
        positions.extend(0..range.len() as i32);
        rows.row((first..positions.len()).map(Some));
        picked.row(range.map(Some));
    }
    let total = positions.len();
    let mut columns = sources.iter().map(|source| picked.elements(source)).collect::<Result<Vec<_>>>()?;
    let element = element_type(a)?;
    if let Arrow::Struct(fields) = &element
        && fields.len() > columns.len()
    {
        columns.insert(0, Arc::new(Int32Array::from(positions)));
    }
    rows.finish_with(&a.context.result, struct_array(&element, columns, total)?)
}

fn inline(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>, kind: GeneratorKind) -> Result<GeneratorCall> {
    const STRUCTS: Accepts = Accepts::ArrayOf(&Accepts::Struct);
    let sql = coercion::call_sql(name, &arguments);
    let arguments = taken(ctx, name, arguments, &STRUCTS)?;
    let DataType::Array(element, holds_nulls) = &arguments[0].data_type else {
        return Err(coercion::unexpected_type(&arguments[0], &STRUCTS, &sql, 0));
    };
    let DataType::Struct(fields) = element.as_ref() else {
        return Err(coercion::unexpected_type(&arguments[0], &STRUCTS, &sql, 0));
    };
    let column = |f: &StructField| StructField { nullable: f.nullable || *holds_nulls, ..f.clone() };
    let columns = fields.iter().map(column).collect();
    generated(ctx, "generate_structs", kind, arguments, columns, sql)
}

/// Structs as they are, but a null one becomes one of nulls.
fn structs(a: &Args) -> Result<ArrayRef> {
    let lists = a.list(0)?;
    let structs = lists.values().as_struct();
    let (mut picked, mut rows, mut total) = (Gather::default(), Gather::default(), 0);
    for row in 0..a.rows {
        if lists.is_null(row) {
            rows.null();
            continue;
        }
        let range = range(lists, row);
        rows.row((total..total + range.len()).map(Some));
        total += range.len();
        picked.row(range.map(|i| structs.is_valid(i).then_some(i)));
    }
    let columns = structs.columns().iter().map(|column| picked.elements(column)).collect::<Result<Vec<_>>>()?;
    rows.finish_with(&a.context.result, struct_array(&element_type(a)?, columns, total)?)
}

fn stack(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<GeneratorCall> {
    let sql = coercion::call_sql("stack", &arguments);
    let count = arguments.remove(0);
    let rows = match fold(&count).and_then(|value| value.cast_to(&Arrow::Int64).ok()) {
        Some(ScalarValue::Int64(Some(rows))) if rows > 0 => rows as usize,
        _ => {
            return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_NON_FOLDABLE_INPUT)
                .param("sqlExpr", coercion::quoted(&sql))
                .param("inputName", "`n`")
                .param("inputType", "\"INT\"")
                .param("inputExpr", coercion::quoted(&count.sql)));
        }
    };
    let width = arguments.len().div_ceil(rows);
    let null = || literal(ScalarValue::Null, DataType::Null, "NULL");
    arguments.resize_with(rows * width, null);
    let mut columns = Vec::with_capacity(width);
    for column in 0..width {
        let values = arguments.iter().skip(column).step_by(width).cloned().collect();
        let unified = coercion::unify(ctx, values)?.ok_or_else(|| {
            SparkError::new(&error_class::DATATYPE_MISMATCH_DATA_DIFF_TYPES)
                .param("sqlExpr", coercion::quoted(&sql))
                .param("functionName", "`stack`")
                .param("dataType", format!("column {column}"))
        })?;
        let nullable = unified.iter().any(|value| value.nullable);
        columns.push(StructField::new(format!("col{column}"), unified[0].data_type.clone(), nullable));
        unified.into_iter().enumerate().for_each(|(row, value)| arguments[row * width + column] = value);
    }
    let row_type = DataType::Struct(columns.clone());
    let mut structs = Vec::with_capacity(rows);
    for row in arguments.chunks(width) {
        structs.push(udf::call(ctx, "make_struct", row.to_vec(), row_type.clone(), false, String::new())?);
    }
    let rows = udf::call(ctx, "make_array", structs, DataType::Array(Box::new(row_type), false), false, sql.clone())?;
    Ok(GeneratorCall { kind: Inner, rows: rows.expr, columns, sql })
}

fn variant_explode(
    ctx: &FunctionContext,
    name: &str,
    arguments: Vec<Typed>,
    kind: GeneratorKind,
) -> Result<GeneratorCall> {
    let sql = coercion::call_sql(name, &arguments);
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[Accepts::Is(DataType::Variant)])?;
    let columns = vec![
        StructField::new("pos", DataType::Integer, false),
        StructField::new("key", DataType::STRING, true),
        StructField::new("value", DataType::Variant, false),
    ];
    generated(ctx, "variant_explode", kind, arguments, columns, sql)
}

/// Fields with their names, elements without; nothing for other values.
fn variant_parts(a: &Args) -> Result<ArrayRef> {
    let (mut positions, mut keys, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    let mut rows = Gather::default();
    for value in variants(a.array(0)?) {
        let first = positions.len();
        match value.map(Value::kind).transpose()? {
            Some(Kind::Object(fields)) => {
                for i in 0..fields.len() {
                    let (name, value) = fields.at(i)?;
                    positions.push(i as i32);
                    keys.push(Some(name));
                    parts.push(Some(value.pair()?));
                }
            }
            Some(Kind::Array(elements)) => {
                for i in 0..elements.len() {
                    positions.push(i as i32);
                    keys.push(None);
                    parts.push(Some(elements.at(i)?.pair()?));
                }
            }
            _ => {
                rows.null();
                continue;
            }
        }
        rows.row((first..positions.len()).map(Some));
    }
    let total = positions.len();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(positions)),
        Arc::new(StringArray::from(keys)),
        crate::variant::array(parts.into_iter())?,
    ];
    rows.finish_with(&a.context.result, struct_array(&element_type(a)?, columns, total)?)
}

fn json_tuple(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<GeneratorCall> {
    let sql = coercion::call_sql("json_tuple", &arguments);
    if arguments.iter().any(|argument| !matches!(argument.data_type, DataType::String(_))) {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_NON_STRING_TYPE)
            .param("sqlExpr", coercion::quoted(&sql))
            .param("funcName", "`json_tuple`"));
    }
    let arguments = coercion::coerce_arguments(ctx, "json_tuple", arguments, &[TEXT])?;
    let column = |i: usize| StructField::new(format!("c{i}"), DataType::STRING, true);
    let columns = (0..arguments.len() - 1).map(column).collect();
    generated(ctx, "json_tuple", Inner, arguments, columns, sql)
}
