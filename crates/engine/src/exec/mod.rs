//! Our own nodes of physical plans.

mod cached;
mod coalesce;
mod exchange;
mod ordered;
mod partitions;
mod range;
mod recursion;
mod shuffle_read;
mod shuffle_write;
mod task_scope;
mod unordered;

pub use cached::{CachedRows, CachedScanExec};
pub use coalesce::CoalesceExec;
pub use exchange::{ExchangeExec, ExchangeKind};
pub use ordered::OrderedExec;
pub use partitions::PartitionsExec;
pub use range::{RangeExec, RangeTable};
pub use recursion::{RecursionExec, RecursionLimits};
pub use shuffle_read::{ReadMode, ShuffleReadExec};
pub use shuffle_write::ShuffleWriteExec;
pub use task_scope::TaskScopeExec;
pub use unordered::UnorderedExec;

/// `DisplayAs`, from the node's own `label`.
macro_rules! display_label {
    ($node:ty) => {
        impl datafusion::physical_plan::DisplayAs for $node {
            fn fmt_as(
                &self,
                _format: datafusion::physical_plan::DisplayFormatType,
                f: &mut std::fmt::Formatter<'_>,
            ) -> std::fmt::Result {
                f.write_str(&self.label())
            }
        }
    };
}
pub(crate) use display_label;
