//! Dates and timestamps as text and from text, with Java's patterns.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{Date32Type, Int64Type};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;
use firesteel_spec::expr::CastMode;

use super::clock::{clock, zone};
use crate::call::{FunctionContext, Typed};
use crate::cast;
use crate::coercion;
use crate::datetime::Pattern;
use crate::datetime::civil::MICROS_PER_SECOND;
use crate::families::args::Args;
use crate::families::rows::{
    DAY_OR_TIMESTAMP, LONG, TEXT, TIMESTAMP, any_nullable, definitions, kernels, text_literal,
};
use crate::udf;

definitions! {
    "to_date" (1, 2), Scalar(|c, a| parsed(c, "to_date", DataType::Date, false, a)), "the date that a text shows";
    "try_to_date" (1, 2), Scalar(|c, a| parsed(c, "try_to_date", DataType::Date, true, a)), "the date that a text shows, null where it shows none";
    "to_timestamp" (1, 2), Scalar(|c, a| parsed(c, "to_timestamp", default_timestamp(c), false, a)), "the timestamp that a text shows";
    "try_to_timestamp" (1, 2), Scalar(|c, a| parsed(c, "try_to_timestamp", default_timestamp(c), true, a)), "the timestamp that a text shows, null where it shows none";
    "to_timestamp_ltz" (1, 2), Scalar(|c, a| parsed(c, "to_timestamp_ltz", DataType::Timestamp, false, a)), "the timestamp that a text shows";
    "to_timestamp_ntz" (1, 2), Scalar(|c, a| parsed(c, "to_timestamp_ntz", DataType::TimestampNtz, false, a)), "the wall clock that a text shows";
    "date_format" (2, 2), Scalar(date_format), "a timestamp laid out by a pattern";
    "unix_timestamp" (0, 2), Scalar(|c, a| unix_timestamp(c, "unix_timestamp", a)), "seconds since 1970";
    "to_unix_timestamp" (1, 2), Scalar(|c, a| unix_timestamp(c, "to_unix_timestamp", a)), "seconds since 1970";
    "from_unixtime" (1, 2), Scalar(from_unixtime), "seconds since 1970 laid out by a pattern";
}

kernels! {
    "parse_date" => parse_dates;
    "parse_timestamp" => parse_timestamps;
    "parse_unix" => parse_unix;
    "date_format" => format;
    "from_unixtime" => format_seconds;
    "unix_of_timestamp" => |a| {
        let t = a.timestamp(0)?;
        a.longs(|r| t.value(r).div_euclid(MICROS_PER_SECOND))
    };
}

const DEFAULT: &str = "yyyy-MM-dd HH:mm:ss";

/// Compiled patterns kept per thread.
const CACHED_MAX: usize = 64;

thread_local! {
    static CACHE: RefCell<HashMap<(String, bool), Arc<Pattern>>> = RefCell::new(HashMap::new());
}

fn compiled(text: &str, parses: bool) -> Result<Arc<Pattern>> {
    let key = (text.to_owned(), parses);
    if let Some(pattern) = CACHE.with_borrow(|cache| cache.get(&key).cloned()) {
        return Ok(pattern);
    }
    let pattern = Arc::new(if parses { Pattern::for_parsing(text)? } else { Pattern::for_formatting(text)? });
    CACHE.with_borrow_mut(|cache| {
        if cache.len() >= CACHED_MAX {
            cache.clear();
        }
        cache.insert(key, pattern.clone());
    });
    Ok(pattern)
}

fn default_timestamp(ctx: &FunctionContext) -> DataType {
    if ctx.timestamp_is_ntz { DataType::TimestampNtz } else { DataType::Timestamp }
}

/// Without a pattern it is a cast.
fn parsed(
    ctx: &FunctionContext,
    name: &str,
    target: DataType,
    is_try: bool,
    mut arguments: Vec<Typed>,
) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let mode = if is_try { CastMode::Try } else { CastMode::Session };
    if arguments.len() == 1 {
        return Ok(Typed { sql, ..cast::cast(ctx, arguments.remove(0), &target, mode)? });
    }
    if !arguments[0].data_type.is_string() && arguments[0].data_type != DataType::Null {
        return Ok(Typed { sql, ..cast::cast(ctx, arguments.remove(0), &target, mode)? });
    }
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[TEXT])?;
    let ctx = FunctionContext { ansi: ctx.ansi && !is_try, ..ctx.clone() };
    let nullable = any_nullable(&arguments) || !ctx.ansi;
    let kernel = if target == DataType::Date { "parse_date" } else { "parse_timestamp" };
    udf::call(&ctx, kernel, arguments, target, nullable, sql)
}

