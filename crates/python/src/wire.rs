//! The smallest things on the wire: big-endian numbers, text with its length, marks between sections.

use std::collections::BTreeMap;
use std::path::Path;

/// The end of the data and the beginning of accumulators.
pub(crate) const END_OF_DATA: i32 = -1;
/// An exception's text follows.
pub(crate) const EXCEPTION: i32 = -2;
/// Times and spilled bytes follow.
pub(crate) const TIMING: i32 = -3;
/// All is said.
pub(crate) const END_OF_STREAM: i32 = -4;
/// Nothing, where a length is expected.
pub(crate) const NULL: i32 = -5;
/// An Arrow stream follows.
pub(crate) const ARROW_STREAM: i32 = -6;

/// Bytes about to be sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame(pub(crate) Vec<u8>);

impl Frame {
    pub(crate) fn int(&mut self, value: i32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn long(&mut self, value: i64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.0.push(u8::from(value));
    }

    /// A count; nothing that is counted here comes near the limit.
    pub(crate) fn count(&mut self, value: usize) {
        self.int(i32::try_from(value).unwrap_or(i32::MAX));
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.count(value.len());
        self.0.extend_from_slice(value);
    }

    pub(crate) fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    pub(crate) fn path(&mut self, value: &Path) {
        self.bytes(value.as_os_str().as_encoded_bytes());
    }

    pub(crate) fn map(&mut self, map: &BTreeMap<String, String>) {
        self.count(map.len());
        for (key, value) in map {
            self.text(key);
            self.text(value);
        }
    }
}
