//! The settings that decide how a plan is made, cut and adapted.

use firesteel_model::error_class::INVALID_CONF_VALUE_TYPE_MISMATCH;
use firesteel_model::runtime_conf::parse_bytes;
use firesteel_model::{Result, SparkError, conf};
use serde::{Deserialize, Serialize};

/// Settings of one session, read from its configuration keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExecutionSettings {
    /// `spark.sql.shuffle.partitions`.
    pub shuffle_partitions: usize,
    /// Rows of a batch.
    pub batch_size: usize,
    /// `spark.sql.autoBroadcastJoinThreshold`; 0 never broadcasts.
    pub broadcast_bytes_max: usize,
    /// Inputs up to this size run as one task; 0 for never.
    pub small_query_bytes: usize,
    /// `spark.sql.files.maxPartitionBytes`.
    pub file_partition_bytes: usize,
    /// `spark.sql.session.timeZone`.
    pub time_zone: String,
    /// Whether joins filter scans, and which.
    pub key_filters: Option<KeyFilterSettings>,
    /// What changes while a job runs.
    pub adaptive: AdaptiveSettings,
}

/// `spark.sql.optimizer.runtime.bloomFilter.*`: what a join's selective side tells the scans of the other.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct KeyFilterSettings {
    /// More keys are not gathered.
    pub keys_max: usize,
    /// Less to scan is not worth a filter.
    pub scan_bytes_min: usize,
}

impl Default for KeyFilterSettings {
    fn default() -> Self {
        Self { keys_max: 4_000_000, scan_bytes_min: 10 << 20 }
    }
}

/// `spark.sql.adaptive.*`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct AdaptiveSettings {
    /// Whether small partitions are merged.
    pub coalesce: bool,
    /// `spark.sql.adaptive.advisoryPartitionSizeInBytes`.
    pub advisory_partition_bytes: u64,
    /// `spark.sql.adaptive.coalescePartitions.minPartitionSize`.
    pub min_partition_bytes: u64,
    /// Partitions are not merged into fewer while they are larger than the smallest size.
    pub min_partitions: usize,
    /// What a task may hold of a join's side; the executor's memory decides. Without it there is no limit.
    pub hash_join_bytes_max: Option<u64>,
    /// Which partitions of joins are split; none without it.
    pub skew: Option<SkewSettings>,
}

/// `spark.sql.adaptive.skewJoin.*`: larger partitions than both say are split.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SkewSettings {
    /// So many times the median.
    pub factor: f64,
    /// So many bytes.
    pub bytes_min: u64,
}

impl Default for SkewSettings {
    fn default() -> Self {
        Self { factor: 5.0, bytes_min: 256 << 20 }
    }
}

impl Default for ExecutionSettings {
    fn default() -> Self {
        Self {
            shuffle_partitions: 200,
            batch_size: 8192,
            broadcast_bytes_max: 10 << 20,
            small_query_bytes: 4 << 20,
            file_partition_bytes: 128 << 20,
            time_zone: "UTC".to_owned(),
            key_filters: Some(KeyFilterSettings::default()),
            adaptive: AdaptiveSettings::default(),
        }
    }
}

impl Default for AdaptiveSettings {
    fn default() -> Self {
        Self {
            coalesce: true,
            advisory_partition_bytes: 64 << 20,
            min_partition_bytes: 1 << 20,
            min_partitions: 1,
            hash_join_bytes_max: None,
            skew: Some(SkewSettings::default()),
        }
    }
}

impl ExecutionSettings {
    /// Reads the keys of a session; `parallelism` is the number of task slots.
    pub fn from_conf(parallelism: usize, get: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let defaults = Self::default();
        let conf = Conf { get };
        let adaptive = AdaptiveSettings {
            coalesce: conf.flag("spark.sql.adaptive.enabled", true)?
                && conf.flag("spark.sql.adaptive.coalescePartitions.enabled", true)?,
            advisory_partition_bytes: conf
                .bytes("spark.sql.adaptive.advisoryPartitionSizeInBytes", defaults.adaptive.advisory_partition_bytes)?,
            min_partition_bytes: conf.bytes(
                "spark.sql.adaptive.coalescePartitions.minPartitionSize",
                defaults.adaptive.min_partition_bytes,
            )?,
            min_partitions: match conf.flag("spark.sql.adaptive.coalescePartitions.parallelismFirst", true)? {
                true => parallelism.max(1),
                false => 1,
            },
            hash_join_bytes_max: None,
            skew: conf.skew()?,
        };
        Ok(Self {
            shuffle_partitions: conf.count(conf::SHUFFLE_PARTITIONS.name, defaults.shuffle_partitions)?.max(1),
            batch_size: defaults.batch_size,
            broadcast_bytes_max: conf.size("spark.sql.autoBroadcastJoinThreshold", defaults.broadcast_bytes_max)?,
            small_query_bytes: conf.size("firesteel.sql.smallQueryThreshold", defaults.small_query_bytes)?,
            file_partition_bytes: conf.size("spark.sql.files.maxPartitionBytes", defaults.file_partition_bytes)?,
            time_zone: get(conf::SESSION_TIME_ZONE.name).unwrap_or(defaults.time_zone),
            key_filters: conf.key_filters()?,
            adaptive,
        })
    }
}