fn unparsable(a: &Args, text: &str, pattern: &Pattern) -> SparkError {
    let function = if a.context.result == DataType::Date { "`try_to_date`" } else { "`try_to_timestamp`" };
    SparkError::new(&error_class::CANNOT_PARSE_TIMESTAMP)
        .param("message", pattern.refusal(text))
        .param("func", function)
}

/// Parses argument 0 with the pattern in argument 1.
fn with_pattern(a: &Args, row: usize, read: &dyn Fn(&crate::datetime::Parsed) -> Option<i64>) -> Result<Option<i64>> {
    let (text, pattern) = (a.text(0)?.value(row), a.text(1)?.value(row));
    let pattern = compiled(pattern, true)?;
    match pattern.parse(text).and_then(|parsed| read(&parsed)) {
        None if a.context.ansi => Err(unparsable(a, text, &pattern)),
        found => Ok(found),
    }
}

fn parse_dates(a: &Args) -> Result<ArrayRef> {
    a.try_values::<Date32Type>(|r| {
        let days = with_pattern(a, r, &|parsed| parsed.date())?;
        Ok(days.and_then(|days| i32::try_from(days).ok()))
    })
}

fn parse_timestamps(a: &Args) -> Result<ArrayRef> {
    let zone = zone(a)?;
    if a.context.result == DataType::TimestampNtz {
        return a.try_timestamps(|r| with_pattern(a, r, &|parsed| parsed.local_us()));
    }
    a.try_timestamps(|r| with_pattern(a, r, &|parsed| parsed.instant_us(&zone)))
}

fn parse_unix(a: &Args) -> Result<ArrayRef> {
    let zone = zone(a)?;
    a.try_values::<Int64Type>(|r| {
        let micros = with_pattern(a, r, &|parsed| parsed.instant_us(&zone))?;
        Ok(micros.map(|micros| micros.div_euclid(MICROS_PER_SECOND)))
    })
}

fn date_format(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("date_format", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "date_format", arguments, &[TIMESTAMP, TEXT])?;
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "date_format", arguments, DataType::STRING, nullable, sql)
}

fn format(a: &Args) -> Result<ArrayRef> {
    let (clock, zone, pattern) = (clock(a, 0)?, zone(a)?, a.text(1)?);
    let instants = a.timestamp(0)?;
    let is_ntz = *a.data_type(0)? == DataType::TimestampNtz;
    a.try_texts(|r| {
        let pattern = compiled(pattern.value(r), false)?;
        let mut out = String::new();
        let written = if is_ntz {
            pattern.write_local(&mut out, clock(r))
        } else {
            pattern.write(&mut out, instants.value(r), &zone)
        };
        written
            .map(|()| Some(out))
            .ok_or_else(|| super::clock::overflow("a field of a pattern that its value does not fit"))
    })
}

fn unix_timestamp(ctx: &FunctionContext, name: &str, mut arguments: Vec<Typed>) -> Result<Typed> {
    if arguments.is_empty() {
        arguments.push(super::now::current_timestamp(ctx));
    }
    if arguments.len() == 1 {
        arguments.push(text_literal(DEFAULT));
    }
    let sql = coercion::call_sql(name, &arguments);
    if arguments[0].data_type.is_string() || arguments[0].data_type == DataType::Null {
        let arguments = coercion::coerce_arguments(ctx, name, arguments, &[TEXT])?;
        let nullable = any_nullable(&arguments) || !ctx.ansi;
        return udf::call(ctx, "parse_unix", arguments, DataType::Long, nullable, sql);
    }
    arguments.truncate(1);
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[DAY_OR_TIMESTAMP])?;
    let arguments =
        arguments.into_iter().map(|a| coercion::convert(ctx, a, &DataType::Timestamp)).collect::<Result<Vec<_>>>()?;
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "unix_of_timestamp", arguments, DataType::Long, nullable, sql)
}

fn from_unixtime(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    if arguments.len() == 1 {
        arguments.push(text_literal(DEFAULT));
    }
    let sql = coercion::call_sql("from_unixtime", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "from_unixtime", arguments, &[LONG, TEXT])?;
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "from_unixtime", arguments, DataType::STRING, nullable, sql)
}

fn format_seconds(a: &Args) -> Result<ArrayRef> {
    let (seconds, zone, pattern) = (a.array(0)?.as_primitive::<Int64Type>(), zone(a)?, a.text(1)?);
    a.try_texts(|r| {
        let mut out = String::new();
        let micros = seconds.value(r).saturating_mul(MICROS_PER_SECOND);
        let written = compiled(pattern.value(r), false)?.write(&mut out, micros, &zone);
        Ok(written.map(|()| out))
    })
}
