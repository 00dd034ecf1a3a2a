//! Constants: as DataFusion's scalars, and as Spark prints them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes as types;
use datafusion::common::ScalarValue;
use datafusion::common::metadata::FieldMetadata;
use datafusion::logical_expr::Expr;
use firesteel_model::{Result, SparkError};
use firesteel_spec::types_arrow::{arrow_field, to_arrow, type_metadata};
use firesteel_spec::{DataType, Literal};

use crate::call::{FunctionContext, Typed};
use crate::datetime::{Zone, write_date, write_time, write_timestamp};
use crate::errors::{from_arrow, from_datafusion};
use crate::interval::{write_calendar, write_day_time, write_year_month};
use crate::number::{write_decimal, write_double, write_float};

/// The constant as an expression, under the name that Spark gives it as a column.
pub fn typed(literal: &Literal, ctx: &FunctionContext) -> Result<Typed> {
    let data_type = literal.data_type();
    let metadata = type_metadata(&data_type);
    let metadata = if metadata.is_empty() { None } else { Some(FieldMetadata::from(metadata)) };
    let nullable = matches!(literal, Literal::Null(_));
    let expr = Expr::Literal(scalar(literal)?, metadata);
    Ok(Typed { expr, data_type, nullable, sql: column_name(literal, &ctx.time_zone) })
}

/// The constant as DataFusion holds it.
pub fn scalar(literal: &Literal) -> Result<ScalarValue> {
    Ok(match literal {
        Literal::Null(data_type) => ScalarValue::try_from(&to_arrow(data_type)).map_err(from_datafusion)?,
        Literal::Boolean(value) => ScalarValue::Boolean(Some(*value)),
        Literal::Byte(value) => ScalarValue::Int8(Some(*value)),
        Literal::Short(value) => ScalarValue::Int16(Some(*value)),
        Literal::Integer(value) => ScalarValue::Int32(Some(*value)),
        Literal::Long(value) => ScalarValue::Int64(Some(*value)),
        Literal::Float(value) => ScalarValue::Float32(Some(*value)),
        Literal::Double(value) => ScalarValue::Float64(Some(*value)),
        Literal::Decimal(value, precision, scale) => ScalarValue::Decimal128(Some(*value), *precision, *scale),
        Literal::String(value) => ScalarValue::Utf8(Some(value.clone())),
        Literal::Binary(value) => ScalarValue::Binary(Some(value.clone())),
        Literal::Date(days) => ScalarValue::Date32(Some(*days)),
        Literal::Time(nanos, _) => ScalarValue::Time64Nanosecond(Some(*nanos)),
        Literal::Timestamp(micros) => {
            let zone = firesteel_spec::types_arrow::INSTANT_ZONE;
            ScalarValue::TimestampMicrosecond(Some(*micros), Some(zone.into()))
        }
        Literal::TimestampNtz(micros) => ScalarValue::TimestampMicrosecond(Some(*micros), None),
        Literal::YearMonthInterval(months, _) => ScalarValue::IntervalYearMonth(Some(*months)),
        Literal::DayTimeInterval(micros, _) => ScalarValue::DurationMicrosecond(Some(*micros)),
        Literal::CalendarInterval(months, days, micros) => {
            let nanos = micros
                .checked_mul(1_000)
                .ok_or_else(|| SparkError::unsupported("calendar intervals of more than 292 years in microseconds"))?;
            ScalarValue::IntervalMonthDayNano(Some(types::IntervalMonthDayNano::new(*months, *days, nanos)))
        }
        Literal::Array(elements, element) => {
            let DataType::Array(_, contains_null) = literal.data_type() else {
                return Err(SparkError::internal("an array literal is no array"));
            };
            let values = array_of(elements, element)?;
            let field = Arc::new(arrow_field("element", element, contains_null));
            let offsets = arrow::buffer::OffsetBuffer::from_lengths([values.len()]);
            ScalarValue::List(Arc::new(
                arrow::array::ListArray::try_new(field, offsets, values, None).map_err(from_arrow)?,
            ))
        }
        Literal::Map(entries, key, value) => map_scalar(literal, entries, key, value)?,
        Literal::Struct(values, data_type) => struct_scalar(values, data_type)?,
    })
}

