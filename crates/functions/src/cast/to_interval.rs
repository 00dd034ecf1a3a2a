//! Casts to intervals.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{
    Decimal128Type, DurationMicrosecondType, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType,
    IntervalYearMonthType, i256,
};
use firesteel_model::Result;
use firesteel_spec::DataType;
use firesteel_spec::types::YearMonthField;

use super::conversion::{Conversion, Mode, by_arrow, unknown};
use super::to_integer::day_time_unit;
use crate::interval::{bad_interval, parse_calendar, parse_day_time, parse_year_month};
use crate::number::{divide_half_up, power_of_ten};

pub(super) fn convert(conversion: &Conversion, array: &ArrayRef, from: &DataType, to: &DataType) -> Result<ArrayRef> {
    match (from, to) {
        _ if from.is_string() => text(conversion, array, to),
        (DataType::YearMonthInterval(..), DataType::YearMonthInterval(_, end)) => {
            let by = if *end == YearMonthField::Year { 12 } else { 1 };
            let months = array.as_primitive::<IntervalYearMonthType>();
            Ok(Arc::new(months.unary::<_, IntervalYearMonthType>(|value| value / by * by)))
        }
        (DataType::DayTimeInterval(..), DataType::DayTimeInterval(_, end)) => {
            let by = day_time_unit(*end);
            let micros = array.as_primitive::<DurationMicrosecondType>();
            Ok(Arc::new(micros.unary::<_, DurationMicrosecondType>(|value| value / by * by)))
        }
        _ => number(conversion, array, from, to),
    }
}

/// Texts that are no interval are errors in every mode but TRY; as calendar intervals they are NULL.
fn text(conversion: &Conversion, array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let texts = array.as_string::<i32>();
    let mut strict = conversion.strict();
    if *to == DataType::CalendarInterval {
        strict.mode = Mode::Try;
    }
    let error = |row| bad_interval(texts.value(row), to);
    Ok(match to {
        DataType::YearMonthInterval(start, end) => {
            let parse = |text| parse_year_month(text, *start, *end);
            let parsed: arrow::array::IntervalYearMonthArray = texts.iter().map(|text| text.and_then(parse)).collect();
            strict.check_nulls(texts, &parsed, error)?;
            Arc::new(parsed)
        }
        DataType::DayTimeInterval(start, end) => {
            let parse = |text| parse_day_time(text, *start, *end);
            let parsed: arrow::array::DurationMicrosecondArray =
                texts.iter().map(|text| text.and_then(parse)).collect();
            strict.check_nulls(texts, &parsed, error)?;
            Arc::new(parsed)
        }
        _ => {
            let parse = |text| {
                let (months, days, micros) = parse_calendar(text)?;
                Some(IntervalMonthDayNano::new(months, days, micros.checked_mul(1_000)?))
            };
            let parsed: arrow::array::PrimitiveArray<IntervalMonthDayNanoType> =
                texts.iter().map(|text| text.and_then(parse)).collect();
            strict.check_nulls(texts, &parsed, error)?;
            Arc::new(parsed)
        }
    })
}

/// A number counts the interval's last field; one that does not fit is an error in every mode but TRY.
fn number(conversion: &Conversion, array: &ArrayRef, from: &DataType, to: &DataType) -> Result<ArrayRef> {
    let unit: i64 = match to {
        DataType::YearMonthInterval(_, YearMonthField::Year) => 12,
        DataType::YearMonthInterval(..) => 1,
        DataType::DayTimeInterval(_, end) => day_time_unit(*end),
        _ => return Err(unknown(from, to)),
    };
    let (values, scale) = match from {
        DataType::Decimal(_, scale) => (array.as_primitive::<Decimal128Type>().clone(), *scale),
        from if from.is_integral() => {
            let longs = by_arrow(array, &DataType::Long)?;
            (longs.as_primitive::<Int64Type>().unary::<_, Decimal128Type>(i128::from), 0)
        }
        from => return Err(unknown(from, to)),
    };
    let scaled = |value: i128| -> Option<i64> {
        let product = i256::from_i128(value).checked_mul(i256::from_i128(i128::from(unit)))?;
        let whole = divide_half_up(product, power_of_ten(u32::from(scale.unsigned_abs())));
        i64::try_from(whole.to_i128()?).ok()
    };
    let strict = conversion.strict();
    let error = |row| conversion.overflow(array, row, from, to);
    if let DataType::YearMonthInterval(..) = to {
        let months = |value| i32::try_from(scaled(value)?).ok();
        return strict.each::<_, IntervalYearMonthType>(&values, months, error);
    }
    strict.each::<_, DurationMicrosecondType>(&values, scaled, error)
}
