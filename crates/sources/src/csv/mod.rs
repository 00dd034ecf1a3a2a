//! CSV: options, records, inference, reading, writing.

mod infer;
mod options;
mod parse;
mod read;
mod write;

pub(crate) use infer::infer;
pub(crate) use options::CsvOptions;
pub(crate) use read::CsvReader;
pub(crate) use write::CsvWriter;
