//! Constants, as observed metrics carry them.

use firesteel_spec::Literal;
use spark_connect_proto::expression::Literal as Message;
use spark_connect_proto::expression::literal::{self as message, LiteralType};

use super::data_type::data_type;

/// A constant.
// The client reads the types of nested values from the deprecated fields.
#[allow(deprecated)]
pub(crate) fn literal(literal: &Literal) -> Message {
    let value = match literal {
        Literal::Null(of) => LiteralType::Null(data_type(of)),
        Literal::Boolean(value) => LiteralType::Boolean(*value),
        Literal::Byte(value) => LiteralType::Byte(i32::from(*value)),
        Literal::Short(value) => LiteralType::Short(i32::from(*value)),
        Literal::Integer(value) => LiteralType::Integer(*value),
        Literal::Long(value) => LiteralType::Long(*value),
        Literal::Float(value) => LiteralType::Float(*value),
        Literal::Double(value) => LiteralType::Double(*value),
        Literal::Decimal(unscaled, precision, scale) => LiteralType::Decimal(message::Decimal {
            value: decimal_text(*unscaled, *scale),
            precision: Some(i32::from(*precision)),
            scale: Some(i32::from(*scale)),
        }),
        Literal::String(value) => LiteralType::String(value.clone()),
        Literal::Binary(value) => LiteralType::Binary(value.clone().into()),
        Literal::Date(days) => LiteralType::Date(*days),
        Literal::Time(nano, precision) => {
            LiteralType::Time(message::Time { nano: *nano, precision: Some(i32::from(*precision)) })
        }
        Literal::Timestamp(micros) => LiteralType::Timestamp(*micros),
        Literal::TimestampNtz(micros) => LiteralType::TimestampNtz(*micros),
        Literal::YearMonthInterval(months, _) => LiteralType::YearMonthInterval(*months),
        Literal::DayTimeInterval(micros, _) => LiteralType::DayTimeInterval(*micros),
        Literal::CalendarInterval(months, days, microseconds) => {
            LiteralType::CalendarInterval(message::CalendarInterval {
                months: *months,
                days: *days,
                microseconds: *microseconds,
            })
        }
        Literal::Array(elements, element) => LiteralType::Array(message::Array {
            element_type: Some(data_type(element)),
            elements: elements.iter().map(self::literal).collect(),
        }),
        Literal::Map(entries, key, value) => LiteralType::Map(message::Map {
            key_type: Some(data_type(key)),
            value_type: Some(data_type(value)),
            keys: entries.iter().map(|(key, _)| self::literal(key)).collect(),
            values: entries.iter().map(|(_, value)| self::literal(value)).collect(),
        }),
        Literal::Struct(elements, of) => LiteralType::Struct(message::Struct {
            struct_type: Some(data_type(of)),
            elements: elements.iter().map(self::literal).collect(),
        }),
    };
    let of = match literal {
        Literal::YearMonthInterval(_, of) | Literal::DayTimeInterval(_, of) => Some(data_type(of)),
        _ => None,
    };
    Message { literal_type: Some(value), data_type: of }
}

/// `-150` with scale 2 is `-1.50`.
fn decimal_text(unscaled: i128, scale: i8) -> String {
    let Ok(scale) = usize::try_from(scale) else {
        return format!("{unscaled}{}", "0".repeat(usize::from(scale.unsigned_abs())));
    };
    if scale == 0 {
        return unscaled.to_string();
    }
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use firesteel_spec::DataType;

    use super::*;

    #[test]
    fn decimals_print_with_their_scale() {
        for (unscaled, scale, text) in [(-150, 2, "-1.50"), (5, 3, "0.005"), (7, 0, "7"), (7, -2, "700")] {
            assert_eq!(decimal_text(unscaled, scale), text);
        }
    }

    #[test]
    fn constants_go_there_and_back() {
        let of = DataType::Struct(vec![firesteel_spec::StructField::new("x", DataType::Integer, true)]);
        let values = [
            Literal::Null(DataType::Long),
            Literal::Decimal(-150, 10, 2),
            Literal::Array(vec![Literal::Integer(1), Literal::Null(DataType::Integer)], DataType::Integer),
            Literal::Map(vec![(Literal::Integer(1), Literal::Long(2))], DataType::Integer, DataType::Long),
            Literal::Struct(vec![Literal::Integer(4)], of),
        ];
        for value in values {
            assert_eq!(crate::decode::literal::literal(literal(&value)).unwrap(), value);
        }
    }
}
