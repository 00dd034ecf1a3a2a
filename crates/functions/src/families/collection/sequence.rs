//! `sequence`: numbers, dates and timestamps from one to another.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType as Arrow, Date32Type, DurationMicrosecondType, Int64Type, IntervalMonthDayNanoType, IntervalYearMonthType,
    TimestampMicrosecondType,
};
use datafusion::common::ScalarValue;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::to_arrow;

use super::gather::{Gather, retyped};
use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::datetime::Zone;
use crate::datetime::civil::{MICROS_PER_DAY, plus_interval};
use crate::errors::from_arrow;
use crate::families::args::Args;
use crate::families::rows::{DAY_TIME, any_nullable, definitions, kernels, literal};
use crate::udf;

definitions! {
    "sequence" (2, 3), Scalar(sequence), "an array of the values from one to another, by a step";
}

kernels! {
    "sequence_numbers" raising => numbers;
    "sequence_times" raising => times;
}

/// Longest array.
const ELEMENTS_MAX: i128 = 2_147_483_632;

fn wrong_types(sql: &str) -> SparkError {
    SparkError::new(&error_class::DATATYPE_MISMATCH_SEQUENCE_WRONG_INPUT_TYPES)
        .param("sqlExpr", coercion::quoted(sql))
        .param("functionName", "`sequence`")
        .param("startType", "(\"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \"DATE\" or \"INTEGRAL\")")
        .param("stepType", "(\"INTEGRAL\")")
        .param("intervalType", "(\"INTERVAL\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\")")
}

fn sequence(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("sequence", &arguments);
    let step = if arguments.len() == 3 { arguments.pop() } else { None };
    let ends: Vec<_> = arguments.iter().map(|argument| argument.data_type.clone()).collect();
    let mut common = coercion::common_type(ctx, &ends).ok_or_else(|| wrong_types(&sql))?;
    if common.is_integral() {
        if let Some(step) = &step {
            common = coercion::common_type(ctx, &[common, step.data_type.clone()]).ok_or_else(|| wrong_types(&sql))?;
        }
        arguments.extend(step);
        let arguments =
            arguments.into_iter().map(|a| coercion::convert(ctx, a, &common)).collect::<Result<Vec<_>>>()?;
        let nullable = any_nullable(&arguments);
        return udf::call(ctx, "sequence_numbers", arguments, DataType::Array(Box::new(common), false), nullable, sql);
    }
    if !common.is_datetime() {
        return Err(wrong_types(&sql));
    }
    let mut arguments =
        arguments.into_iter().map(|a| coercion::convert(ctx, a, &common)).collect::<Result<Vec<_>>>()?;
    let day = || literal(ScalarValue::DurationMicrosecond(Some(MICROS_PER_DAY)), DAY_TIME, "INTERVAL '1' DAY");
    let is_default = step.is_none();
    let step = match step {
        Some(step) if step.data_type.is_string() => coercion::convert(ctx, step, &DataType::CalendarInterval)?,
        Some(step) => step,
        None => day(),
    };
    let is_interval = matches!(
        step.data_type,
        DataType::CalendarInterval | DataType::YearMonthInterval(..) | DataType::DayTimeInterval(..)
    );
    if !is_interval {
        return Err(wrong_types(&sql));
    }
    let options = if is_default { vec!["either way".to_owned()] } else { Vec::new() };
    arguments.push(step);
    let nullable = any_nullable(&arguments);
    let result = DataType::Array(Box::new(common), false);
    udf::call_with(ctx, "sequence_times", arguments, result, nullable, sql, options)
}

fn bad_bounds(start: i64, stop: i64, step: impl std::fmt::Display) -> SparkError {
    SparkError::new(&error_class::ILLEGAL_SEQUENCE_BOUNDARIES)
        .param("start", start.to_string())
        .param("stop", stop.to_string())
        .param("step", step.to_string())
}

fn finish(a: &Args, rows: Gather, values: Vec<i64>) -> Result<ArrayRef> {
    let Arrow::List(field) = to_arrow(&a.context.result) else {
        return Err(SparkError::internal("a sequence is no array"));
    };
    let longs = Int64Array::from(values);
    let values = match field.data_type() {
        Arrow::Date32 => cast(&cast(&longs, &Arrow::Int32).map_err(from_arrow)?, &Arrow::Date32).map_err(from_arrow)?,
        other => cast(&longs, other).map_err(from_arrow)?,
    };
    rows.finish_with(&a.context.result, retyped(values, field.data_type())?)
}

