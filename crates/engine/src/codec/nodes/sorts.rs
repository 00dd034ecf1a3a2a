//! Sorts and merges of sorted partitions.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use prost::Message;

use crate::codec::entry::Entry;
use crate::codec::wire::{OrderingNode, Reader, Writer, number, single};

#[derive(Clone, PartialEq, Message)]
pub(super) struct SortsNode {
    #[prost(message, optional, tag = "1")]
    ordering: Option<OrderingNode>,
    #[prost(uint64, optional, tag = "2")]
    fetch: Option<u64>,
    #[prost(bool, tag = "3")]
    preserve_partitioning: bool,
}

pub(super) struct Sort;

impl Entry for Sort {
    type Node = SortExec;
    type Message = SortsNode;
    const NAME: &'static str = "sort";

    fn write(node: &SortExec, writer: &Writer<'_>) -> Result<SortsNode> {
        Ok(SortsNode {
            ordering: Some(writer.ordering(node.expr())?),
            fetch: node.fetch().map(|rows| rows as u64),
            preserve_partitioning: node.preserve_partitioning(),
        })
    }

    fn read(
        node: SortsNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = single(children)?;
        let ordering = reader.ordering(node.ordering.as_ref(), &input.schema())?;
        let sort = SortExec::new(ordering, input).with_preserve_partitioning(node.preserve_partitioning);
        Ok(Arc::new(sort.with_fetch(node.fetch.map(number).transpose()?)))
    }
}

pub(super) struct SortPreservingMerge;

impl Entry for SortPreservingMerge {
    type Node = SortPreservingMergeExec;
    type Message = SortsNode;
    const NAME: &'static str = "sort_preserving_merge";

    fn write(node: &SortPreservingMergeExec, writer: &Writer<'_>) -> Result<SortsNode> {
        let ordering = Some(writer.ordering(node.expr())?);
        Ok(SortsNode { ordering, fetch: node.fetch().map(|rows| rows as u64), preserve_partitioning: false })
    }

    fn read(
        node: SortsNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = single(children)?;
        let ordering = reader.ordering(node.ordering.as_ref(), &input.schema())?;
        let merge = SortPreservingMergeExec::new(ordering, input);
        Ok(Arc::new(merge.with_fetch(node.fetch.map(number).transpose()?)))
    }
}
