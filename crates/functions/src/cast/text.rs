//! Any value as text: for CAST AS STRING, and for `show`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use arrow::datatypes as types;
use arrow::datatypes::ArrowPrimitiveType;
use firesteel_model::Result;
use firesteel_spec::DataType;

use super::conversion::{Conversion, Mode, by_arrow};
use crate::datetime::{Zone, write_date, write_time, write_timestamp};
use crate::interval::{write_calendar, write_day_time, write_year_month};
use crate::number::{write_decimal, write_double, write_float};
use crate::variant::variants;

/// How values are written.
#[derive(Clone, Debug)]
pub struct TextStyle {
    /// What stands for null inside nested values.
    pub null: &'static str,
    /// Bytes as `[61 62]` instead of the text they hold.
    pub hex_bytes: bool,
    /// Decimals without exponent.
    pub plain_decimals: bool,
    /// The session's time zone.
    pub zone: Zone,
}

/// Writes the value of a row; rows that are null write nothing.
pub(crate) type Writer<'a> = Box<dyn Fn(&mut String, usize) + 'a>;

pub(super) fn from_array(conversion: &Conversion, array: &ArrayRef, from: &DataType) -> Result<ArrayRef> {
    match from {
        // Bytes that are no UTF-8 are replaced: our strings are always text.
        DataType::String(_) | DataType::Char(_) | DataType::Varchar(_) => return Ok(array.clone()),
        from if from.is_integral() || *from == DataType::Boolean => return by_arrow(array, &DataType::STRING),
        _ => {}
    }
    let style = TextStyle {
        null: "null",
        hex_bytes: false,
        plain_decimals: conversion.mode != Mode::Legacy,
        zone: conversion.zone.clone(),
    };
    Ok(Arc::new(write_array(array, from, &style)?))
}

/// Every value as text; nulls stay null.
pub fn write_array(array: &ArrayRef, from: &DataType, style: &TextStyle) -> Result<StringArray> {
    let writer = writer(array, from, style)?;
    let mut builder = StringBuilder::with_capacity(array.len(), array.len() * 8);
    let mut text = String::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            builder.append_null();
        } else {
            text.clear();
            writer(&mut text, row);
            builder.append_value(&text);
        }
    }
    Ok(builder.finish())
}

fn primitive<'a, T: ArrowPrimitiveType>(
    array: &'a ArrayRef,
    write: impl Fn(&mut String, T::Native) + 'a,
) -> Writer<'a> {
    let values = array.as_primitive::<T>();
    Box::new(move |out, row| write(out, values.value(row)))
}

