//! [`NumberExec`] and [`SettledExec`] on the wire.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use prost::Message;

use crate::codec::entry::Entry;
use crate::codec::wire::{Reader, Writer, number, single};
use crate::exec::{NumberExec, SettledExec};
use crate::stages::StageNo;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint64, optional, tag = "2")]
    counted: Option<u64>,
}

pub(super) struct Number;

impl Entry for Number {
    type Node = NumberExec;
    type Message = Node;
    const NAME: &'static str = "number";

    fn write(node: &NumberExec, _: &Writer<'_>) -> Result<Node> {
        Ok(Node { name: node.column().to_owned(), counted: node.counted().map(|stage| stage.0 as u64) })
    }

    fn read(node: Node, children: &[Arc<dyn ExecutionPlan>], _: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let counted = node.counted.map(number).transpose()?.map(StageNo);
        Ok(Arc::new(NumberExec::new(single(children)?, node.name).with_counted(counted)))
    }
}

pub(super) struct Settled;

impl Entry for Settled {
    type Node = SettledExec;
    type Message = ();
    const NAME: &'static str = "settled";

    fn write(_: &SettledExec, _: &Writer<'_>) -> Result<()> {
        Ok(())
    }

    fn read((): (), children: &[Arc<dyn ExecutionPlan>], _: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(SettledExec::new(single(children)?)))
    }
}
