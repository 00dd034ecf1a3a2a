//! An entry for one type of node whose part is one message.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use prost::Message;

use super::NodeCodec;
use super::wire::{Reader, Writer, message};

/// How one type of node becomes a message and comes back.
pub(super) trait Entry: Send + Sync + 'static {
    /// The node.
    type Node: ExecutionPlan;
    /// Its part of the plan.
    type Message: Message + Default;
    /// The entry's name.
    const NAME: &'static str;

    fn write(node: &Self::Node, writer: &Writer<'_>) -> Result<Self::Message>;

    fn read(
        message: Self::Message,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>>;
}

pub(super) struct Of<E>(PhantomData<E>);

impl<E: Entry> Of<E> {
    pub(super) fn codec() -> Arc<dyn NodeCodec> {
        Arc::new(Self(PhantomData))
    }
}

impl<E: Entry> fmt::Debug for Of<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(E::NAME)
    }
}

impl<E: Entry> NodeCodec for Of<E> {
    fn name(&self) -> &'static str {
        E::NAME
    }

    fn encode(&self, node: &Arc<dyn ExecutionPlan>, writer: &Writer<'_>) -> Result<Option<Vec<u8>>> {
        let Some(node) = node.downcast_ref::<E::Node>() else { return Ok(None) };
        Ok(Some(E::write(node, writer)?.encode_to_vec()))
    }

    fn decode(
        &self,
        bytes: &[u8],
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        E::read(message(bytes)?, children, reader)
    }
}
