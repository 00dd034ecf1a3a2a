//! Functions of VARIANT.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray};
use arrow::datatypes as types;
use datafusion::common::ScalarValue;
use datafusion::common::utils::SingleRowListArrayBuilder;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::to_arrow;

use super::args::Args;
use super::collection::gather::{entries, range};
use super::json::convert::{not_constant, parse_schema};
use super::rows::{ANY, TEXT, definitions, fold_text, kernels};
use crate::call::{FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::datetime::Zone;
use crate::errors::from_datafusion;
use crate::udf;
use crate::variant::{Builder, Kind, Value, VariantType, array, column, variants};

definitions! {
    "parse_json" (1, 1), Scalar(|c, a| parse(c, "parse_json", a)), "the VARIANT that a JSON text stands for";
    "try_parse_json" (1, 1), Scalar(|c, a| parse(c, "try_parse_json", a)), "the VARIANT that a JSON text stands for, null where it stands for none";
    "is_variant_null" (1, 1), Scalar(|c, a| made(c, "is_variant_null", a, DataType::Boolean, false)), "whether a VARIANT is the null of JSON";
    "is_valid_variant" (1, 1), Scalar(|c, a| made(c, "is_valid_variant", a, DataType::Boolean, true)), "whether the bytes of a VARIANT are sound";
    "schema_of_variant" (1, 1), Scalar(|c, a| made(c, "schema_of_variant", a, DataType::STRING, true)), "the type of a VARIANT";
    "variant_get" (2, 3), Scalar(|c, a| get(c, "variant_get", a)), "the part of a VARIANT at a path, as a type";
    "try_variant_get" (2, 3), Scalar(|c, a| get(c, "try_variant_get", a)), "the part of a VARIANT at a path, as a type, null where it is no such value";
    "to_variant_object" (1, 1), Scalar(to_variant), "a nested value as a VARIANT, structs as objects";
}

kernels! {
    "parse_json" raising => parse_texts;
    "is_variant_null" => |a| {
        let flags = variants(a.array(0)?).into_iter().map(|value| Some(value.is_some_and(Value::is_null)));
        Ok(Arc::new(flags.collect::<BooleanArray>()))
    };
    "is_valid_variant" => |a| {
        let zone = Zone::utc();
        let sound = |value: Value<'_>| value.write_json(&mut String::new(), &zone).is_ok();
        let flags = variants(a.array(0)?).into_iter().map(|value| value.map(sound));
        Ok(Arc::new(flags.collect::<BooleanArray>()))
    };
    "schema_of_variant" => |a| {
        let schema = |value: Option<Value<'_>>| value.map(|value| Ok(VariantType::of(value)?.sql())).transpose();
        Ok(Arc::new(variants(a.array(0)?).into_iter().map(schema).collect::<Result<StringArray>>()?))
    };
    "variant_get" raising => get_parts;
    "to_variant" => write_variants;
}

const VARIANT: Accepts = Accepts::Is(DataType::Variant);

fn made(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>, result: DataType, nullable: bool) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[VARIANT])?;
    udf::call(ctx, name, arguments, result, nullable, sql)
}

fn parse(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[TEXT])?;
    udf::call_with(ctx, "parse_json", arguments, DataType::Variant, true, sql, vec![name.to_owned()])
}

/// Spark's own bound of a VARIANT, in bytes.
const SIZE_MAX: usize = 128 << 20;

fn parse_texts(a: &Args) -> Result<ArrayRef> {
    let (text, name) = (a.text(0)?, a.option(0)?);
    let is_try = name == "try_parse_json";
    let mut values = Vec::with_capacity(a.rows);
    for row in 0..a.rows {
        if text.is_null(row) {
            values.push(None);
            continue;
        }
        let mut builder = Builder::default();
        match builder.json(text.value(row), false) {
            Ok(true) if builder.len() > SIZE_MAX && !is_try => {
                return Err(SparkError::new(&error_class::VARIANT_SIZE_LIMIT)
                    .param("sizeLimit", "128.0 MiB")
                    .param("functionName", format!("`{name}`")));
            }
            Ok(true) => values.push(Some(builder.finish())),
            Ok(false) | Err(_) if is_try => values.push(None),
            Ok(false) => {
                return Err(SparkError::new(&error_class::MALFORMED_RECORD_IN_PARSING_WITHOUT_SUGGESTION)
                    .param("badRecord", text.value(row))
                    .param("failFastMode", "FAILFAST"));
            }
            Err(error) => return Err(error),
        }
    }
    array(values.into_iter())
}

