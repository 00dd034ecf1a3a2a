//! What a user says about partitions and recursion, in logical plans.
//!
//! The planner puts these nodes into `LogicalPlan::Extension` and registers [`PartitioningPlanner`]; filters and
//! projections pass through them.

mod local_sort;
mod node;
mod planner;
mod recursion;

pub use local_sort::LocalSortNode;
pub use node::{CoalesceNode, RepartitionKind, RepartitionNode};
pub use planner::PartitioningPlanner;
pub use recursion::RecursionNode;
