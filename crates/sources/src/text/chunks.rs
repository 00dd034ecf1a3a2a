//! A split of a text file as chunks of whole records in UTF-8.

use std::ops::Range;

use bytes::Bytes;
use encoding_rs::{Decoder, Encoding, UTF_8};
use firesteel_model::{Result, SparkError};
use futures::StreamExt;
use futures::stream::BoxStream;
use memchr::memmem;

use super::blocks::Source;
use super::compression::Compression;

const CHUNK: usize = 1 << 20;

/// Where records end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Framing {
    /// At `\n`, `\r\n` or `\r`.
    Lines,
    /// At a separator of the user's.
    Separated(String),
    /// At the end of the file.
    Whole,
}

/// Framing and character set of a format.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) framing: Framing,
    pub(crate) charset: &'static Encoding,
}

/// A run of whole records.
pub(crate) struct Chunk {
    pub(crate) text: String,
    /// Whether the file starts here.
    pub(crate) is_file_start: bool,
}

impl Layout {
    /// Reads a character set's name.
    pub(crate) fn new(framing: Framing, charset: Option<&str>) -> Result<Self> {
        let name = charset.unwrap_or("UTF-8");
        let charset = Encoding::for_label(name.as_bytes())
            .ok_or_else(|| SparkError::unsupported(format!("the character set {name}")))?;
        Ok(Self { framing, charset })
    }

    /// Whether a file can be read in pieces.
    pub(crate) fn is_splittable(&self, file_name: &str) -> bool {
        let framing = match &self.framing {
            Framing::Lines => true,
            Framing::Separated(separator) => separator.len() == 1,
            Framing::Whole => false,
        };
        framing && self.charset.is_ascii_compatible() && Compression::of_file(file_name) == Compression::None
    }

    /// The last byte of a record, for files that are split.
    fn terminator(&self) -> u8 {
        match &self.framing {
            Framing::Separated(separator) => separator.bytes().last().unwrap_or(b'\n'),
            _ => b'\n',
        }
    }

    /// Reads the records that start in `range`; everything if there is none.
    pub(crate) async fn read(
        &self,
        source: &Source,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, Result<Chunk>>> {
        let compression = Compression::of_file(source.path.as_ref());
        let bytes = match range.filter(|range| *range != (0..source.size)) {
            Some(range) => split(source, range),
            None => {
                Piece { bytes: source.decompressed(compression).await?, skip_first: false, left: u64::MAX, start: 0 }
            }
        };
        let state = Assembler {
            is_file_start: bytes.start == 0,
            piece: bytes,
            layout: self.clone(),
            decoder: (self.charset != UTF_8).then(|| self.charset.new_decoder_with_bom_removal()),
            buffer: Vec::new(),
            terminator: self.terminator(),
            is_done: false,
        };
        Ok(futures::stream::try_unfold(state, |mut state| async move {
            let chunk = state.next().await?;
            Ok(chunk.map(|chunk| (chunk, state)))
        })
        .boxed())
    }
}

/// The bytes of a split and how many of them count.
struct Piece {
    bytes: BoxStream<'static, Result<Bytes>>,
    /// Whether a record that began before the split comes first.
    skip_first: bool,
    /// Bytes until the end of the split; the record that holds the last of them is read to its end.
    left: u64,
    start: u64,
}

/// A record belongs to the split in which it starts, so reading begins one byte early to see whether one starts there.
fn split(source: &Source, range: Range<u64>) -> Piece {
    let first = range.start.saturating_sub(1);
    let end = range.end.min(source.size);
    let left = if end == source.size { u64::MAX } else { end - first };
    Piece { bytes: source.blocks(first..end), skip_first: range.start > 0, left, start: range.start }
}

struct Assembler {
    piece: Piece,
    layout: Layout,
    decoder: Option<Decoder>,
    buffer: Vec<u8>,
    terminator: u8,
    is_file_start: bool,
    is_done: bool,
}

impl Assembler {
    async fn next(&mut self) -> Result<Option<Chunk>> {
        loop {
            if let Some(end) = self.complete() {
                return Ok(Some(self.emit(end)));
            }
            if self.is_done {
                return Ok(None);
            }
            match self.piece.bytes.next().await.transpose()? {
                Some(block) => self.add(&block),
                None => self.finish(),
            }
        }
    }

