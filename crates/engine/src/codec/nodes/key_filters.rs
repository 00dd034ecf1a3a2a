//! [`GatherKeysExec`] and [`KeyFilterExec`] on the wire.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use prost::Message;

use crate::codec::entry::Entry;
use crate::codec::exprs::ExprNode;
use crate::codec::wire::{Reader, Writer, lacks, number, single};
use crate::exec::{GatherKeysExec, KeyFilterExec};
use crate::key_filters::{KeyFilter, KeysId};

#[derive(Clone, PartialEq, Message)]
pub(super) struct GatherNode {
    #[prost(uint32, tag = "1")]
    id: u32,
    #[prost(message, repeated, tag = "2")]
    keys: Vec<ExprNode>,
    #[prost(uint64, tag = "3")]
    most: u64,
}

pub(super) struct GatherKeys;

impl Entry for GatherKeys {
    type Node = GatherKeysExec;
    type Message = GatherNode;
    const NAME: &'static str = "gather_keys";

    fn write(node: &GatherKeysExec, writer: &Writer<'_>) -> Result<GatherNode> {
        Ok(GatherNode { id: node.id().0, keys: writer.expr_nodes(node.keys())?, most: node.most() as u64 })
    }

    fn read(
        node: GatherNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = single(children)?;
        let keys = reader.read_exprs(&node.keys, &input.schema())?;
        Ok(Arc::new(GatherKeysExec::new(input, KeysId(node.id), keys, number(node.most)?)))
    }
}

/// The stage of the keys stays at the driver, which has put the filter's words in by now.
#[derive(Clone, PartialEq, Message)]
pub(super) struct FilterNode {
    #[prost(uint32, tag = "1")]
    id: u32,
    #[prost(message, repeated, tag = "2")]
    exprs: Vec<ExprNode>,
    #[prost(message, optional, tag = "3")]
    filter: Option<Words>,
}

#[derive(Clone, PartialEq, Message)]
struct Words {
    #[prost(fixed32, repeated, tag = "1")]
    words: Vec<u32>,
    #[prost(uint64, tag = "2")]
    keys: u64,
}

pub(super) struct KeyFilters;

impl Entry for KeyFilters {
    type Node = KeyFilterExec;
    type Message = FilterNode;
    const NAME: &'static str = "key_filter";

    fn write(node: &KeyFilterExec, writer: &Writer<'_>) -> Result<FilterNode> {
        let words = |filter: &Arc<KeyFilter>| Words { words: filter.words().collect(), keys: filter.keys() as u64 };
        Ok(FilterNode { id: node.id().0, exprs: writer.expr_nodes(node.exprs())?, filter: node.filter().map(words) })
    }

    fn read(
        node: FilterNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = single(children)?;
        let exprs = reader.read_exprs(&node.exprs, &input.schema())?;
        let filter = KeyFilterExec::new(input, KeysId(node.id), exprs);
        let Some(Words { words, keys }) = node.filter else { return Ok(Arc::new(filter)) };
        let keys = KeyFilter::from_words(&words, number(keys)?).ok_or_else(|| lacks("the words of a filter"))?;
        Ok(Arc::new(filter.with_keys(Arc::new(keys))))
    }
}
