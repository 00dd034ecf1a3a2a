//! Our own nodes of physical plans.

mod cached;
mod coalesce;
mod exchange;
mod gather_keys;
mod key_filter;
mod number;
mod ordered;
mod partitions;
mod range;
mod recursion;
mod settled;
mod shuffle_read;
mod shuffle_write;
mod task_scope;
mod unordered;

pub use cached::{CachedRows, CachedScanExec};
pub use coalesce::CoalesceExec;
pub use exchange::{ExchangeExec, ExchangeKind};
pub use gather_keys::GatherKeysExec;
pub use key_filter::KeyFilterExec;
pub use number::NumberExec;
pub use ordered::OrderedExec;
pub use partitions::PartitionsExec;
pub use range::{RangeExec, RangeTable};
pub use recursion::{RecursionExec, RecursionLimits};
pub use settled::SettledExec;
pub use shuffle_read::{ReadMode, ShuffleReadExec, Slice};
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

/// Of a node without expressions: nothing to look at.
#[macro_export]
macro_rules! no_expressions {
    () => {
        fn apply_expressions(
            &self,
            _f: &mut dyn FnMut(
                &std::sync::Arc<dyn datafusion::physical_expr::PhysicalExpr>,
            ) -> datafusion::common::Result<datafusion::common::tree_node::TreeNodeRecursion>,
        ) -> datafusion::common::Result<datafusion::common::tree_node::TreeNodeRecursion> {
            Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
        }
    };
}
pub(crate) use no_expressions;

/// Of a node without inputs and expressions: its part of [`ExecutionPlan`](datafusion::physical_plan::ExecutionPlan).
#[macro_export]
macro_rules! no_input {
    () => {
        fn children(&self) -> Vec<&std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>> {
            Vec::new()
        }

        $crate::no_expressions!();

        fn replace_children(
            self: std::sync::Arc<Self>,
            _children: Vec<std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>>,
            _options: datafusion::physical_plan::ReplaceChildrenOptions,
        ) -> datafusion::common::Result<std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>> {
            Ok(self)
        }

        fn with_new_children(
            self: std::sync::Arc<Self>,
            _children: Vec<std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>>,
        ) -> datafusion::common::Result<std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>> {
            Ok(self)
        }
    };
}
pub(crate) use no_input;

/// Of a node over one `input` that is made `over` another: its part of
/// [`ExecutionPlan`](datafusion::physical_plan::ExecutionPlan).
#[macro_export]
macro_rules! one_input {
    () => {
        fn children(&self) -> Vec<&std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>> {
            vec![&self.input]
        }

        fn replace_children(
            self: std::sync::Arc<Self>,
            mut children: Vec<std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>>,
            _options: datafusion::physical_plan::ReplaceChildrenOptions,
        ) -> datafusion::common::Result<std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>> {
            Ok(std::sync::Arc::new(self.over(children.swap_remove(0))))
        }

        fn with_new_children(
            self: std::sync::Arc<Self>,
            mut children: Vec<std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>>,
        ) -> datafusion::common::Result<std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>> {
            Ok(std::sync::Arc::new(self.over(children.swap_remove(0))))
        }
    };
}
pub(crate) use one_input;

/// Of a node whose rows come in the order of its one input's, from as many partitions as that has.
macro_rules! in_order {
    () => {
        fn maintains_input_order(&self) -> Vec<bool> {
            vec![true]
        }

        fn benefits_from_input_partitioning(&self) -> Vec<bool> {
            vec![false]
        }
    };
}
pub(crate) use in_order;

/// Of a node that passes the rows of its one input on as they are: how it runs, and what is known of its rows.
macro_rules! same_rows {
    () => {
        fn execute(
            &self,
            partition: usize,
            context: std::sync::Arc<datafusion::execution::TaskContext>,
        ) -> datafusion::common::Result<datafusion::execution::SendableRecordBatchStream> {
            self.input.execute(partition, context)
        }

        $crate::exec::same_statistics!();
    };
}
pub(crate) use same_rows;

/// Of a node whose rows are those of its one input: what is known of them.
macro_rules! same_statistics {
    () => {
        fn child_stats_requests(&self, partition: Option<usize>) -> Vec<datafusion::physical_plan::ChildStats> {
            vec![datafusion::physical_plan::ChildStats::At(partition)]
        }

        fn statistics_from_inputs(
            &self,
            input_stats: &[std::sync::Arc<datafusion::physical_plan::Statistics>],
            _args: &datafusion::physical_plan::StatisticsArgs,
        ) -> datafusion::common::Result<std::sync::Arc<datafusion::physical_plan::Statistics>> {
            let unknown = || std::sync::Arc::new(datafusion::physical_plan::Statistics::new_unknown(&self.schema()));
            Ok(input_stats.first().map_or_else(unknown, std::sync::Arc::clone))
        }
    };
}
pub(crate) use same_statistics;
