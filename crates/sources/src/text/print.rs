//! Values as text, for CSV, JSON, text files and partition directories.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimeUnit, TimestampMicrosecondType,
};
use firesteel_model::{Result, SparkError};

use super::decimal;
use super::numbers::{print_double, print_float};
use crate::datetime::{MICROS_PER_DAY, Pattern, Zone};
use crate::error::bad_option;
use crate::options::Options;
use crate::settings::Settings;

const DATE: &str = "yyyy-MM-dd";
const TIMESTAMP: &str = "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]";
const TIMESTAMP_NTZ: &str = "yyyy-MM-dd'T'HH:mm:ss[.SSS]";

/// Patterns and time zone of the writer.
#[derive(Clone, Debug)]
pub(crate) struct Printer {
    zone: Zone,
    zone_name: String,
    date: Pattern,
    timestamp: Pattern,
    timestamp_ntz: Pattern,
}

impl Printer {
    /// Reads the options.
    pub(crate) fn new(options: &Options, settings: &Settings) -> Result<Self> {
        let zone_name = options.get("timeZone").unwrap_or(&settings.time_zone).to_owned();
        let pattern = |name: &str, default: &str| Pattern::compile(name, options.get(name).unwrap_or(default));
        Ok(Self {
            zone: Zone::parse(&zone_name).ok_or_else(|| bad_option("timeZone", &zone_name, "time zone"))?,
            zone_name,
            date: pattern("dateFormat", DATE)?,
            timestamp: pattern("timestampFormat", TIMESTAMP)?,
            timestamp_ntz: pattern("timestampNTZFormat", TIMESTAMP_NTZ)?,
        })
    }

    /// The forms that casts to strings give, as partition directories use them.
    pub(crate) fn for_directories(settings: &Settings) -> Result<Self> {
        let mut options = Options::default();
        options.set("timestampFormat", "yyyy-MM-dd HH:mm:ss.SSSSSS");
        options.set("timestampNTZFormat", "yyyy-MM-dd HH:mm:ss.SSSSSS");
        Self::new(&options, settings)
    }

    /// The text of a value; `None` for NULL.
    ///
    /// Errors: `UNSUPPORTED_FEATURE` for types without a text form.
    pub(crate) fn print(&self, array: &dyn Array, row: usize) -> Result<Option<String>> {
        if array.is_null(row) || *array.data_type() == DataType::Null {
            return Ok(None);
        }
        Ok(Some(match array.data_type() {
            DataType::Boolean => array.as_boolean().value(row).to_string(),
            DataType::Int8 => array.as_primitive::<Int8Type>().value(row).to_string(),
            DataType::Int16 => array.as_primitive::<Int16Type>().value(row).to_string(),
            DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
            DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
            DataType::Float32 => print_float(array.as_primitive::<Float32Type>().value(row)),
            DataType::Float64 => print_double(array.as_primitive::<Float64Type>().value(row)),
            DataType::Decimal128(_, scale) => decimal::print(array.as_primitive::<Decimal128Type>().value(row), *scale),
            DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
            DataType::LargeUtf8 => array.as_string::<i64>().value(row).to_owned(),
            DataType::Utf8View => array.as_string_view().value(row).to_owned(),
            DataType::Binary => String::from_utf8_lossy(array.as_binary::<i32>().value(row)).into_owned(),
            DataType::Date32 => {
                let days = i64::from(array.as_primitive::<Date32Type>().value(row));
                self.date.format(days * MICROS_PER_DAY, 0, &self.zone_name)
            }
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                self.timestamp(array.as_primitive::<TimestampMicrosecondType>().value(row), zone.is_some())
            }
            other => return Err(SparkError::unsupported(format!("{other} as text"))),
        }))
    }

    fn timestamp(&self, value: i64, is_instant: bool) -> String {
        if !is_instant {
            return self.timestamp_ntz.format(value, 0, &self.zone_name);
        }
        let offset = self.zone.offset_at(value);
        self.timestamp.format(value + i64::from(offset) * 1_000_000, offset, &self.zone_name)
    }

    /// The name of a partition value: timestamps without trailing zeros.
    pub(crate) fn print_for_directory(&self, array: &dyn Array, row: usize) -> Result<Option<String>> {
        let text = self.print(array, row)?;
        Ok(match array.data_type() {
            DataType::Timestamp(..) => {
                text.map(|text| text.trim_end_matches('0').trim_end_matches('.').to_owned()).map(full_seconds)
            }
            _ => text,
        })
    }
}

/// Gives back the zeros of the seconds that went with those of the fraction.
fn full_seconds(text: String) -> String {
    format!("{text:0<19}")
}
