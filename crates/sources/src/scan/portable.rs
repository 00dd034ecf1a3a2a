//! Scans on the wire: DataFusion's own encoding carries the shared part, a few bytes of ours the rest.

use std::sync::Arc;

use datafusion::datasource::physical_plan::{
    FileScanConfig, FileScanConfigBuilder, FileSource, JsonSource, ParquetSource,
};
use firesteel_model::{Result, SparkError};

use super::source::{FormatSource, SourceSpec};
use crate::formats::parquet_adapter::ParquetAdapter;

/// Takes a scan apart into one that DataFusion's codec knows (with JSON standing in for our formats) and bytes of ours.
///
/// Guarantees: `from_portable` of both, after a round trip of the scan, reads the same rows.
pub fn to_portable(config: &FileScanConfig) -> Result<(FileScanConfig, Vec<u8>)> {
    let source = config.file_source();
    let Some(ours) = source.downcast_ref::<FormatSource>() else {
        return Ok((config.clone(), Vec::new()));
    };
    let bytes = serde_json::to_vec(ours.spec()).map_err(|error| SparkError::internal(error.to_string()))?;
    let stand_in: Arc<dyn FileSource> = Arc::new(JsonSource::new(ours.table_schema().clone()));
    let stand_in = with_projection(stand_in, source)?;
    let config = FileScanConfigBuilder::from(config.clone()).with_source(stand_in).build();
    Ok((config, bytes))
}

/// Puts a scan together again.
///
/// Errors: `INTERNAL_ERROR` for bytes that `to_portable` did not make.
pub fn from_portable(config: FileScanConfig, bytes: &[u8]) -> Result<FileScanConfig> {
    let source = Arc::clone(config.file_source());
    let builder = FileScanConfigBuilder::from(config);
    if source.downcast_ref::<ParquetSource>().is_some() {
        return Ok(builder.with_expr_adapter(Some(Arc::new(ParquetAdapter { case_sensitive: false }))).build());
    }
    if bytes.is_empty() {
        return Ok(builder.build());
    }
    let spec: SourceSpec = serde_json::from_slice(bytes).map_err(|error| SparkError::internal(error.to_string()))?;
    let ours: Arc<dyn FileSource> = Arc::new(FormatSource::new(Arc::new(spec), source.table_schema().clone()));
    Ok(builder.with_source(with_projection(ours, &source)?).build())
}

fn with_projection(source: Arc<dyn FileSource>, from: &Arc<dyn FileSource>) -> Result<Arc<dyn FileSource>> {
    let Some(projection) = from.projection() else { return Ok(source) };
    let projected = source.try_pushdown_projection(projection);
    let projected = projected.map_err(|error| SparkError::internal(error.to_string()).source(error))?;
    Ok(projected.unwrap_or(source))
}
