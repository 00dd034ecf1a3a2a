//! The type of a JSON text.

use firesteel_spec::{DataType, StructField};

use super::value::Json;
use crate::coercion::wider_decimal;

/// The narrowest type that holds the value; nulls are of type NULL.
pub(crate) fn infer(value: &Json) -> DataType {
    match value {
        Json::Null => DataType::Null,
        Json::Boolean(_) => DataType::Boolean,
        Json::Text(_) => DataType::STRING,
        Json::Number(digits) => number(digits),
        Json::Array(elements) => {
            let element = elements.iter().map(infer).reduce(merge).unwrap_or(DataType::Null);
            DataType::array(element)
        }
        Json::Object(fields) => {
            let field = |(name, value): &(String, Json)| StructField::new(name.clone(), infer(value), true);
            let mut fields: Vec<_> = fields.iter().map(field).collect();
            fields.sort_by(|a, b| a.name.cmp(&b.name));
            DataType::Struct(fields)
        }
    }
}

fn number(digits: &str) -> DataType {
    if digits.parse::<i64>().is_ok() {
        return DataType::Long;
    }
    let whole = digits.trim_start_matches('-');
    match whole.len() {
        length @ 1..=38 if whole.bytes().all(|b| b.is_ascii_digit()) => DataType::Decimal(length as u8, 0),
        _ => DataType::Double,
    }
}

fn merge(a: DataType, b: DataType) -> DataType {
    match (a, b) {
        (a, b) if a == b => a,
        (DataType::Null, other) | (other, DataType::Null) => other,
        (DataType::Long, DataType::Double) | (DataType::Double, DataType::Long) => DataType::Double,
        (DataType::Decimal(..), DataType::Double) | (DataType::Double, DataType::Decimal(..)) => DataType::Double,
        (DataType::Decimal(p, s), DataType::Long) | (DataType::Long, DataType::Decimal(p, s)) => {
            let (precision, scale) = wider_decimal((p, s), (20, 0));
            DataType::Decimal(precision, scale)
        }
        (DataType::Array(a, _), DataType::Array(b, _)) => DataType::array(merge(*a, *b)),
        (DataType::Struct(mut a), DataType::Struct(b)) => {
            for field in b {
                match a.iter_mut().find(|known| known.name == field.name) {
                    Some(known) => known.data_type = merge(known.data_type.clone(), field.data_type),
                    None => a.push(field),
                }
            }
            a.sort_by(|x, y| x.name.cmp(&y.name));
            DataType::Struct(a)
        }
        _ => DataType::STRING,
    }
}

/// The type with STRING wherever only nulls were seen.
pub(crate) fn without_null(data_type: DataType) -> DataType {
    match data_type {
        DataType::Null => DataType::STRING,
        DataType::Array(element, holds_nulls) => DataType::Array(Box::new(without_null(*element)), holds_nulls),
        DataType::Struct(fields) => {
            let field = |f: StructField| StructField { data_type: without_null(f.data_type), ..f };
            DataType::Struct(fields.into_iter().map(field).collect())
        }
        other => other,
    }
}