    /// How much of the buffer is whole records worth handing out.
    fn complete(&self) -> Option<usize> {
        if self.is_done {
            return Some(self.buffer.len()).filter(|&length| length > 0);
        }
        if self.buffer.len() < CHUNK {
            return None;
        }
        match &self.layout.framing {
            Framing::Whole => None,
            Framing::Lines => memchr::memrchr(b'\n', &self.buffer).map(|at| at + 1),
            Framing::Separated(separator) => {
                memmem::rfind(&self.buffer, separator.as_bytes()).map(|at| at + separator.len())
            }
        }
    }

    fn emit(&mut self, end: usize) -> Chunk {
        let rest = self.buffer.split_off(end);
        let mut bytes = std::mem::replace(&mut self.buffer, rest);
        if self.is_file_start && bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        Chunk { text, is_file_start: std::mem::take(&mut self.is_file_start) }
    }

    fn add(&mut self, block: &[u8]) {
        let mut block = block;
        if self.piece.skip_first {
            let Some(at) = memchr::memchr(self.terminator, block) else {
                self.consume(block.len());
                return;
            };
            self.piece.skip_first = false;
            self.consume(at + 1);
            block = &block[at + 1..];
            if self.piece.left == 0 {
                self.is_done = true;
                return;
            }
        }
        self.append(block);
    }

    /// Adds bytes up to the terminator of the last record that starts in the split.
    fn append(&mut self, block: &[u8]) {
        let length = block.len() as u64;
        let mut end = block.len();
        if self.piece.left <= length {
            let last = usize::try_from(self.piece.left.saturating_sub(1)).unwrap_or(0);
            if let Some(at) = memchr::memchr(self.terminator, &block[last..]) {
                end = last + at + 1;
                self.is_done = true;
            }
        }
        self.consume(block.len());
        match &mut self.decoder {
            None => self.buffer.extend_from_slice(&block[..end]),
            Some(decoder) => decode(decoder, &block[..end], false, &mut self.buffer),
        }
    }

    fn consume(&mut self, bytes: usize) {
        if self.piece.left != u64::MAX {
            self.piece.left = self.piece.left.saturating_sub(bytes as u64);
        }
    }

    fn finish(&mut self) {
        if let Some(decoder) = &mut self.decoder {
            decode(decoder, &[], true, &mut self.buffer);
        }
        self.is_done = true;
    }
}

fn decode(decoder: &mut Decoder, bytes: &[u8], is_last: bool, out: &mut Vec<u8>) {
    let mut text = String::with_capacity(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len() * 3));
    let (_, _, _) = decoder.decode_to_string(bytes, &mut text, is_last);
    out.extend_from_slice(text.as_bytes());
}

/// The lines of a chunk, without their ends.
pub(crate) fn records<'a>(text: &'a str, framing: &'a Framing) -> Box<dyn Iterator<Item = &'a str> + Send + 'a> {
    match framing {
        Framing::Whole => Box::new(std::iter::once(text)),
        Framing::Separated(separator) => {
            let text = text.strip_suffix(separator.as_str()).unwrap_or(text);
            Box::new(text.split(separator.as_str()))
        }
        Framing::Lines => Box::new(Lines { rest: text }),
    }
}

struct Lines<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let bytes = self.rest.as_bytes();
        let Some(at) = memchr::memchr2(b'\n', b'\r', bytes) else {
            return Some(std::mem::take(&mut self.rest));
        };
        let is_pair = bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n');
        let line = &self.rest[..at];
        self.rest = &self.rest[at + 1 + usize::from(is_pair)..];
        Some(line)
    }
}
