//! What an in-process cluster can be told before it starts.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::execution::object_store::ObjectStoreRegistry;
use firesteel_model::SparkError;
use firesteel_model::error_class::INVALID_CONF_VALUE_TYPE_MISMATCH;
use firesteel_scheduler::{AllocationConfig, SchedulerConfig};
use firesteel_shuffle::ObjectLocation;

/// An in-process cluster: one executor with slots, memory and a directory.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// Tasks that run at once.
    pub slots: usize,
    /// Bytes for operators and shuffle; without it a share of what the container or machine has.
    pub memory_bytes: Option<u64>,
    /// Where spills and shuffle files go; without it the system's temporary directory.
    pub directory: Option<PathBuf>,
    /// Bytes of shuffle outputs kept in memory; without it a quarter of the memory.
    pub shuffle_memory_bytes: Option<u64>,
    /// Finds the stores of files; without it there is only the local file system.
    pub object_stores: Option<Arc<dyn ObjectStoreRegistry>>,
    /// Where shuffle outputs lie as objects; without it in memory and local files.
    pub shuffle: Option<ObjectLocation>,
    /// Limits of the scheduler.
    pub scheduler: SchedulerConfig,
}

impl ClusterConfig {
    /// So many slots, everything else by default.
    pub fn new(slots: usize) -> Self {
        let slots = slots.max(1);
        let allocation = AllocationConfig {
            initial: 1,
            slots_per_executor: u32::try_from(slots).unwrap_or(u32::MAX),
            ..AllocationConfig::default()
        };
        // The executor shares the fate of this process, so nobody has to listen for its heart.
        let scheduler = SchedulerConfig { heartbeat_timeout_ms: 0, allocation, ..SchedulerConfig::default() };
        Self {
            slots,
            memory_bytes: None,
            directory: None,
            shuffle_memory_bytes: None,
            object_stores: None,
            shuffle: None,
            scheduler,
        }
    }

    /// `local`, `local[N]`, `local[*]` or `local[N,F]` with F failures allowed for a task.
    pub fn from_master(master: &str) -> Result<Self, SparkError> {
        let wrong = || {
            SparkError::new(&INVALID_CONF_VALUE_TYPE_MISMATCH)
                .param("confValue", master)
                .param("confName", "spark.master")
                .param("confType", "local[N]")
        };
        if master == "local" {
            let mut config = Self::new(1);
            config.scheduler.task_failures_max = 1;
            return Ok(config);
        }
        let inner = master.strip_prefix("local[").and_then(|rest| rest.strip_suffix(']')).ok_or_else(wrong)?;
        let (slots, failures) = match inner.split_once(',') {
            Some((slots, failures)) => (slots.trim(), failures.trim().parse().map_err(|_| wrong())?),
            None => (inner.trim(), 1),
        };
        let slots = match slots {
            "*" => std::thread::available_parallelism().map_or(1, usize::from),
            number => number.parse().ok().filter(|slots| *slots > 0).ok_or_else(wrong)?,
        };
        let mut config = Self::new(slots);
        config.scheduler.task_failures_max = failures;
        Ok(config)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn masters_are_read() {
        let read = |master| ClusterConfig::from_master(master).map(|c| (c.slots, c.scheduler.task_failures_max)).ok();
        assert_eq!(read("local"), Some((1, 1)));
        assert_eq!(read("local[3]"), Some((3, 1)));
        assert_eq!(read("local[3, 5]"), Some((3, 5)));
        assert!(read("local[*]").unwrap().0 >= 1);
        assert_eq!(read("local[0]"), None);
        assert_eq!(read("spark://host"), None);
    }
}