fn array_of(literals: &[Literal], data_type: &DataType) -> Result<ArrayRef> {
    if literals.is_empty() {
        return Ok(arrow::array::new_empty_array(&to_arrow(data_type)));
    }
    let scalars = literals.iter().map(scalar).collect::<Result<Vec<_>>>()?;
    let null = ScalarValue::try_from(&to_arrow(data_type)).map_err(from_datafusion)?;
    let scalars = scalars.into_iter().map(|value| if value.is_null() { null.clone() } else { value });
    ScalarValue::iter_to_array(scalars).map_err(from_datafusion)
}

fn map_scalar(
    whole: &Literal,
    entries: &[(Literal, Literal)],
    key: &DataType,
    value: &DataType,
) -> Result<ScalarValue> {
    let types::DataType::Map(field, sorted) = to_arrow(&whole.data_type()) else {
        return Err(SparkError::internal("a map literal is no map"));
    };
    let types::DataType::Struct(fields) = field.data_type().clone() else {
        return Err(SparkError::internal("a map has no entries"));
    };
    let keys: Vec<_> = entries.iter().map(|(key, _)| key.clone()).collect();
    let values: Vec<_> = entries.iter().map(|(_, value)| value.clone()).collect();
    let columns = vec![array_of(&keys, key)?, array_of(&values, value)?];
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([entries.len()]);
    let entries = arrow::array::StructArray::try_new(fields, columns, None).map_err(from_arrow)?;
    let map = arrow::array::MapArray::try_new(field, offsets, entries, None, sorted).map_err(from_arrow)?;
    Ok(ScalarValue::Map(Arc::new(map)))
}

fn struct_scalar(values: &[Literal], data_type: &DataType) -> Result<ScalarValue> {
    let (DataType::Struct(spark), types::DataType::Struct(fields)) = (data_type, to_arrow(data_type)) else {
        return Err(SparkError::internal("a struct literal is no struct"));
    };
    let columns = values
        .iter()
        .zip(spark)
        .map(|(value, field)| array_of(std::slice::from_ref(value), &field.data_type))
        .collect::<Result<Vec<_>>>()?;
    let array = arrow::array::StructArray::try_new_with_length(fields, columns, None, 1).map_err(from_arrow)?;
    Ok(ScalarValue::Struct(Arc::new(array)))
}

/// How Spark names a column that is this constant.
pub fn column_name(literal: &Literal, zone: &str) -> String {
    match literal {
        Literal::String(value) => value.clone(),
        Literal::Byte(value) => value.to_string(),
        Literal::Short(value) => value.to_string(),
        Literal::Long(value) => value.to_string(),
        Literal::Float(value) => text(|out| write_float(out, *value)),
        Literal::Double(value) => text(|out| write_double(out, *value)),
        Literal::Decimal(value, _, scale) => text(|out| write_decimal(out, *value, *scale, false)),
        other => sql(other, zone),
    }
}

