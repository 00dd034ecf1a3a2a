//! Types.

use firesteel_spec::types::{DataType, StructField};
use spark_connect_proto as proto;
use spark_connect_proto::data_type::{self as message, Kind};

/// Column metadata of ours begins so and is nobody else's business.
const OWN_METADATA_PREFIX: &str = "firesteel.";
/// The SRID of a type whose values have SRIDs of their own.
const ANY_SRID: i32 = -1;

/// A schema.
pub(crate) fn schema(fields: &[StructField]) -> proto::DataType {
    of_kind(Kind::Struct(message::Struct { fields: fields.iter().map(field).collect(), type_variation_reference: 0 }))
}

/// A type.
pub(crate) fn data_type(data_type: &DataType) -> proto::DataType {
    of_kind(kind(data_type))
}

fn of_kind(kind: Kind) -> proto::DataType {
    proto::DataType { kind: Some(kind) }
}

fn boxed(element: &DataType) -> Option<Box<proto::DataType>> {
    Some(Box::new(data_type(element)))
}

fn kind(of: &DataType) -> Kind {
    match of {
        DataType::Null => Kind::Null(Default::default()),
        DataType::Boolean => Kind::Boolean(Default::default()),
        DataType::Byte => Kind::Byte(Default::default()),
        DataType::Short => Kind::Short(Default::default()),
        DataType::Integer => Kind::Integer(Default::default()),
        DataType::Long => Kind::Long(Default::default()),
        DataType::Float => Kind::Float(Default::default()),
        DataType::Double => Kind::Double(Default::default()),
        DataType::Binary => Kind::Binary(Default::default()),
        DataType::Date => Kind::Date(Default::default()),
        DataType::Timestamp => Kind::Timestamp(Default::default()),
        DataType::TimestampNtz => Kind::TimestampNtz(Default::default()),
        DataType::CalendarInterval => Kind::CalendarInterval(Default::default()),
        DataType::Variant => Kind::Variant(Default::default()),
        DataType::Geometry(srid) => {
            Kind::Geometry(message::Geometry { srid: srid.unwrap_or(ANY_SRID), ..Default::default() })
        }
        DataType::Geography(srid) => {
            Kind::Geography(message::Geography { srid: srid.unwrap_or(ANY_SRID), ..Default::default() })
        }
        DataType::Decimal(precision, scale) => Kind::Decimal(message::Decimal {
            precision: Some(i32::from(*precision)),
            scale: Some(i32::from(*scale)),
            ..Default::default()
        }),
        DataType::String(collation) => Kind::String(message::String {
            collation: collation.clone().unwrap_or_else(|| "UTF8_BINARY".to_owned()),
            ..Default::default()
        }),
        DataType::Char(length) => Kind::Char(message::Char { length: clamp(*length), ..Default::default() }),
        DataType::Varchar(length) => Kind::VarChar(message::VarChar { length: clamp(*length), ..Default::default() }),
        DataType::Time(precision) => {
            Kind::Time(message::Time { precision: Some(i32::from(*precision)), ..Default::default() })
        }
        DataType::YearMonthInterval(start, end) => Kind::YearMonthInterval(message::YearMonthInterval {
            start_field: Some(*start as i32),
            end_field: Some(*end as i32),
            ..Default::default()
        }),
        DataType::DayTimeInterval(start, end) => Kind::DayTimeInterval(message::DayTimeInterval {
            start_field: Some(*start as i32),
            end_field: Some(*end as i32),
            ..Default::default()
        }),
        nested => nested_kind(nested),
    }
}

fn nested_kind(of: &DataType) -> Kind {
    match of {
        DataType::Array(element, contains_null) => Kind::Array(Box::new(message::Array {
            element_type: boxed(element),
            contains_null: *contains_null,
            ..Default::default()
        })),
        DataType::Map(key, value, value_contains_null) => Kind::Map(Box::new(message::Map {
            key_type: boxed(key),
            value_type: boxed(value),
            value_contains_null: *value_contains_null,
            ..Default::default()
        })),
        DataType::Struct(fields) => {
            Kind::Struct(message::Struct { fields: fields.iter().map(field).collect(), ..Default::default() })
        }
        DataType::Udt(udt) => Kind::Udt(Box::new(message::Udt {
            r#type: "udt".to_owned(),
            jvm_class: udt.jvm_class.clone(),
            python_class: udt.python_class.clone(),
            serialized_python_class: udt.serialized_python_class.clone(),
            sql_type: boxed(&udt.sql_type),
        })),
        simple => kind(simple),
    }
}

fn field(field: &StructField) -> message::StructField {
    message::StructField {
        name: field.name.clone(),
        data_type: Some(data_type(&field.data_type)),
        nullable: field.nullable,
        metadata: field.metadata.as_deref().and_then(own_metadata_removed),
    }
}

/// The metadata without our own keys; `None` when nothing is left.
fn own_metadata_removed(metadata: &str) -> Option<String> {
    if !metadata.contains(OWN_METADATA_PREFIX) {
        return Some(metadata.to_owned());
    }
    let mut value: serde_json::Value = serde_json::from_str(metadata).ok()?;
    let object = value.as_object_mut()?;
    object.retain(|key, _| !key.starts_with(OWN_METADATA_PREFIX));
    (!object.is_empty()).then(|| value.to_string())
}

fn clamp(length: u32) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_go_there_and_back() {
        let json = r#"{"type":"struct","fields":[
            {"name":"a","type":"integer","nullable":true,"metadata":{"comment":"x"}},
            {"name":"b","type":{"type":"array","elementType":"decimal(10,2)","containsNull":false},"nullable":false,"metadata":{}},
            {"name":"c","type":{"type":"map","keyType":"string","valueType":"timestamp","valueContainsNull":true},"nullable":true,"metadata":{}},
            {"name":"d","type":"interval day to second","nullable":true,"metadata":{}},
            {"name":"e","type":"varchar(5)","nullable":true,"metadata":{}},
            {"name":"f","type":"time(6)","nullable":true,"metadata":{}},
            {"name":"g","type":"geometry(EPSG:3857)","nullable":true,"metadata":{}},
            {"name":"h","type":"geography(SRID:ANY, SPHERICAL)","nullable":true,"metadata":{}}]}"#;
        let expected = DataType::parse_json(json).unwrap();
        assert_eq!(crate::decode::data_type::data_type(data_type(&expected)).unwrap(), expected);
    }

    #[test]
    fn own_metadata_stays_here() {
        assert_eq!(own_metadata_removed(r#"{"firesteel.type":"x"}"#), None);
        assert_eq!(own_metadata_removed(r#"{"firesteel.type":"x","comment":"y"}"#).unwrap(), r#"{"comment":"y"}"#);
    }
}
