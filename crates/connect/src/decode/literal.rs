//! Constants.

use firesteel_model::{Result, SparkError};
use firesteel_spec::types::{DataType, DayTimeField, StructField, YearMonthField};
use firesteel_spec::{Expr, Literal};
use spark_connect_proto as proto;
use spark_connect_proto::expression::literal::specialized_array::ValueType;
use spark_connect_proto::expression::literal::{self, LiteralType};

use super::data_type::data_type;
use super::{deep, invalid, missing};

/// A constant.
pub(crate) fn literal(message: proto::expression::Literal) -> Result<Literal> {
    let told = message.data_type.map(data_type).transpose()?;
    let value = message.literal_type.ok_or_else(|| missing("the value of a literal"))?;
    deep(|| of_type(value, told))
}

/// A constant as an expression.
pub(crate) fn literal_expr(message: proto::expression::Literal) -> Result<Expr> {
    Ok(Expr::literal(literal(message)?))
}

fn of_type(value: LiteralType, told: Option<DataType>) -> Result<Literal> {
    Ok(match value {
        LiteralType::Null(of) => Literal::Null(match (data_type(of), told) {
            (Ok(DataType::Null), Some(told)) | (Err(_), Some(told)) => told,
            (of, _) => of?,
        }),
        LiteralType::Binary(bytes) => Literal::Binary(bytes.into()),
        LiteralType::Boolean(value) => Literal::Boolean(value),
        LiteralType::Byte(value) => Literal::Byte(narrow(value)?),
        LiteralType::Short(value) => Literal::Short(narrow(value)?),
        LiteralType::Integer(value) => Literal::Integer(value),
        LiteralType::Long(value) => Literal::Long(value),
        LiteralType::Float(value) => Literal::Float(value),
        LiteralType::Double(value) => Literal::Double(value),
        LiteralType::Decimal(value) => decimal(&value)?,
        LiteralType::String(value) => Literal::String(value),
        LiteralType::Date(days) => Literal::Date(days),
        LiteralType::Timestamp(micros) => Literal::Timestamp(micros),
        LiteralType::TimestampNtz(micros) => Literal::TimestampNtz(micros),
        LiteralType::Time(time) => Literal::Time(time.nano, u8::try_from(time.precision.unwrap_or(6)).unwrap_or(6)),
        LiteralType::CalendarInterval(i) => Literal::CalendarInterval(i.months, i.days, i.microseconds),
        LiteralType::YearMonthInterval(months) => {
            let whole = DataType::YearMonthInterval(YearMonthField::Year, YearMonthField::Month);
            Literal::YearMonthInterval(months, told.unwrap_or(whole))
        }
        LiteralType::DayTimeInterval(micros) => {
            let whole = DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Second);
            Literal::DayTimeInterval(micros, told.unwrap_or(whole))
        }
        LiteralType::Array(value) => array(value, told)?,
        LiteralType::Map(value) => map(value, told)?,
        LiteralType::Struct(value) => structure(value, told)?,
        LiteralType::SpecializedArray(value) => specialized(value)?,
        LiteralType::TimestampNtzNanos(_) | LiteralType::TimestampLtzNanos(_) => {
            return Err(SparkError::unsupported("timestamps in nanoseconds"));
        }
    })
}

// The types inside these messages are deprecated in favour of `Literal.data_type`; clients still send either.
#[allow(deprecated)]
fn array(value: literal::Array, told: Option<DataType>) -> Result<Literal> {
    let elements: Vec<Literal> = value.elements.into_iter().map(literal).collect::<Result<_>>()?;
    let element = match (told, value.element_type) {
        (Some(DataType::Array(element, _)), _) => *element,
        (_, Some(element)) => data_type(element)?,
        _ => first_type(elements.iter()),
    };
    Ok(Literal::Array(elements, element))
}

#[allow(deprecated)]
fn map(value: literal::Map, told: Option<DataType>) -> Result<Literal> {
    let keys: Vec<Literal> = value.keys.into_iter().map(literal).collect::<Result<_>>()?;
    let values: Vec<Literal> = value.values.into_iter().map(literal).collect::<Result<_>>()?;
    if keys.len() != values.len() {
        return Err(invalid("a map literal has more keys than values, or fewer"));
    }
    let (key, value) = match (told, value.key_type, value.value_type) {
        (Some(DataType::Map(key, value, _)), _, _) => (*key, *value),
        (_, Some(key), Some(value)) => (data_type(key)?, data_type(value)?),
        _ => (first_type(keys.iter()), first_type(values.iter())),
    };
    Ok(Literal::Map(keys.into_iter().zip(values).collect(), key, value))
}

