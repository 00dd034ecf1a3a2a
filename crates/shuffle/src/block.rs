//! A block: some batches of one partition as an Arrow IPC stream, LZ4-compressed, with a CRC-32 beside it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use arrow::datatypes::Schema;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow::record_batch::RecordBatch;

use crate::Result;

/// Where a block lies in its file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockRef {
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) crc: u32,
}

/// The bytes of a block.
pub(crate) fn encode(schema: &Schema, batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), schema, options)?;
    for batch in batches {
        writer.write(batch)?;
    }
    Ok(writer.into_inner()?)
}

/// Reads a block back and checks it; the error says in words what is wrong.
pub(crate) fn read(file: &mut File, block: &BlockRef) -> std::result::Result<Vec<RecordBatch>, String> {
    let length = usize::try_from(block.length).map_err(|_| "block is too long".to_owned())?;
    let mut bytes = vec![0; length];
    file.seek(SeekFrom::Start(block.offset)).map_err(|error| error.to_string())?;
    file.read_exact(&mut bytes).map_err(|error| error.to_string())?;
    let found = crc32fast::hash(&bytes);
    if found != block.crc {
        return Err(format!("checksum of the block at {} is {found:08x} and not {:08x}", block.offset, block.crc));
    }
    let reader = StreamReader::try_new(bytes.as_slice(), None).map_err(|error| error.to_string())?;
    reader.collect::<std::result::Result<Vec<_>, _>>().map_err(|error| error.to_string())
}
