//! Spark types to Arrow and back.
//!
//! Arrow cannot say everything: CHAR, VARCHAR, interval ranges, collations, variants, shapes, user-defined types and
//! column metadata travel in the metadata of the Arrow field, under the keys below, so a field goes there and back unchanged.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType as Arrow, Field, FieldRef, Fields, IntervalUnit, Schema, TimeUnit};

use crate::types::{DataType, DayTimeField, StructField, YearMonthField};

/// Holds the JSON of the Spark type where Arrow alone does not tell.
pub const TYPE_KEY: &str = "firesteel.type";
/// Holds the JSON of Spark's column metadata.
pub const METADATA_KEY: &str = "firesteel.metadata";
/// The zone that LTZ columns carry inside the engine; relabelled with the session's at the boundary.
pub const INSTANT_ZONE: &str = "UTC";

/// The Arrow type that holds a Spark type inside the engine.
pub fn to_arrow(data_type: &DataType) -> Arrow {
    match data_type {
        DataType::Null => Arrow::Null,
        DataType::Boolean => Arrow::Boolean,
        DataType::Byte => Arrow::Int8,
        DataType::Short => Arrow::Int16,
        DataType::Integer => Arrow::Int32,
        DataType::Long => Arrow::Int64,
        DataType::Float => Arrow::Float32,
        DataType::Double => Arrow::Float64,
        DataType::Decimal(precision, scale) => Arrow::Decimal128(*precision, *scale),
        DataType::String(_) | DataType::Char(_) | DataType::Varchar(_) => Arrow::Utf8,
        DataType::Binary => Arrow::Binary,
        DataType::Date => Arrow::Date32,
        DataType::Time(_) => Arrow::Time64(TimeUnit::Nanosecond),
        DataType::Timestamp => Arrow::Timestamp(TimeUnit::Microsecond, Some(INSTANT_ZONE.into())),
        DataType::TimestampNtz => Arrow::Timestamp(TimeUnit::Microsecond, None),
        DataType::YearMonthInterval(..) => Arrow::Interval(IntervalUnit::YearMonth),
        DataType::DayTimeInterval(..) => Arrow::Duration(TimeUnit::Microsecond),
        DataType::CalendarInterval => Arrow::Interval(IntervalUnit::MonthDayNano),
        DataType::Array(element, contains_null) => {
            Arrow::List(Arc::new(arrow_field("element", element, *contains_null)))
        }
        DataType::Map(key, value, contains_null) => {
            let entries = Arrow::Struct(Fields::from(vec![
                // Arrow has no key that may be NULL, nor need the keys of an empty map be.
                arrow_field("key", key, false).with_nullable(false),
                arrow_field("value", value, *contains_null),
            ]));
            Arrow::Map(Arc::new(Field::new("entries", entries, false)), false)
        }
        DataType::Struct(fields) => Arrow::Struct(fields.iter().map(to_arrow_field).collect()),
        DataType::Variant => Arrow::Struct(Fields::from(vec![
            Field::new("value", Arrow::Binary, false),
            Field::new("metadata", Arrow::Binary, false),
        ])),
        DataType::Geometry(_) | DataType::Geography(_) => Arrow::Struct(Fields::from(vec![
            Field::new("srid", Arrow::Int32, false),
            Field::new("wkb", Arrow::Binary, false),
        ])),
        DataType::Udt(udt) => to_arrow(&udt.sql_type),
    }
}

/// The Arrow field that holds a Spark field inside the engine.
pub fn to_arrow_field(field: &StructField) -> Field {
    let mut arrow = arrow_field(&field.name, &field.data_type, field.nullable);
    if let Some(metadata) = &field.metadata {
        arrow.metadata_mut().insert(METADATA_KEY.to_owned(), metadata.clone());
    }
    arrow
}

/// The Arrow schema that holds Spark's columns inside the engine.
pub fn to_arrow_schema(fields: &[StructField]) -> Schema {
    Schema::new(fields.iter().map(to_arrow_field).collect::<Vec<_>>())
}

/// An Arrow field of a Spark type.
pub fn arrow_field(name: &str, data_type: &DataType, nullable: bool) -> Field {
    let metadata = type_metadata(data_type);
    Field::new(name, to_arrow(data_type), nullable || *data_type == DataType::Null).with_metadata(metadata)
}

