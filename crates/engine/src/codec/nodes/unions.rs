//! Unions, and exchanges inside what runs as one task.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::union::{InterleaveExec, UnionExec};
use prost::Message;

use crate::codec::entry::Entry;
use crate::codec::wire::{PartitioningNode, Reader, Writer, number, single};

pub(super) struct Union;

impl Entry for Union {
    type Node = UnionExec;
    type Message = ();
    const NAME: &'static str = "union";

    fn write(_: &UnionExec, _: &Writer<'_>) -> Result<()> {
        Ok(())
    }

    fn read((): (), children: &[Arc<dyn ExecutionPlan>], _: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        UnionExec::try_new(children.to_vec())
    }
}

pub(super) struct Interleave;

impl Entry for Interleave {
    type Node = InterleaveExec;
    type Message = ();
    const NAME: &'static str = "interleave";

    fn write(_: &InterleaveExec, _: &Writer<'_>) -> Result<()> {
        Ok(())
    }

    fn read((): (), children: &[Arc<dyn ExecutionPlan>], _: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(InterleaveExec::try_new(children.to_vec())?))
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CoalesceNode {
    #[prost(uint64, optional, tag = "1")]
    fetch: Option<u64>,
}

pub(super) struct CoalescePartitions;

impl Entry for CoalescePartitions {
    type Node = CoalescePartitionsExec;
    type Message = CoalesceNode;
    const NAME: &'static str = "coalesce_partitions";

    fn write(node: &CoalescePartitionsExec, _: &Writer<'_>) -> Result<CoalesceNode> {
        Ok(CoalesceNode { fetch: node.fetch().map(|rows| rows as u64) })
    }

    fn read(node: CoalesceNode, children: &[Arc<dyn ExecutionPlan>], _: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let collect = CoalescePartitionsExec::new(single(children)?);
        Ok(Arc::new(collect.with_fetch(node.fetch.map(number).transpose()?)))
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct RepartitionNode {
    #[prost(message, optional, tag = "1")]
    partitioning: Option<PartitioningNode>,
    #[prost(bool, tag = "2")]
    preserve_order: bool,
}

pub(super) struct Repartition;

impl Entry for Repartition {
    type Node = RepartitionExec;
    type Message = RepartitionNode;
    const NAME: &'static str = "repartition";

    fn write(node: &RepartitionExec, writer: &Writer<'_>) -> Result<RepartitionNode> {
        let partitioning = Some(writer.partitioning(node.partitioning())?);
        Ok(RepartitionNode { partitioning, preserve_order: node.preserve_order() })
    }

    fn read(
        node: RepartitionNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = single(children)?;
        let partitioning = reader.partitioning(node.partitioning.as_ref(), &input.schema())?;
        let exchange = RepartitionExec::try_new(input, partitioning)?;
        Ok(Arc::new(if node.preserve_order { exchange.with_preserve_order() } else { exchange }))
    }
}
