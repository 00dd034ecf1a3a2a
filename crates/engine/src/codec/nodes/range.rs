//! [`RangeExec`] on the wire.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use prost::Message;

use crate::codec::entry::Entry;
use crate::codec::wire::{Reader, Writer, lacks, number};
use crate::exec::{RangeExec, RangeTable};

#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(sint64, tag = "1")]
    start: i64,
    #[prost(sint64, tag = "2")]
    step: i64,
    /// Little-endian, 16 bytes: more numbers than 64 bits count.
    #[prost(bytes = "vec", tag = "3")]
    count: Vec<u8>,
    #[prost(uint64, tag = "4")]
    partitions: u64,
    #[prost(bool, tag = "5")]
    with_column: bool,
}

pub(super) struct Range;

impl Entry for Range {
    type Node = RangeExec;
    type Message = Node;
    const NAME: &'static str = "range";

    fn write(node: &RangeExec, _: &Writer<'_>) -> Result<Node> {
        let (start, step, count, partitions) = node.table().parts();
        let (count, partitions) = (count.to_le_bytes().to_vec(), partitions as u64);
        Ok(Node { start, step, count, partitions, with_column: node.with_column() })
    }

    fn read(node: Node, _: &[Arc<dyn ExecutionPlan>], _: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let count = i128::from_le_bytes(node.count.try_into().map_err(|_| lacks("the length of a range"))?);
        let table = RangeTable::from_parts(node.start, node.step, count, number(node.partitions)?);
        Ok(Arc::new(RangeExec::new(table, node.with_column)))
    }
}
