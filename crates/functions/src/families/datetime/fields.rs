//! Parts of dates, timestamps and intervals.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DurationMicrosecondType, IntervalYearMonthType};
use datafusion::common::ScalarValue;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::clock::clock;
use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::datetime::Civil;
use crate::datetime::civil::{
    MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND, day_of_week, split_micros,
};
use crate::families::args::Args;
use crate::families::rows::{DATE, INSTANT_OR_TIME, any_nullable, definitions, fold, fold_text, kernels, literal};
use crate::udf;

definitions! {
    "year" (1, 1), Scalar(|c, a| of_date(c, "year", a)), "the year";
    "quarter" (1, 1), Scalar(|c, a| of_date(c, "quarter", a)), "the quarter, 1 to 4";
    "month" (1, 1), Scalar(|c, a| of_date(c, "month", a)), "the month, 1 to 12";
    "day" (1, 1), Scalar(|c, a| of_date(c, "day", a)), "the day of the month";
    "dayofmonth" (1, 1), Scalar(|c, a| of_date(c, "dayofmonth", a)), "the day of the month";
    "dayofweek" (1, 1), Scalar(|c, a| of_date(c, "dayofweek", a)), "the day of the week, 1 for Sunday";
    "weekday" (1, 1), Scalar(|c, a| of_date(c, "weekday", a)), "the day of the week, 0 for Monday";
    "dayofyear" (1, 1), Scalar(|c, a| of_date(c, "dayofyear", a)), "the day of the year";
    "weekofyear" (1, 1), Scalar(|c, a| of_date(c, "weekofyear", a)), "the ISO week of the year";
    "hour" (1, 1), Scalar(|c, a| of_clock(c, "hour", a)), "the hour, 0 to 23";
    "minute" (1, 1), Scalar(|c, a| of_clock(c, "minute", a)), "the minute";
    "second" (1, 1), Scalar(|c, a| of_clock(c, "second", a)), "the second";
    "extract" (2, 2), Scalar(|c, a| part(c, "extract", a)), "a part of a date, timestamp or interval";
    "date_part" (2, 2), Scalar(|c, a| part(c, "date_part", a)), "a part of a date, timestamp or interval";
    "datepart" (2, 2), Scalar(|c, a| part(c, "datepart", a)), "a part of a date, timestamp or interval";
}

kernels! {
    "datetime_field" => field;
    "datetime_seconds" => seconds;
    "interval_field" => interval_field;
    "interval_seconds" => interval_seconds;
}

fn call(ctx: &FunctionContext, field: &str, sql: String, arguments: Vec<Typed>) -> Result<Typed> {
    let nullable = any_nullable(&arguments);
    udf::call_with(ctx, "datetime_field", arguments, DataType::Integer, nullable, sql, vec![field.to_owned()])
}

fn of_date(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[DATE])?;
    call(ctx, name, sql, arguments)
}

fn of_clock(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[INSTANT_OR_TIME])?;
    call(ctx, name, sql, arguments)
}

/// The field that a word in EXTRACT means.
fn field_of(word: &str) -> Option<&'static str> {
    Some(match word.to_uppercase().as_str() {
        "YEAR" | "Y" | "YEARS" | "YR" | "YRS" => "year",
        "YEAROFWEEK" => "yearofweek",
        "QUARTER" | "QTR" => "quarter",
        "MONTH" | "MON" | "MONS" | "MONTHS" => "month",
        "WEEK" | "W" | "WEEKS" => "weekofyear",
        "DAY" | "D" | "DAYS" => "day",
        "DAYOFWEEK" | "DOW" => "dayofweek",
        "DAYOFWEEK_ISO" | "DOW_ISO" => "dayofweek_iso",
        "DOY" => "dayofyear",
        "HOUR" | "H" | "HOURS" | "HR" | "HRS" => "hour",
        "MINUTE" | "M" | "MIN" | "MINS" | "MINUTES" => "minute",
        "SECOND" | "S" | "SEC" | "SECONDS" | "SECS" => "seconds",
        _ => return None,
    })
}

