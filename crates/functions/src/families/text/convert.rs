//! Conversions whose kind follows from their arguments: `decode`, `to_binary`, `to_char`, `to_number`.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Decimal128Type;
use datafusion::common::ScalarValue;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::encoding;
use super::number_format::NumberFormat;
use crate::call::{FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::families::args::Args;
use crate::families::rows::{BINARY, TEXT, any_nullable, definitions, fold, fold_text, kernels, literal, text_literal};
use crate::registry::{ANY, Build, lookup};
use crate::udf;

definitions! {
    "decode" (2, ANY), Scalar(decode), "the text of bytes in a character set; with more arguments, the result beside the first equal value";
    "to_binary" (1, 2), Scalar(|c, a| to_binary(c, "to_binary", a)), "bytes that a text stands for";
    "try_to_binary" (1, 2), Scalar(|c, a| to_binary(c, "try_to_binary", a)), "bytes that a text stands for, null where it stands for none";
    "to_char" (2, 2), Scalar(|c, a| to_char(c, "to_char", a)), "a number, date or bytes laid out by a format";
    "to_varchar" (2, 2), Scalar(|c, a| to_char(c, "to_varchar", a)), "a number, date or bytes laid out by a format";
    "to_number" (2, 2), Scalar(|c, a| to_number(c, "to_number", a)), "the number that a text laid out by a format shows";
    "try_to_number" (2, 2), Scalar(|c, a| to_number(c, "try_to_number", a)), "the same, null where it shows none";
    "validate_utf8" (1, 1), Scalar(|c, a| as_text(c, "validate_utf8", a)), "the text, an error where it is no UTF-8";
    "try_validate_utf8" (1, 1), Scalar(|c, a| as_text(c, "try_validate_utf8", a)), "the text, null where it is no UTF-8";
    "make_valid_utf8" (1, 1), Scalar(|c, a| as_text(c, "make_valid_utf8", a)), "the text, with what is no UTF-8 replaced";
}

kernels! {
    "decode" => encoding::decode;
    "to_utf8" => |a| { let t = a.text(0)?; a.try_binaries(|r| Ok(Some(t.value(r).as_bytes().to_vec()))) };
    "to_binary_base64" raising => |a| encoding::strict_unbase64(a, false);
    "try_to_binary_base64" => |a| encoding::strict_unbase64(a, true);
    "to_binary_hex" raising => |a| encoding::unhex(a, false);
    "validate_utf8" raising => validated;
    "to_char" => write_number;
    "to_number" => |a| read_number(a, false);
    "try_to_number" => |a| read_number(a, true);
}

/// Our strings are always UTF-8; bytes may not be.
fn as_text(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    if arguments[0].data_type == DataType::Binary && name != "make_valid_utf8" {
        return udf::call_with(ctx, "validate_utf8", arguments, DataType::STRING, true, sql, vec![name.to_owned()]);
    }
    let mut arguments = coercion::coerce_arguments(ctx, name, arguments, &[TEXT])?;
    Ok(Typed { sql, ..arguments.remove(0) })
}

fn validated(a: &Args) -> Result<ArrayRef> {
    let (bytes, raises) = (a.binary(0)?, a.option(0)? == "validate_utf8");
    a.try_texts(|r| match std::str::from_utf8(bytes.value(r)) {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(_) if !raises => Ok(None),
        Err(error) => {
            let shown: String = bytes.value(r).iter().map(|byte| format!("\\x{byte:02X}")).collect();
            Err(SparkError::new(&error_class::INVALID_UTF8_STRING).param("str", shown).source(error))
        }
    })
}

fn scalar(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    match lookup(name).map(|definition| definition.build) {
        Some(Build::Scalar(build)) => build(ctx, arguments),
        _ => Err(SparkError::internal(format!("no scalar function is called {name}"))),
    }
}

fn decode(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("decode", &arguments);
    if arguments.len() == 2 {
        let arguments = coercion::coerce_arguments(ctx, "decode", arguments, &[BINARY, TEXT])?;
        let nullable = any_nullable(&arguments);
        return udf::call(ctx, "decode", arguments, DataType::STRING, nullable, sql);
    }
    let mut arguments = arguments.into_iter();
    let Some(value) = arguments.next() else { return Err(SparkError::internal("decode lacks its arguments")) };
    let rest: Vec<Typed> = arguments.collect();
    let mut branches = Vec::with_capacity(rest.len());
    for pair in rest.chunks(2) {
        match pair {
            // Here NULL equals NULL.
            [search, result] => {
                branches.push(scalar(ctx, "<=>", vec![value.clone(), search.clone()])?);
                branches.push(result.clone());
            }
            [otherwise] => branches.push(otherwise.clone()),
            _ => {}
        }
    }
    Ok(Typed { sql, ..scalar(ctx, "when", branches)? })
}

fn to_binary(ctx: &FunctionContext, name: &str, mut arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let format = if arguments.len() > 1 { arguments.pop() } else { None }.unwrap_or_else(|| text_literal("hex"));
    let Some(value) = fold(&format) else {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_NON_FOLDABLE_INPUT)
            .param("sqlExpr", coercion::quoted(&sql))
            .param("inputName", "`fmt`")
            .param("inputType", coercion::type_sql(&DataType::STRING))
            .param("inputExpr", coercion::quoted(&format.sql)));
    };
    let null = || literal(ScalarValue::Binary(None), DataType::Binary, &sql);
    if value.is_null() {
        return Ok(null());
    }
    let is_try = name == "try_to_binary";
    let format = fold_text(&coercion::convert(ctx, format, &DataType::STRING)?).unwrap_or_default().to_lowercase();
    let kernel = match (format.as_str(), is_try) {
        ("hex", false) => "to_binary_hex",
        ("hex", true) => "unhex",
        ("base64", false) => "to_binary_base64",
        ("base64", true) => "try_to_binary_base64",
        ("utf-8" | "utf8", _) => "to_utf8",
        (_, true) => return Ok(null()),
        _ => {
            return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_INVALID_ARG_VALUE)
                .param("sqlExpr", coercion::quoted(&sql))
                .param("inputName", "fmt")
                .param("requireType", "case-insensitive \"STRING\"")
                .param("validValues", "'hex', 'utf-8', 'utf8', or 'base64'")
                .param("inputValue", format!("'{format}'")));
        }
    };
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[TEXT])?;
    let nullable = any_nullable(&arguments) || is_try;
    udf::call(ctx, kernel, arguments, DataType::Binary, nullable, sql)
}

