//! What a user says about partitions, places of rows and recursion, in logical plans.
//!
//! The planner puts these nodes into `LogicalPlan::Extension` and registers [`PartitioningPlanner`]; filters and
//! projections pass through those that only move rows.

mod local_sort;
mod node;
mod number;
mod planner;
mod recursion;

pub use local_sort::LocalSortNode;
pub use node::{CoalesceNode, RepartitionKind, RepartitionNode};
pub use number::{NumberNode, SettledNode};
pub use planner::PartitioningPlanner;
pub use recursion::RecursionNode;
