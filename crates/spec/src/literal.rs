//! Constants as the user gave them.

use crate::types::DataType;

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// NULL of a type.
    Null(DataType),
    /// TRUE or FALSE
    Boolean(bool),
    /// TINYINT
    Byte(i8),
    /// SMALLINT
    Short(i16),
    /// INT
    Integer(i32),
    /// BIGINT
    Long(i64),
    /// FLOAT
    Float(f32),
    /// DOUBLE
    Double(f64),
    /// Unscaled value, precision, scale
    Decimal(i128, u8, i8),
    /// STRING
    String(String),
    /// BINARY
    Binary(Vec<u8>),
    /// Days since 1970-01-01
    Date(i32),
    /// Nanoseconds since midnight, precision
    Time(i64, u8),
    /// Microseconds since 1970-01-01T00:00:00Z
    Timestamp(i64),
    /// Microseconds since 1970-01-01T00:00:00 on the wall clock
    TimestampNtz(i64),
    /// Months, with the interval's own type
    YearMonthInterval(i32, DataType),
    /// Microseconds, with the interval's own type
    DayTimeInterval(i64, DataType),
    /// Months, days, microseconds
    CalendarInterval(i32, i32, i64),
    /// Elements, and their type
    Array(Vec<Literal>, DataType),
    /// Entries, key type, value type
    Map(Vec<(Literal, Literal)>, DataType, DataType),
    /// Values, with a STRUCT type
    Struct(Vec<Literal>, DataType),
}

impl Literal {
    /// Its type.
    pub fn data_type(&self) -> DataType {
        match self {
            Self::Null(data_type) | Self::YearMonthInterval(_, data_type) | Self::DayTimeInterval(_, data_type) => {
                data_type.clone()
            }
            Self::Boolean(_) => DataType::Boolean,
            Self::Byte(_) => DataType::Byte,
            Self::Short(_) => DataType::Short,
            Self::Integer(_) => DataType::Integer,
            Self::Long(_) => DataType::Long,
            Self::Float(_) => DataType::Float,
            Self::Double(_) => DataType::Double,
            Self::Decimal(_, precision, scale) => DataType::Decimal(*precision, *scale),
            Self::String(_) => DataType::STRING,
            Self::Binary(_) => DataType::Binary,
            Self::Date(_) => DataType::Date,
            Self::Time(_, precision) => DataType::Time(*precision),
            Self::Timestamp(_) => DataType::Timestamp,
            Self::TimestampNtz(_) => DataType::TimestampNtz,
            Self::CalendarInterval(..) => DataType::CalendarInterval,
            Self::Array(elements, element) => {
                let contains_null = elements.iter().any(|e| matches!(e, Self::Null(_)));
                DataType::Array(Box::new(element.clone()), contains_null)
            }
            Self::Map(entries, key, value) => {
                let contains_null = entries.iter().any(|(_, v)| matches!(v, Self::Null(_)));
                DataType::Map(Box::new(key.clone()), Box::new(value.clone()), contains_null)
            }
            Self::Struct(_, data_type) => data_type.clone(),
        }
    }
}
