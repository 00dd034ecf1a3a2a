//! Functions of texts and bytes.

pub(crate) mod convert;
pub(crate) mod encoding;
pub(crate) mod measure;
mod number_format;
pub(crate) mod pad;
pub(crate) mod position;
pub(crate) mod printf;
pub(crate) mod regex;
pub(crate) mod shape;
pub(crate) mod trim;

pub(crate) use encoding::url_decode;