/// The writer of a column.
pub(crate) fn writer<'a>(array: &'a ArrayRef, from: &'a DataType, style: &'a TextStyle) -> Result<Writer<'a>> {
    use DataType as T;
    Ok(match from {
        T::Null => Box::new(|out, _| out.push_str(style.null)),
        T::Boolean => {
            let values = array.as_boolean();
            Box::new(|out, row| out.push_str(if values.value(row) { "true" } else { "false" }))
        }
        T::Byte => primitive::<types::Int8Type>(array, |out, value| write_integer(out, i64::from(value))),
        T::Short => primitive::<types::Int16Type>(array, |out, value| write_integer(out, i64::from(value))),
        T::Integer => primitive::<types::Int32Type>(array, |out, value| write_integer(out, i64::from(value))),
        T::Long => primitive::<types::Int64Type>(array, write_integer),
        T::Float => primitive::<types::Float32Type>(array, write_float),
        T::Double => primitive::<types::Float64Type>(array, write_double),
        T::Decimal(_, scale) => primitive::<types::Decimal128Type>(array, |out, value| {
            write_decimal(out, value, *scale, style.plain_decimals)
        }),
        T::String(_) | T::Char(_) | T::Varchar(_) => {
            let values = array.as_string::<i32>();
            Box::new(|out, row| out.push_str(values.value(row)))
        }
        T::Binary => {
            let values = array.as_binary::<i32>();
            Box::new(|out, row| write_bytes(out, values.value(row), style.hex_bytes))
        }
        T::Date => primitive::<types::Date32Type>(array, |out, value| write_date(out, i64::from(value))),
        T::Time(_) => primitive::<types::Time64NanosecondType>(array, write_time),
        T::Timestamp => primitive::<types::TimestampMicrosecondType>(array, |out, value| {
            write_timestamp(out, style.zone.to_local(value))
        }),
        T::TimestampNtz => primitive::<types::TimestampMicrosecondType>(array, write_timestamp),
        T::YearMonthInterval(start, end) => {
            primitive::<types::IntervalYearMonthType>(array, |out, value| write_year_month(out, value, *start, *end))
        }
        T::DayTimeInterval(start, end) => {
            primitive::<types::DurationMicrosecondType>(array, |out, value| write_day_time(out, value, *start, *end))
        }
        T::CalendarInterval => primitive::<types::IntervalMonthDayNanoType>(array, |out, value| {
            write_calendar(out, value.months, value.days, value.nanoseconds / 1_000)
        }),
        T::Array(element, _) => list(array, element, style)?,
        T::Map(key, value, _) => map(array, key, value, style)?,
        T::Struct(fields) => structure(array, fields, style)?,
        T::Udt(udt) => writer(array, &udt.sql_type, style)?,
        T::Geometry(_) | T::Geography(_) => Box::new(|out, row| crate::families::write_shape(out, array, row)),
        T::Variant => {
            let (values, zone) = (variants(array), &style.zone);
            // What is broken is shown as nothing: a writer has no errors.
            Box::new(move |out, row| {
                if let Some(value) = values.get(row).copied().flatten() {
                    let _ = value.write_json(out, zone);
                }
            })
        }
    })
}

fn write_integer(out: &mut String, value: i64) {
    use std::fmt::Write;
    let _ = write!(out, "{value}");
}

fn write_bytes(out: &mut String, bytes: &[u8], as_hex: bool) {
    if !as_hex {
        out.push_str(&String::from_utf8_lossy(bytes));
        return;
    }
    out.push('[');
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
        }
    }
    out.push(']');
}

fn nullable<'a>(array: &'a ArrayRef, data_type: &'a DataType, style: &'a TextStyle) -> Result<Writer<'a>> {
    let write = writer(array, data_type, style)?;
    Ok(Box::new(move |out, row| if array.is_null(row) { out.push_str(style.null) } else { write(out, row) }))
}

fn list<'a>(array: &'a ArrayRef, element: &'a DataType, style: &'a TextStyle) -> Result<Writer<'a>> {
    let list = array.as_list::<i32>();
    let write = nullable(list.values(), element, style)?;
    Ok(Box::new(move |out, row| {
        out.push('[');
        let (start, end) = (list.value_offsets()[row] as usize, list.value_offsets()[row + 1] as usize);
        for index in start..end {
            if index > start {
                out.push_str(", ");
            }
            write(out, index);
        }
        out.push(']');
    }))
}

fn map<'a>(array: &'a ArrayRef, key: &'a DataType, value: &'a DataType, style: &'a TextStyle) -> Result<Writer<'a>> {
    let map = array.as_map();
    let write_key = nullable(map.keys(), key, style)?;
    let write_value = nullable(map.values(), value, style)?;
    Ok(Box::new(move |out, row| {
        out.push('{');
        let (start, end) = (map.value_offsets()[row] as usize, map.value_offsets()[row + 1] as usize);
        for index in start..end {
            if index > start {
                out.push_str(", ");
            }
            write_key(out, index);
            out.push_str(" -> ");
            write_value(out, index);
        }
        out.push('}');
    }))
}

fn structure<'a>(
    array: &'a ArrayRef,
    fields: &'a [firesteel_spec::StructField],
    style: &'a TextStyle,
) -> Result<Writer<'a>> {
    let columns = array.as_struct().columns();
    let writers = columns
        .iter()
        .zip(fields)
        .map(|(column, field)| nullable(column, &field.data_type, style))
        .collect::<Result<Vec<_>>>()?;
    Ok(Box::new(move |out, row| {
        out.push('{');
        for (index, write) in writers.iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            write(out, row);
        }
        out.push('}');
    }))
}
