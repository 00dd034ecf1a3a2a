//! [`CoalesceExec`] on the wire.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use prost::Message;

use crate::codec::entry::Entry;
use crate::codec::wire::{Reader, Writer, number, single};
use crate::exec::CoalesceExec;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(uint64, tag = "1")]
    count: u64,
}

pub(super) struct Coalesce;

impl Entry for Coalesce {
    type Node = CoalesceExec;
    type Message = Node;
    const NAME: &'static str = "coalesce";

    fn write(node: &CoalesceExec, _: &Writer<'_>) -> Result<Node> {
        Ok(Node { count: node.count() as u64 })
    }

    fn read(node: Node, children: &[Arc<dyn ExecutionPlan>], _: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(CoalesceExec::new(single(children)?, number(node.count)?)))
    }
}
