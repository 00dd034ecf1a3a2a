//! Types.

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::expr::CastTarget;
use firesteel_spec::relation::SchemaText;
use firesteel_spec::spatial;
use firesteel_spec::types::{DataType, DayTimeField, StructField, UserDefinedType, YearMonthField};
use spark_connect_proto as proto;
use spark_connect_proto::data_type::Kind;

use super::{deep, invalid, missing};

/// A type.
pub(crate) fn data_type(message: proto::DataType) -> Result<DataType> {
    let kind = message.kind.ok_or_else(|| missing("the kind of a data type"))?;
    deep(|| of_kind(kind))
}

/// A type, or DDL text to be parsed where the SQL parser is at hand.
pub(crate) fn cast_target(message: proto::DataType) -> Result<CastTarget> {
    match message.kind {
        Some(Kind::Unparsed(unparsed)) => Ok(CastTarget::Ddl(unparsed.data_type_string)),
        kind => Ok(CastTarget::Type(data_type(proto::DataType { kind })?)),
    }
}

/// A schema: the fields of a struct, or text.
pub(crate) fn schema(message: proto::DataType) -> Result<SchemaText> {
    match cast_target(message)? {
        CastTarget::Type(DataType::Struct(fields)) => Ok(SchemaText::Fields(fields)),
        CastTarget::Type(other) => Err(invalid(format!("{} is not a schema", other.sql()))),
        CastTarget::Ddl(text) => Ok(SchemaText::Text(text)),
    }
}

fn of_kind(kind: Kind) -> Result<DataType> {
    Ok(match kind {
        Kind::Null(_) => DataType::Null,
        Kind::Binary(_) => DataType::Binary,
        Kind::Boolean(_) => DataType::Boolean,
        Kind::Byte(_) => DataType::Byte,
        Kind::Short(_) => DataType::Short,
        Kind::Integer(_) => DataType::Integer,
        Kind::Long(_) => DataType::Long,
        Kind::Float(_) => DataType::Float,
        Kind::Double(_) => DataType::Double,
        Kind::Decimal(decimal) => {
            DataType::Decimal(narrow(decimal.precision.unwrap_or(10))?, narrow(decimal.scale.unwrap_or(0))?)
        }
        Kind::String(string) => DataType::String(collation(string.collation)),
        Kind::Char(char) => DataType::Char(narrow(char.length)?),
        Kind::VarChar(varchar) => DataType::Varchar(narrow(varchar.length)?),
        Kind::Date(_) => DataType::Date,
        Kind::Timestamp(_) => DataType::Timestamp,
        Kind::TimestampNtz(_) => DataType::TimestampNtz,
        Kind::Time(time) => DataType::Time(narrow(time.precision.unwrap_or(6))?),
        Kind::CalendarInterval(_) => DataType::CalendarInterval,
        Kind::YearMonthInterval(interval) => DataType::YearMonthInterval(
            year_month(interval.start_field.unwrap_or(0))?,
            year_month(interval.end_field.or(interval.start_field).unwrap_or(1))?,
        ),
        Kind::DayTimeInterval(interval) => DataType::DayTimeInterval(
            day_time(interval.start_field.unwrap_or(0))?,
            day_time(interval.end_field.or(interval.start_field).unwrap_or(3))?,
        ),
        Kind::Array(array) => DataType::Array(boxed(array.element_type, "element_type")?, array.contains_null),
        Kind::Map(map) => DataType::Map(
            boxed(map.key_type, "key_type")?,
            boxed(map.value_type, "value_type")?,
            map.value_contains_null,
        ),
        Kind::Struct(fields) => DataType::Struct(fields.fields.into_iter().map(field).collect::<Result<_>>()?),
        Kind::Variant(_) => DataType::Variant,
        Kind::Udt(udt) => DataType::Udt(Box::new(UserDefinedType {
            jvm_class: udt.jvm_class,
            python_class: udt.python_class,
            serialized_python_class: udt.serialized_python_class,
            sql_type: *boxed(udt.sql_type, "sql_type")?,
        })),
        Kind::Unparsed(unparsed) => DataType::parse_json(&unparsed.data_type_string)?,
        Kind::Geometry(geometry) => DataType::Geometry(srid(geometry.srid, spatial::is_geometry_srid)?),
        Kind::Geography(geography) => DataType::Geography(srid(geography.srid, spatial::is_geography_srid)?),
        Kind::TimestampNtzNanos(_) | Kind::TimestampLtzNanos(_) => {
            return Err(SparkError::unsupported("timestamps in nanoseconds"));
        }
    })
}

fn field(message: proto::data_type::StructField) -> Result<StructField> {
    Ok(StructField {
        name: message.name,
        data_type: data_type(message.data_type.ok_or_else(|| missing("the data_type of a field"))?)?,
        nullable: message.nullable,
        metadata: message.metadata.filter(|metadata| metadata.trim() != "{}" && !metadata.is_empty()),
    })
}

fn boxed(message: Option<Box<proto::DataType>>, what: &str) -> Result<Box<DataType>> {
    Ok(Box::new(data_type(*message.ok_or_else(|| missing(what))?)?))
}

fn collation(name: String) -> Option<String> {
    (!name.is_empty() && name != "UTF8_BINARY").then_some(name)
}

/// The SRID of a type; -1 is ANY.
fn srid(number: i32, is_known: fn(i32) -> bool) -> Result<Option<i32>> {
    match number {
        -1 => Ok(None),
        known if is_known(known) => Ok(Some(known)),
        other => Err(SparkError::new(&error_class::ST_INVALID_SRID_VALUE).param("srid", other.to_string())),
    }
}

fn narrow<T: TryFrom<i32>>(number: i32) -> Result<T> {
    T::try_from(number).map_err(|_| invalid(format!("{number} is no length, precision or scale")))
}

fn year_month(field: i32) -> Result<YearMonthField> {
    match field {
        0 => Ok(YearMonthField::Year),
        1 => Ok(YearMonthField::Month),
        _ => Err(invalid(format!("{field} is no field of a year-month interval"))),
    }
}

fn day_time(field: i32) -> Result<DayTimeField> {
    match field {
        0 => Ok(DayTimeField::Day),
        1 => Ok(DayTimeField::Hour),
        2 => Ok(DayTimeField::Minute),
        3 => Ok(DayTimeField::Second),
        _ => Err(invalid(format!("{field} is no field of a day-time interval"))),
    }
}
