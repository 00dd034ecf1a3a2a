//! The session's settings that change how files are read and written.

use firesteel_model::runtime_conf::parse_bytes;
use firesteel_model::{Result, conf};
use serde::{Deserialize, Serialize};

use crate::error::bad_option;

/// A copy of the session's settings; plain data that travels with a scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// `spark.sql.session.timeZone`
    pub time_zone: String,
    /// `spark.sql.caseSensitive`
    pub case_sensitive: bool,
    /// Whether `spark.sql.timestampType` is TIMESTAMP_NTZ.
    pub timestamp_is_ntz: bool,
    /// `spark.sql.columnNameOfCorruptRecord`
    pub corrupt_record_column: String,
    /// `spark.sql.files.maxPartitionBytes`
    pub max_partition_bytes: u64,
    /// `spark.sql.files.openCostInBytes`
    pub open_cost_bytes: u64,
    /// `spark.sql.files.minPartitionNum`
    pub min_partition_num: Option<usize>,
    /// Task slots of the application; the wished number of pieces where `min_partition_num` is not set.
    pub default_parallelism: usize,
    /// `spark.sql.sources.partitionColumnTypeInference.enabled`
    pub infer_partition_types: bool,
    /// `spark.sql.files.ignoreMissingFiles`
    pub ignore_missing_files: bool,
    /// `spark.sql.files.ignoreCorruptFiles`
    pub ignore_corrupt_files: bool,
    /// `spark.sql.parquet.mergeSchema`
    pub parquet_merge_schema: bool,
    /// `spark.sql.parquet.compression.codec`
    pub parquet_compression: String,
    /// `spark.sql.orc.compression.codec`
    pub orc_compression: String,
    /// `spark.sql.avro.compression.codec`
    pub avro_compression: String,
    /// `spark.sql.files.maxRecordsPerFile`
    pub max_records_per_file: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_zone: "UTC".to_owned(),
            case_sensitive: false,
            timestamp_is_ntz: false,
            corrupt_record_column: "_corrupt_record".to_owned(),
            max_partition_bytes: 128 << 20,
            open_cost_bytes: 4 << 20,
            min_partition_num: None,
            default_parallelism: 1,
            infer_partition_types: true,
            ignore_missing_files: false,
            ignore_corrupt_files: false,
            parquet_merge_schema: false,
            parquet_compression: "snappy".to_owned(),
            orc_compression: "zstd".to_owned(),
            avro_compression: "snappy".to_owned(),
            max_records_per_file: 0,
        }
    }
}

impl Settings {
    /// The settings of a session whose configuration `get` answers; unset keys take Spark's defaults.
    pub fn from_conf(get: impl Fn(&str) -> Option<String>, default_parallelism: usize) -> Result<Self> {
        let text = |key: &conf::ConfKey| get(key.name).or_else(|| key.default.map(str::to_owned)).unwrap_or_default();
        let flag = |key: &conf::ConfKey| text(key).eq_ignore_ascii_case("true");
        let bytes = |key: &conf::ConfKey| {
            let text = text(key);
            parse_bytes(&text).ok_or_else(|| bad_option(key.name, &text, "bytes"))
        };
        let min_partitions = text(&conf::FILES_MIN_PARTITION_NUM);
        Ok(Self {
            time_zone: text(&conf::SESSION_TIME_ZONE),
            case_sensitive: flag(&conf::CASE_SENSITIVE),
            timestamp_is_ntz: text(&conf::TIMESTAMP_TYPE).eq_ignore_ascii_case("TIMESTAMP_NTZ"),
            corrupt_record_column: text(&conf::COLUMN_NAME_OF_CORRUPT_RECORD),
            max_partition_bytes: bytes(&conf::FILES_MAX_PARTITION_BYTES)?,
            open_cost_bytes: bytes(&conf::FILES_OPEN_COST_IN_BYTES)?,
            min_partition_num: min_partitions.parse().ok(),
            default_parallelism,
            infer_partition_types: flag(&conf::SOURCES_PARTITION_COLUMN_TYPE_INFERENCE_ENABLED),
            ignore_missing_files: flag(&conf::FILES_IGNORE_MISSING_FILES),
            ignore_corrupt_files: flag(&conf::FILES_IGNORE_CORRUPT_FILES),
            parquet_merge_schema: flag(&conf::PARQUET_MERGE_SCHEMA),
            parquet_compression: text(&conf::PARQUET_COMPRESSION_CODEC),
            orc_compression: text(&conf::ORC_COMPRESSION_CODEC),
            avro_compression: text(&conf::AVRO_COMPRESSION_CODEC),
            max_records_per_file: text(&conf::FILES_MAX_RECORDS_PER_FILE).parse().unwrap_or(0),
        })
    }
}