fn numbers(a: &Args) -> Result<ArrayRef> {
    let columns =
        a.arrays.iter().map(|array| cast(array, &Arrow::Int64).map_err(from_arrow)).collect::<Result<Vec<_>>>()?;
    let columns: Vec<_> = columns.iter().map(|column| column.as_primitive::<Int64Type>()).collect();
    let nulls = a.nulls();
    let (mut values, mut rows) = (Vec::new(), Gather::default());
    for row in 0..a.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            rows.null();
            continue;
        }
        let (start, stop) = (columns[0].value(row), columns[1].value(row));
        let step = columns.get(2).map_or(if start <= stop { 1 } else { -1 }, |step| step.value(row));
        if !((step > 0 && start <= stop) || (step < 0 && start >= stop) || (step == 0 && start == stop)) {
            return Err(bad_bounds(start, stop, step));
        }
        let count = if step == 0 { 1 } else { (i128::from(stop) - i128::from(start)) / i128::from(step) + 1 };
        if count > ELEMENTS_MAX {
            return Err(SparkError::new(&error_class::COLLECTION_SIZE_LIMIT_EXCEEDED_PARAMETER)
                .param("functionName", "`sequence`")
                .param("numberOfElements", count.to_string())
                .param("maxRoundedArrayLength", ELEMENTS_MAX.to_string())
                .param("parameter", "`count`"));
        }
        let first = values.len();
        values.extend((0..count as i64).map(|i| start + i * step));
        rows.row((first..values.len()).map(Some));
    }
    finish(a, rows, values)
}

/// Months, days and microseconds of the step in each row.
fn steps(array: &ArrayRef) -> Vec<(i64, i64, i64)> {
    let rows = 0..array.len();
    if let Some(months) = array.as_primitive_opt::<IntervalYearMonthType>() {
        return rows.map(|row| (i64::from(months.value(row)), 0, 0)).collect();
    }
    if let Some(micros) = array.as_primitive_opt::<DurationMicrosecondType>() {
        let split = |micros: i64| (0, micros / MICROS_PER_DAY, micros % MICROS_PER_DAY);
        return rows.map(|row| split(micros.value(row))).collect();
    }
    let intervals = array.as_primitive::<IntervalMonthDayNanoType>();
    let split = |row: usize| {
        let step = intervals.value(row);
        (i64::from(step.months), i64::from(step.days), step.nanoseconds / 1_000)
    };
    rows.map(split).collect()
}

/// Months and days move the wall clock.
fn days_moved(zone: &Zone, start: i64, local: i64, months: i64, days: i64) -> Option<i64> {
    if months == 0 && days == 0 {
        Some(start)
    } else {
        plus_interval(local, months, days).map(|at| zone.to_instant(at))
    }
}

/// Every value is the start moved by a multiple of the step.
fn times(a: &Args) -> Result<ArrayRef> {
    let is_date = a.arrays[0].data_type() == &Arrow::Date32;
    let zone = if *a.data_type(0)? == DataType::Timestamp { Zone::parse(&a.context.time_zone)? } else { Zone::utc() };
    let micros = |i: usize, row: usize| match a.arrays[i].as_primitive_opt::<Date32Type>() {
        Some(days) => i64::from(days.value(row)) * MICROS_PER_DAY,
        None => a.arrays[i].as_primitive::<TimestampMicrosecondType>().value(row),
    };
    let (steps, nulls) = (steps(&a.arrays[2]), a.nulls());
    let (mut values, mut rows) = (Vec::new(), Gather::default());
    for (row, mut step) in steps.into_iter().enumerate() {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            rows.null();
            continue;
        }
        let (start, stop) = (micros(0, row), micros(1, row));
        if !a.context.options.is_empty() && start > stop {
            step = (-step.0, -step.1, -step.2);
        }
        // 28 days are the shortest month: only its sign matters here.
        let sign =
            (step.0 * 28 * MICROS_PER_DAY).saturating_add(step.1 * MICROS_PER_DAY).saturating_add(step.2).signum();
        if !((sign > 0 && start <= stop) || (sign < 0 && start >= stop) || (sign == 0 && start == stop)) {
            return Err(bad_bounds(start, stop, format!("{step:?}")));
        }
        let first = values.len();
        let local = zone.to_local(start);
        for i in 0.. {
            let Some(day) = days_moved(&zone, start, local, step.0 * i, step.1 * i) else { break };
            let at = day.saturating_add(step.2.saturating_mul(i));
            if (sign >= 0 && at > stop) || (sign < 0 && at < stop) {
                break;
            }
            values.push(if is_date { at.div_euclid(MICROS_PER_DAY) } else { at });
            if sign == 0 {
                break;
            }
        }
        rows.row((first..values.len()).map(Some));
    }
    finish(a, rows, values)
}
