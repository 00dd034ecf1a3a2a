//! Compressed files: which codec a name means, and the codecs for writing.

use std::io::{self, Write};

use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use firesteel_model::Result;

use crate::error::bad_option;

/// A codec of text files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Bzip2,
    Zstd,
    Xz,
    Deflate,
}

impl Compression {
    /// The codec that a file's name tells.
    pub(crate) fn of_file(name: &str) -> Self {
        match name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).as_deref() {
            Some("gz" | "gzip") => Self::Gzip,
            Some("bz2") => Self::Bzip2,
            Some("zst" | "zstd") => Self::Zstd,
            Some("xz") => Self::Xz,
            Some("deflate") => Self::Deflate,
            _ => Self::None,
        }
    }

    /// The codec that the option `compression` names.
    pub(crate) fn of_option(name: Option<&str>) -> Result<Self> {
        match name.unwrap_or("none").to_ascii_lowercase().as_str() {
            "none" | "uncompressed" => Ok(Self::None),
            "gzip" | "gz" => Ok(Self::Gzip),
            "bzip2" => Ok(Self::Bzip2),
            "zstd" => Ok(Self::Zstd),
            "deflate" => Ok(Self::Deflate),
            other => Err(bad_option("compression", other, "codec of text files")),
        }
    }

    /// What stands at the end of file names.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Bzip2 => ".bz2",
            Self::Zstd => ".zst",
            Self::Xz => ".xz",
            Self::Deflate => ".deflate",
        }
    }

    /// DataFusion's name for the codec; it has none for deflate.
    pub(crate) fn decoder(self) -> FileCompressionType {
        match self {
            Self::None | Self::Deflate => FileCompressionType::UNCOMPRESSED,
            Self::Gzip => FileCompressionType::GZIP,
            Self::Bzip2 => FileCompressionType::BZIP2,
            Self::Zstd => FileCompressionType::ZSTD,
            Self::Xz => FileCompressionType::XZ,
        }
    }
}

/// Compresses what is written to it into memory.
pub(crate) enum Compressor {
    None(Vec<u8>),
    Gzip(flate2::write::GzEncoder<Vec<u8>>),
    Deflate(flate2::write::ZlibEncoder<Vec<u8>>),
    Bzip2(bzip2::write::BzEncoder<Vec<u8>>),
    Zstd(Box<zstd::stream::write::Encoder<'static, Vec<u8>>>),
}

impl Compressor {
    /// A compressor with the codec's usual level.
    pub(crate) fn new(compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::None(Vec::new()),
            Compression::Gzip => Self::Gzip(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default())),
            Compression::Deflate => {
                Self::Deflate(flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default()))
            }
            Compression::Bzip2 => Self::Bzip2(bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default())),
            Compression::Zstd => Self::Zstd(Box::new(zstd::stream::write::Encoder::new(Vec::new(), 3)?)),
            Compression::Xz => return Err(io::ErrorKind::Unsupported.into()),
        })
    }

    /// Adds bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::None(out) => out.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Deflate(encoder) => encoder.write_all(bytes),
            Self::Bzip2(encoder) => encoder.write_all(bytes),
            Self::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    /// Takes what is compressed so far.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(match self {
            Self::None(out) => out,
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Deflate(encoder) => encoder.get_mut(),
            Self::Bzip2(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        })
    }

    /// Ends the stream and gives what is left.
    pub(crate) fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::None(out) => Ok(out),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Deflate(encoder) => encoder.finish(),
            Self::Bzip2(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}
