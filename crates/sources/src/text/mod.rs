//! What the text formats share: bytes to whole records, text to columns, values to text.

pub(crate) mod blocks;
pub(crate) mod chunks;
pub(crate) mod column;
pub(crate) mod compression;
pub(crate) mod decimal;
pub(crate) mod mode;
pub(crate) mod numbers;
pub(crate) mod parse;
pub(crate) mod print;
pub(crate) mod rows;
