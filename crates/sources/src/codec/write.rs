//! [`WriteExec`] on the wire: its job's description is plain data.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use firesteel_engine::codec::{NodeCodec, Reader, Writer};
use firesteel_model::SparkError;

use crate::error::to_datafusion;
use crate::write::{WriteExec, WriteJobSpec};

#[derive(Debug)]
pub(super) struct Write;

impl NodeCodec for Write {
    fn name(&self) -> &'static str {
        "write"
    }

    fn encode(&self, node: &Arc<dyn ExecutionPlan>, _: &Writer<'_>) -> Result<Option<Vec<u8>>> {
        let Some(write) = node.downcast_ref::<WriteExec>() else { return Ok(None) };
        serde_json::to_vec(write.spec().as_ref()).map(Some).map_err(broken)
    }

    fn decode(
        &self,
        bytes: &[u8],
        children: &[Arc<dyn ExecutionPlan>],
        _: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let spec: WriteJobSpec = serde_json::from_slice(bytes).map_err(broken)?;
        let [child] = children else { return Err(to_datafusion(SparkError::internal("a write has one child"))) };
        Ok(Arc::new(WriteExec::new(Arc::clone(child), Arc::new(spec))))
    }
}

fn broken(error: serde_json::Error) -> datafusion::error::DataFusionError {
    to_datafusion(SparkError::internal("a write came over the wire broken").source(error))
}
