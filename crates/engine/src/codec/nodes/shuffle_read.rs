//! [`ShuffleReadExec`] on the wire, with all that is known of the rows that it reads: operators above rely on it.

use std::ops::Range;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use prost::Message;

use crate::codec::entry::Entry;
use crate::codec::wire::{EquivalenceNode, OrderingNode, PartitioningNode, Reader, Writer, number};
use crate::exec::{ReadMode, ShuffleReadExec, Slice};
use crate::stages::StageNo;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(uint64, tag = "1")]
    stage: u64,
    /// Ranges of partitions as first and end, first and end ..
    #[prost(uint64, repeated, tag = "2")]
    ranges: Vec<u64>,
    /// So many map outputs, one for each partition, instead of ranges.
    #[prost(uint64, optional, tag = "3")]
    maps: Option<u64>,
    #[prost(message, optional, tag = "4")]
    merge: Option<OrderingNode>,
    #[prost(bool, tag = "5")]
    fixed: bool,
    #[prost(message, optional, tag = "6")]
    partitioning: Option<PartitioningNode>,
    #[prost(message, optional, tag = "7")]
    equivalences: Option<EquivalenceNode>,
    /// Instead of ranges: first and end of partitions, first and end of maps; an empty range of maps means all.
    #[prost(uint64, repeated, tag = "8")]
    slices: Vec<u64>,
}

pub(super) struct ShuffleRead;

impl Entry for ShuffleRead {
    type Node = ShuffleReadExec;
    type Message = Node;
    const NAME: &'static str = "shuffle_read";

    fn write(read: &ShuffleReadExec, writer: &Writer<'_>) -> Result<Node> {
        let ends = |range: &Range<usize>| [range.start as u64, range.end as u64];
        let (mut ranges, mut slices, mut maps) = (Vec::new(), Vec::new(), None);
        match read.mode() {
            ReadMode::Ranges(read) => ranges.extend(read.iter().flat_map(ends)),
            ReadMode::Slices(read) => slices.extend(read.iter().flat_map(|slice| {
                let maps = slice.maps.clone().unwrap_or_default();
                [ends(&slice.partitions), ends(&maps)].concat()
            })),
            ReadMode::Maps(read) => maps = Some(*read as u64),
        }
        let properties = read.properties();
        Ok(Node {
            stage: read.stage().0 as u64,
            ranges,
            slices,
            maps,
            merge: read.merge().map(|ordering| writer.ordering(ordering)).transpose()?,
            fixed: read.is_fixed(),
            partitioning: Some(writer.partitioning(&properties.partitioning)?),
            equivalences: Some(writer.equivalences(&properties.eq_properties)?),
        })
    }

    fn read(node: Node, _: &[Arc<dyn ExecutionPlan>], reader: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let equivalences = reader.equivalences(node.equivalences.as_ref())?;
        let schema = Arc::clone(equivalences.schema());
        let partitioning = reader.partitioning(node.partitioning.as_ref(), &schema)?;
        let merge = node.merge.as_ref().map(|ordering| reader.ordering(Some(ordering), &schema)).transpose()?;
        let range = |pair: &[u64]| match pair {
            [start, end] => Ok(number(*start)?..number(*end)?),
            _ => Ok(0..0),
        };
        let slice = |ends: &[u64]| {
            let (partitions, maps) = ends.split_at(ends.len().min(2));
            Ok(Slice { partitions: range(partitions)?, maps: Some(range(maps)?).filter(|maps| !maps.is_empty()) })
        };
        let mode = match node.maps {
            Some(maps) => ReadMode::Maps(number(maps)?),
            None if !node.slices.is_empty() => {
                ReadMode::Slices(node.slices.chunks(4).map(slice).collect::<Result<_>>()?)
            }
            None => ReadMode::Ranges(node.ranges.chunks(2).map(range).collect::<Result<_>>()?),
        };
        let read = ShuffleReadExec::new(StageNo(number(node.stage)?), equivalences, partitioning);
        let read = read.with_mode(mode).with_fixed(node.fixed);
        Ok(Arc::new(match merge {
            Some(ordering) => read.with_merge(ordering),
            None => read,
        }))
    }
}
