//! The schema of a value: a type in which objects may have any fields.

use firesteel_model::Result;
use firesteel_spec::DataType;

use super::read::{Kind, Value};
use crate::coercion::wider_decimal;

/// A type, with OBJECT for structs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum VariantType {
    /// Any type that is not nested; VARIANT where several do not fit together.
    Plain(DataType),
    Array(Box<VariantType>),
    /// Fields ordered by name.
    Object(Vec<(String, VariantType)>),
}

impl VariantType {
    /// The schema of the value.
    pub(crate) fn of(value: Value<'_>) -> Result<Self> {
        Ok(Self::Plain(match value.kind()? {
            Kind::Null => DataType::Null,
            Kind::Boolean(_) => DataType::Boolean,
            Kind::Long(_) => DataType::Long,
            Kind::Float(_) => DataType::Float,
            Kind::Double(_) => DataType::Double,
            Kind::Decimal(digits, scale) => {
                let precision = digits.unsigned_abs().checked_ilog10().map_or(1, |log| log as u8 + 1);
                DataType::Decimal(precision.max(scale), scale as i8)
            }
            Kind::Date(_) => DataType::Date,
            Kind::Timestamp(_) => DataType::Timestamp,
            Kind::TimestampNtz(_) => DataType::TimestampNtz,
            Kind::String(_) | Kind::Uuid(_) => DataType::STRING,
            Kind::Binary(_) => DataType::Binary,
            Kind::Array(elements) => {
                let mut element = Self::Plain(DataType::Null);
                for i in 0..elements.len() {
                    element = merged(element, Self::of(elements.at(i)?)?);
                }
                return Ok(Self::Array(Box::new(element)));
            }
            Kind::Object(members) => {
                let mut fields = Vec::with_capacity(members.len());
                for i in 0..members.len() {
                    let (name, value) = members.at(i)?;
                    fields.push((name.to_owned(), Self::of(value)?));
                }
                return Ok(Self::Object(fields));
            }
        }))
    }

    /// As `schema_of_variant` prints it.
    pub(crate) fn sql(&self) -> String {
        match self {
            Self::Plain(data_type) => data_type.sql(),
            Self::Array(element) => format!("ARRAY<{}>", element.sql()),
            Self::Object(fields) => {
                let fields: Vec<_> = fields.iter().map(|(name, t)| format!("{}: {}", shown(name), t.sql())).collect();
                format!("OBJECT<{}>", fields.join(", "))
            }
        }
    }
}

/// The name, in backquotes where SQL needs them.
fn shown(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty();
    let is_plain = is_plain && !name.bytes().all(|b| b.is_ascii_digit());
    if is_plain { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}

/// The schema that holds values of both.
pub(crate) fn merged(a: VariantType, b: VariantType) -> VariantType {
    use VariantType::{Array, Object, Plain};
    match (a, b) {
        (Plain(DataType::Null), other) | (other, Plain(DataType::Null)) => other,
        (Plain(a), Plain(b)) => Plain(wider(a, b)),
        (Array(a), Array(b)) => Array(Box::new(merged(*a, *b))),
        (Object(mut a), Object(b)) => {
            for (name, t) in b {
                match a.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, known)) => *known = merged(known.clone(), t),
                    None => a.push((name, t)),
                }
            }
            a.sort_by(|x, y| x.0.cmp(&y.0));
            Object(a)
        }
        _ => Plain(DataType::Variant),
    }
}

fn wider(a: DataType, b: DataType) -> DataType {
    let decimal = |t: &DataType| match t {
        DataType::Long => Some((20, 0)),
        DataType::Decimal(precision, scale) => Some((*precision, *scale)),
        _ => None,
    };
    match (&a, &b) {
        _ if a == b => a,
        (x, y) if decimal(x).is_some() && decimal(y).is_some() => {
            let (precision, scale) = wider_decimal(decimal(x).unwrap_or((20, 0)), decimal(y).unwrap_or((20, 0)));
            DataType::Decimal(precision, scale)
        }
        (x, y) if x.is_numeric() && y.is_numeric() => DataType::Double,
        (DataType::Date, DataType::Timestamp) | (DataType::Timestamp, DataType::Date) => DataType::Timestamp,
        (DataType::Date, DataType::TimestampNtz) | (DataType::TimestampNtz, DataType::Date) => DataType::TimestampNtz,
        (DataType::Timestamp, DataType::TimestampNtz) | (DataType::TimestampNtz, DataType::Timestamp) => {
            DataType::Timestamp
        }
        _ => DataType::Variant,
    }
}
