//! [`CachedScanExec`] on the wire: where the rows lie goes along, what keeps them there stays with the driver.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use firesteel_model::ids::{Attempt, Partition, StageId, TaskAttempt, TaskId};
use firesteel_shuffle::{MapOutput, PartitionSize};
use prost::Message;

use crate::codec::entry::Entry;
use crate::codec::wire::{Reader, Writer, number};
use crate::exec::{CachedRows, CachedScanExec};

#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(bool, tag = "1")]
    has_rows: bool,
    #[prost(message, repeated, tag = "2")]
    partitions: Vec<Output>,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(bytes = "vec", tag = "4")]
    stored: Vec<u8>,
    #[prost(bool, tag = "5")]
    is_projected: bool,
    #[prost(uint64, repeated, tag = "6")]
    columns: Vec<u64>,
}

/// One partition of one output.
#[derive(Clone, PartialEq, Message)]
struct Output {
    #[prost(uint64, tag = "1")]
    stage: u64,
    #[prost(uint32, tag = "2")]
    task: u32,
    #[prost(uint32, tag = "3")]
    attempt: u32,
    #[prost(string, tag = "4")]
    key: String,
    #[prost(string, optional, tag = "5")]
    version: Option<String>,
    #[prost(uint64, tag = "6")]
    partition: u64,
    #[prost(uint64, tag = "7")]
    rows: u64,
    #[prost(uint64, tag = "8")]
    bytes: u64,
    #[prost(uint64, tag = "9")]
    offset: u64,
    #[prost(uint64, tag = "10")]
    length: u64,
    #[prost(uint32, tag = "11")]
    crc: u32,
}

pub(super) struct Cached;

impl Entry for Cached {
    type Node = CachedScanExec;
    type Message = Node;
    const NAME: &'static str = "cached";

    fn write(node: &CachedScanExec, writer: &Writer<'_>) -> Result<Node> {
        let (rows, name, stored, columns) = node.parts();
        Ok(Node {
            has_rows: rows.is_some(),
            partitions: rows.into_iter().flat_map(|rows| rows.partitions.iter().map(written)).collect(),
            name: name.to_owned(),
            stored: writer.schema(stored)?,
            is_projected: columns.is_some(),
            columns: columns.into_iter().flatten().map(|column| *column as u64).collect(),
        })
    }

    fn read(node: Node, _: &[Arc<dyn ExecutionPlan>], reader: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = match node.has_rows {
            true => {
                let partitions = node.partitions.into_iter().map(read).collect::<Result<Vec<_>>>()?;
                Some(CachedRows { partitions: Arc::new(partitions), keeper: Arc::new(()) })
            }
            false => None,
        };
        let columns = node.columns.into_iter().map(number).collect::<Result<Vec<_>>>()?;
        let columns = node.is_projected.then_some(columns);
        Ok(Arc::new(CachedScanExec::try_new(rows, node.name, reader.schema(&node.stored)?, columns)?))
    }
}

fn written(output: &MapOutput) -> Output {
    let TaskAttempt { task, attempt } = output.attempt;
    let size = output.partitions.first().copied().unwrap_or_default();
    Output {
        stage: task.stage.0,
        task: task.partition.0,
        attempt: attempt.0,
        key: output.key.clone(),
        version: output.version.clone(),
        partition: output.first_partition as u64,
        rows: size.rows,
        bytes: size.bytes,
        offset: size.offset,
        length: size.length,
        crc: size.crc,
    }
}

fn read(output: Output) -> Result<MapOutput> {
    let Output { stage, task, attempt, key, version, partition, rows, bytes, offset, length, crc } = output;
    let task = TaskId { stage: StageId(stage), partition: Partition(task) };
    Ok(MapOutput {
        attempt: TaskAttempt { task, attempt: Attempt(attempt) },
        key,
        version,
        first_partition: number(partition)?,
        partitions: vec![PartitionSize { rows, bytes, offset, length, crc }],
        spilled_bytes: 0,
    })
}
