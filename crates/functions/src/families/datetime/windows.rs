//! Windows of time: `window(ts, '10 minutes')`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, StructArray};
use arrow::datatypes::TimestampMicrosecondType;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::types_arrow::{INSTANT_ZONE, to_arrow};
use firesteel_spec::{DataType, StructField};

use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::datetime::civil::MICROS_PER_DAY;
use crate::errors::from_arrow;
use crate::families::args::Args;
use crate::families::rows::{TIMESTAMP, definitions, fold_text, kernels};
use crate::interval::parse_calendar;
use crate::udf;

definitions! {
    "window" (2, 4), Scalar(window), "the window of time that the timestamp is in";
    "window_time" (1, 1), Scalar(window_time), "the last microsecond of a window of time";
}

kernels! {
    "time_window" => windows;
    "window_time" => last_moments;
}

/// A duration in microseconds; months have none.
fn micros_of(argument: &Typed) -> Result<i64> {
    let text = fold_text(argument).unwrap_or_default();
    let parsed = parse_calendar(&text).filter(|(months, ..)| *months == 0);
    let micros = parsed.and_then(|(_, days, micros)| i64::from(days).checked_mul(MICROS_PER_DAY)?.checked_add(micros));
    micros.ok_or_else(|| {
        SparkError::new(&error_class::CANNOT_PARSE_INTERVAL).param("intervalString", format!("'{text}'"))
    })
}

/// Windows that overlap would make several rows of one; that is the planner's work.
fn window(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let durations = arguments[1..].iter().map(micros_of).collect::<Result<Vec<_>>>()?;
    let size = durations[0];
    let slide = durations.get(1).copied().unwrap_or(size);
    let start = durations.get(2).copied().unwrap_or(0);
    if size <= 0 || slide <= 0 || start.abs() >= slide {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_VALUE_OUT_OF_RANGE)
            .param("sqlExpr", coercion::quoted(&coercion::call_sql("window", &arguments)))
            .param("exprName", "the window's duration, slide and start")
            .param("valueRange", "(0, 9223372036854775807]")
            .param("currentValue", format!("{size}, {slide}, {start}")));
    }
    if slide != size {
        return Err(SparkError::unsupported("windows of time that overlap or leave gaps"));
    }
    let time = coercion::coerce_arguments(ctx, "window", arguments[..1].to_vec(), &[TIMESTAMP])?;
    let (moment, nullable) = (time[0].data_type.clone(), time[0].nullable);
    let fields = vec![StructField::new("start", moment.clone(), true), StructField::new("end", moment, true)];
    let options = vec![size.to_string(), start.to_string()];
    udf::call_with(ctx, "time_window", time, DataType::Struct(fields), nullable, "window".to_owned(), options)
}

fn windows(a: &Args) -> Result<ArrayRef> {
    let number = |i: usize| -> Result<i64> {
        a.option(i)?.parse().map_err(|_| SparkError::internal("a window's duration is no number"))
    };
    let (size, start, time) = (number(0)?, number(1)?, a.timestamp(0)?);
    let moved = |by: i64| -> ArrayRef {
        let begins = |t: i64| t - (t - start).rem_euclid(size) + by;
        let moments: PrimitiveArray<TimestampMicrosecondType> = time.unary(begins);
        match time.timezone() {
            Some(_) => Arc::new(moments.with_timezone(INSTANT_ZONE)),
            None => Arc::new(moments),
        }
    };
    let arrow::datatypes::DataType::Struct(fields) = to_arrow(&a.context.result) else {
        return Err(SparkError::internal("a window is no struct"));
    };
    let made = StructArray::try_new(fields, vec![moved(0), moved(size)], time.nulls().cloned());
    Ok(Arc::new(made.map_err(from_arrow)?))
}

fn window_time(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("window_time", &arguments);
    let end = match &arguments[0].data_type {
        DataType::Struct(fields) => fields.get(1).map(|field| field.data_type.clone()),
        _ => None,
    };
    let Some(end) = end.filter(DataType::is_datetime) else {
        return Err(coercion::unexpected_type(&arguments[0], &coercion::Accepts::Struct, &sql, 0));
    };
    let nullable = arguments[0].nullable;
    udf::call(ctx, "window_time", arguments, end, nullable, sql)
}

fn last_moments(a: &Args) -> Result<ArrayRef> {
    let windows = a.structs(0)?;
    let ends = windows.column(1).as_primitive::<TimestampMicrosecondType>();
    a.try_timestamps(|r| Ok(ends.is_valid(r).then(|| ends.value(r) - 1)))
}