fn to_char(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    // Spark prints both under the first name.
    let sql = coercion::call_sql("to_char", &arguments);
    if arguments[0].data_type.is_datetime() {
        return Ok(Typed { sql: sql.replacen("to_char", "date_format", 1), ..scalar(ctx, "date_format", arguments)? });
    }
    let format = constant_format(&sql, &arguments[1])?;
    if arguments[0].data_type == DataType::Binary {
        let value = vec![arguments[0].clone()];
        let converted = match format.to_lowercase().as_str() {
            "base64" => scalar(ctx, "base64", value)?,
            "hex" => scalar(ctx, "hex", value)?,
            _ => coercion::convert(ctx, arguments[0].clone(), &DataType::STRING)?,
        };
        return Ok(Typed { sql, ..converted });
    }
    NumberFormat::parse(&format)?;
    let arguments = coercion::coerce_arguments(ctx, name, vec![arguments[0].clone()], &[Accepts::Decimal])?;
    let nullable = any_nullable(&arguments);
    udf::call_with(ctx, "to_char", arguments, DataType::STRING, nullable, sql, vec![format])
}

fn constant_format(sql: &str, argument: &Typed) -> Result<String> {
    fold_text(argument).ok_or_else(|| {
        SparkError::new(&error_class::DATATYPE_MISMATCH_NON_FOLDABLE_INPUT)
            .param("sqlExpr", coercion::quoted(sql))
            .param("inputName", "`format`")
            .param("inputType", "\"STRING\"")
            .param("inputExpr", coercion::quoted(&argument.sql))
    })
}

fn to_number(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let format = constant_format(&sql, &arguments[1])?;
    let (precision, scale) = NumberFormat::parse(&format)?.precision();
    let arguments = coercion::coerce_arguments(ctx, name, vec![arguments[0].clone()], &[TEXT])?;
    udf::call_with(ctx, name, arguments, DataType::Decimal(precision, scale), true, sql, vec![format])
}

fn write_number(a: &Args) -> Result<ArrayRef> {
    let format = NumberFormat::parse(a.option(0)?)?;
    let numbers = a.array(0)?.as_primitive::<Decimal128Type>();
    let scale = numbers.scale();
    a.texts(|r| format.write(numbers.value(r), scale))
}

fn read_number(a: &Args, is_try: bool) -> Result<ArrayRef> {
    let format = NumberFormat::parse(a.option(0)?)?;
    let text = a.text(0)?;
    a.try_decimals(|r| match format.read(text.value(r)) {
        None if !is_try => Err(SparkError::new(&error_class::INVALID_FORMAT_MISMATCH_INPUT)
            .param("inputType", "\"STRING\"")
            .param("input", format!("'{}'", text.value(r)))
            .param("format", format!("'{}'", a.option(0)?))),
        number => Ok(number),
    })
}
