//! Data sources written in Python.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use prost::Message;

use super::{CommandNode, session_from_bytes, session_to_bytes};
use crate::codec::entry::Entry;
use crate::codec::wire::{Reader, Writer};
use crate::python::PythonScanExec;

#[derive(Clone, PartialEq, Message)]
pub(in crate::codec::nodes) struct ScanNode {
    #[prost(message, optional, tag = "1")]
    command: Option<CommandNode>,
    #[prost(bytes = "vec", tag = "2")]
    session: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "3")]
    partitions: Vec<Vec<u8>>,
    #[prost(bytes = "vec", tag = "4")]
    schema: Vec<u8>,
}

pub(in crate::codec::nodes) struct Scan;

impl Entry for Scan {
    type Node = PythonScanExec;
    type Message = ScanNode;
    const NAME: &'static str = "python_scan";

    fn write(node: &PythonScanExec, writer: &Writer<'_>) -> Result<ScanNode> {
        Ok(ScanNode {
            command: Some(CommandNode::of(node.command())),
            session: session_to_bytes(node.session())?,
            partitions: node.partitions().to_vec(),
            schema: writer.schema(&node.schema())?,
        })
    }

    fn read(node: ScanNode, _: &[Arc<dyn ExecutionPlan>], reader: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let (command, session) = (CommandNode::read(node.command)?, session_from_bytes(&node.session)?);
        let schema = reader.schema(&node.schema)?;
        Ok(Arc::new(PythonScanExec::new(command, session, node.partitions, schema)))
    }
}
