//! JSON values as Spark's values, column by column.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, ListArray, StringArray, StructArray, new_null_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::DataType as Arrow;
use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::to_arrow;

use super::value::Json;
use crate::cast::{Mode, cast_array};
use crate::datetime::{Pattern, Zone};
use crate::errors::from_arrow;
use crate::families::collection::maps::map_array;

/// How texts become dates and timestamps.
pub(crate) struct Formats {
    pub(crate) zone: Zone,
    pub(crate) date: Option<Pattern>,
    pub(crate) timestamp: Option<Pattern>,
}

/// The values as a column of the type; what does not fit is null.
pub(crate) fn column(values: &[Option<&Json>], data_type: &DataType, formats: &Formats) -> Result<ArrayRef> {
    match data_type {
        DataType::Struct(fields) => {
            let objects: Vec<_> = values.iter().map(|v| v.filter(|v| matches!(v, Json::Object(_)))).collect();
            let columns = fields
                .iter()
                .map(|field| {
                    let values: Vec<_> =
                        objects.iter().map(|object| object.and_then(|o| o.field(&field.name))).collect();
                    column(&values, &field.data_type, formats)
                })
                .collect::<Result<Vec<_>>>()?;
            let nulls = NullBuffer::from_iter(objects.iter().map(Option::is_some));
            structs(data_type, columns, nulls)
        }
        DataType::Array(element, _) => {
            let (mut elements, mut lengths) = (Vec::new(), Vec::new());
            for value in values {
                match value {
                    Some(Json::Array(found)) => {
                        lengths.push((found.len(), true));
                        elements.extend(found.iter().map(Some));
                    }
                    _ => lengths.push((0, false)),
                }
            }
            let Arrow::List(field) = to_arrow(data_type) else { return Err(SparkError::internal("an array is none")) };
            let offsets = OffsetBuffer::from_lengths(lengths.iter().map(|(length, _)| *length));
            let nulls = NullBuffer::from_iter(lengths.iter().map(|(_, valid)| *valid));
            let elements = column(&elements, element, formats)?;
            Ok(Arc::new(ListArray::try_new(field, offsets, elements, Some(nulls)).map_err(from_arrow)?))
        }
        DataType::Map(key, value, _) => {
            let (mut keys, mut items, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
            for found in values {
                match found {
                    Some(Json::Object(fields)) => {
                        lengths.push((fields.len(), true));
                        keys.extend(fields.iter().map(|(name, _)| Some(name.as_str())));
                        items.extend(fields.iter().map(|(_, value)| Some(value)));
                    }
                    _ => lengths.push((0, false)),
                }
            }
            let keys: ArrayRef = Arc::new(StringArray::from(keys));
            let keys = cast_array(&keys, &DataType::STRING, key, Mode::Try, formats.zone.id())?;
            let offsets = OffsetBuffer::from_lengths(lengths.iter().map(|(length, _)| *length));
            let nulls = NullBuffer::from_iter(lengths.iter().map(|(_, valid)| *valid));
            map_array(data_type, offsets, keys, column(&items, value, formats)?, Some(nulls))
        }
        _ => leaf(values, data_type, formats),
    }
}

/// A struct column of the type.
pub(crate) fn structs(data_type: &DataType, columns: Vec<ArrayRef>, nulls: NullBuffer) -> Result<ArrayRef> {
    let Arrow::Struct(fields) = to_arrow(data_type) else { return Err(SparkError::internal("a struct is none")) };
    if fields.is_empty() {
        return Ok(Arc::new(StructArray::new_empty_fields(nulls.len(), Some(nulls))));
    }
    Ok(Arc::new(StructArray::try_new(fields, columns, Some(nulls)).map_err(from_arrow)?))
}

fn leaf(values: &[Option<&Json>], data_type: &DataType, formats: &Formats) -> Result<ArrayRef> {
    let text = |value: &Json| -> Option<String> {
        match (data_type, value) {
            (_, Json::Null) => None,
            (t, value) if t.is_string() => value.shown(),
            (DataType::Float | DataType::Double, Json::Text(text)) => {
                matches!(text.as_str(), "NaN" | "Infinity" | "-Infinity" | "+INF" | "-INF" | "INF")
                    .then(|| text.replace("INF", "Infinity"))
            }
            (DataType::Decimal(..), Json::Text(text)) => Some(text.replace(',', "")),
            (t, Json::Number(digits)) if t.is_numeric() => Some(digits.clone()),
            (DataType::Timestamp | DataType::Date | DataType::TimestampNtz, Json::Text(text)) => {
                formatted(text, data_type, formats)
            }
            (DataType::Timestamp, Json::Number(digits)) => Some(digits.clone()),
            (DataType::Binary, Json::Text(text)) => Some(text.clone()),
            (t, Json::Text(text)) if !t.is_numeric() && *t != DataType::Boolean => Some(text.clone()),
            _ => None,
        }
    };
    if *data_type == DataType::Boolean {
        let flag = |value: &Option<&Json>| match value {
            Some(Json::Boolean(flag)) => Some(*flag),
            _ => None,
        };
        return Ok(Arc::new(values.iter().map(flag).collect::<BooleanArray>()));
    }
    if *data_type == DataType::Null {
        return Ok(new_null_array(&Arrow::Null, values.len()));
    }
    if *data_type == DataType::Binary {
        use base64::Engine;
        let bytes =
            |value: &Option<&Json>| base64::engine::general_purpose::STANDARD.decode(value.and_then(text)?).ok();
        return Ok(Arc::new(values.iter().map(bytes).collect::<arrow::array::BinaryArray>()));
    }
    let texts: ArrayRef = Arc::new(values.iter().map(|value| value.and_then(text)).collect::<StringArray>());
    cast_array(&texts, &DataType::STRING, data_type, Mode::Try, formats.zone.id())
}

/// A date's or timestamp's text in the form that casts read.
pub(crate) fn formatted(text: &str, data_type: &DataType, formats: &Formats) -> Option<String> {
    let pattern = if *data_type == DataType::Date { &formats.date } else { &formats.timestamp };
    let Some(pattern) = pattern else { return Some(text.to_owned()) };
    let parsed = pattern.parse(text)?;
    let mut out = String::new();
    match data_type {
        DataType::Date => crate::datetime::write_date(&mut out, parsed.date()?),
        DataType::TimestampNtz => crate::datetime::write_timestamp(&mut out, parsed.local_us()?),
        _ => {
            crate::datetime::write_timestamp(&mut out, parsed.instant_us(&formats.zone)?);
            out.push('Z');
        }
    }
    Some(out)
}
