//! Windows of time: `window(ts, '10 minutes')`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, PrimitiveArray, StructArray, TimestampMicrosecondArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType as Arrow, TimestampMicrosecondType};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::types_arrow::{INSTANT_ZONE, to_arrow};
use firesteel_spec::{DataType, StructField};

use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::datetime::civil::MICROS_PER_DAY;
use crate::errors::from_arrow;
use crate::families::args::Args;
use crate::families::rows::{TIMESTAMP, definitions, fold_text, kernels, text_literal};
use crate::interval::parse_calendar;
use crate::registry::{self, Build};
use crate::udf;

definitions! {
    "window" (2, 4), Scalar(window), "the window of time that the timestamp is in";
    "session_window" (2, 2), Scalar(session_window), "the session that the timestamp is in, which ends when none follows for so long";
    "window_time" (1, 1), Scalar(window_time), "the last microsecond of a window of time";
}

kernels! {
    "time_window" => windows;
    "time_windows" => overlapping;
    "window_time" => last_moments;
}

/// Windows that a row is in, at most.
const OVERLAPPING_MAX: i64 = 1000;

/// A duration in microseconds; months have none.
fn micros_of(argument: &Typed) -> Result<i64> {
    let text = fold_text(argument).unwrap_or_default();
    let parsed = parse_calendar(&text).filter(|(months, ..)| *months == 0);
    let micros = parsed.and_then(|(_, days, micros)| i64::from(days).checked_mul(MICROS_PER_DAY)?.checked_add(micros));
    micros.ok_or_else(|| {
        SparkError::new(&error_class::CANNOT_PARSE_INTERVAL).param("intervalString", format!("'{text}'"))
    })
}

/// `window(ts, ..)` as a column: what a row's windows are.
#[derive(Clone, Debug)]
pub struct TimeWindow {
    /// The moment; a row without one is in no window.
    pub time: Typed,
    /// The row's window or, where windows overlap, a list of structs whose only field is one.
    pub value: Typed,
    /// Whether windows overlap.
    pub is_sliding: bool,
}

/// Resolves `window(ts, duration, slide, start)`.
///
/// Errors: `CANNOT_PARSE_INTERVAL`, `DATATYPE_MISMATCH.*` about durations that make no windows.
pub fn time_window(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<TimeWindow> {
    let (size, slide, start) = durations(&arguments)?;
    let time = moment(ctx, "window", arguments)?;
    let (moment, nullable) = (time.data_type.clone(), time.nullable);
    let fields = vec![StructField::new("start", moment.clone(), true), StructField::new("end", moment, true)];
    let window = DataType::Struct(fields);
    let is_sliding = slide != size;
    let (kernel, result) = match is_sliding {
        false => ("time_window", window),
        true => {
            let entry = DataType::Struct(vec![StructField::new("window", window, false)]);
            ("time_windows", DataType::Array(Box::new(entry), false))
        }
    };
    let options = vec![size.to_string(), slide.to_string(), start.to_string()];
    let value = udf::call_with(ctx, kernel, vec![time.clone()], result, nullable, "window".to_owned(), options)?;
    Ok(TimeWindow { time, value, is_sliding })
}

/// `session_window(ts, gap)` before sessions that meet become one.
#[derive(Clone, Debug)]
pub struct SessionWindow {
    /// When the row's session begins; a row without a beginning is in no session.
    pub start: Typed,
    /// When it ends unless another row follows; a row whose session does not end after it began is in none.
    pub end: Typed,
}

impl SessionWindow {
    /// Resolves `session_window(ts, gap)`.
    ///
    /// Errors: `DATATYPE_MISMATCH.*`, `CANNOT_PARSE_INTERVAL`.
    pub fn new(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Self> {
        let mut gap = arguments.last().cloned().ok_or_else(|| SparkError::internal("a session without a gap"))?;
        if gap.data_type.is_string() {
            gap = coercion::convert(ctx, gap, &DataType::CalendarInterval)?;
        }
        let start = Typed { nullable: true, ..moment(ctx, "session_window", arguments)? };
        let end = Typed { nullable: true, ..scalar(ctx, "+", vec![start.clone(), gap])? };
        Ok(Self { start, end })
    }

    /// The session as a struct.
    pub fn value(self, ctx: &FunctionContext) -> Result<Typed> {
        let parts = vec![text_literal("start"), self.start, text_literal("end"), self.end];
        Ok(Typed { sql: "session_window".to_owned(), ..scalar(ctx, "named_struct", parts)? })
    }
}

fn session_window(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    SessionWindow::new(ctx, arguments)?.value(ctx)
}

/// The first argument as a moment; a window stands for its last one.
fn moment(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let mut time: Vec<Typed> = arguments.into_iter().take(1).collect();
    if time.iter().any(|time| matches!(time.data_type, DataType::Struct(_))) {
        time = vec![window_time(ctx, time)?];
    }
    let time = coercion::coerce_arguments(ctx, name, time, &[TIMESTAMP])?;
    time.into_iter().next().ok_or_else(|| SparkError::internal("a window of time without a time"))
}

/// A call of another function.
fn scalar(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    match registry::lookup(name).map(|definition| definition.build) {
        Some(Build::Scalar(build)) => build(ctx, arguments),
        _ => Err(SparkError::internal(format!("the scalar function {name} is not in the table"))),
    }
}

/// Duration, slide and start of windows, in microseconds.
fn durations(arguments: &[Typed]) -> Result<(i64, i64, i64)> {
    let durations = arguments[1..].iter().map(micros_of).collect::<Result<Vec<_>>>()?;
    let size = durations[0];
    let slide = durations.get(1).copied().unwrap_or(size);
    let start = durations.get(2).copied().unwrap_or(0);
    let sql = coercion::quoted(&coercion::call_sql("window", arguments));
    for (name, value) in [("`window_duration`", size), ("`slide_duration`", slide)] {
        if value <= 0 {
            return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_VALUE_OUT_OF_RANGE)
                .param("sqlExpr", sql)
                .param("exprName", name)
                .param("valueRange", "(0, 9223372036854775807]")
                .param("currentValue", format!("{value}L")));
        }
    }
    let violated = |left: &str, left_value: i64, constraint: &str, right: &str, right_value: i64| {
        SparkError::new(&error_class::DATATYPE_MISMATCH_PARAMETER_CONSTRAINT_VIOLATION)
            .param("sqlExpr", &sql)
            .param("leftExprName", left)
            .param("leftExprValue", format!("{left_value}L"))
            .param("constraint", constraint)
            .param("rightExprName", right)
            .param("rightExprValue", format!("{right_value}L"))
    };
    if slide > size {
        return Err(violated("`slide_duration`", slide, "less than or equal to", "`window_duration`", size));
    }
    if start.abs() >= slide {
        return Err(violated("`abs(start_time)`", start.abs(), "less than", "`slide_duration`", slide));
    }
    if size / slide > OVERLAPPING_MAX {
        return Err(SparkError::unsupported(format!("more than {OVERLAPPING_MAX} windows of time around one moment")));
    }
    Ok((size, slide, start))
}

