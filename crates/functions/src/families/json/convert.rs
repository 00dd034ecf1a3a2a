//! `from_json`, `to_json`, `schema_of_json`, and the same of CSV.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::buffer::NullBuffer;
use datafusion::common::ScalarValue;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{DataType, StructField};

use super::read::{Formats, column, structs};
use super::schema::{infer, without_null};
use super::value::Json;
use super::write::{Style, moment, text, value};
use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::datetime::{Pattern, Zone};
use crate::families::args::Args;
use crate::families::rows::{TEXT, definitions, fold, fold_text, kernels, text_literal};
use crate::udf;

definitions! {
    "from_json" (2, 3), Scalar(from_json), "the value that a JSON text stands for";
    "to_json" (1, 2), Scalar(|c, a| to_text(c, "to_json", a)), "a value as JSON";
    "schema_of_json" (1, 2), Scalar(schema_of_json), "the type of a JSON text";
    "to_csv" (1, 2), Scalar(|c, a| to_text(c, "to_csv", a)), "a struct as a line of CSV";
}

kernels! {
    "from_json" => read_json;
    "to_json" => write_json;
    "to_csv" => write_csv;
}

pub(crate) fn not_constant(sql: &str, name: &str, argument: &Typed) -> SparkError {
    SparkError::new(&error_class::DATATYPE_MISMATCH_NON_FOLDABLE_INPUT)
        .param("sqlExpr", coercion::quoted(sql))
        .param("inputName", format!("`{name}`"))
        .param("inputType", "\"STRING\"")
        .param("inputExpr", coercion::quoted(&argument.sql))
}

/// The text of an argument that has to be constant and a STRING.
///
/// Errors: `DATATYPE_MISMATCH` about NULL, another type, or what needs a row.
pub(crate) fn constant_text(sql: &str, name: &str, argument: &Typed) -> Result<String> {
    match fold(argument) {
        Some(value) if value.is_null() => Err(SparkError::new(&error_class::DATATYPE_MISMATCH_UNEXPECTED_NULL)
            .param("sqlExpr", coercion::quoted(sql))
            .param("exprName", name)),
        Some(_) if !argument.data_type.is_string() => {
            Err(coercion::unexpected_type(argument, &coercion::Accepts::String, sql, 0))
        }
        _ => fold_text(argument).ok_or_else(|| not_constant(sql, name, argument)),
    }
}

/// The options of a constant map, as `key=value`.
pub(crate) fn options_of(sql: &str, argument: Option<&Typed>) -> Result<Vec<String>> {
    let Some(argument) = argument else { return Ok(Vec::new()) };
    if !matches!(argument.data_type, DataType::Map(..)) {
        return Err(SparkError::new(&error_class::INVALID_OPTIONS_NON_MAP_FUNCTION));
    }
    let Some(ScalarValue::Map(map)) = fold(argument) else { return Err(not_constant(sql, "options", argument)) };
    let (Some(keys), Some(values)) = (map.keys().as_string_opt::<i32>(), map.values().as_string_opt::<i32>()) else {
        return Err(SparkError::new(&error_class::INVALID_OPTIONS_NON_STRING_TYPE)
            .param("mapType", coercion::type_sql(&argument.data_type)));
    };
    Ok((0..keys.len()).map(|i| format!("{}={}", keys.value(i).to_lowercase(), values.value(i))).collect())
}

pub(crate) fn option<'a>(a: &Args<'a>, name: &str) -> Option<&'a str> {
    a.context.options.iter().find_map(|option| option.split_once('=').filter(|(key, _)| *key == name).map(|(_, v)| v))
}

/// The type that a constant argument holds as text.
pub(crate) fn schema_of(argument: &Typed) -> Result<DataType> {
    let text = fold_text(argument).ok_or_else(|| {
        SparkError::new(&error_class::INVALID_SCHEMA_NON_STRING_LITERAL)
            .param("inputSchema", coercion::quoted(&argument.sql))
    })?;
    parse_schema(&text).map(nullable)
}

/// The type that a constant argument holds as text, which has to be a STRUCT.
pub(crate) fn struct_schema_of(argument: &Typed) -> Result<DataType> {
    match schema_of(argument)? {
        data_type @ DataType::Struct(_) => Ok(data_type),
        other => Err(SparkError::new(&error_class::INVALID_SCHEMA_NON_STRUCT_TYPE)
            .param("inputSchema", coercion::quoted(&argument.sql))
            .param("dataType", coercion::type_sql(&other))),
    }
}

