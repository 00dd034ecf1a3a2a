//! Functions of numbers.

pub(crate) mod bitmaps;
pub(crate) mod integers;
pub(crate) mod plain;
pub(crate) mod rounding;