/// One window per row, where no rows can be made.
fn window(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let window = time_window(ctx, arguments)?;
    if window.is_sliding {
        return Err(SparkError::unsupported("windows of time that overlap outside a select list and GROUP BY"));
    }
    Ok(window.value)
}

/// The kernel's constants: duration, slide and start.
fn numbers(a: &Args) -> Result<[i64; 3]> {
    let number = |i: usize| -> Result<i64> {
        a.option(i)?.parse().map_err(|_| SparkError::internal("a window's duration is no number"))
    };
    Ok([number(0)?, number(1)?, number(2)?])
}

fn windows(a: &Args) -> Result<ArrayRef> {
    let ([size, _, start], time) = (numbers(a)?, a.timestamp(0)?);
    let moved = |by: i64| -> ArrayRef {
        let begins = |t: i64| t - (t - start).rem_euclid(size) + by;
        let moments: PrimitiveArray<TimestampMicrosecondType> = time.unary(begins);
        match time.timezone() {
            Some(_) => Arc::new(moments.with_timezone(INSTANT_ZONE)),
            None => Arc::new(moments),
        }
    };
    let Arrow::Struct(fields) = to_arrow(&a.context.result) else {
        return Err(SparkError::internal("a window is no struct"));
    };
    let made = StructArray::try_new(fields, vec![moved(0), moved(size)], time.nulls().cloned());
    Ok(Arc::new(made.map_err(from_arrow)?))
}

/// All windows that hold a moment, the latest first.
fn overlapping(a: &Args) -> Result<ArrayRef> {
    let ([size, slide, start], time) = (numbers(a)?, a.timestamp(0)?);
    let (mut starts, mut lengths) = (Vec::new(), Vec::with_capacity(a.rows));
    for moment in time {
        let before = starts.len();
        if let Some(moment) = moment {
            let last = moment - (moment - start).rem_euclid(slide);
            starts.extend(std::iter::successors(Some(last), |s| Some(s - slide)).take_while(|s| moment < s + size));
        }
        lengths.push(starts.len() - before);
    }
    let moments = |by: i64| -> ArrayRef {
        let moments = TimestampMicrosecondArray::from_iter_values(starts.iter().map(|start| start + by));
        match time.timezone() {
            Some(_) => Arc::new(moments.with_timezone(INSTANT_ZONE)),
            None => Arc::new(moments),
        }
    };
    let Arrow::List(entry) = to_arrow(&a.context.result) else {
        return Err(SparkError::internal("windows are no list"));
    };
    let (Arrow::Struct(outer), Some(Arrow::Struct(inner))) = (entry.data_type(), only_field(entry.data_type())) else {
        return Err(SparkError::internal("a window is no struct"));
    };
    let windows = StructArray::try_new(inner.clone(), vec![moments(0), moments(size)], None).map_err(from_arrow)?;
    let rows = StructArray::try_new(outer.clone(), vec![Arc::new(windows)], None).map_err(from_arrow)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    let list = ListArray::try_new(entry.clone(), offsets, Arc::new(rows), None).map_err(from_arrow)?;
    Ok(Arc::new(list))
}

fn only_field(data_type: &Arrow) -> Option<&Arrow> {
    match data_type {
        Arrow::Struct(fields) => fields.first().map(|field| field.data_type()),
        _ => None,
    }
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
