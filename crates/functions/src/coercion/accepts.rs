//! What a parameter of a function takes.

use firesteel_spec::DataType;
use firesteel_spec::types::{DayTimeField, YearMonthField};

use super::{decimals::decimal_for, quoted, same_type};

/// What a parameter of a function takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Accepts {
    /// Anything.
    Any,
    /// Any number.
    Numeric,
    /// BYTE to LONG.
    Integral,
    /// Any DECIMAL.
    Decimal,
    /// Any string.
    String,
    /// TIMESTAMP or TIMESTAMP_NTZ.
    Timestamp,
    /// Any TIME.
    Time,
    /// INTERVAL YEAR TO MONTH or a part of it.
    YearMonthInterval,
    /// INTERVAL DAY TO SECOND or a part of it.
    DayTimeInterval,
    /// Any array.
    Array,
    /// Any map.
    Map,
    /// Any struct.
    Struct,
    /// Any GEOMETRY.
    Geometry,
    /// Any GEOGRAPHY.
    Geography,
    /// This type; for nested types, whatever may be null in it.
    Is(DataType),
    /// An array of what is accepted.
    ArrayOf(&'static Accepts),
    /// The first of these that fits.
    OneOf(&'static [Accepts]),
    /// One of these, NULL, and nothing that would have to be cast.
    Only(&'static [Accepts]),
}

impl Accepts {
    /// Whether a value of the type is taken without a cast.
    pub fn accepts(&self, data_type: &DataType) -> bool {
        match self {
            Self::Any => true,
            Self::Numeric => data_type.is_numeric(),
            Self::Integral => data_type.is_integral(),
            Self::Decimal => matches!(data_type, DataType::Decimal(..)),
            Self::String => matches!(data_type, DataType::String(_)),
            Self::Timestamp => matches!(data_type, DataType::Timestamp | DataType::TimestampNtz),
            Self::Time => matches!(data_type, DataType::Time(_)),
            Self::YearMonthInterval => matches!(data_type, DataType::YearMonthInterval(..)),
            Self::DayTimeInterval => matches!(data_type, DataType::DayTimeInterval(..)),
            Self::Array => matches!(data_type, DataType::Array(..)),
            Self::Map => matches!(data_type, DataType::Map(..)),
            Self::Struct => matches!(data_type, DataType::Struct(_)),
            Self::Geometry => matches!(data_type, DataType::Geometry(_)),
            Self::Geography => matches!(data_type, DataType::Geography(_)),
            Self::Is(DataType::String(None)) => matches!(data_type, DataType::String(_)),
            Self::Is(expected) => same_type(expected, data_type),
            Self::ArrayOf(element) => {
                matches!(data_type, DataType::Array(actual, _) if element.accepts(actual))
            }
            Self::OneOf(choices) | Self::Only(choices) => choices.iter().any(|choice| choice.accepts(data_type)),
        }
    }

    /// The type that NULL becomes.
    pub(crate) fn default_type(&self) -> DataType {
        match self {
            Self::Any => DataType::Null,
            Self::Numeric => DataType::Double,
            Self::Integral => DataType::Integer,
            Self::Decimal => DataType::Decimal(38, 18),
            Self::String => DataType::STRING,
            Self::Timestamp => DataType::Timestamp,
            Self::Time => DataType::Time(6),
            Self::YearMonthInterval => DataType::YearMonthInterval(YearMonthField::Year, YearMonthField::Month),
            Self::DayTimeInterval => DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Second),
            Self::Array => DataType::array(DataType::Null),
            Self::Map => DataType::map(DataType::Null, DataType::Null),
            Self::Struct => DataType::Struct(Vec::new()),
            Self::Geometry => DataType::Geometry(None),
            Self::Geography => DataType::Geography(None),
            Self::Is(data_type) => data_type.clone(),
            Self::ArrayOf(element) => DataType::array(element.default_type()),
            Self::OneOf(choices) | Self::Only(choices) => choices.first().map_or(DataType::Null, Self::default_type),
        }
    }

    /// The decimal type that a number becomes where any DECIMAL is taken.
    pub(crate) fn decimal_target(data_type: &DataType) -> Option<DataType> {
        decimal_for(data_type).map(|(precision, scale)| DataType::Decimal(precision, scale))
    }

    /// How messages name it: `"STRING"`, `("STRING" or "BINARY")`, `"NUMERIC"`.
    pub fn sql(&self) -> String {
        let name = match self {
            Self::Any => "ANY",
            Self::Numeric => "NUMERIC",
            Self::Integral => "INTEGRAL",
            Self::Decimal => "DECIMAL",
            Self::String => "STRING",
            Self::Timestamp => "(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)",
            Self::Time => "TIME",
            Self::YearMonthInterval => "INTERVAL YEAR TO MONTH",
            Self::DayTimeInterval => "INTERVAL DAY TO SECOND",
            Self::Array => "ARRAY",
            Self::Map => "MAP",
            Self::Struct => "STRUCT",
            Self::Geometry => "GEOMETRY",
            Self::Geography => "GEOGRAPHY",
            Self::Is(data_type) => return super::type_sql(data_type),
            Self::ArrayOf(element @ (Self::Is(_) | Self::Struct)) => {
                return quoted(&format!("ARRAY<{}>", element.sql().replace('"', "")));
            }
            Self::ArrayOf(element) => return quoted(&format!("ARRAY OF {}", element.sql().replace('"', ""))),
            Self::Only([only]) => return only.sql(),
            Self::OneOf(choices) | Self::Only(choices) => {
                let names: Vec<_> = choices.iter().map(Self::sql).collect();
                return format!("({})", names.join(" or "));
            }
        };
        quoted(name)
    }
}
