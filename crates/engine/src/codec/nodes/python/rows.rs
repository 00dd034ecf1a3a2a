//! Functions over rows and over the batches of partitions.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use firesteel_python::EvalType;
use prost::Message;

use super::{ArgumentNode, CommandNode, arguments, arguments_of, session_from_bytes, session_to_bytes};
use crate::codec::arrow_bytes::{field_from_bytes, field_to_bytes};
use crate::codec::entry::Entry;
use crate::codec::exprs::ExprNode;
use crate::codec::wire::{OrderingNode, Reader, Writer, single};
use crate::python::{EvaluateExec, EvaluatedColumn, Evaluation, InputOrder, MapPartitionsExec};

#[derive(Clone, PartialEq, Message)]
pub(in crate::codec::nodes) struct EvaluateNode {
    #[prost(message, repeated, tag = "1")]
    arguments: Vec<ExprNode>,
    #[prost(sint32, tag = "2")]
    eval_type: i32,
    #[prost(bytes = "vec", tag = "3")]
    session: Vec<u8>,
    #[prost(string, repeated, tag = "4")]
    argument_types: Vec<String>,
    #[prost(message, repeated, tag = "5")]
    columns: Vec<ColumnNode>,
}

#[derive(Clone, PartialEq, Message)]
struct ColumnNode {
    #[prost(message, repeated, tag = "1")]
    chain: Vec<CommandNode>,
    #[prost(message, repeated, tag = "2")]
    arguments: Vec<ArgumentNode>,
    #[prost(bytes = "vec", tag = "3")]
    field: Vec<u8>,
}

impl ColumnNode {
    fn of(column: &EvaluatedColumn) -> Result<Self> {
        Ok(Self {
            chain: column.chain.iter().map(|command| CommandNode::of(command)).collect(),
            arguments: arguments_of(&column.arguments),
            field: field_to_bytes(&column.field)?,
        })
    }

    fn read(self) -> Result<EvaluatedColumn> {
        Ok(EvaluatedColumn {
            chain: self.chain.into_iter().map(CommandNode::into_command).collect(),
            arguments: arguments(self.arguments)?,
            field: field_from_bytes(&self.field)?,
        })
    }
}

pub(in crate::codec::nodes) struct Evaluate;

impl Entry for Evaluate {
    type Node = EvaluateExec;
    type Message = EvaluateNode;
    const NAME: &'static str = "python_evaluate";

    fn write(node: &EvaluateExec, writer: &Writer<'_>) -> Result<EvaluateNode> {
        let Evaluation { eval_type, session, argument_types, columns } = node.evaluation();
        Ok(EvaluateNode {
            arguments: writer.expr_nodes(node.arguments())?,
            eval_type: eval_type.0,
            session: session_to_bytes(session)?,
            argument_types: argument_types.clone(),
            columns: columns.iter().map(ColumnNode::of).collect::<Result<_>>()?,
        })
    }

    fn read(
        node: EvaluateNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = single(children)?;
        let arguments = reader.read_exprs(&node.arguments, &input.schema())?;
        let evaluation = Evaluation {
            eval_type: EvalType(node.eval_type),
            session: session_from_bytes(&node.session)?,
            argument_types: node.argument_types,
            columns: node.columns.into_iter().map(ColumnNode::read).collect::<Result<_>>()?,
        };
        Ok(Arc::new(EvaluateExec::new(input, arguments, evaluation)))
    }
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::codec::nodes) struct MapPartitionsNode {
    #[prost(string, repeated, tag = "1")]
    names: Vec<String>,
    #[prost(message, optional, tag = "2")]
    command: Option<CommandNode>,
    #[prost(bytes = "vec", tag = "3")]
    session: Vec<u8>,
    #[prost(message, optional, tag = "4")]
    ordering: Option<OrderingNode>,
    #[prost(bool, tag = "5")]
    is_global: bool,
    #[prost(bytes = "vec", tag = "6")]
    schema: Vec<u8>,
}

pub(in crate::codec::nodes) struct MapPartitions;

impl Entry for MapPartitions {
    type Node = MapPartitionsExec;
    type Message = MapPartitionsNode;
    const NAME: &'static str = "python_map_partitions";

    fn write(node: &MapPartitionsExec, writer: &Writer<'_>) -> Result<MapPartitionsNode> {
        let order = node.order();
        Ok(MapPartitionsNode {
            names: node.names().to_vec(),
            command: Some(CommandNode::of(node.command())),
            session: session_to_bytes(node.session())?,
            ordering: order.map(|order| writer.ordering(&order.ordering)).transpose()?,
            is_global: order.is_some_and(|order| order.is_global),
            schema: writer.schema(&node.schema())?,
        })
    }

    fn read(
        node: MapPartitionsNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = single(children)?;
        let ordering = node.ordering.as_ref().map(|keys| reader.ordering(Some(keys), &input.schema())).transpose()?;
        let order = ordering.map(|ordering| InputOrder { ordering, is_global: node.is_global });
        let (command, session) = (CommandNode::read(node.command)?, session_from_bytes(&node.session)?);
        let schema = reader.schema(&node.schema)?;
        Ok(Arc::new(MapPartitionsExec::new(input, node.names, command, session, order, schema)))
    }
}
