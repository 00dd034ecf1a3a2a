//! JSON texts: parts of them, values from them, values as them.

pub(crate) mod convert;
pub(crate) mod path;
pub(crate) mod read;
mod schema;
pub(crate) mod value;
mod write;
