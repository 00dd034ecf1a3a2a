//! The end of an object: its schema and where its partitions lie, for whoever has the object and not the driver's
//! record of it.
//!
//! ```text
//!   schema message | partitions: rows, bytes, offset, length u64 and CRC u32 each
//!   | length of the schema message u32 | number of partitions u32 | CRC32C of all before u32 | "FSSHUF01"
//! ```

use crate::PartitionSize;
use crate::block::crc32c;

const MAGIC: &[u8; 8] = b"FSSHUF01";
const ENTRY_BYTES: usize = 36;
const TAIL_BYTES: usize = 20;

/// What the end of an object tells.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Index {
    /// Where the partitions lie.
    Whole(Vec<PartitionSize>),
    /// It is so long, longer than what was given.
    Longer(usize),
}

pub(crate) fn encode(schema: &[u8], partitions: &[PartitionSize]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(schema.len() + partitions.len() * ENTRY_BYTES + TAIL_BYTES);
    bytes.extend_from_slice(schema);
    for size in partitions {
        for number in [size.rows, size.bytes, size.offset, size.length] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&size.crc.to_le_bytes());
    }
    for count in [schema.len(), partitions.len()] {
        bytes.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
    }
    let crc = crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes.extend_from_slice(MAGIC);
    bytes
}

/// Reads the index from the last bytes of an object; none if it is damaged.
pub(crate) fn decode(end: &[u8]) -> Option<Index> {
    let tail = end.get(end.len().checked_sub(TAIL_BYTES)?..)?;
    let word = |bytes: &[u8], at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if tail.get(12..)? != MAGIC {
        return None;
    }
    let (schema, partitions) = (word(tail, 0)? as usize, word(tail, 4)? as usize);
    let length = partitions.checked_mul(ENTRY_BYTES)?.checked_add(schema)?.checked_add(TAIL_BYTES)?;
    let Some(from) = end.len().checked_sub(length) else { return Some(Index::Longer(length)) };
    let bytes = end.get(from..)?;
    if crc32c(bytes.get(..length - 12)?) != word(tail, 8)? {
        return None;
    }
    let entries = bytes.get(schema..length - TAIL_BYTES)?.chunks_exact(ENTRY_BYTES).map(|entry| {
        let number = |at: usize| Some(u64::from_le_bytes(entry.get(at * 8..at * 8 + 8)?.try_into().ok()?));
        let (rows, bytes, offset, length) = (number(0)?, number(1)?, number(2)?, number(3)?);
        Some(PartitionSize { rows, bytes, offset, length, crc: word(entry, 32)? })
    });
    Some(Index::Whole(entries.collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_comes_back_and_damage_is_seen() {
        let partitions: Vec<_> =
            (0..3).map(|n| PartitionSize { rows: n, bytes: n * 10, offset: n * 7, length: 7, crc: 9 }).collect();
        let mut bytes = b"blocks".to_vec();
        bytes.extend(encode(b"schema", &partitions));
        assert_eq!(decode(&bytes), Some(Index::Whole(partitions)));
        assert_eq!(decode(&bytes[20..]), Some(Index::Longer(bytes.len() - 6)));
        bytes[15] ^= 1;
        assert_eq!(decode(&bytes), None);
    }
}
