//! Functions over groups of one input or of two.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::logical_expr::WindowFrame;
use datafusion::physical_plan::ExecutionPlan;
use firesteel_python::EvalType;
use prost::Message;

use super::{
    ArgumentNode, CommandNode, KeyNode, arguments, arguments_of, order, order_of, places, places_of,
    session_from_bytes, session_to_bytes,
};
use crate::codec::entry::Entry;
use crate::codec::nodes::frames::FrameNode;
use crate::codec::wire::{Reader, Writer, lacks, number, pair, single};
use crate::python::{CoGroupExec, CoGroupSide, CoGroupWork, GroupExec, GroupFunction, GroupResult, GroupWork};

#[derive(Clone, PartialEq, Message)]
pub(in crate::codec::nodes) struct GroupNode {
    #[prost(sint32, tag = "1")]
    eval_type: i32,
    #[prost(bytes = "vec", tag = "2")]
    session: Vec<u8>,
    #[prost(uint64, repeated, tag = "3")]
    keys: Vec<u64>,
    #[prost(message, repeated, tag = "4")]
    order: Vec<KeyNode>,
    #[prost(message, repeated, tag = "5")]
    columns: Vec<ColumnNode>,
    #[prost(message, repeated, tag = "6")]
    functions: Vec<FunctionNode>,
    #[prost(enumeration = "ResultKind", tag = "7")]
    result: i32,
    /// Of [`ResultKind::EachRow`].
    #[prost(uint64, tag = "8")]
    kept: u64,
    #[prost(message, repeated, tag = "9")]
    frames: Vec<FrameNode>,
    #[prost(bytes = "vec", tag = "10")]
    schema: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
enum ResultKind {
    Missing = 0,
    Rows = 1,
    OneRow = 2,
    EachRow = 3,
}

#[derive(Clone, PartialEq, Message)]
struct ColumnNode {
    #[prost(uint64, tag = "1")]
    place: u64,
    #[prost(string, tag = "2")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct FunctionNode {
    #[prost(message, optional, tag = "1")]
    command: Option<CommandNode>,
    #[prost(message, repeated, tag = "2")]
    arguments: Vec<ArgumentNode>,
}

impl GroupNode {
    fn read_result(&self) -> Result<GroupResult> {
        Ok(match self.result() {
            ResultKind::Rows => GroupResult::Rows,
            ResultKind::OneRow => GroupResult::OneRow,
            ResultKind::EachRow => {
                let frame = |node: &FrameNode| FrameNode::read(Some(node)).map(Arc::new);
                let frames = self.frames.iter().map(frame).collect::<Result<_>>()?;
                GroupResult::EachRow { kept: number(self.kept)?, frames }
            }
            ResultKind::Missing => return Err(lacks("what comes of a group")),
        })
    }
}

pub(in crate::codec::nodes) struct Group;

impl Entry for Group {
    type Node = GroupExec;
    type Message = GroupNode;
    const NAME: &'static str = "python_group";

    fn write(node: &GroupExec, writer: &Writer<'_>) -> Result<GroupNode> {
        let work = node.work();
        let (kind, kept, frames): (_, usize, &[Arc<WindowFrame>]) = match &work.result {
            GroupResult::Rows => (ResultKind::Rows, 0, &[]),
            GroupResult::OneRow => (ResultKind::OneRow, 0, &[]),
            GroupResult::EachRow { kept, frames } => (ResultKind::EachRow, *kept, frames.as_slice()),
        };
        let column = |(place, name): &(usize, String)| ColumnNode { place: *place as u64, name: name.clone() };
        let function = |function: &GroupFunction| FunctionNode {
            command: Some(CommandNode::of(&function.command)),
            arguments: arguments_of(&function.arguments),
        };
        Ok(GroupNode {
            eval_type: work.eval_type.0,
            session: session_to_bytes(&work.session)?,
            keys: places_of(&work.keys),
            order: order_of(&work.order),
            columns: work.columns.iter().map(column).collect(),
            functions: work.functions.iter().map(function).collect(),
            result: kind.into(),
            kept: kept as u64,
            frames: frames.iter().map(|frame| FrameNode::of(frame)).collect::<Result<_>>()?,
            schema: writer.schema(&node.schema())?,
        })
    }

    fn read(
        node: GroupNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (result, schema) = (node.read_result()?, reader.schema(&node.schema)?);
        let column = |node: ColumnNode| Ok((number(node.place)?, node.name));
        let function = |node: FunctionNode| {
            Ok(GroupFunction { command: CommandNode::read(node.command)?, arguments: arguments(node.arguments)? })
        };
        let work = GroupWork {
            eval_type: EvalType(node.eval_type),
            session: session_from_bytes(&node.session)?,
            keys: places(node.keys)?,
            order: order(&node.order)?,
            columns: node.columns.into_iter().map(column).collect::<Result<_>>()?,
            functions: node.functions.into_iter().map(function).collect::<Result<_>>()?,
            result,
        };
        Ok(Arc::new(GroupExec::new(single(children)?, Arc::new(work), schema)))
    }
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::codec::nodes) struct CoGroupNode {
    #[prost(message, optional, tag = "1")]
    command: Option<CommandNode>,
    #[prost(bytes = "vec", tag = "2")]
    session: Vec<u8>,
    #[prost(message, optional, tag = "3")]
    left: Option<SideNode>,
    #[prost(message, optional, tag = "4")]
    right: Option<SideNode>,
    #[prost(bytes = "vec", tag = "5")]
    schema: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct SideNode {
    #[prost(uint64, repeated, tag = "1")]
    keys: Vec<u64>,
    #[prost(string, repeated, tag = "2")]
    names: Vec<String>,
    #[prost(uint64, tag = "3")]
    values: u64,
}

impl SideNode {
    fn of(side: &CoGroupSide) -> Self {
        Self { keys: places_of(&side.keys), names: side.names.clone(), values: side.values as u64 }
    }

    fn read(node: Option<Self>) -> Result<CoGroupSide> {
        let node = node.ok_or_else(|| lacks("a side of a cogroup"))?;
        Ok(CoGroupSide { keys: places(node.keys)?, names: node.names, values: number(node.values)? })
    }
}

pub(in crate::codec::nodes) struct CoGroup;

impl Entry for CoGroup {
    type Node = CoGroupExec;
    type Message = CoGroupNode;
    const NAME: &'static str = "python_cogroup";

    fn write(node: &CoGroupExec, writer: &Writer<'_>) -> Result<CoGroupNode> {
        let work = node.work();
        Ok(CoGroupNode {
            command: Some(CommandNode::of(&work.command)),
            session: session_to_bytes(&work.session)?,
            left: Some(SideNode::of(&work.left)),
            right: Some(SideNode::of(&work.right)),
            schema: writer.schema(&node.schema())?,
        })
    }

    fn read(
        node: CoGroupNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (left, right) = pair(children)?;
        let schema = reader.schema(&node.schema)?;
        let work = CoGroupWork {
            command: CommandNode::read(node.command)?,
            session: session_from_bytes(&node.session)?,
            left: SideNode::read(node.left)?,
            right: SideNode::read(node.right)?,
        };
        Ok(Arc::new(CoGroupExec::new(left, right, Arc::new(work), schema)))
    }
}
