//! Values as text, for CSV, JSON, text files and partition directories.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimeUnit, TimestampMicrosecondType,
};
use firesteel_functions::datetime::civil::MICROS_PER_DAY;
use firesteel_functions::datetime::{Pattern, Zone, write_date, write_timestamp};
use firesteel_functions::number::{write_decimal, write_double, write_float};
use firesteel_model::{Result, SparkError};

use crate::options::Options;
use crate::settings::Settings;

const DATE: &str = "yyyy-MM-dd";
const TIMESTAMP: &str = "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]";
const TIMESTAMP_NTZ: &str = "yyyy-MM-dd'T'HH:mm:ss[.SSS]";

/// Prints dates and timestamps by patterns, or as casts do.
#[derive(Clone, Debug)]
pub(crate) struct Printer {
    zone: Zone,
    patterns: Option<Patterns>,
}

#[derive(Clone, Debug)]
struct Patterns {
    date: Pattern,
    timestamp: Pattern,
    timestamp_ntz: Pattern,
}

impl Printer {
    /// Reads the options.
    ///
    /// Errors: `INVALID_TIMEZONE`, `INVALID_DATETIME_PATTERN.*`.
    pub(crate) fn new(options: &Options, settings: &Settings) -> Result<Self> {
        let pattern = |name: &str, default: &str| Pattern::for_formatting(options.get(name).unwrap_or(default));
        let patterns = Patterns {
            date: pattern("dateFormat", DATE)?,
            timestamp: pattern("timestampFormat", TIMESTAMP)?,
            timestamp_ntz: pattern("timestampNTZFormat", TIMESTAMP_NTZ)?,
        };
        let zone = Zone::parse(options.get("timeZone").unwrap_or(&settings.time_zone))?;
        Ok(Self { zone, patterns: Some(patterns) })
    }

    /// The forms that casts to strings give, as partition directories use them.
    pub(crate) fn for_directories(settings: &Settings) -> Result<Self> {
        Ok(Self { zone: Zone::parse(&settings.time_zone)?, patterns: None })
    }

    /// The text of a value; `None` for NULL.
    ///
    /// Errors: `UNSUPPORTED_FEATURE` for types without a text form.
    pub(crate) fn print(&self, array: &dyn Array, row: usize) -> Result<Option<String>> {
        if array.is_null(row) || *array.data_type() == DataType::Null {
            return Ok(None);
        }
        let mut out = String::new();
        match array.data_type() {
            DataType::Boolean => out = array.as_boolean().value(row).to_string(),
            DataType::Int8 => out = array.as_primitive::<Int8Type>().value(row).to_string(),
            DataType::Int16 => out = array.as_primitive::<Int16Type>().value(row).to_string(),
            DataType::Int32 => out = array.as_primitive::<Int32Type>().value(row).to_string(),
            DataType::Int64 => out = array.as_primitive::<Int64Type>().value(row).to_string(),
            DataType::Float32 => write_float(&mut out, array.as_primitive::<Float32Type>().value(row)),
            DataType::Float64 => write_double(&mut out, array.as_primitive::<Float64Type>().value(row)),
            DataType::Decimal128(_, scale) => {
                write_decimal(&mut out, array.as_primitive::<Decimal128Type>().value(row), *scale, true);
            }
            DataType::Utf8 => array.as_string::<i32>().value(row).clone_into(&mut out),
            DataType::LargeUtf8 => array.as_string::<i64>().value(row).clone_into(&mut out),
            DataType::Utf8View => array.as_string_view().value(row).clone_into(&mut out),
            DataType::Binary => out.push_str(&String::from_utf8_lossy(array.as_binary::<i32>().value(row))),
            DataType::Date32 => self.date(&mut out, array.as_primitive::<Date32Type>().value(row).into())?,
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                let value = array.as_primitive::<TimestampMicrosecondType>().value(row);
                self.timestamp(&mut out, value, zone.is_some())?;
            }
            other => return Err(SparkError::unsupported(format!("{other} as text"))),
        }
        Ok(Some(out))
    }

    fn date(&self, out: &mut String, days: i64) -> Result<()> {
        match &self.patterns {
            Some(Patterns { date, .. }) => fits(date.write_local(out, days * MICROS_PER_DAY), date),
            None => {
                write_date(out, days);
                Ok(())
            }
        }
    }

    fn timestamp(&self, out: &mut String, value: i64, is_instant: bool) -> Result<()> {
        match &self.patterns {
            Some(Patterns { timestamp, .. }) if is_instant => fits(timestamp.write(out, value, &self.zone), timestamp),
            Some(Patterns { timestamp_ntz, .. }) => fits(timestamp_ntz.write_local(out, value), timestamp_ntz),
            None => {
                write_timestamp(out, if is_instant { self.zone.to_local(value) } else { value });
                Ok(())
            }
        }
    }
}

/// A value may be too wide for its field in the pattern.
fn fits(written: Option<()>, pattern: &Pattern) -> Result<()> {
    written.ok_or_else(|| {
        SparkError::unsupported(format!("a date or time that the pattern '{}' cannot show", pattern.text()))
    })
}
