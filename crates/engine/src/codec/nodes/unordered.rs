//! [`UnorderedExec`] on the wire.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;

use crate::codec::entry::Entry;
use crate::codec::wire::{Reader, Writer, single};
use crate::exec::UnorderedExec;

pub(super) struct Unordered;

impl Entry for Unordered {
    type Node = UnorderedExec;
    type Message = ();
    const NAME: &'static str = "unordered";

    fn write(_: &UnorderedExec, _: &Writer<'_>) -> Result<()> {
        Ok(())
    }

    fn read((): (), children: &[Arc<dyn ExecutionPlan>], _: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(UnorderedExec::new(single(children)?)))
    }
}
