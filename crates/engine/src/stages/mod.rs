//! From one physical plan to stages with shuffles between them.
//!
//! ```text
//!   plan --small--> one task, or --cut--> StageGraph --adapt (when inputs are complete)--> runnable stage
//! ```

mod adapt;
mod cut;
mod fit;
mod graph;
mod joins;
mod limits;
mod skew;
mod small;
mod sorts;

pub use adapt::CompletedStages;
pub use cut::cut;
pub use graph::{ResultLimit, Stage, StageGraph, StageNo, SubqueryLink};
pub(crate) use small::input_bytes;
