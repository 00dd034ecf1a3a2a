//! Spark's values as JSON.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Float32Type, Float64Type, TimestampMicrosecondType};
use firesteel_model::Result;
use firesteel_spec::DataType;

use super::value::write_text;
use crate::cast::{TextStyle, writer};
use crate::datetime::{Pattern, Zone};
use crate::families::collection::gather::{entries, range};

/// How values are written.
pub(crate) struct Style {
    pub(crate) zone: Zone,
    pub(crate) date: Option<Pattern>,
    pub(crate) timestamp: Pattern,
    pub(crate) timestamp_ntz: Pattern,
    pub(crate) keeps_nulls: bool,
}

/// Writes the value of a row.
pub(crate) fn value(out: &mut String, array: &ArrayRef, data_type: &DataType, row: usize, style: &Style) -> Result<()> {
    if array.is_null(row) || *data_type == DataType::Null {
        out.push_str("null");
        return Ok(());
    }
    match data_type {
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            out.push('{');
            let mut is_first = true;
            for (field, column) in fields.iter().zip(columns) {
                let is_null = column.is_null(row) || field.data_type == DataType::Null;
                if is_null && !style.keeps_nulls {
                    continue;
                }
                separate(out, &mut is_first);
                write_text(out, &field.name);
                out.push(':');
                value(out, column, &field.data_type, row, style)?;
            }
            out.push('}');
        }
        DataType::Array(element, _) => {
            let list = array.as_list::<i32>();
            out.push('[');
            let mut is_first = true;
            for i in range(list, row) {
                separate(out, &mut is_first);
                value(out, list.values(), element, i, style)?;
            }
            out.push(']');
        }
        DataType::Map(key, item, _) => {
            let map = array.as_map();
            out.push('{');
            let mut is_first = true;
            for i in entries(map, row) {
                if map.values().is_null(i) && !style.keeps_nulls {
                    continue;
                }
                separate(out, &mut is_first);
                write_text(out, &text(map.keys(), key, i, style)?);
                out.push(':');
                value(out, map.values(), item, i, style)?;
            }
            out.push('}');
        }
        _ => leaf(out, array, data_type, row, style)?,
    }
    Ok(())
}

fn separate(out: &mut String, is_first: &mut bool) {
    if !std::mem::take(is_first) {
        out.push(',');
    }
}

/// A value as CAST AS STRING shows it.
pub(crate) fn text(array: &ArrayRef, data_type: &DataType, row: usize, style: &Style) -> Result<String> {
    let cast = TextStyle { null: "null", hex_bytes: false, plain_decimals: true, zone: style.zone.clone() };
    let one = array.slice(row, 1);
    let mut out = String::new();
    writer(&one, data_type, &cast)?(&mut out, 0);
    Ok(out)
}

/// A date or timestamp as the style has it; `None` for other types.
pub(crate) fn moment(array: &ArrayRef, data_type: &DataType, row: usize, style: &Style) -> Option<String> {
    let mut out = String::new();
    match data_type {
        DataType::Timestamp => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            style.timestamp.write(&mut out, micros, &style.zone)?;
        }
        DataType::TimestampNtz => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            style.timestamp_ntz.write_local(&mut out, micros)?;
        }
        DataType::Date => {
            let days = array.as_primitive::<arrow::datatypes::Date32Type>().value(row);
            style.date.as_ref()?.write_local(&mut out, i64::from(days) * 86_400_000_000)?;
        }
        _ => return None,
    }
    Some(out)
}

fn leaf(out: &mut String, array: &ArrayRef, data_type: &DataType, row: usize, style: &Style) -> Result<()> {
    use base64::Engine;
    let is_special = match data_type {
        DataType::Float => !array.as_primitive::<Float32Type>().value(row).is_finite(),
        DataType::Double => !array.as_primitive::<Float64Type>().value(row).is_finite(),
        _ => false,
    };
    if let Some(moment) = moment(array, data_type, row, style) {
        write_text(out, &moment);
    } else if *data_type == DataType::Binary {
        let bytes = array.as_binary::<i32>().value(row);
        write_text(out, &base64::engine::general_purpose::STANDARD.encode(bytes));
    } else if *data_type == DataType::Boolean || (data_type.is_numeric() && !is_special) {
        out.push_str(&text(array, data_type, row, style)?);
    } else {
        write_text(out, &text(array, data_type, row, style)?);
    }
    Ok(())
}