#[allow(deprecated)]
fn structure(value: literal::Struct, told: Option<DataType>) -> Result<Literal> {
    let elements: Vec<Literal> = value.elements.into_iter().map(literal).collect::<Result<_>>()?;
    let of = match (told, value.struct_type) {
        (Some(told), _) => told,
        (None, Some(of)) => data_type(of)?,
        (None, None) => DataType::Struct(
            elements
                .iter()
                .enumerate()
                .map(|(at, element)| StructField::new(format!("col{}", at + 1), element.data_type(), true))
                .collect(),
        ),
    };
    Ok(Literal::Struct(elements, of))
}

fn specialized(value: literal::SpecializedArray) -> Result<Literal> {
    Ok(match value.value_type.ok_or_else(|| missing("the values of an array literal"))? {
        ValueType::Bools(v) => Literal::Array(v.values.into_iter().map(Literal::Boolean).collect(), DataType::Boolean),
        ValueType::Ints(v) => Literal::Array(v.values.into_iter().map(Literal::Integer).collect(), DataType::Integer),
        ValueType::Longs(v) => Literal::Array(v.values.into_iter().map(Literal::Long).collect(), DataType::Long),
        ValueType::Floats(v) => Literal::Array(v.values.into_iter().map(Literal::Float).collect(), DataType::Float),
        ValueType::Doubles(v) => Literal::Array(v.values.into_iter().map(Literal::Double).collect(), DataType::Double),
        ValueType::Strings(v) => Literal::Array(v.values.into_iter().map(Literal::String).collect(), DataType::STRING),
    })
}

fn first_type<'a>(mut elements: impl Iterator<Item = &'a Literal>) -> DataType {
    elements.find(|e| !matches!(e, Literal::Null(DataType::Null))).map_or(DataType::Null, Literal::data_type)
}

fn narrow<T: TryFrom<i32>>(number: i32) -> Result<T> {
    T::try_from(number).map_err(|_| invalid(format!("{number} does not fit its type")))
}

/// A decimal in text, as Python prints it: `-1.50`, `1E+3`.
fn decimal(message: &literal::Decimal) -> Result<Literal> {
    let wrong = || invalid(format!("{} is no decimal", message.value));
    let (digits, exponent) = match message.value.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().map_err(|_| wrong())?),
        None => (message.value.as_str(), 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let unscaled: i128 = format!("{whole}{fraction}").parse().map_err(|_| wrong())?;
    let own_scale = i32::try_from(fraction.len()).map_err(|_| wrong())? - exponent;
    let scale = message.scale.unwrap_or(own_scale.max(0));
    let shift = u32::try_from(scale - own_scale).map_err(|_| wrong())?;
    let unscaled = 10i128.checked_pow(shift).and_then(|by| unscaled.checked_mul(by)).ok_or_else(wrong)?;
    let own_precision = i32::try_from(unscaled.unsigned_abs().to_string().len()).map_err(|_| wrong())?.max(scale);
    let precision = message.precision.unwrap_or(own_precision);
    Ok(Literal::Decimal(
        unscaled,
        u8::try_from(precision).map_err(|_| wrong())?,
        i8::try_from(scale).map_err(|_| wrong())?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str, precision: Option<i32>, scale: Option<i32>) -> Option<(i128, u8, i8)> {
        match decimal(&literal::Decimal { value: value.to_owned(), precision, scale }) {
            Ok(Literal::Decimal(unscaled, precision, scale)) => Some((unscaled, precision, scale)),
            _ => None,
        }
    }

    #[test]
    fn decimals_come_as_python_prints_them() {
        assert_eq!(read("1.50", None, None), Some((150, 3, 2)));
        assert_eq!(read("-1.50", Some(10), Some(2)), Some((-150, 10, 2)));
        assert_eq!(read("1E+3", None, None), Some((1000, 4, 0)));
        assert_eq!(read("0.001", None, None), Some((1, 3, 3)));
        assert_eq!(read("1.5", Some(5), Some(3)), Some((1500, 5, 3)));
        assert_eq!(read("x", None, None), None);
    }
}
