//! Rows that are part of the plan, and plans without rows.

use std::sync::Arc;

use datafusion::catalog::memory::{DataSourceExec, MemorySourceConfig};
use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use prost::Message;

use crate::codec::NodeCodec;
use crate::codec::arrow_bytes::{batches_from_bytes, batches_to_bytes, schema_from_bytes, schema_to_bytes};
use crate::codec::entry::Entry;
use crate::codec::wire::{Columns, OrderingNode, Reader, Writer, message, number};

#[derive(Clone, PartialEq, Message)]
struct MemoryNode {
    #[prost(bytes = "vec", tag = "1")]
    schema: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    partitions: Vec<Vec<u8>>,
    #[prost(message, optional, tag = "3")]
    projection: Option<Columns>,
    #[prost(message, repeated, tag = "4")]
    orderings: Vec<OrderingNode>,
    #[prost(uint64, optional, tag = "5")]
    fetch: Option<u64>,
}

/// Only some of the nodes of its type, so it looks for itself.
#[derive(Debug)]
pub(super) struct Memory;

impl NodeCodec for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn encode(&self, node: &Arc<dyn ExecutionPlan>, writer: &Writer<'_>) -> Result<Option<Vec<u8>>> {
        let source = node.downcast_ref::<DataSourceExec>().map(DataSourceExec::data_source);
        let Some(source) = source.and_then(|source| source.downcast_ref::<MemorySourceConfig>()) else {
            return Ok(None);
        };
        let orderings = source.sort_information().iter().map(|ordering| writer.ordering(ordering));
        let node = MemoryNode {
            schema: schema_to_bytes(&source.original_schema())?,
            partitions: source.partitions().iter().map(|batches| batches_to_bytes(batches)).collect::<Result<_>>()?,
            projection: Columns::some(source.projection().as_deref()),
            orderings: orderings.collect::<Result<_>>()?,
            fetch: node.fetch().map(|rows| rows as u64),
        };
        Ok(Some(node.encode_to_vec()))
    }

    fn decode(
        &self,
        bytes: &[u8],
        _: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let node: MemoryNode = message(bytes)?;
        let schema = schema_from_bytes(&node.schema)?;
        let partitions = node.partitions.iter().map(|bytes| batches_from_bytes(bytes)).collect::<Result<Vec<_>>>()?;
        let orderings = node.orderings.iter().map(|ordering| reader.ordering(Some(ordering), &schema));
        let orderings = orderings.collect::<Result<Vec<_>>>()?;
        let source = MemorySourceConfig::try_new(&partitions, schema, Columns::read(node.projection.as_ref())?)?
            .with_limit(node.fetch.map(number).transpose()?)
            .try_with_sort_information(orderings)?;
        Ok(DataSourceExec::from_data_source(source))
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct RowlessNode {
    #[prost(bytes = "vec", tag = "1")]
    schema: Vec<u8>,
    #[prost(uint64, tag = "2")]
    partitions: u64,
}

impl RowlessNode {
    fn of(node: &dyn ExecutionPlan) -> Result<Self> {
        let partitions = node.properties().output_partitioning().partition_count() as u64;
        Ok(Self { schema: schema_to_bytes(&node.schema())?, partitions })
    }
}

pub(super) struct Empty;

impl Entry for Empty {
    type Node = EmptyExec;
    type Message = RowlessNode;
    const NAME: &'static str = "empty";

    fn write(node: &EmptyExec, _: &Writer<'_>) -> Result<RowlessNode> {
        RowlessNode::of(node)
    }

    fn read(node: RowlessNode, _: &[Arc<dyn ExecutionPlan>], _: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let empty = EmptyExec::new(schema_from_bytes(&node.schema)?);
        Ok(Arc::new(empty.with_partitions(number(node.partitions)?)))
    }
}

pub(super) struct PlaceholderRow;

impl Entry for PlaceholderRow {
    type Node = PlaceholderRowExec;
    type Message = RowlessNode;
    const NAME: &'static str = "placeholder_row";

    fn write(node: &PlaceholderRowExec, _: &Writer<'_>) -> Result<RowlessNode> {
        RowlessNode::of(node)
    }

    fn read(node: RowlessNode, _: &[Arc<dyn ExecutionPlan>], _: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let row = PlaceholderRowExec::new(schema_from_bytes(&node.schema)?);
        Ok(Arc::new(row.with_partitions(number(node.partitions)?)))
    }
}
