//! JSON: options, a lenient parser, inference, reading, writing.

mod infer;
mod options;
mod parse;
mod read;
mod values;
mod write;

pub(crate) use infer::infer;
pub(crate) use options::JsonOptions;
pub(crate) use read::JsonReader;
pub(crate) use write::JsonWriter;
