//! A block: some rows of one partition as compressed Arrow IPC messages, in a frame with checksums.
//!
//! ```text
//!   length u32 | rows u32 | CRC32C of the messages | CRC32C of these 12 bytes | messages
//! ```
//!
//! The schema message is left out: whoever reads knows the schema from its plan.

use std::io::Write;

use arrow::array::{ArrayData, make_array};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use crc_fast::{CrcAlgorithm, checksum};

use crate::{Result, ShuffleError};

/// Bytes before the messages.
pub(crate) const FRAME_BYTES: usize = 16;

/// How blocks are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Fast: for memory and disks.
    Lz4,
    /// Smaller: for a network.
    Zstd,
}

const ZSTD_LEVEL: i32 = 1;

/// A continuation marker and a length of nothing.
const END_OF_STREAM: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// CRC32C of some bytes.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    // The algorithm has 32 bits; the library's numbers have 64 for those that need them.
    u32::try_from(checksum(CrcAlgorithm::Crc32Iscsi, bytes)).unwrap_or_default()
}

/// The checksum of a row of blocks that had `so_far` and goes on with a block that has `next`.
pub(crate) fn chained(so_far: u32, next: u32) -> u32 {
    let mut both = [0; 8];
    both[..4].copy_from_slice(&so_far.to_le_bytes());
    both[4..].copy_from_slice(&next.to_le_bytes());
    crc32c(&both)
}

/// A finished block.
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    pub(crate) crc: u32,
}

/// Makes blocks of one schema.
pub(crate) struct BlockEncoder {
    schema: SchemaRef,
    options: IpcWriteOptions,
    header_bytes: usize,
}

impl BlockEncoder {
    pub(crate) fn new(schema: SchemaRef, compression: Compression) -> Result<Self> {
        let options = IpcWriteOptions::default();
        let options = match compression {
            Compression::Lz4 => options.try_with_compression(Some(CompressionType::LZ4_FRAME))?,
            Compression::Zstd => options
                .try_with_compression(Some(CompressionType::ZSTD))?
                .try_with_compression_level(Some(ZSTD_LEVEL))?,
        };
        let header_bytes = schema_message(&schema)?.len();
        Ok(Self { schema, options, header_bytes })
    }

    /// The schema as a message, which blocks leave out.
    pub(crate) fn schema_message(&self) -> Result<Vec<u8>> {
        Ok(schema_message(&self.schema)?)
    }

    pub(crate) fn encode(&self, batches: &[RecordBatch]) -> Result<Block> {
        let sink = Messages { skip: self.header_bytes, bytes: vec![0; FRAME_BYTES] };
        let mut writer = StreamWriter::try_new_with_options(sink, &self.schema, self.options.clone())?;
        let mut rows = 0;
        for batch in batches {
            writer.write(batch)?;
            rows += batch.num_rows();
        }
        let mut bytes = std::mem::take(&mut writer.get_mut().bytes);
        let (frame, messages) = bytes.split_at_mut(FRAME_BYTES);
        let number = |value: usize| u32::try_from(value).map_err(|_| too_long());
        let crc = crc32c(messages);
        for (at, word) in [number(messages.len())?, number(rows)?, crc].into_iter().enumerate() {
            frame[at * 4..at * 4 + 4].copy_from_slice(&word.to_le_bytes());
        }
        let crc_of_frame = crc32c(&frame[..12]);
        frame[12..].copy_from_slice(&crc_of_frame.to_le_bytes());
        Ok(Block { bytes, crc })
    }
}

fn too_long() -> ShuffleError {
    ShuffleError::Misuse("a block is longer than 4 GiB".to_owned())
}

/// The schema as the first message of a stream.
fn schema_message(schema: &Schema) -> Result<Vec<u8>, ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), schema)?;
    Ok(std::mem::take(writer.get_mut()))
}

/// Takes a stream's bytes but those of its schema.
struct Messages {
    skip: usize,
    bytes: Vec<u8>,
}

impl Write for Messages {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        self.bytes.extend_from_slice(&bytes[skipped..]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What stands before a block's messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// Of the whole block.
    pub(crate) length: usize,
    rows: usize,
    pub(crate) crc: u32,
}

impl Frame {
    /// Reads the beginning of a block; none if there are too few bytes. The error says in words what is wrong.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Self>, String> {
        let Some(frame) = bytes.get(..FRAME_BYTES) else { return Ok(None) };
        let word = |at: usize| {
            let mut word = [0; 4];
            word.copy_from_slice(&frame[at * 4..at * 4 + 4]);
            u32::from_le_bytes(word)
        };
        if word(3) != crc32c(&frame[..12]) {
            return Err("the beginning of a block is damaged".to_owned());
        }
        Ok(Some(Self { length: FRAME_BYTES + word(0) as usize, rows: word(1) as usize, crc: word(2) }))
    }
}

/// Reads blocks of one schema.
#[derive(Clone, Debug)]
pub(crate) struct BlockDecoder {
    header: Buffer,
}

impl BlockDecoder {
    pub(crate) fn new(schema: &Schema) -> Result<Self> {
        Ok(Self { header: Buffer::from_vec(schema_message(schema)?) })
    }

    /// The rows of a whole block, checked; the error says in words what is wrong.
    pub(crate) fn decode(&self, frame: Frame, block: &[u8]) -> Result<Vec<RecordBatch>, String> {
        let messages = block.get(FRAME_BYTES..frame.length).ok_or("a block is cut short")?;
        let found = crc32c(messages);
        if found != frame.crc {
            return Err(format!("checksum of a block is {found:08x} and not {:08x}", frame.crc));
        }
        let batches = self.messages(messages).map_err(|error| error.to_string())?;
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if rows != frame.rows {
            return Err(format!("a block has {rows} rows and not {}", frame.rows));
        }
        Ok(batches)
    }

    fn messages(&self, messages: &[u8]) -> Result<Vec<RecordBatch>, ArrowError> {
        let mut decoder = StreamDecoder::new();
        decoder.decode(&mut self.header.clone())?;
        let mut stream = Vec::with_capacity(messages.len() + END_OF_STREAM.len());
        stream.extend_from_slice(messages);
        // Without it the decoder would wait for the body of a last message that has none.
        stream.extend_from_slice(&END_OF_STREAM);
        let mut rest = Buffer::from_vec(stream);
        let mut batches = Vec::new();
        while !rest.is_empty() {
            if let Some(batch) = decoder.decode(&mut rest)? {
                batches.push(unshared(&batch)?);
            }
        }
        decoder.finish()?;
        Ok(batches)
    }
}

/// The batch without buffers that are parts of larger ones: those would each count, and be kept, as the whole.
fn unshared(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().map(|column| Ok(make_array(unshared_data(&column.to_data())?)));
    let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(batch.schema(), columns, &options)
}

fn unshared_data(data: &ArrayData) -> Result<ArrayData, ArrowError> {
    let copied = |buffer: &Buffer| match buffer.capacity() > buffer.len().saturating_mul(2).max(64) {
        true => Buffer::from_slice_ref(buffer.as_slice()),
        false => buffer.clone(),
    };
    let nulls = data.nulls().map(|nulls| {
        let bits = BooleanBuffer::new(copied(nulls.buffer()), nulls.offset(), nulls.len());
        NullBuffer::new(bits)
    });
    let children = data.child_data().iter().map(unshared_data).collect::<Result<_, ArrowError>>()?;
    data.clone()
        .into_builder()
        .buffers(data.buffers().iter().map(copied).collect())
        .nulls(nulls)
        .child_data(children)
        .align_buffers(true)
        .build()
}
