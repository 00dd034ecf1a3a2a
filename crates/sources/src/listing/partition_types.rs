//! The types of partition columns, inferred from their values, and the values themselves.

use datafusion::common::ScalarValue;
use firesteel_functions::datetime::{Zone, parse_date, parse_timestamp, parse_timestamp_ntz};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::{INSTANT_ZONE, to_arrow};

use super::NULL_PARTITION;

/// The type that fits all raw values of a column.
pub(super) fn infer<'a>(values: impl Iterator<Item = &'a str>, is_ntz: bool) -> DataType {
    let widest = values.map(|value| infer_one(value, is_ntz)).fold(DataType::Null, widen);
    if widest == DataType::Null { DataType::STRING } else { widest }
}

fn infer_one(raw: &str, is_ntz: bool) -> DataType {
    if raw == NULL_PARTITION {
        return DataType::Null;
    }
    if raw.parse::<i32>().is_ok() {
        return DataType::Integer;
    }
    if raw.parse::<i64>().is_ok() {
        return DataType::Long;
    }
    let digits = raw.trim_start_matches(['-', '+']);
    if !digits.is_empty() && digits.len() <= 38 && digits.bytes().all(|b| b.is_ascii_digit()) {
        return DataType::Decimal(u8::try_from(digits.len()).unwrap_or(38), 0);
    }
    if parse_double(raw).is_some() {
        return DataType::Double;
    }
    if is_plain_date(raw) {
        return DataType::Date;
    }
    if is_plain_timestamp(raw) {
        return if is_ntz { DataType::TimestampNtz } else { DataType::Timestamp };
    }
    DataType::STRING
}

fn widen(left: DataType, right: DataType) -> DataType {
    use DataType::{Date, Decimal, Double, Integer, Long, Null, Timestamp, TimestampNtz};
    match (left, right) {
        (a, b) if a == b => a,
        (Null, other) | (other, Null) => other,
        (Integer, Long) | (Long, Integer) => Long,
        (Integer, Double) | (Double, Integer) => Double,
        (Decimal(a, _), Decimal(b, _)) => Decimal(a.max(b), 0),
        (Decimal(p, _), Integer | Long) | (Integer | Long, Decimal(p, _)) => Decimal(p.max(20), 0),
        (Date, Timestamp) | (Timestamp, Date) => Timestamp,
        (Date, TimestampNtz) | (TimestampNtz, Date) => TimestampNtz,
        _ => DataType::STRING,
    }
}

fn is_plain_date(raw: &str) -> bool {
    raw.len() == 10 && raw.as_bytes()[4] == b'-' && raw.as_bytes()[7] == b'-' && parse_date(raw).is_some()
}

/// `yyyy-MM-dd HH:mm:ss`, with or without a fraction or a zone.
fn is_plain_timestamp(raw: &str) -> bool {
    let is_clock = |text: &str| text.bytes().enumerate().all(|(at, b)| matches!(at, 2 | 5) == (b == b':'));
    let has_form = raw.get(..10).is_some_and(is_plain_date) && raw.get(11..19).is_some_and(is_clock);
    has_form && raw.as_bytes()[10] == b' ' && parse_timestamp_ntz(raw, true).is_some()
}

fn parse_double(raw: &str) -> Option<f64> {
    let plain = raw.bytes().next()?.is_ascii_digit() || raw.starts_with(['-', '+', '.']);
    let text = raw.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(raw);
    text.parse().ok().filter(|_| plain)
}

/// A raw value as a value of the column's type; `None` if it does not fit.
pub(super) fn value(raw: &str, data_type: &DataType, zone: &Zone) -> Option<ScalarValue> {
    let arrow = to_arrow(data_type);
    if raw == NULL_PARTITION {
        return ScalarValue::try_from(&arrow).ok();
    }
    Some(match data_type {
        DataType::Timestamp => {
            let instant = parse_timestamp(raw, zone, None)?;
            ScalarValue::TimestampMicrosecond(Some(instant), Some(INSTANT_ZONE.into()))
        }
        DataType::TimestampNtz => ScalarValue::TimestampMicrosecond(Some(parse_timestamp_ntz(raw, true)?), None),
        DataType::Date => ScalarValue::Date32(Some(parse_date(raw)?)),
        DataType::Double => ScalarValue::Float64(Some(parse_double(raw)?)),
        DataType::String(_) | DataType::Char(_) | DataType::Varchar(_) => ScalarValue::Utf8(Some(raw.to_owned())),
        DataType::Binary => ScalarValue::Binary(Some(raw.as_bytes().to_vec())),
        _ => ScalarValue::try_from_string(raw.to_owned(), &arrow).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_fit_all_values() {
        for (values, expected) in [
            (&["1", "2"][..], "int"),
            (&["1", "3000000000"], "bigint"),
            (&["1", "1.5"], "double"),
            (&["3000000000", "1.5"], "string"),
            (&["12345678901234567890"], "decimal(20,0)"),
            (&["2024-01-02"], "date"),
            (&["2024-01-02 03:04:05"], "timestamp"),
            (&["2024-01-02", "2024-01-02 03:04:05"], "timestamp"),
            (&["1", NULL_PARTITION], "int"),
            (&[NULL_PARTITION], "string"),
            (&["true"], "string"),
            (&["1", "x"], "string"),
            (&["NaN"], "string"),
        ] {
            assert_eq!(infer(values.iter().copied(), false).simple_string(), expected, "{values:?}");
        }
    }
}
