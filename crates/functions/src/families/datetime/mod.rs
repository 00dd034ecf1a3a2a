//! Functions of dates, timestamps and intervals.

pub(crate) mod arithmetic;
mod clock;
pub(crate) mod days;
pub(crate) mod fields;
pub(crate) mod make;
pub(crate) mod now;
pub(crate) mod stamp;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod windows;