fn part(ctx: &FunctionContext, name: &str, mut arguments: Vec<Typed>) -> Result<Typed> {
    let source = arguments.pop().ok_or_else(|| SparkError::internal("EXTRACT lacks its source"))?;
    let word = arguments.pop().ok_or_else(|| SparkError::internal("EXTRACT lacks its field"))?;
    let sql = match name {
        "extract" | "datepart" => format!("{name}({} FROM {})", word.sql, source.sql),
        _ => format!("{name}({}, {})", word.sql, source.sql),
    };
    if fold(&word).is_some_and(|value| value.is_null()) {
        return Ok(literal(ScalarValue::Float64(None), DataType::Double, &sql));
    }
    let Some(text) = fold_text(&word) else {
        return Err(SparkError::new(&error_class::NON_FOLDABLE_ARGUMENT)
            .param("funcName", format!("`{name}`"))
            .param("paramName", "`field`")
            .param("paramType", coercion::type_sql(&DataType::STRING)));
    };
    let source_sql = coercion::quoted(&source.sql);
    let unknown = || {
        SparkError::new(&error_class::INVALID_EXTRACT_FIELD)
            .param("field", format!("`{text}`"))
            .param("expr", source_sql.clone())
    };
    let field = field_of(&text).ok_or_else(unknown)?;
    if let DataType::YearMonthInterval(..) | DataType::DayTimeInterval(..) | DataType::CalendarInterval =
        source.data_type
    {
        return interval_part(ctx, field, source, sql).ok_or_else(unknown)?;
    }
    match field {
        "hour" | "minute" => Ok(Typed { sql, ..of_clock(ctx, field, vec![source])? }),
        "seconds" => {
            let arguments = coercion::coerce_arguments(ctx, name, vec![source], &[INSTANT_OR_TIME])?;
            let nullable = any_nullable(&arguments);
            udf::call(ctx, "datetime_seconds", arguments, DataType::Decimal(8, 6), nullable, sql)
        }
        _ => Ok(Typed { sql, ..of_date(ctx, field, vec![source])? }),
    }
}

fn interval_part(ctx: &FunctionContext, field: &str, source: Typed, sql: String) -> Option<Result<Typed>> {
    let fits = match source.data_type {
        DataType::YearMonthInterval(..) => matches!(field, "year" | "month"),
        DataType::DayTimeInterval(..) => matches!(field, "day" | "hour" | "minute" | "seconds"),
        _ => false,
    };
    if !fits {
        return None;
    }
    let nullable = source.nullable;
    let (kernel, data_type) = match field {
        "seconds" => ("interval_seconds", DataType::Decimal(8, 6)),
        "month" => ("interval_field", DataType::Byte),
        "hour" | "minute" => ("interval_field", DataType::Byte),
        _ => ("interval_field", DataType::Integer),
    };
    Some(udf::call_with(ctx, kernel, vec![source], data_type, nullable, sql, vec![field.to_owned()]))
}

fn field(a: &Args) -> Result<ArrayRef> {
    let clock = clock(a, 0)?;
    let name = a.option(0)?;
    let of_date: fn(Civil) -> i32 = match name {
        "year" => |date| date.year,
        "quarter" => |date| (i32::from(date.month) - 1) / 3 + 1,
        "month" => |date| i32::from(date.month),
        "day" | "dayofmonth" => |date| i32::from(date.day),
        "dayofyear" => |date| i32::from(date.day_of_year()),
        "weekofyear" => |date| i32::from(date.iso_week().1),
        "yearofweek" => |date| date.iso_week().0,
        _ => {
            let of_clock: fn(i64, i64) -> i64 = match name {
                "dayofweek" => |days, _| i64::from(day_of_week(days)) % 7 + 1,
                "dayofweek_iso" => |days, _| i64::from(day_of_week(days)),
                "weekday" => |days, _| i64::from(day_of_week(days)) - 1,
                "hour" => |_, time| time / MICROS_PER_HOUR,
                "minute" => |_, time| time / MICROS_PER_MINUTE % 60,
                _ => |_, time| time / MICROS_PER_SECOND % 60,
            };
            return a.ints(|r| {
                let (days, time) = split_micros(clock(r));
                of_clock(days, time) as i32
            });
        }
    };
    a.ints(|r| of_date(Civil::from_days(clock(r).div_euclid(MICROS_PER_DAY))))
}

fn seconds(a: &Args) -> Result<ArrayRef> {
    let clock = clock(a, 0)?;
    a.try_decimals(|r| Ok(Some(i128::from(clock(r).rem_euclid(MICROS_PER_MINUTE)))))
}

fn interval_field(a: &Args) -> Result<ArrayRef> {
    let array = a.array(0)?;
    let value: Box<dyn Fn(usize) -> i64> = match array.as_primitive_opt::<IntervalYearMonthType>() {
        Some(months) => Box::new(|r| i64::from(months.value(r))),
        None => {
            let micros = array.as_primitive::<DurationMicrosecondType>();
            Box::new(|r| micros.value(r))
        }
    };
    let part: fn(i64) -> i64 = match a.option(0)? {
        "year" => |months| months / 12,
        "month" => |months| months % 12,
        "day" => |micros| micros / MICROS_PER_DAY,
        "hour" => |micros| micros / MICROS_PER_HOUR % 24,
        _ => |micros| micros / MICROS_PER_MINUTE % 60,
    };
    if a.context.result == DataType::Byte {
        return a.values::<arrow::datatypes::Int8Type>(|r| part(value(r)) as i8);
    }
    a.ints(|r| part(value(r)) as i32)
}

fn interval_seconds(a: &Args) -> Result<ArrayRef> {
    let micros = a.primitive::<DurationMicrosecondType>(0)?;
    a.try_decimals(|r| Ok(Some(i128::from(micros.value(r) % MICROS_PER_MINUTE))))
}