/// A step of a path.
enum Step {
    Field(String),
    Element(usize),
}

/// `$.a['b'][0]`
fn parse_path(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            if end == 0 {
                return None;
            }
            steps.push(Step::Field(after[..end].to_owned()));
            rest = &after[end..];
            continue;
        }
        let inside = rest.strip_prefix('[')?;
        if let Some(quote) = inside.chars().next().filter(|c| matches!(c, '\'' | '"')) {
            let (name, after) = inside[1..].split_once(quote)?;
            steps.push(Step::Field(name.to_owned()));
            rest = after.strip_prefix(']')?;
        } else {
            let (index, after) = inside.split_once(']')?;
            steps.push(Step::Element(index.parse().ok()?));
            rest = after;
        }
    }
    Some(steps)
}

fn get(ctx: &FunctionContext, name: &str, mut arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments[..2]);
    let target = match arguments.get(2) {
        None => DataType::Variant,
        Some(given) => parse_schema(&fold_text(given).ok_or_else(|| not_constant(&sql, "type", given))?)?,
    };
    if !crate::cast::can_cast(&DataType::Variant, &target, true) {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_CAST_WITHOUT_SUGGESTION)
            .param("sqlExpr", coercion::quoted(&sql))
            .param("srcType", coercion::type_sql(&DataType::Variant))
            .param("targetType", coercion::type_sql(&target)));
    }
    arguments.truncate(2);
    if let Some(path) = fold_text(&arguments[1]) {
        parse_path(&path).ok_or_else(|| no_path(name, &path))?;
    }
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[VARIANT, TEXT])?;
    udf::call_with(ctx, "variant_get", arguments, nullable(target), true, sql, vec![name.to_owned()])
}

fn nullable(target: DataType) -> DataType {
    super::json::convert::nullable(target)
}

fn no_path(name: &str, path: &str) -> SparkError {
    SparkError::new(&error_class::INVALID_VARIANT_GET_PATH)
        .param("path", path)
        .param("functionName", format!("`{name}`"))
}

fn get_parts(a: &Args) -> Result<ArrayRef> {
    let (paths, name) = (a.text(1)?, a.option(0)?);
    let mut known: Option<(&str, Vec<Step>)> = None;
    let mut parts = Vec::with_capacity(a.rows);
    for (row, value) in variants(a.array(0)?).into_iter().enumerate() {
        let Some(value) = value.filter(|_| paths.is_valid(row)) else {
            parts.push(None);
            continue;
        };
        let path = paths.value(row);
        if known.as_ref().is_none_or(|(text, _)| *text != path) {
            known = Some((path, parse_path(path).ok_or_else(|| no_path(name, path))?));
        }
        parts.push(follow(value, known.as_ref().map_or(&[], |(_, steps)| steps.as_slice()))?);
    }
    column(&parts, &a.context.result, name == "variant_get", &Zone::parse(&a.context.time_zone)?)
}

fn follow<'a>(value: Value<'a>, steps: &[Step]) -> Result<Option<Value<'a>>> {
    let mut value = value;
    for step in steps {
        let next = match (step, value.kind()?) {
            (Step::Field(name), Kind::Object(fields)) => fields.get(name)?,
            (Step::Element(i), Kind::Array(elements)) if *i < elements.len() => Some(elements.at(*i)?),
            _ => None,
        };
        match next {
            Some(next) => value = next,
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}

fn to_variant(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("to_variant_object", &arguments);
    let nested = matches!(arguments[0].data_type, DataType::Struct(_) | DataType::Array(..) | DataType::Map(..));
    if !nested || !can_be_written(&arguments[0].data_type) {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_CAST_WITHOUT_SUGGESTION)
            .param("sqlExpr", coercion::quoted(&sql))
            .param("srcType", coercion::type_sql(&arguments[0].data_type))
            .param("targetType", coercion::type_sql(&DataType::Variant)));
    }
    let arguments = coercion::coerce_arguments(ctx, "to_variant_object", arguments, &[ANY])?;
    let nullable = arguments[0].nullable;
    udf::call(ctx, "to_variant", arguments, DataType::Variant, nullable, sql)
}

fn can_be_written(data_type: &DataType) -> bool {
    match data_type {
        DataType::Struct(fields) => fields.iter().all(|field| can_be_written(&field.data_type)),
        DataType::Array(element, _) => can_be_written(element),
        DataType::Map(key, value, _) => key.is_string() && can_be_written(value),
        DataType::Time(_)
        | DataType::YearMonthInterval(..)
        | DataType::DayTimeInterval(..)
        | DataType::CalendarInterval
        | DataType::Udt(_) => false,
        _ => true,
    }
}

