//! Functions that make rows.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use firesteel_python::TableFunction;
use prost::Message;

use super::{
    ArgumentNode, CommandNode, KeyNode, arguments, arguments_of, order, order_of, places, places_of,
    session_from_bytes, session_to_bytes,
};
use crate::codec::entry::Entry;
use crate::codec::wire::{Reader, Writer, number, single};
use crate::python::{Lateral, TableFunctionExec, TableWork};

#[derive(Clone, PartialEq, Message)]
pub(in crate::codec::nodes) struct TableNode {
    #[prost(message, optional, tag = "1")]
    command: Option<CommandNode>,
    #[prost(bytes = "vec", tag = "2")]
    session: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    arguments: Vec<ArgumentNode>,
    #[prost(uint64, repeated, tag = "4")]
    partition_columns: Vec<u64>,
    #[prost(bytes = "vec", optional, tag = "5")]
    analyzed: Option<Vec<u8>>,
    #[prost(string, tag = "6")]
    returns_json: String,
    #[prost(string, repeated, tag = "7")]
    argument_types: Vec<String>,
    #[prost(uint64, repeated, tag = "8")]
    columns: Vec<u64>,
    #[prost(uint64, repeated, tag = "9")]
    keys: Vec<u64>,
    #[prost(message, repeated, tag = "10")]
    order: Vec<KeyNode>,
    #[prost(bool, tag = "11")]
    is_single: bool,
    #[prost(message, optional, tag = "12")]
    lateral: Option<LateralNode>,
    #[prost(bytes = "vec", tag = "13")]
    schema: Vec<u8>,
    #[prost(uint64, repeated, tag = "14")]
    tables: Vec<u64>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct LateralNode {
    #[prost(uint64, tag = "1")]
    kept: u64,
    #[prost(bool, tag = "2")]
    is_outer: bool,
}

impl LateralNode {
    fn read(self) -> Result<Lateral> {
        Ok(Lateral { kept: number(self.kept)?, is_outer: self.is_outer })
    }
}

pub(in crate::codec::nodes) struct Table;

impl Entry for Table {
    type Node = TableFunctionExec;
    type Message = TableNode;
    const NAME: &'static str = "python_table_function";

    fn write(node: &TableFunctionExec, writer: &Writer<'_>) -> Result<TableNode> {
        let work = node.work();
        let lateral = |lateral: Lateral| LateralNode { kept: lateral.kept as u64, is_outer: lateral.is_outer };
        Ok(TableNode {
            command: Some(CommandNode::of(&work.command)),
            session: session_to_bytes(&work.session)?,
            arguments: arguments_of(&work.call.arguments),
            tables: places_of(&work.call.tables),
            partition_columns: places_of(&work.call.partition_columns),
            analyzed: work.call.analyzed.clone(),
            returns_json: work.call.returns_json.clone(),
            argument_types: work.argument_types.clone(),
            columns: places_of(&work.columns),
            keys: places_of(&work.keys),
            order: order_of(&work.order),
            is_single: work.is_single,
            lateral: work.lateral.map(lateral),
            schema: writer.schema(&node.schema())?,
        })
    }

    fn read(
        node: TableNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = reader.schema(&node.schema)?;
        let call = TableFunction {
            arguments: arguments(node.arguments)?,
            tables: places(node.tables)?,
            partition_columns: places(node.partition_columns)?,
            analyzed: node.analyzed,
            returns_json: node.returns_json,
        };
        let work = TableWork {
            command: CommandNode::read(node.command)?,
            session: session_from_bytes(&node.session)?,
            call,
            argument_types: node.argument_types,
            columns: places(node.columns)?,
            keys: places(node.keys)?,
            order: order(&node.order)?,
            is_single: node.is_single,
            lateral: node.lateral.map(LateralNode::read).transpose()?,
        };
        Ok(Arc::new(TableFunctionExec::new(single(children)?, Arc::new(work), schema)))
    }
}
