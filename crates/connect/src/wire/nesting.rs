//! How deep a protobuf message nests, told before it is decoded.
//!
//! Plans nest as deep as the user's chain of calls, so the decoder's own limit of 100 is off and this one stands in
//! its place: a message is scanned without recursion, refused beyond the limit, and decoded on a stack that fits.
//! The scan knows no schema and takes every length-delimited field for a message as long as it parses as one, so it
//! may count too much, never too little.

use std::fmt;

use bytes::Bytes;
use prost::Message;

/// Messages within messages, as Spark allows them.
pub(crate) const MESSAGE_DEPTH_MAX: usize = 1024;
/// Groups within groups. Text can look like groups, one level a byte, so this is generous.
const GROUP_DEPTH_MAX: usize = 1 << 16;

const STACK_PER_MESSAGE_BYTES: usize = 24 << 10;
const STACK_PER_GROUP_BYTES: usize = 1 << 10;
const STACK_BASE_BYTES: usize = 256 << 10;

/// Why a message could not be decoded.
#[derive(Debug)]
pub(crate) enum DecodeError {
    /// It nests deeper than allowed.
    TooDeep,
    /// It is no such message.
    Malformed(prost::DecodeError),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooDeep => write!(f, "it nests deeper than {MESSAGE_DEPTH_MAX} levels"),
            Self::Malformed(error) => write!(f, "{error}"),
        }
    }
}

/// Decodes a message, however deep up to the limit.
pub(crate) fn decode<M: Message + Default>(bytes: Bytes) -> Result<M, DecodeError> {
    let depth = Depth::of(&bytes);
    if depth.messages > MESSAGE_DEPTH_MAX || depth.groups > GROUP_DEPTH_MAX {
        return Err(DecodeError::TooDeep);
    }
    let stack = STACK_BASE_BYTES + depth.messages * STACK_PER_MESSAGE_BYTES + depth.groups * STACK_PER_GROUP_BYTES;
    stacker::maybe_grow(stack, stack, || M::decode(bytes)).map_err(DecodeError::Malformed)
}

/// The deepest nesting found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Depth {
    messages: usize,
    groups: usize,
}

/// A field that is being taken for a message.
struct Frame {
    end: usize,
    groups: usize,
}

impl Depth {
    fn of(bytes: &[u8]) -> Self {
        let mut depth = Self::default();
        let mut frames = vec![Frame { end: bytes.len(), groups: 0 }];
        let mut at = 0;
        while let Some(frame) = frames.last_mut() {
            depth.groups = depth.groups.max(frame.groups);
            if at >= frame.end {
                frames.pop();
                continue;
            }
            match step(&bytes[at..frame.end], frame) {
                Some(Step::Skip(length)) => at += length,
                Some(Step::Enter(head, length)) => {
                    at += head;
                    // Beyond the limit the answer is known; going on would only cost memory.
                    if frames.len() > MESSAGE_DEPTH_MAX {
                        depth.messages = frames.len();
                        return depth;
                    }
                    frames.push(Frame { end: at + length, groups: 0 });
                    depth.messages = depth.messages.max(frames.len() - 1);
                }
                // Not a message after all: the rest of the field is payload.
                None => {
                    at = frame.end;
                    frames.pop();
                }
            }
        }
        depth
    }
}

enum Step {
    Skip(usize),
    Enter(usize, usize),
}

/// The next field in what is left of a frame; `None` where there is none that makes sense.
fn step(rest: &[u8], frame: &mut Frame) -> Option<Step> {
    let (tag, head) = varint(rest)?;
    if tag >> 3 == 0 {
        return None;
    }
    let body = &rest[head..];
    let fixed = |length: usize| (body.len() >= length).then_some(Step::Skip(head + length));
    match tag & 7 {
        0 => varint(body).map(|(_, length)| Step::Skip(head + length)),
        1 => fixed(8),
        2 => {
            let (length, prefix) = varint(body)?;
            let length = usize::try_from(length).ok()?;
            (body.len() - prefix >= length).then_some(Step::Enter(head + prefix, length))
        }
        3 => {
            frame.groups += 1;
            Some(Step::Skip(head))
        }
        4 => {
            frame.groups = frame.groups.saturating_sub(1);
            Some(Step::Skip(head))
        }
        5 => fixed(4),
        _ => None,
    }
}

fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use spark_connect_proto as proto;
    use spark_connect_proto::relation::RelType;

    use super::*;

    fn chain(length: usize) -> proto::Relation {
        let range = proto::Range { start: None, end: 3, step: 1, num_partitions: None };
        let mut message = proto::Relation { common: None, rel_type: Some(RelType::Range(range)) };
        for _ in 0..length {
            let limit = proto::Limit { input: Some(Box::new(message)), limit: 1 };
            message = proto::Relation { common: None, rel_type: Some(RelType::Limit(Box::new(limit))) };
        }
        message
    }

    #[test]
    fn chains_up_to_the_limit_are_decoded_and_longer_ones_refused() {
        let message = chain(510);
        let bytes = Bytes::from(message.encode_to_vec());
        assert_eq!(Depth::of(&bytes), Depth { messages: 1021, groups: 0 });
        assert_eq!(decode::<proto::Relation>(bytes).unwrap(), message);
        let bytes = Bytes::from(chain(520).encode_to_vec());
        assert!(matches!(decode::<proto::Relation>(bytes), Err(DecodeError::TooDeep)));
    }

    #[test]
    fn a_flood_of_groups_is_refused_and_text_that_looks_like_groups_is_not() {
        assert!(matches!(decode::<proto::Relation>(vec![0x0b; 1 << 20].into()), Err(DecodeError::TooDeep)));
        let sql = proto::Sql { query: "#".repeat(60_000), ..Default::default() };
        assert_eq!(decode::<proto::Sql>(sql.encode_to_vec().into()).unwrap(), sql);
    }
}
