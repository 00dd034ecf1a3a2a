//! One row to many: `explode` and its like.

use std::sync::Arc;

use datafusion::common::{Column, NullHandling, RecursionUnnestOption, Result, UnnestOptions};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::unnest::{ListUnnest, UnnestExec};
use prost::Message;

use crate::codec::arrow_bytes::{schema_from_bytes, schema_to_bytes};
use crate::codec::entry::Entry;
use crate::codec::wire::{Reader, Writer, number, single};

#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(bytes = "vec", tag = "1")]
    schema: Vec<u8>,
    #[prost(message, repeated, tag = "2")]
    lists: Vec<ListNode>,
    #[prost(uint64, repeated, tag = "3")]
    structs: Vec<u64>,
    #[prost(enumeration = "Nulls", tag = "4")]
    nulls: i32,
    #[prost(message, repeated, tag = "5")]
    recursions: Vec<RecursionNode>,
}

#[derive(Clone, PartialEq, Message)]
struct ListNode {
    #[prost(uint64, tag = "1")]
    index: u64,
    #[prost(uint64, tag = "2")]
    depth: u64,
}

#[derive(Clone, PartialEq, Message)]
struct RecursionNode {
    #[prost(message, optional, tag = "1")]
    input: Option<ColumnNode>,
    #[prost(message, optional, tag = "2")]
    output: Option<ColumnNode>,
    #[prost(uint64, tag = "3")]
    depth: u64,
}

#[derive(Clone, PartialEq, Message)]
struct ColumnNode {
    #[prost(string, optional, tag = "1")]
    relation: Option<String>,
    #[prost(string, tag = "2")]
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
enum Nulls {
    Preserve = 0,
    Drop = 1,
    PreserveAndExpandEmpty = 2,
}

impl From<&Column> for ColumnNode {
    fn from(column: &Column) -> Self {
        Self { relation: column.relation.as_ref().map(ToString::to_string), name: column.name.clone() }
    }
}

impl From<ColumnNode> for Column {
    fn from(node: ColumnNode) -> Self {
        match node.relation {
            Some(relation) => Self::new(Some(relation), node.name),
            None => Self::new_unqualified(node.name),
        }
    }
}

pub(super) struct Unnest;

impl Entry for Unnest {
    type Node = UnnestExec;
    type Message = Node;
    const NAME: &'static str = "unnest";

    fn write(node: &UnnestExec, _: &Writer<'_>) -> Result<Node> {
        let list = |list: &ListUnnest| ListNode { index: list.index_in_input_schema as u64, depth: list.depth as u64 };
        let recursion = |recursion: &RecursionUnnestOption| RecursionNode {
            input: Some((&recursion.input_column).into()),
            output: Some((&recursion.output_column).into()),
            depth: recursion.depth as u64,
        };
        let nulls = match node.options().null_handling {
            NullHandling::Preserve => Nulls::Preserve,
            NullHandling::Drop => Nulls::Drop,
            NullHandling::PreserveAndExpandEmpty => Nulls::PreserveAndExpandEmpty,
        };
        Ok(Node {
            schema: schema_to_bytes(&node.schema())?,
            lists: node.list_column_indices().iter().map(list).collect(),
            structs: node.struct_column_indices().iter().map(|index| *index as u64).collect(),
            nulls: nulls.into(),
            recursions: node.options().recursions.iter().map(recursion).collect(),
        })
    }

    fn read(node: Node, children: &[Arc<dyn ExecutionPlan>], _: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let null_handling = match node.nulls() {
            Nulls::Preserve => NullHandling::Preserve,
            Nulls::Drop => NullHandling::Drop,
            Nulls::PreserveAndExpandEmpty => NullHandling::PreserveAndExpandEmpty,
        };
        let list =
            |list: &ListNode| Ok(ListUnnest { index_in_input_schema: number(list.index)?, depth: number(list.depth)? });
        let recursion = |recursion: RecursionNode| {
            Ok(RecursionUnnestOption {
                input_column: recursion.input.unwrap_or_default().into(),
                output_column: recursion.output.unwrap_or_default().into(),
                depth: number(recursion.depth)?,
            })
        };
        let lists = node.lists.iter().map(list).collect::<Result<_>>()?;
        let structs = node.structs.iter().map(|index| number(*index)).collect::<Result<_>>()?;
        let recursions = node.recursions.into_iter().map(recursion).collect::<Result<_>>()?;
        let options = UnnestOptions { null_handling, recursions };
        let schema = schema_from_bytes(&node.schema)?;
        Ok(Arc::new(UnnestExec::new(single(children)?, lists, structs, schema, options)?))
    }
}
