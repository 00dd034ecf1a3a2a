//! Scans and writes on the wire, for the engine's plan codec.

mod scan;
mod write;

use std::sync::Arc;

use firesteel_engine::codec::NodeCodec;

/// The entries for the plan nodes of this crate.
pub fn node_codecs() -> Vec<Arc<dyn NodeCodec>> {
    vec![Arc::new(scan::Scan), Arc::new(write::Write)]
}