struct Conf<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
}

impl Conf<'_> {
    fn flag(&self, key: &str, default: bool) -> Result<bool> {
        let Some(text) = (self.get)(key) else { return Ok(default) };
        text.trim().to_ascii_lowercase().parse().map_err(|_| mismatch(key, &text, "boolean"))
    }

    fn skew(&self) -> Result<Option<SkewSettings>> {
        let wanted =
            self.flag("spark.sql.adaptive.enabled", true)? && self.flag(conf::ADAPTIVE_SKEW_JOIN_ENABLED.name, true)?;
        let defaults = SkewSettings::default();
        let key = conf::ADAPTIVE_SKEW_JOIN_SKEWED_PARTITION_FACTOR.name;
        let factor = match (self.get)(key) {
            Some(text) => text.trim().parse().map_err(|_| mismatch(key, &text, "double"))?,
            None => defaults.factor,
        };
        let key = conf::ADAPTIVE_SKEW_JOIN_SKEWED_PARTITION_THRESHOLD_IN_BYTES.name;
        let bytes_min = self.bytes(key, defaults.bytes_min)?;
        Ok(wanted.then_some(SkewSettings { factor, bytes_min }))
    }

    fn key_filters(&self) -> Result<Option<KeyFilterSettings>> {
        let defaults = KeyFilterSettings::default();
        let keys_max = self.count(conf::OPTIMIZER_RUNTIME_BLOOM_FILTER_MAX_NUM_ITEMS.name, defaults.keys_max)?;
        let key = conf::OPTIMIZER_RUNTIME_BLOOM_FILTER_APPLICATION_SIDE_SCAN_SIZE_THRESHOLD.name;
        let scan_bytes_min = self.size(key, defaults.scan_bytes_min)?;
        let wanted = self.flag(conf::OPTIMIZER_RUNTIME_BLOOM_FILTER_ENABLED.name, true)?;
        Ok(wanted.then_some(KeyFilterSettings { keys_max, scan_bytes_min }))
    }

    fn count(&self, key: &str, default: usize) -> Result<usize> {
        let Some(text) = (self.get)(key) else { return Ok(default) };
        text.trim().parse().map_err(|_| mismatch(key, &text, "int"))
    }

    /// A size; negative ones, which switch a feature off, are 0.
    fn bytes(&self, key: &str, default: u64) -> Result<u64> {
        let Some(text) = (self.get)(key) else { return Ok(default) };
        if text.trim().starts_with('-') {
            return Ok(0);
        }
        parse_bytes(&text).ok_or_else(|| mismatch(key, &text, "bytes"))
    }

    fn size(&self, key: &str, default: usize) -> Result<usize> {
        Ok(usize::try_from(self.bytes(key, default as u64)?).unwrap_or(usize::MAX))
    }
}

fn mismatch(key: &str, value: &str, kind: &str) -> SparkError {
    SparkError::new(&INVALID_CONF_VALUE_TYPE_MISMATCH)
        .param("confValue", value)
        .param("confName", key)
        .param("confType", kind)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read() {
        let get = |key: &str| match key {
            "spark.sql.shuffle.partitions" => Some("7".to_owned()),
            "spark.sql.autoBroadcastJoinThreshold" => Some("-1".to_owned()),
            "spark.sql.adaptive.advisoryPartitionSizeInBytes" => Some("32MB".to_owned()),
            "spark.sql.adaptive.skewJoin.skewedPartitionFactor" => Some("2.5".to_owned()),
            _ => None,
        };
        let settings = ExecutionSettings::from_conf(4, &get).unwrap();
        assert_eq!(settings.shuffle_partitions, 7);
        assert_eq!(settings.broadcast_bytes_max, 0);
        assert_eq!(settings.adaptive.advisory_partition_bytes, 32 << 20);
        assert_eq!(settings.adaptive.min_partitions, 4);
        let skew = settings.adaptive.skew.unwrap();
        assert_eq!((skew.factor, skew.bytes_min), (2.5, 256 << 20));
        let wrong = ExecutionSettings::from_conf(4, &|_| Some("many".to_owned()));
        assert_eq!(wrong.unwrap_err().class().name, "INVALID_CONF_VALUE.TYPE_MISMATCH");
    }
}
