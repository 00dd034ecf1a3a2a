//! Plans that call the user's Python functions.
//!
//! ```text
//!   expressions: PythonScalar, PythonAggregate --extract_python--> EvaluateNode, GroupNode
//!   EvaluateNode, MapPartitionsNode, GroupNode, CoGroupNode, TableFunctionNode --PythonPlanner--> EvaluateExec, MapPartitionsExec ..
//!   task:    input --batches of the user's names and types--> worker --batches of the engine's types--> output
//!              |                                                                                          ^
//!              +-- converse: one task of its own feeds the worker, the stream reads what it answers ------+
//! ```
//!
//! A data source written in Python is a leaf, PythonScanExec: its function, called with a partition in each task.
//!
//! A node's description is plain values (`PythonCommand`, `PythonSession`, names); the workers are the executor's and
//! come with the task.

mod aggregate;
mod batches;
mod cogroup;
mod cogroup_exec;
mod converse;
mod evaluate;
mod evaluate_exec;
mod extract;
mod extract_groups;
mod extract_join;
mod group;
mod group_exec;
mod grouping_sets;
mod groups;
mod map_partitions;
mod map_partitions_exec;
mod pending;
mod planner;
mod scalar;
mod scan_exec;
mod table_function;
mod table_function_exec;

pub use aggregate::PythonAggregate;
pub use cogroup::{CoGroupNode, CoGroupSide, CoGroupWork};
pub use cogroup_exec::CoGroupExec;
pub use evaluate::{EvaluateNode, EvaluatedColumn, Evaluation};
pub use evaluate_exec::EvaluateExec;
pub use extract::extract_python;
pub use group::{GroupFunction, GroupNode, GroupResult, GroupWork};
pub use group_exec::GroupExec;
pub use map_partitions::MapPartitionsNode;
pub use map_partitions_exec::{InputOrder, MapPartitionsExec};
pub use planner::PythonPlanner;
pub use scalar::{Parameter, PythonScalar};
pub use scan_exec::PythonScanExec;
pub use table_function::{Lateral, TableFunctionNode, TableWork};
pub use table_function_exec::TableFunctionExec;
