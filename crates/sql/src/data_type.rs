//! Types and column lists.

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::types::{DayTimeField, YearMonthField};
use firesteel_spec::{DataType, StructField, spatial};
use serde_json::json;

use crate::parser::Parser;

impl Parser {
    /// A type.
    pub(crate) fn data_type(&mut self) -> Result<DataType> {
        self.nested(Self::any_type)
    }

    fn any_type(&mut self) -> Result<DataType> {
        let start = self.at;
        let name = self.identifier()?.to_uppercase();
        match name.as_str() {
            "ARRAY" if self.eat_symbol("<") => {
                let element = self.data_type()?;
                self.expect_symbol(">")?;
                Ok(DataType::array(element))
            }
            "MAP" if self.eat_symbol("<") => {
                let key = self.data_type()?;
                self.expect_symbol(",")?;
                let value = self.data_type()?;
                self.expect_symbol(">")?;
                Ok(DataType::map(key, value))
            }
            "STRUCT" if self.eat_symbol("<>") => Ok(DataType::Struct(Vec::new())),
            "STRUCT" if self.eat_symbol("<") => self.struct_fields(),
            "ARRAY" | "MAP" | "STRUCT" => Err(self
                .error_since(&error_class::INCOMPLETE_TYPE_DEFINITION, start)
                .param("elementType", "<element_type>")),
            "INTERVAL" => Ok(self.interval_type()?),
            "STRING" if !self.at_symbol("(") => self.collated_string(),
            "TIMESTAMP" if self.eat_words(&["WITHOUT", "TIME", "ZONE"]) => Ok(DataType::TimestampNtz),
            "TIMESTAMP" if self.eat_words(&["WITH", "LOCAL", "TIME", "ZONE"]) => Ok(DataType::Timestamp),
            "GEOMETRY" if self.at_symbol("(") => self.srid(spatial::is_geometry_srid).map(DataType::Geometry),
            "GEOGRAPHY" if self.at_symbol("(") => self.srid(spatial::is_geography_srid).map(DataType::Geography),
            _ => self.primitive_type(&name, start),
        }
    }

    /// `(4326)`, `(ANY)`
    fn srid(&mut self, is_known: fn(i32) -> bool) -> Result<Option<i32>> {
        self.in_parentheses(|p| {
            if p.eat_word("ANY") {
                return Ok(None);
            }
            let written: i64 = p.integer()?;
            match i32::try_from(written) {
                Ok(srid) if is_known(srid) => Ok(Some(srid)),
                _ => Err(SparkError::new(&error_class::ST_INVALID_SRID_VALUE).param("srid", written.to_string())),
            }
        })
    }

    fn struct_fields(&mut self) -> Result<DataType> {
        if self.eat_symbol(">") {
            return Ok(DataType::Struct(Vec::new()));
        }
        let fields = self.list(|p| p.struct_field(true))?;
        self.expect_symbol(">")?;
        Ok(DataType::Struct(fields))
    }

    /// `a INT NOT NULL COMMENT '..'`, with a colon after the name inside a STRUCT.
    pub(crate) fn struct_field(&mut self, allows_colon: bool) -> Result<StructField> {
        let name = self.name()?;
        if allows_colon {
            self.eat_symbol(":");
        }
        let data_type = self.data_type()?;
        let nullable = !self.not_null();
        let mut field = StructField::new(name, data_type, nullable);
        // Struct fields of Spark know no DEFAULT, but a table's schema in DDL text does.
        if let Some(comment) = self.optional_string("COMMENT")? {
            field.metadata = Some(json!({ "comment": comment }).to_string());
        }
        Ok(field)
    }

    /// `NOT NULL`
    pub(crate) fn not_null(&mut self) -> bool {
        if self.at_symbol("!") && self.peek_at(1).is_word("NULL") {
            self.at += 2;
            return true;
        }
        self.eat_words(&["NOT", "NULL"])
    }

    fn collated_string(&mut self) -> Result<DataType> {
        if !self.eat_word("COLLATE") {
            return Ok(DataType::STRING);
        }
        let collation = self.collation_name()?;
        Ok(DataType::String((collation != "UTF8_BINARY").then_some(collation)))
    }

    /// The last part of a collation's name, in capitals.
    pub(crate) fn collation_name(&mut self) -> Result<String> {
        let parts = self.qualified_name()?;
        Ok(parts.last().map(|name| name.to_uppercase()).unwrap_or_default())
    }

    fn interval_type(&mut self) -> Result<DataType> {
        let start = self.at - 1;
        let Some(first) = self.eat_any(&["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"]) else {
            return Ok(DataType::CalendarInterval);
        };
        let mut last = first;
        if self.eat_word("TO") {
            let fields = ["MONTH", "HOUR", "MINUTE", "SECOND"];
            last = self.eat_any(&fields).ok_or_else(|| self.syntax_error())?;
        }
        interval_range(first, last).ok_or_else(|| {
            self.error_since(&error_class::FROM_TO_INTERVAL_UNSUPPORTED, start)
                .param("startField", first)
                .param("endField", last)
        })
    }

