//! JSON texts: parts of them, values from them, values as them.

pub(crate) mod convert;
pub(crate) mod path;
mod read;
mod schema;
mod value;
mod write;
