//! Streams as compressed blocks.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Bytes of a block before it is compressed.
pub(super) const BLOCK_BYTES: usize = 256 << 10;
const ZSTD_LEVEL: i32 = 3;

/// How streams are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    /// Not at all.
    None,
    /// Deflate
    Zlib,
    /// Snappy
    Snappy,
    /// LZ4
    Lz4,
    /// Zstandard
    Zstd,
}

impl Codec {
    /// Its number in a postscript.
    pub(super) fn number(self) -> i32 {
        match self {
            Self::None => 0,
            Self::Zlib => 1,
            Self::Snappy => 2,
            Self::Lz4 => 4,
            Self::Zstd => 5,
        }
    }

    /// A stream as it lies in the file.
    pub(super) fn compress(self, stream: Vec<u8>) -> io::Result<Vec<u8>> {
        if self == Self::None {
            return Ok(stream);
        }
        let mut out = Vec::with_capacity(stream.len() / 2);
        for block in stream.chunks(BLOCK_BYTES) {
            let compressed = self.block(block)?;
            // A block that does not get smaller stays as it is.
            let (bytes, is_original) = match compressed.len() < block.len() {
                true => (compressed.as_slice(), 0),
                false => (block, 1),
            };
            let header = (bytes.len() as u32) << 1 | is_original;
            out.extend_from_slice(&header.to_le_bytes()[..3]);
            out.extend_from_slice(bytes);
        }
        Ok(out)
    }

    fn block(self, block: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::None => Ok(block.to_vec()),
            Self::Zlib => {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(block)?;
                encoder.finish()
            }
            Self::Snappy => snap::raw::Encoder::new().compress_vec(block).map_err(io::Error::other),
            Self::Lz4 => Ok(lz4_flex::block::compress(block)),
            Self::Zstd => zstd::bulk::compress(block, ZSTD_LEVEL),
        }
    }
}
