//! Dates, times and zones as Spark and Java see them: proleptic Gregorian, microseconds, Java's zone rules.
//!
//! ```text
//!   civil    days <-> year, month, day          zone   instants <-> wall clocks
//!   read     text -> date, timestamp, time      write  date, timestamp, time -> text (as CAST does)
//!   refusal  why numbers are no date or time
//!   pattern  Java's DateTimeFormatter patterns: compile once, then format or parse
//! ```

pub mod civil;
mod pattern;
mod pattern_fields;
mod pattern_parse;
mod pattern_write;
mod read;
pub(crate) mod refusal;
mod special;
mod write;
pub mod zone;

pub use civil::Civil;
pub use pattern::{Parsed, Pattern};
pub(crate) use read::trim;
pub use read::{ParsedTimestamp, parse_date, parse_time, parse_timestamp, parse_timestamp_ntz, split_timestamp};
pub use special::{special_date, special_timestamp, special_timestamp_ntz};
pub(crate) use write::write_fraction;
pub use write::{write_date, write_time, write_timestamp};
pub use zone::Zone;
