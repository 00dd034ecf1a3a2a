//! What a cluster can be told before it starts.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use datafusion::execution::object_store::ObjectStoreRegistry;
use firesteel_model::SparkError;
use firesteel_model::error_class::INVALID_CONF_VALUE_TYPE_MISMATCH;
use firesteel_model::runtime_conf::RuntimeConf;
use firesteel_scheduler::{AllocationConfig, SchedulerConfig};
use firesteel_shuffle::ObjectLocation;

use crate::fleet::FleetConfig;
use crate::progress::ProgressSink;

/// An in-process cluster: one executor with slots, memory and a directory.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// Tasks that run at once, on all executors.
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
    /// Executors in other processes run the tasks, not this one.
    pub fleet: Option<FleetConfig>,
    /// What is in the shuffle store outlives this process: the driver throws it away.
    pub keeps_shuffle: bool,
    /// Nothing that `shuffle` holds is thrown away, not even at the end.
    pub leaves_shuffle: bool,
    /// Limits of the scheduler.
    pub scheduler: SchedulerConfig,
    /// Hears of every job's progress.
    pub listener: Option<Arc<dyn ProgressSink>>,
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
            fleet: None,
            keeps_shuffle: false,
            leaves_shuffle: false,
            scheduler,
            listener: None,
        }
    }

    /// So many executors in other processes of this machine, each with so many slots; or as many as the work needs, and
    /// no more than these, where the settings ask for dynamic allocation.
    pub fn of_processes(executors: u32, slots: u32, conf: &RuntimeConf) -> Self {
        let mut config = Self::new(executors as usize * slots as usize);
        config.scheduler =
            SchedulerConfig { starvation_grace_ms: STARVATION_GRACE_MS, ..SchedulerConfig::from_conf(conf) };
        let allocation = &mut config.scheduler.allocation;
        allocation.slots_per_executor = slots;
        if allocation.dynamic {
            allocation.max = allocation.max.min(executors);
            allocation.initial = allocation.initial.min(allocation.max);
        } else {
            allocation.initial = executors;
        }
        config
    }

    /// As many executors elsewhere as the settings say. A job waits so long for one of them.
    pub fn of_conf(conf: &RuntimeConf, patience: Duration) -> Self {
        let starvation_grace_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        let scheduler = SchedulerConfig { starvation_grace_ms, ..SchedulerConfig::from_conf(conf) };
        let AllocationConfig { initial, slots_per_executor, .. } = scheduler.allocation;
        Self { scheduler, ..Self::new(initial.max(1) as usize * slots_per_executor as usize) }
    }
}

/// Where executors are pods, whatever the address behind it.
const KUBERNETES: &str = "k8s://";

/// How long a job on this machine waits for an executor.
const STARVATION_GRACE_MS: u64 = 120_000;

/// `spark.master`: where executors run.
#[derive(Clone, Debug)]
pub enum Master {
    /// In this process.
    Local(Box<ClusterConfig>),
    /// In processes of this machine.
    Processes {
        /// How many.
        executors: u32,
        /// Cores of each.
        cores: u32,
        /// Memory of each.
        memory_bytes: u64,
    },
    /// In pods, as many and as large as the other settings say.
    Kubernetes,
}

impl Master {
    /// `k8s://address`, `local`, `local[N]`, `local[*]`, `local[N,F]` with F failures allowed for a task, or
    /// `local-cluster[executors,cores,memory in MiB]`.
    pub fn parse(master: &str) -> Result<Self, SparkError> {
        let wrong = || {
            SparkError::new(&INVALID_CONF_VALUE_TYPE_MISMATCH)
                .param("confValue", master)
                .param("confName", "spark.master")
                .param("confType", "local[N] or local-cluster[N,cores,MiB]")
        };
        let numbers = |prefix: &str| {
            let inner = master.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(']'));
            inner.map(|inner| inner.split(',').map(str::trim).collect::<Vec<_>>())
        };
        let positive = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0).ok_or_else(wrong);
        if let Some([executors, cores, mebibytes]) = numbers("local-cluster[").as_deref() {
            let memory_bytes = u64::from(positive(mebibytes)?) << 20;
            return Ok(Self::Processes { executors: positive(executors)?, cores: positive(cores)?, memory_bytes });
        }
        if master.starts_with(KUBERNETES) {
            return Ok(Self::Kubernetes);
        }
        let local = numbers("local[");
        let (slots, failures) = match (master, local.as_deref()) {
            ("local", _) => ("1", "1"),
            (_, Some([slots])) => (*slots, "1"),
            (_, Some([slots, failures])) => (*slots, *failures),
            _ => return Err(wrong()),
        };
        let slots = match slots {
            "*" => std::thread::available_parallelism().map_or(1, usize::from),
            number => positive(number)? as usize,
        };
        let mut config = ClusterConfig::new(slots);
        config.scheduler.task_failures_max = positive(failures)?;
        Ok(Self::Local(Box::new(config)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn masters_are_read() {
        let read = |master| match Master::parse(master).ok()? {
            Master::Local(config) => Some((config.slots, config.scheduler.task_failures_max)),
            Master::Processes { .. } | Master::Kubernetes => None,
        };
        assert_eq!(read("local"), Some((1, 1)));
        assert_eq!(read("local[3]"), Some((3, 1)));
        assert_eq!(read("local[3, 5]"), Some((3, 5)));
        assert!(read("local[*]").unwrap().0 >= 1);
        assert_eq!(read("local[0]"), None);
        assert_eq!(read("spark://host"), None);
        assert!(matches!(Master::parse("k8s://https://10.0.0.1:443"), Ok(Master::Kubernetes)));
        let processes = Master::parse("local-cluster[2, 3, 512]").unwrap();
        assert!(
            matches!(processes, Master::Processes { executors: 2, cores: 3, memory_bytes } if memory_bytes == 512 << 20)
        );
        assert!(Master::parse("local-cluster[2,3]").is_err() && Master::parse("local-cluster[0,1,1]").is_err());
    }

    #[test]
    fn executors_elsewhere_are_as_many_as_were_named_at_most() {
        let allocation = |settings: &[(&str, &str)]| {
            let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            let config = ClusterConfig::of_processes(3, 2, &RuntimeConf::new(settings)).scheduler;
            (config.allocation.initial, config.allocation.max, config.task_failures_max)
        };
        assert_eq!(allocation(&[("spark.executor.instances", "7")]), (3, u32::MAX, 4));
        let dynamic = [("spark.dynamicAllocation.enabled", "true"), ("spark.task.maxFailures", "2")];
        assert_eq!(allocation(&dynamic), (0, 3, 2));
    }
}