    fn primitive_type(&mut self, name: &str, start: usize) -> Result<DataType> {
        let arguments: Vec<u32> =
            if self.at_symbol("(") { self.in_parentheses(|p| p.list(Self::integer))? } else { Vec::new() };
        let data_type = match (name, arguments.as_slice()) {
            ("BOOLEAN", []) => DataType::Boolean,
            ("TINYINT" | "BYTE", []) => DataType::Byte,
            ("SMALLINT" | "SHORT", []) => DataType::Short,
            ("INT" | "INTEGER", []) => DataType::Integer,
            ("BIGINT" | "LONG", []) => DataType::Long,
            ("FLOAT" | "REAL", []) => DataType::Float,
            ("DOUBLE", []) => DataType::Double,
            ("DATE", []) => DataType::Date,
            ("TIMESTAMP", []) if self.options.timestamp_is_ntz => DataType::TimestampNtz,
            ("TIMESTAMP" | "TIMESTAMP_LTZ", []) => DataType::Timestamp,
            ("TIMESTAMP_NTZ", []) => DataType::TimestampNtz,
            ("TIME", arguments @ ([] | [_])) => {
                self.eat_words(&["WITHOUT", "TIME", "ZONE"]);
                time_type(arguments.first().copied().unwrap_or(6))?
            }
            ("CHARACTER" | "CHAR", [length]) => DataType::Char(*length),
            ("VARCHAR", [length]) => DataType::Varchar(*length),
            ("CHARACTER" | "CHAR" | "VARCHAR", []) => {
                return Err(self
                    .error_since(&error_class::DATATYPE_MISSING_SIZE, start)
                    .param("type", format!("\"{name}\"")));
            }
            ("BINARY", []) => DataType::Binary,
            ("DECIMAL" | "DEC" | "NUMERIC", []) => DataType::Decimal(10, 0),
            ("DECIMAL" | "DEC" | "NUMERIC", [precision]) => decimal_type(*precision, 0)?,
            ("DECIMAL" | "DEC" | "NUMERIC", [precision, scale]) => decimal_type(*precision, *scale)?,
            ("VOID" | "NULL", []) => DataType::Null,
            ("VARIANT", []) => DataType::Variant,
            _ => {
                let text = self.text_from(start).to_uppercase().replace(' ', "");
                return Err(self
                    .error_since(&error_class::UNSUPPORTED_DATATYPE, start)
                    .kind(firesteel_model::ExceptionKind::Parse)
                    .param("typeName", format!("\"{text}\"")));
            }
        };
        if matches!(data_type, DataType::Char(_) | DataType::Varchar(_)) && self.eat_word("COLLATE") {
            self.collation_name()?;
        }
        Ok(data_type)
    }

    /// `a INT, b STRING NOT NULL COMMENT '..'`
    pub(crate) fn table_schema(&mut self) -> Result<Vec<StructField>> {
        self.list(|p| p.struct_field(true))
    }
}

fn time_type(precision: u32) -> Result<DataType> {
    match u8::try_from(precision) {
        Ok(precision @ 0..=6) => Ok(DataType::Time(precision)),
        _ => Err(SparkError::new(&error_class::UNSUPPORTED_TIME_PRECISION).param("precision", precision.to_string())),
    }
}

fn decimal_type(precision: u32, scale: u32) -> Result<DataType> {
    if scale > precision {
        return Err(SparkError::new(&error_class::DECIMAL_SCALE_EXCEEDS_PRECISION)
            .param("scale", scale.to_string())
            .param("precision", precision.to_string()));
    }
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(precision @ 0..=38), Ok(scale)) => Ok(DataType::Decimal(precision, scale)),
        _ => Err(too_precise(precision as usize)),
    }
}

/// A decimal of more than 38 digits.
pub(crate) fn too_precise(precision: usize) -> SparkError {
    SparkError::new(&error_class::DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION)
        .param("precision", precision.to_string())
        .param("maxPrecision", "38")
}

/// The interval type between two fields, if there is one.
pub(crate) fn interval_range(first: &str, last: &str) -> Option<DataType> {
    if let (Some(first), Some(last)) = (year_month(first), year_month(last)) {
        return (first <= last).then_some(DataType::YearMonthInterval(first, last));
    }
    let (first, last) = (day_time(first)?, day_time(last)?);
    (first <= last).then_some(DataType::DayTimeInterval(first, last))
}

fn year_month(field: &str) -> Option<YearMonthField> {
    match field {
        "YEAR" => Some(YearMonthField::Year),
        "MONTH" => Some(YearMonthField::Month),
        _ => None,
    }
}

fn day_time(field: &str) -> Option<DayTimeField> {
    match field {
        "DAY" => Some(DayTimeField::Day),
        "HOUR" => Some(DayTimeField::Hour),
        "MINUTE" => Some(DayTimeField::Minute),
        "SECOND" => Some(DayTimeField::Second),
        _ => None,
    }
}