fn write_variants(a: &Args) -> Result<ArrayRef> {
    to_variants(a.array(0)?, a.data_type(0)?)
}

/// Constants of a type as one VARIANT, a list or the one there is; its value and metadata. Nothing where VARIANT holds no
/// such type.
pub fn variant_of(values: &[&ScalarValue], is_list: bool, data_type: &DataType) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    if !can_be_written(data_type) {
        return Ok(None);
    }
    let element = match data_type {
        DataType::Array(element, _) if is_list => element,
        other => other,
    };
    let wanted = to_arrow(element);
    if values.iter().any(|value| value.data_type() != wanted) {
        return Ok(None);
    }
    let values = ScalarValue::iter_to_array(values.iter().copied().cloned()).map_err(from_datafusion)?;
    let values: ArrayRef = match is_list {
        true => Arc::new(SingleRowListArrayBuilder::new(values).build_list_array()),
        false => values,
    };
    let mut builder = Builder::default();
    write(&mut builder, &values, data_type, 0)?;
    Ok(Some(builder.finish()))
}

/// A column of any type that VARIANT holds as VARIANT.
pub(crate) fn to_variants(values: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    let mut out = Vec::with_capacity(values.len());
    for row in 0..values.len() {
        if values.is_null(row) {
            out.push(None);
            continue;
        }
        let mut builder = Builder::default();
        write(&mut builder, values, data_type, row)?;
        out.push(Some(builder.finish()));
    }
    array(out.into_iter())
}

fn write(out: &mut Builder, array: &ArrayRef, data_type: &DataType, row: usize) -> Result<()> {
    if array.is_null(row) || *data_type == DataType::Null {
        out.null();
        return Ok(());
    }
    match data_type {
        DataType::Boolean => out.boolean(array.as_boolean().value(row)),
        DataType::Byte => out.long(i64::from(array.as_primitive::<types::Int8Type>().value(row))),
        DataType::Short => out.long(i64::from(array.as_primitive::<types::Int16Type>().value(row))),
        DataType::Integer => out.long(i64::from(array.as_primitive::<types::Int32Type>().value(row))),
        DataType::Long => out.long(array.as_primitive::<types::Int64Type>().value(row)),
        DataType::Float => out.float(array.as_primitive::<types::Float32Type>().value(row)),
        DataType::Double => out.double(array.as_primitive::<types::Float64Type>().value(row)),
        DataType::Decimal(_, scale) => {
            out.decimal(array.as_primitive::<types::Decimal128Type>().value(row), scale.unsigned_abs());
        }
        DataType::Date => out.date(array.as_primitive::<types::Date32Type>().value(row)),
        DataType::Timestamp => out.timestamp(array.as_primitive::<types::TimestampMicrosecondType>().value(row)),
        DataType::TimestampNtz => {
            out.timestamp_ntz(array.as_primitive::<types::TimestampMicrosecondType>().value(row));
        }
        DataType::Binary => out.binary(array.as_binary::<i32>().value(row)),
        t if t.is_string() => out.string(array.as_string::<i32>().value(row)),
        DataType::Variant => {
            if let Some(value) = variants(&array.slice(row, 1)).into_iter().flatten().next() {
                out.value(value)?;
            }
        }
        DataType::Array(element, _) => {
            let (list, start) = (array.as_list::<i32>(), out.start());
            let mut offsets = Vec::new();
            for i in range(list, row) {
                offsets.push(out.start());
                write(out, list.values(), element, i)?;
            }
            out.array(start, &offsets);
        }
        DataType::Map(_, value, _) => {
            let (map, start) = (array.as_map(), out.start());
            let keys = map.keys().as_string::<i32>();
            let mut fields = Vec::new();
            for i in entries(map, row) {
                fields.push(out.field(keys.value(i)));
                write(out, map.values(), value, i)?;
            }
            out.object(start, fields, false)?;
        }
        DataType::Struct(parts) => {
            let (columns, start) = (array.as_struct().columns(), out.start());
            let mut fields = Vec::new();
            for (part, column) in parts.iter().zip(columns) {
                fields.push(out.field(&part.name));
                write(out, column, &part.data_type, row)?;
            }
            out.object(start, fields, false)?;
        }
        other => return Err(SparkError::unsupported(format!("{} as VARIANT", other.sql()))),
    }
    Ok(())
}
