//! Date and timestamp arguments as wall clocks.

use arrow::array::AsArray;
use arrow::datatypes::{Date32Type, Time64NanosecondType, TimestampMicrosecondType};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use crate::datetime::Zone;
use crate::datetime::civil::MICROS_PER_DAY;
use crate::families::args::Args;

/// The session's zone.
pub(crate) fn zone(a: &Args) -> Result<Zone> {
    Zone::parse(&a.context.time_zone)
}

/// Reads argument `i` as a wall clock in microseconds.
pub(crate) fn clock<'a>(a: &Args<'a>, i: usize) -> Result<Box<dyn Fn(usize) -> i64 + 'a>> {
    let array = a.array(i)?;
    Ok(match a.data_type(i)? {
        DataType::Date => {
            let days = array.as_primitive::<Date32Type>();
            Box::new(|r| i64::from(days.value(r)) * MICROS_PER_DAY)
        }
        DataType::Time(_) => {
            let nanos = array.as_primitive::<Time64NanosecondType>();
            Box::new(|r| nanos.value(r) / 1_000)
        }
        DataType::TimestampNtz => {
            let micros = array.as_primitive::<TimestampMicrosecondType>();
            Box::new(|r| micros.value(r))
        }
        _ => {
            let (zone, micros) = (zone(a)?, array.as_primitive::<TimestampMicrosecondType>());
            Box::new(move |r| zone.to_local(micros.value(r)))
        }
    })
}

/// A wall clock as a value of the type: TIMESTAMP in the zone, or TIMESTAMP_NTZ.
pub(crate) fn from_clock(data_type: &DataType, zone: &Zone, local_us: i64) -> i64 {
    if *data_type == DataType::TimestampNtz { local_us } else { zone.to_instant(local_us) }
}

/// `DATETIME_OVERFLOW`
pub(crate) fn overflow(operation: impl Into<String>) -> SparkError {
    SparkError::new(&error_class::DATETIME_OVERFLOW).param("operation", operation)
}
