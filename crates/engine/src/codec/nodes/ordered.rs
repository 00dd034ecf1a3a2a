//! [`OrderedExec`] on the wire.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;

use crate::codec::entry::Entry;
use crate::codec::wire::{OrderingNode, Reader, Writer, single};
use crate::exec::OrderedExec;

pub(super) struct Ordered;

impl Entry for Ordered {
    type Node = OrderedExec;
    type Message = OrderingNode;
    const NAME: &'static str = "ordered";

    fn write(node: &OrderedExec, writer: &Writer<'_>) -> Result<OrderingNode> {
        writer.ordering(node.ordering())
    }

    fn read(
        node: OrderingNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = single(children)?;
        let ordering = reader.ordering(Some(&node), &input.schema())?;
        Ok(Arc::new(OrderedExec::new(input, ordering)))
    }
}
