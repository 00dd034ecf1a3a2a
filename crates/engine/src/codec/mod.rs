//! Plans of stages as bytes and back.
//!
//! ```text
//!   plan --PlanCodec::encode--> bytes --decode--> the same plan in another process
//!            |  nodes      an entry for each kind of node
//!            |  exprs      expressions; a scalar subquery travels as its value
//!            |  functions  ours by name and options, DataFusion's by name
//! ```
//!
//! Whoever links crates with nodes of their own registers these crates' entries. What an entry cannot carry faithfully
//! it refuses. Why the format is ours and not DataFusion's: docs/decisions.

mod arrow_bytes;
mod entry;
mod exprs;
mod functions;
mod lambdas;
mod literals;
mod nodes;
mod wire;

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result as DataFusionResult;
use datafusion::execution::TaskContext;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use firesteel_model::{Result, SparkError};
use prost::Message;

use crate::error::spark_error;
use functions::Functions;
use wire::PlanNode;

pub(crate) use arrow_bytes::{columns_from_bytes, columns_to_bytes};
pub use wire::{Reader, Writer};

/// Plans nest deeply, and reading and writing them recurses.
const STACK_BYTES: usize = 256 << 20;

/// How one kind of node travels. A node's children travel by themselves.
pub trait NodeCodec: fmt::Debug + Send + Sync {
    /// Unique; goes with every node of the kind.
    fn name(&self) -> &'static str;

    /// The node without its children; `None` for a node of another kind.
    fn encode(&self, node: &Arc<dyn ExecutionPlan>, writer: &Writer<'_>) -> DataFusionResult<Option<Vec<u8>>>;

    /// The node that [`Self::encode`] gave, over these children.
    fn decode(
        &self,
        bytes: &[u8],
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>>;
}

/// Writes plans as bytes and reads them back.
///
/// Guarantees: a plan that is read gives the same rows in the same partitions and order as the one that was written.
#[derive(Debug)]
pub struct PlanCodec {
    nodes: Vec<Arc<dyn NodeCodec>>,
    functions: Functions,
}

impl PlanCodec {
    /// Knows the engine's nodes, DataFusion's and `others`.
    pub fn new(others: Vec<Arc<dyn NodeCodec>>) -> Self {
        Self { nodes: others.into_iter().chain(nodes::all()).collect(), functions: Functions::new() }
    }

    /// A plan as bytes.
    ///
    /// Assumptions: the scalar subqueries in it are computed.
    /// Errors: `UNSUPPORTED_FEATURE` for a node or expression that cannot travel.
    pub fn encode(&self, plan: &Arc<dyn ExecutionPlan>) -> Result<Vec<u8>> {
        with_deep_stack(|| Ok(Writer::new(self).plan_node(plan).map_err(spark_error)?.encode_to_vec()))
    }

    /// The plan that [`Self::encode`] gave, for tasks with this configuration.
    pub fn decode(
        &self,
        bytes: &[u8],
        config: SessionConfig,
        runtime: Arc<RuntimeEnv>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        with_deep_stack(|| {
            let broken = |error| SparkError::internal("a plan came over the wire broken").source(error);
            let node = PlanNode::decode(bytes).map_err(broken)?;
            let context = TaskContext::default().with_session_config(config).with_runtime(runtime);
            Reader::new(self, &context).read_plan(&node).map_err(spark_error)
        })
    }
}

fn with_deep_stack<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("firesteel-codec".to_owned()).stack_size(STACK_BYTES);
        let thread = thread.spawn_scoped(scope, work);
        let thread = thread
            .map_err(|error| SparkError::internal("no thread to read or write a plan").source(error).retryable())?;
        thread.join().map_err(|_| SparkError::internal("reading or writing a plan panicked"))?
    })
}
