//! [`PartitionsExec`] on the wire.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use prost::Message;

use crate::codec::entry::Entry;
use crate::codec::wire::{Reader, Writer, number, single};
use crate::exec::PartitionsExec;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(uint64, repeated, tag = "1")]
    chosen: Vec<u64>,
}

pub(super) struct Partitions;

impl Entry for Partitions {
    type Node = PartitionsExec;
    type Message = Node;
    const NAME: &'static str = "partitions";

    fn write(node: &PartitionsExec, _: &Writer<'_>) -> Result<Node> {
        Ok(Node { chosen: node.chosen().iter().map(|partition| *partition as u64).collect() })
    }

    fn read(node: Node, children: &[Arc<dyn ExecutionPlan>], _: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let chosen = node.chosen.into_iter().map(number).collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(PartitionsExec::new(single(children)?, chosen)))
    }
}
