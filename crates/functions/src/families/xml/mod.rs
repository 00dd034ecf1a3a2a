//! XML texts: values from them, values as them, and XPath over them.

pub(crate) mod convert;
mod dom;
pub(crate) mod path;
mod path_parse;
