//! The present, as the query sees it, and cutting to units by name.

use datafusion::common::ScalarValue;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::INSTANT_ZONE;

use super::clock::{clock, overflow, zone};
use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::datetime::Zone;
use crate::datetime::civil::MICROS_PER_DAY;
use crate::families::args::Args;
use crate::families::rows::{LONG, NTZ, TEXT, TIMESTAMP, any_nullable, definitions, fold_text, kernels, literal};
use crate::udf;

definitions! {
    "current_timestamp" (0, 0), Scalar(|c, _| Ok(current_timestamp(c))), "when the query began";
    "now" (0, 0), Scalar(|c, _| Ok(Typed { sql: "now()".to_owned(), ..current_timestamp(c) })), "when the query began";
    "current_date" (0, 0), Scalar(|c, _| current_date(c, "current_date()")), "the date when the query began";
    "curdate" (0, 0), Scalar(|c, _| current_date(c, "current_date()")), "the date when the query began";
    "localtimestamp" (0, 0), Scalar(|c, _| {
        let local = Zone::parse(&c.time_zone)?.to_local(c.now_us);
        Ok(literal(ScalarValue::TimestampMicrosecond(Some(local), None), DataType::TimestampNtz, "localtimestamp()"))
    }), "the wall clock when the query began";
    "current_timezone" (0, 0), Scalar(|c, _| {
        Ok(Typed { sql: "current_timezone()".to_owned(), ..crate::families::rows::text_literal(&c.time_zone) })
    }), "the session's time zone";
    "date_trunc" (2, 2), Scalar(date_trunc), "the timestamp cut down to a unit";
    "convert_timezone" (2, 3), Scalar(convert_timezone), "a wall clock of one zone as another shows it";
    "timestampadd" (3, 3), Scalar(timestamp_add), "the timestamp so many units later";
    "timestampdiff" (3, 3), Scalar(timestamp_diff), "whole units from one timestamp to another";
}

kernels! {
    "date_trunc" => super::arithmetic::date_trunc;
    "convert_timezone" => super::make::convert_timezone;
    "timestampadd" => add;
    "timestampdiff" => difference;
}

/// The query's timestamp.
pub(crate) fn current_timestamp(ctx: &FunctionContext) -> Typed {
    let value = ScalarValue::TimestampMicrosecond(Some(ctx.now_us), Some(INSTANT_ZONE.into()));
    literal(value, DataType::Timestamp, "current_timestamp()")
}

fn current_date(ctx: &FunctionContext, sql: &str) -> Result<Typed> {
    let days = Zone::parse(&ctx.time_zone)?.to_local(ctx.now_us).div_euclid(MICROS_PER_DAY);
    Ok(literal(ScalarValue::Date32(i32::try_from(days).ok()), DataType::Date, sql))
}

fn date_trunc(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("date_trunc", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "date_trunc", arguments, &[TEXT, TIMESTAMP])?;
    let result = arguments[1].data_type.clone();
    udf::call(ctx, "date_trunc", arguments, result, true, sql)
}

/// With two arguments the session's zone is the source.
fn convert_timezone(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    if arguments.len() == 2 {
        let zone = crate::families::rows::text_literal(&ctx.time_zone);
        arguments.insert(0, Typed { sql: "current_timezone()".to_owned(), ..zone });
    }
    let sql = coercion::call_sql("convert_timezone", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "convert_timezone", arguments, &[TEXT, TEXT, NTZ])?;
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "convert_timezone", arguments, DataType::TimestampNtz, nullable, sql)
}

const UNITS: &[&str] =
    &["MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "DAYOFYEAR", "WEEK", "MONTH", "QUARTER", "YEAR"];

fn unit_of(name: &str, argument: &Typed) -> Result<String> {
    let unit = fold_text(argument).map(|unit| unit.to_uppercase()).filter(|unit| UNITS.contains(&unit.as_str()));
    unit.ok_or_else(|| {
        SparkError::new(&error_class::INVALID_PARAMETER_VALUE_DATETIME_UNIT)
            .param("functionName", format!("`{name}`"))
            .param("parameter", "`unit`")
            .param("invalidValue", format!("'{}'", argument.sql))
    })
}

fn timestamp_add(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    let unit = unit_of("timestampadd", &arguments.remove(0))?;
    let sql = format!("timestampadd({unit}, {}, {})", arguments[0].sql, arguments[1].sql);
    let arguments = coercion::coerce_arguments(ctx, "timestampadd", arguments, &[LONG, TIMESTAMP])?;
    let (result, nullable) = (arguments[1].data_type.clone(), any_nullable(&arguments));
    udf::call_with(ctx, "timestampadd", arguments, result, nullable, sql, vec![unit])
}

fn timestamp_diff(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    let unit = unit_of("timestampdiff", &arguments.remove(0))?;
    let sql = format!("timestampdiff({unit}, {}, {})", arguments[0].sql, arguments[1].sql);
    let arguments = coercion::coerce_arguments(ctx, "timestampdiff", arguments, &[TIMESTAMP])?;
    let nullable = any_nullable(&arguments);
    udf::call_with(ctx, "timestampdiff", arguments, DataType::Long, nullable, sql, vec![unit])
}

fn add(a: &Args) -> Result<arrow::array::ArrayRef> {
    let (count, start, zone, unit) = (a.long(0)?, a.timestamp(1)?, zone(a)?, a.option(0)?);
    a.try_timestamps(|r| {
        super::arithmetic::add_units(&a.context.result, &zone, start.value(r), unit, count.value(r))
            .map(Some)
            .ok_or_else(|| overflow(format!("add {} {unit} to a timestamp", count.value(r))))
    })
}

fn difference(a: &Args) -> Result<arrow::array::ArrayRef> {
    let (start, end, unit) = (clock(a, 0)?, clock(a, 1)?, a.option(0)?);
    a.try_values::<arrow::datatypes::Int64Type>(|r| Ok(super::arithmetic::units_between(start(r), end(r), unit)))
}
