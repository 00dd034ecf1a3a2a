//! JSON texts: parts of them, values from them, values as them.

pub(crate) mod convert;
pub(crate) mod path;
pub(crate) mod read;
pub(crate) mod schema;
pub(crate) mod value;
pub(crate) mod write;
