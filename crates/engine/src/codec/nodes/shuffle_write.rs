//! [`ShuffleWriteExec`] on the wire: how a stage's rows are split.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use prost::Message;

use crate::codec::entry::Entry;
use crate::codec::exprs::ExprNode;
use crate::codec::wire::{OrderingNode, Reader, Writer, lacks, number, single};
use crate::codec::{columns_from_bytes, columns_to_bytes};
use crate::exec::ShuffleWriteExec;
use crate::partition::{OutputScheme, RangeBounds};

/// Which [`OutputScheme`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
enum Kind {
    Single = 0,
    Whole = 1,
    Hash = 2,
    ById = 3,
    RoundRobin = 4,
    Sampled = 5,
    Range = 6,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(enumeration = "Kind", tag = "1")]
    kind: i32,
    /// Partitions, or how many keys are drawn.
    #[prost(uint64, tag = "2")]
    count: u64,
    #[prost(message, repeated, tag = "3")]
    exprs: Vec<ExprNode>,
    #[prost(message, optional, tag = "4")]
    ordering: Option<OrderingNode>,
    #[prost(bytes = "vec", optional, tag = "5")]
    bounds: Option<Vec<u8>>,
}

pub(super) struct ShuffleWrite;

impl Entry for ShuffleWrite {
    type Node = ShuffleWriteExec;
    type Message = Node;
    const NAME: &'static str = "shuffle_write";

    fn write(write: &ShuffleWriteExec, writer: &Writer<'_>) -> Result<Node> {
        let mut node = Node::default();
        let (kind, count) = match write.scheme() {
            OutputScheme::Single => (Kind::Single, 1),
            OutputScheme::Whole(count) => (Kind::Whole, *count),
            OutputScheme::Hash(exprs, count) => {
                node.exprs = writer.expr_nodes(exprs)?;
                (Kind::Hash, *count)
            }
            OutputScheme::ById(expr, count) => {
                node.exprs = writer.expr_nodes([expr])?;
                (Kind::ById, *count)
            }
            OutputScheme::RoundRobin(count) => (Kind::RoundRobin, *count),
            OutputScheme::Sampled(ordering, capacity) => {
                node.ordering = Some(writer.ordering(ordering)?);
                (Kind::Sampled, *capacity)
            }
            OutputScheme::Range(ordering, count, bounds) => {
                node.ordering = Some(writer.ordering(ordering)?);
                node.bounds = bounds.as_ref().map(|bounds| columns_to_bytes(bounds.keys())).transpose()?;
                (Kind::Range, *count)
            }
        };
        node.set_kind(kind);
        node.count = count as u64;
        Ok(node)
    }

    fn read(node: Node, children: &[Arc<dyn ExecutionPlan>], reader: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let input = single(children)?;
        let (schema, count) = (input.schema(), number(node.count)?);
        let ordering = || reader.ordering(node.ordering.as_ref(), &schema);
        let mut exprs = reader.read_exprs(&node.exprs, &schema)?;
        let scheme = match node.kind() {
            Kind::Single => OutputScheme::Single,
            Kind::Whole => OutputScheme::Whole(count),
            Kind::Hash => OutputScheme::Hash(exprs, count),
            Kind::ById => OutputScheme::ById(exprs.pop().ok_or_else(|| lacks("the partition's expression"))?, count),
            Kind::RoundRobin => OutputScheme::RoundRobin(count),
            Kind::Sampled => OutputScheme::Sampled(ordering()?, count),
            Kind::Range => {
                let bounds = node.bounds.as_deref().map(columns_from_bytes).transpose()?;
                OutputScheme::Range(ordering()?, count, bounds.map(|keys| Arc::new(RangeBounds::from_keys(keys))))
            }
        };
        Ok(Arc::new(ShuffleWriteExec::new(input, scheme)))
    }
}