/// A type from DDL or from Spark's JSON.
pub(crate) fn parse_schema(text: &str) -> Result<DataType> {
    if text.trim_start().starts_with(['{', '"']) {
        return DataType::parse_json(text);
    }
    if let Ok(data_type) = firesteel_sql::parse_data_type(text) {
        return Ok(data_type);
    }
    firesteel_sql::parse_table_schema(text).map(DataType::Struct)
}

pub(crate) fn nullable(data_type: DataType) -> DataType {
    match data_type {
        DataType::Struct(fields) => {
            let field = |f: StructField| StructField { nullable: true, data_type: nullable(f.data_type), ..f };
            DataType::Struct(fields.into_iter().map(field).collect())
        }
        DataType::Array(element, _) => DataType::Array(Box::new(nullable(*element)), true),
        DataType::Map(key, value, _) => DataType::Map(key, Box::new(nullable(*value)), true),
        other => crate::cast::without_lengths(&other),
    }
}

fn from_json(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    let sql = format!("from_json({})", arguments[0].sql);
    let options = options_of(&sql, arguments.get(2))?;
    let result = schema_of(&arguments[1])?;
    arguments.truncate(1);
    let arguments = coercion::coerce_arguments(ctx, "from_json", arguments, &[TEXT])?;
    // Spark calls the values of a map so.
    let sql = if let DataType::Map(..) = result { "entries".to_owned() } else { sql };
    udf::call_with(ctx, "from_json", arguments, result, true, sql, options)
}

fn read_json(a: &Args) -> Result<ArrayRef> {
    let text = a.text(0)?;
    let pattern = |name: &str| option(a, name).map(Pattern::for_parsing).transpose();
    let zone = option(a, "timezone").unwrap_or(a.context.time_zone.as_ref());
    let formats =
        Formats { zone: Zone::parse(zone)?, date: pattern("dateformat")?, timestamp: pattern("timestampformat")? };
    let fails = option(a, "mode").is_some_and(|mode| mode.eq_ignore_ascii_case("failfast"));
    let mut parsed = Vec::with_capacity(a.rows);
    for row in 0..a.rows {
        let value = if text.is_null(row) { None } else { Json::parse(text.value(row)) };
        if fails && value.is_none() && text.is_valid(row) {
            return Err(SparkError::new(&error_class::MALFORMED_RECORD_IN_PARSING_WITHOUT_SUGGESTION)
                .param("badRecord", text.value(row))
                .param("failFastMode", "FAILFAST"));
        }
        parsed.push(value);
    }
    match &a.context.result {
        DataType::Struct(fields) => read_structs(a, fields, &parsed, &formats),
        // An object alone is an array of one.
        DataType::Array(element, _) if matches!(element.as_ref(), DataType::Struct(_)) => {
            let wrap = |value: Option<Json>| match value {
                Some(object @ Json::Object(_)) => Some(Json::Array(vec![object])),
                other => other,
            };
            let parsed: Vec<_> = parsed.into_iter().map(wrap).collect();
            column(&parsed.iter().map(Option::as_ref).collect::<Vec<_>>(), &a.context.result, &formats)
        }
        other => column(&parsed.iter().map(Option::as_ref).collect::<Vec<_>>(), other, &formats),
    }
}

/// Name of the field that takes malformed texts, unless the options say otherwise.
const CORRUPT: &str = "_corrupt_record";

/// A malformed text gives a struct of nulls, a null text a null.
fn read_structs(a: &Args, fields: &[StructField], parsed: &[Option<Json>], formats: &Formats) -> Result<ArrayRef> {
    let text = a.text(0)?;
    let corrupt = option(a, "columnnameofcorruptrecord").unwrap_or(CORRUPT);
    // An array of one object stands for the object.
    let object = |value: &'_ Option<Json>| -> Option<usize> {
        match value {
            Some(Json::Object(_)) => Some(0),
            Some(Json::Array(elements)) if elements.len() == 1 => Some(1),
            _ => None,
        }
    };
    let objects: Vec<Option<&Json>> = parsed
        .iter()
        .map(|value| match (object(value), value) {
            (Some(1), Some(Json::Array(elements))) => elements.first().filter(|e| matches!(e, Json::Object(_))),
            (Some(_), value) => value.as_ref(),
            (None, _) => None,
        })
        .collect();
    let columns = fields
        .iter()
        .map(|field| {
            if field.name == corrupt {
                let bad =
                    (0..a.rows).map(|row| (text.is_valid(row) && objects[row].is_none()).then(|| text.value(row)));
                return Ok(Arc::new(bad.collect::<arrow::array::StringArray>()) as ArrayRef);
            }
            let values: Vec<_> = objects.iter().map(|object| object.and_then(|o| o.field(&field.name))).collect();
            column(&values, &field.data_type, formats)
        })
        .collect::<Result<Vec<_>>>()?;
    let is_blank = |row: usize| text.is_valid(row) && text.value(row).trim().is_empty();
    let nulls = NullBuffer::from_iter((0..a.rows).map(|row| text.is_valid(row) && !is_blank(row)));
    structs(&a.context.result, columns, nulls)
}