/// The constant as SQL text: `1L`, `'abc'`, `DATE '2020-01-01'`, `CAST('NaN' AS DOUBLE)`.
pub fn sql(literal: &Literal, zone: &str) -> String {
    match literal {
        Literal::Null(_) => "NULL".to_owned(),
        Literal::Boolean(value) => value.to_string(),
        Literal::Byte(value) => format!("{value}Y"),
        Literal::Short(value) => format!("{value}S"),
        Literal::Integer(value) => value.to_string(),
        Literal::Long(value) => format!("{value}L"),
        Literal::Float(value) => {
            let number = text(|out| write_float(out, *value));
            let quote = if value.is_finite() { "" } else { "'" };
            format!("CAST({quote}{number}{quote} AS FLOAT)")
        }
        Literal::Double(value) if value.is_finite() => text(|out| write_double(out, *value)) + "D",
        Literal::Double(value) => format!("CAST('{}' AS DOUBLE)", text(|out| write_double(out, *value))),
        Literal::Decimal(value, _, scale) => text(|out| write_decimal(out, *value, *scale, false)) + "BD",
        Literal::String(value) => quoted(value),
        Literal::Binary(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            format!("X'{digits}'")
        }
        Literal::Date(days) => format!("DATE '{}'", text(|out| write_date(out, i64::from(*days)))),
        Literal::Time(nanos, _) => format!("TIME '{}'", text(|out| write_time(out, *nanos))),
        Literal::Timestamp(micros) => {
            let zone = Zone::find(zone).unwrap_or_else(Zone::utc);
            format!("TIMESTAMP '{}'", text(|out| write_timestamp(out, zone.to_local(*micros))))
        }
        Literal::TimestampNtz(micros) => format!("TIMESTAMP_NTZ '{}'", text(|out| write_timestamp(out, *micros))),
        Literal::YearMonthInterval(months, DataType::YearMonthInterval(start, end)) => {
            text(|out| write_year_month(out, *months, *start, *end))
        }
        Literal::DayTimeInterval(micros, DataType::DayTimeInterval(start, end)) => {
            text(|out| write_day_time(out, *micros, *start, *end))
        }
        Literal::YearMonthInterval(months, _) => format!("INTERVAL '{months}' MONTH"),
        Literal::DayTimeInterval(micros, _) => format!("INTERVAL '{micros}' MICROSECOND"),
        Literal::CalendarInterval(months, days, micros) => {
            format!("INTERVAL '{}'", text(|out| write_calendar(out, *months, *days, *micros)))
        }
        Literal::Array(elements, _) => {
            let elements: Vec<_> = elements.iter().map(|element| sql(element, zone)).collect();
            format!("ARRAY({})", elements.join(", "))
        }
        Literal::Map(entries, ..) => {
            let entries: Vec<_> = entries.iter().flat_map(|(key, value)| [sql(key, zone), sql(value, zone)]).collect();
            format!("MAP({})", entries.join(", "))
        }
        Literal::Struct(values, DataType::Struct(fields)) => {
            let fields: Vec<_> = fields
                .iter()
                .zip(values)
                .map(|(field, value)| format!("{}, {}", quoted(&field.name), sql(value, zone)))
                .collect();
            format!("NAMED_STRUCT({})", fields.join(", "))
        }
        Literal::Struct(..) => "NULL".to_owned(),
    }
}

/// The constant as messages show it: as SQL, but FLOAT, NaN and the infinities are bare.
pub fn message_text(literal: &Literal, zone: &str) -> String {
    match literal {
        Literal::Float(value) => text(|out| write_float(out, *value)),
        Literal::Double(value) if !value.is_finite() => text(|out| write_double(out, *value)),
        other => sql(other, zone),
    }
}

/// A string in single quotes.
pub fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn text(write: impl FnOnce(&mut String)) -> String {
    let mut out = String::new();
    write(&mut out);
    out
}

/// The value in a row of a column of plain type, for messages; NULL where the type is nested.
pub(crate) fn at(array: &ArrayRef, row: usize, data_type: &DataType) -> Literal {
    if array.is_null(row) {
        return Literal::Null(data_type.clone());
    }
    match data_type {
        DataType::Boolean => Literal::Boolean(array.as_boolean().value(row)),
        DataType::Byte => Literal::Byte(array.as_primitive::<types::Int8Type>().value(row)),
        DataType::Short => Literal::Short(array.as_primitive::<types::Int16Type>().value(row)),
        DataType::Integer => Literal::Integer(array.as_primitive::<types::Int32Type>().value(row)),
        DataType::Long => Literal::Long(array.as_primitive::<types::Int64Type>().value(row)),
        DataType::Float => Literal::Float(array.as_primitive::<types::Float32Type>().value(row)),
        DataType::Double => Literal::Double(array.as_primitive::<types::Float64Type>().value(row)),
        DataType::Decimal(precision, scale) => {
            Literal::Decimal(array.as_primitive::<types::Decimal128Type>().value(row), *precision, *scale)
        }
        DataType::Date => Literal::Date(array.as_primitive::<types::Date32Type>().value(row)),
        DataType::Timestamp => Literal::Timestamp(array.as_primitive::<types::TimestampMicrosecondType>().value(row)),
        DataType::TimestampNtz => {
            Literal::TimestampNtz(array.as_primitive::<types::TimestampMicrosecondType>().value(row))
        }
        DataType::Time(precision) => {
            Literal::Time(array.as_primitive::<types::Time64NanosecondType>().value(row), *precision)
        }
        DataType::YearMonthInterval(..) => Literal::YearMonthInterval(
            array.as_primitive::<types::IntervalYearMonthType>().value(row),
            data_type.clone(),
        ),
        DataType::DayTimeInterval(..) => Literal::DayTimeInterval(
            array.as_primitive::<types::DurationMicrosecondType>().value(row),
            data_type.clone(),
        ),
        t if t.is_string() => Literal::String(array.as_string::<i32>().value(row).to_owned()),
        _ => Literal::Null(data_type.clone()),
    }
}
