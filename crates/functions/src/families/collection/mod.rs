//! Functions of arrays, maps and structs.
//!
//! ```text
//!   field_access  one field of a struct, whatever the struct's type
//!   gather        arrays put together from elements of other arrays; values that compare as Spark compares them
//! ```

pub(crate) mod arrays;
pub(crate) mod build;
pub mod extract;
pub(crate) mod field_access;
pub(crate) mod gather;
pub(crate) mod maps;
pub(crate) mod membership;
pub(crate) mod sequence;
pub mod structs;