fn to_text(ctx: &FunctionContext, name: &str, mut arguments: Vec<Typed>) -> Result<Typed> {
    let sql = format!("{name}({})", arguments[0].sql);
    let options = options_of(&sql, arguments.get(1))?;
    arguments.truncate(1);
    let is_nested = matches!(arguments[0].data_type, DataType::Struct(_) | DataType::Array(..) | DataType::Map(..));
    let fits = if name == "to_csv" { matches!(arguments[0].data_type, DataType::Struct(_)) } else { is_nested };
    if !fits {
        return Err(coercion::unexpected_type(&arguments[0], &coercion::Accepts::Struct, &sql, 0));
    }
    let nullable = arguments[0].nullable;
    udf::call_with(ctx, name, arguments, DataType::STRING, nullable, sql, options)
}

pub(crate) fn style(a: &Args) -> Result<Style> {
    let pattern = |name: &str, default: &str| Pattern::for_formatting(option(a, name).unwrap_or(default));
    Ok(Style {
        zone: Zone::parse(option(a, "timezone").unwrap_or(a.context.time_zone.as_ref()))?,
        date: option(a, "dateformat").map(Pattern::for_formatting).transpose()?,
        timestamp: pattern("timestampformat", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX")?,
        timestamp_ntz: pattern("timestampntzformat", "yyyy-MM-dd'T'HH:mm:ss.SSS")?,
        keeps_nulls: option(a, "ignorenullfields").is_some_and(|flag| flag.eq_ignore_ascii_case("false")),
    })
}

fn write_json(a: &Args) -> Result<ArrayRef> {
    let (array, data_type, style) = (a.array(0)?, a.data_type(0)?, style(a)?);
    a.try_texts(|row| {
        let mut out = String::new();
        value(&mut out, array, data_type, row, &style)?;
        Ok(Some(out))
    })
}

fn write_csv(a: &Args) -> Result<ArrayRef> {
    let (array, style) = (a.structs(0)?, style(a)?);
    let DataType::Struct(fields) = a.data_type(0)? else { return Err(SparkError::internal("a struct is none")) };
    let delimiter = option(a, "sep").or_else(|| option(a, "delimiter")).unwrap_or(",");
    let null = option(a, "nullvalue").unwrap_or("");
    let mut out = StringBuilder::new();
    for row in 0..a.rows {
        if array.is_null(row) {
            out.append_null();
            continue;
        }
        let mut cells = Vec::with_capacity(fields.len());
        for (field, column) in fields.iter().zip(array.columns()) {
            cells.push(if column.is_null(row) {
                null.to_owned()
            } else {
                let plain = match moment(column, &field.data_type, row, &style) {
                    Some(moment) => moment,
                    None => text(column, &field.data_type, row, &style)?,
                };
                quoted(plain, delimiter)
            });
        }
        out.append_value(cells.join(delimiter));
    }
    Ok(Arc::new(out.finish()))
}

fn quoted(cell: String, delimiter: &str) -> String {
    let needs =
        cell.is_empty() || cell.contains(delimiter) || cell.contains(['"', '\n', '\r']) || cell.starts_with('#');
    if needs { format!("\"{}\"", cell.replace('\\', "\\\\").replace('"', "\\\"")) } else { cell }
}

fn schema_of_json(_: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("schema_of_json", &arguments[..1]);
    let json = constant_text(&sql, "json", &arguments[0])?;
    let value = Json::parse(&json).ok_or_else(|| {
        SparkError::new(&error_class::INVALID_JSON_SCHEMA)
            .param("inputSchema", json.clone())
            .param("reason", "it is no JSON")
    })?;
    Ok(Typed { sql, ..text_literal(&without_null(infer(&value)).sql()) })
}