/// The field metadata that tells a Spark type from others with the same Arrow type; mostly empty.
pub fn type_metadata(data_type: &DataType) -> HashMap<String, String> {
    let told_by_arrow = match data_type {
        DataType::Char(_) | DataType::Varchar(_) | DataType::String(Some(_)) => false,
        DataType::Variant | DataType::Geometry(_) | DataType::Geography(_) | DataType::Udt(_) => false,
        DataType::YearMonthInterval(start, end) => (*start, *end) == (YearMonthField::Year, YearMonthField::Month),
        DataType::DayTimeInterval(start, end) => (*start, *end) == (DayTimeField::Day, DayTimeField::Second),
        DataType::Time(precision) => *precision == 6,
        _ => true,
    };
    if told_by_arrow {
        return HashMap::new();
    }
    HashMap::from([(TYPE_KEY.to_owned(), data_type.to_json().to_string())])
}

/// The Spark type of an Arrow type alone, or `None` where Spark has none for it.
pub fn from_arrow(arrow: &Arrow) -> Option<DataType> {
    Some(match arrow {
        Arrow::Null => DataType::Null,
        Arrow::Boolean => DataType::Boolean,
        Arrow::Int8 => DataType::Byte,
        Arrow::Int16 | Arrow::UInt8 => DataType::Short,
        Arrow::Int32 | Arrow::UInt16 => DataType::Integer,
        Arrow::Int64 | Arrow::UInt32 => DataType::Long,
        Arrow::UInt64 => DataType::Decimal(20, 0),
        Arrow::Float16 | Arrow::Float32 => DataType::Float,
        Arrow::Float64 => DataType::Double,
        Arrow::Decimal32(p, s) | Arrow::Decimal64(p, s) | Arrow::Decimal128(p, s) => DataType::Decimal(*p, *s),
        Arrow::Utf8 | Arrow::LargeUtf8 | Arrow::Utf8View => DataType::STRING,
        Arrow::Binary | Arrow::LargeBinary | Arrow::BinaryView | Arrow::FixedSizeBinary(_) => DataType::Binary,
        Arrow::Date32 | Arrow::Date64 => DataType::Date,
        Arrow::Time32(_) | Arrow::Time64(_) => DataType::Time(6),
        Arrow::Timestamp(_, None) => DataType::TimestampNtz,
        Arrow::Timestamp(_, Some(_)) => DataType::Timestamp,
        Arrow::Interval(IntervalUnit::YearMonth) => {
            DataType::YearMonthInterval(YearMonthField::Year, YearMonthField::Month)
        }
        Arrow::Interval(_) => DataType::CalendarInterval,
        Arrow::Duration(_) => DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Second),
        Arrow::List(element)
        | Arrow::LargeList(element)
        | Arrow::FixedSizeList(element, _)
        | Arrow::ListView(element)
        | Arrow::LargeListView(element) => {
            DataType::Array(Box::new(from_arrow_field(element)?.data_type), element.is_nullable())
        }
        Arrow::Struct(fields) => DataType::Struct(from_arrow_fields(fields)?),
        Arrow::Map(entries, _) => {
            let Arrow::Struct(entry) = entries.data_type() else { return None };
            let [key, value] = entry.as_ref() else { return None };
            DataType::Map(
                Box::new(from_arrow_field(key)?.data_type),
                Box::new(from_arrow_field(value)?.data_type),
                value.is_nullable(),
            )
        }
        Arrow::Dictionary(_, value) => from_arrow(value)?,
        _ => return None,
    })
}

/// The Spark field of an Arrow field, or `None` where Spark has no type for it.
pub fn from_arrow_field(field: &Field) -> Option<StructField> {
    let told = field.metadata().get(TYPE_KEY).and_then(|text| DataType::parse_json(text).ok());
    let data_type = match told {
        Some(data_type) => data_type,
        None => from_arrow(field.data_type())?,
    };
    Some(StructField {
        name: field.name().clone(),
        data_type,
        nullable: field.is_nullable(),
        metadata: field.metadata().get(METADATA_KEY).cloned(),
    })
}

/// The Spark fields of Arrow fields.
pub fn from_arrow_fields(fields: &[FieldRef]) -> Option<Vec<StructField>> {
    fields.iter().map(|field| from_arrow_field(field)).collect()
}
