//! Spark's JSON form of a type, read.

use firesteel_model::{Result, SparkError, error_class};
use serde_json::Value;

use crate::spatial;
use crate::types::{DataType, DayTimeField, StructField, UserDefinedType, YearMonthField};

impl DataType {
    /// Reads Spark's JSON form, as in `StructType.json()`.
    ///
    /// Errors: `UNSUPPORTED_DATATYPE` for what is no type.
    pub fn parse_json(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text).map_err(|_| unsupported(text))?;
        Self::from_json(&value)
    }

    /// Reads Spark's JSON form.
    pub fn from_json(value: &Value) -> Result<Self> {
        if let Some(name) = value.as_str() {
            return named(name);
        }
        let at = |key: &str| value.get(key).ok_or_else(|| unsupported(&value.to_string()));
        let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(true);
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        match value.get("type").and_then(Value::as_str) {
            Some("array") => Ok(Self::Array(Box::new(Self::from_json(at("elementType")?)?), flag("containsNull"))),
            Some("map") => Ok(Self::Map(
                Box::new(Self::from_json(at("keyType")?)?),
                Box::new(Self::from_json(at("valueType")?)?),
                flag("valueContainsNull"),
            )),
            Some("struct") => {
                let fields = at("fields")?.as_array().ok_or_else(|| unsupported(&value.to_string()))?;
                Ok(Self::Struct(fields.iter().map(field).collect::<Result<_>>()?))
            }
            Some("udt") => Ok(Self::Udt(Box::new(UserDefinedType {
                jvm_class: text("class"),
                python_class: text("pyClass"),
                serialized_python_class: text("serializedClass"),
                sql_type: Self::from_json(at("sqlType")?)?,
            }))),
            _ => Err(unsupported(&value.to_string())),
        }
    }
}

fn field(value: &Value) -> Result<StructField> {
    let name = value.get("name").and_then(Value::as_str).ok_or_else(|| unsupported(&value.to_string()))?;
    let data_type = DataType::from_json(value.get("type").ok_or_else(|| unsupported(&value.to_string()))?)?;
    let nullable = value.get("nullable").and_then(Value::as_bool).unwrap_or(true);
    let metadata = value.get("metadata").filter(|m| m.as_object().is_some_and(|m| !m.is_empty()));
    Ok(StructField { name: name.to_owned(), data_type, nullable, metadata: metadata.map(Value::to_string) })
}

fn named(name: &str) -> Result<DataType> {
    let lower = name.to_lowercase();
    Ok(match lower.as_str() {
        "void" | "null" => DataType::Null,
        "boolean" => DataType::Boolean,
        "byte" | "tinyint" => DataType::Byte,
        "short" | "smallint" => DataType::Short,
        "integer" | "int" => DataType::Integer,
        "long" | "bigint" => DataType::Long,
        "float" | "real" => DataType::Float,
        "double" => DataType::Double,
        "decimal" => DataType::Decimal(10, 0),
        "string" => DataType::STRING,
        "binary" => DataType::Binary,
        "date" => DataType::Date,
        "timestamp" | "timestamp_ltz" => DataType::Timestamp,
        "timestamp_ntz" => DataType::TimestampNtz,
        "interval" | "calendarinterval" => DataType::CalendarInterval,
        "variant" => DataType::Variant,
        "time" => DataType::Time(6),
        "geometry" | "geography" => return Ok(spatial::without_crs(&lower)),
        _ => return parametrised(&lower).ok_or_else(|| unsupported(name)),
    })
}

fn parametrised(name: &str) -> Option<DataType> {
    if let Some(range) = name.strip_prefix("interval ") {
        return interval(range);
    }
    if let Some(collation) = name.strip_prefix("string collate ") {
        return Some(DataType::String(Some(collation.to_uppercase())));
    }
    let (base, arguments) = name.strip_suffix(')')?.split_once('(')?;
    match base.trim() {
        "geometry" => return spatial::from_json(arguments, false).map(DataType::Geometry),
        "geography" => return spatial::from_json(arguments, true).map(DataType::Geography),
        _ => {}
    }
    let mut numbers = arguments.split(',').map(|n| n.trim().parse::<i64>().ok());
    let first = numbers.next()??;
    match base.trim() {
        "decimal" => {
            let scale = numbers.next().unwrap_or(Some(0))?;
            Some(DataType::Decimal(u8::try_from(first).ok()?, i8::try_from(scale).ok()?))
        }
        "char" => Some(DataType::Char(u32::try_from(first).ok()?)),
        "varchar" => Some(DataType::Varchar(u32::try_from(first).ok()?)),
        "time" => Some(DataType::Time(u8::try_from(first).ok()?)),
        _ => None,
    }
}

fn interval(range: &str) -> Option<DataType> {
    let (start, end) = range.split_once(" to ").unwrap_or((range, range));
    if let (Some(start), Some(end)) = (year_month(start), year_month(end)) {
        return Some(DataType::YearMonthInterval(start, end));
    }
    Some(DataType::DayTimeInterval(day_time(start)?, day_time(end)?))
}

fn year_month(name: &str) -> Option<YearMonthField> {
    Some(match name {
        "year" => YearMonthField::Year,
        "month" => YearMonthField::Month,
        _ => return None,
    })
}

fn day_time(name: &str) -> Option<DayTimeField> {
    Some(match name {
        "day" => DayTimeField::Day,
        "hour" => DayTimeField::Hour,
        "minute" => DayTimeField::Minute,
        "second" => DayTimeField::Second,
        _ => return None,
    })
}

fn unsupported(name: &str) -> SparkError {
    SparkError::new(&error_class::UNSUPPORTED_DATATYPE).param("typeName", format!("\"{}\"", name.to_uppercase()))
}
