//! The DataFusion configuration under which plans are made and tasks run.

use datafusion::config::SpillCompression;
use datafusion::prelude::SessionConfig;

use crate::settings::ExecutionSettings;

/// The configuration that cutting a plan into stages relies on; the planner must start from it.
///
/// Guarantees: no scan takes work from another partition's; no filter waits for a value from another stage; partitions
/// are as many as the settings say, with no exchange only for the sake of more of them.
pub fn session_config(settings: &ExecutionSettings) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(settings.shuffle_partitions)
        .with_batch_size(settings.batch_size.max(1))
        .with_round_robin_repartition(false)
        .with_repartition_file_min_size(settings.file_partition_bytes)
        .with_prefer_existing_sort(false)
        .with_information_schema(false);
    let options = config.options_mut();
    options.execution.enable_file_stream_work_stealing = false;
    options.execution.enforce_batch_size_in_joins = true;
    options.execution.spill_compression = SpillCompression::Lz4Frame;
    options.execution.time_zone = Some(settings.time_zone.clone());
    options.execution.parquet.schema_force_view_types = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    let optimizer = &mut options.optimizer;
    optimizer.enable_dynamic_filter_pushdown = false;
    // It reads files in another order, of which plans sent to executors know nothing, for filters that there are not.
    optimizer.enable_sort_pushdown = false;
    optimizer.enable_join_dynamic_filter_pushdown = false;
    optimizer.enable_topk_dynamic_filter_pushdown = false;
    optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    optimizer.hash_join_single_partition_threshold = settings.broadcast_bytes_max;
    if settings.broadcast_bytes_max == 0 {
        optimizer.hash_join_single_partition_threshold_rows = 0;
    }
    config
}
