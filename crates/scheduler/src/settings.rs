//! [`SchedulerConfig`] from the application's settings.

use firesteel_model::conf::{self, ConfKey};
use firesteel_model::runtime_conf::{RuntimeConf, parse_time_ms};

use crate::config::{AllocationConfig, ExclusionConfig, PoolOrder, SchedulerConfig, SpeculationConfig};

/// Executors of an application that does not say how many it wants.
const INSTANCES_DEFAULT: u32 = 2;

impl SchedulerConfig {
    /// What `spark.*` says; values that cannot be read count as their defaults.
    pub fn from_conf(conf: &RuntimeConf) -> Self {
        let is_fair = conf.text(&conf::SCHEDULER_MODE).eq_ignore_ascii_case("FAIR");
        Self {
            order: if is_fair { PoolOrder::Fair } else { PoolOrder::Fifo },
            task_failures_max: count(conf, &conf::TASK_MAX_FAILURES).max(1),
            locality_wait_ms: conf.time_ms(&conf::LOCALITY_WAIT),
            heartbeat_timeout_ms: seconds_ms(conf, &conf::NETWORK_TIMEOUT).unwrap_or(0),
            speculation: conf.bool(&conf::SPECULATION).then(|| speculation(conf)),
            exclusion: conf.bool(&conf::EXCLUDE_ON_FAILURE_ENABLED).then(|| exclusion(conf)),
            allocation: allocation(conf),
            ..Self::default()
        }
    }
}

fn speculation(conf: &RuntimeConf) -> SpeculationConfig {
    let defaults = SpeculationConfig::default();
    SpeculationConfig {
        quantile: conf.text(&conf::SPECULATION_QUANTILE).trim().parse().unwrap_or(defaults.quantile),
        multiplier: conf.text(&conf::SPECULATION_MULTIPLIER).trim().parse().unwrap_or(defaults.multiplier),
        runtime_min_ms: conf.time_ms(&conf::SPECULATION_MIN_TASK_RUNTIME),
    }
}

fn exclusion(conf: &RuntimeConf) -> ExclusionConfig {
    ExclusionConfig {
        stage_failures_max: count(conf, &conf::EXCLUDE_ON_FAILURE_STAGE_MAX_FAILED_TASKS_PER_EXECUTOR).max(1),
        application_failures_max: count(conf, &conf::EXCLUDE_ON_FAILURE_APPLICATION_MAX_FAILED_TASKS_PER_EXECUTOR)
            .max(1),
        timeout_ms: conf.time_ms(&conf::EXCLUDE_ON_FAILURE_TIMEOUT),
    }
}

fn allocation(conf: &RuntimeConf) -> AllocationConfig {
    let dynamic = conf.bool(&conf::DYNAMIC_ALLOCATION_ENABLED);
    let explicit = |key: &ConfKey| conf.explicit(key.name).map(|_| count(conf, key));
    let instances = explicit(&conf::EXECUTOR_INSTANCES);
    let min = count(conf, &conf::DYNAMIC_ALLOCATION_MIN_EXECUTORS);
    let initial = explicit(&conf::DYNAMIC_ALLOCATION_INITIAL_EXECUTORS).unwrap_or(0).max(instances.unwrap_or(0));
    AllocationConfig {
        dynamic,
        min,
        initial: if dynamic { initial.max(min) } else { instances.unwrap_or(INSTANCES_DEFAULT) },
        max: if dynamic { count(conf, &conf::DYNAMIC_ALLOCATION_MAX_EXECUTORS) } else { u32::MAX },
        slots_per_executor: (count(conf, &conf::EXECUTOR_CORES) / count(conf, &conf::TASK_CPUS).max(1)).max(1),
        idle_timeout_ms: seconds_ms(conf, &conf::DYNAMIC_ALLOCATION_EXECUTOR_IDLE_TIMEOUT).unwrap_or(0),
        cached_idle_timeout_ms: seconds_ms(conf, &conf::DYNAMIC_ALLOCATION_CACHED_EXECUTOR_IDLE_TIMEOUT),
    }
}

fn count(conf: &RuntimeConf, key: &ConfKey) -> u32 {
    u32::try_from(conf.int(key).max(0)).unwrap_or(u32::MAX)
}

/// A duration that is in seconds if it has no unit.
fn seconds_ms(conf: &RuntimeConf, key: &ConfKey) -> Option<u64> {
    let text = conf.get(key.name)?;
    match text.trim().parse::<u64>() {
        Ok(seconds) => seconds.checked_mul(1_000),
        Err(_) => parse_time_ms(&text).or_else(|| parse_time_ms(key.default?)),
    }
}

#[cfg(test)]
mod tests {
    use firesteel_model::runtime_conf::RuntimeConf;

    use crate::config::{PoolOrder, SchedulerConfig};

    fn read(settings: &[(&str, &str)]) -> SchedulerConfig {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        SchedulerConfig::from_conf(&RuntimeConf::new(settings))
    }

    #[test]
    fn the_table_and_the_defaults_agree() {
        assert_eq!(format!("{:?}", read(&[])), format!("{:?}", SchedulerConfig::default()));
    }

    #[test]
    fn settings_are_read_in_spark_units() {
        let config = read(&[
            ("spark.scheduler.mode", "fair"),
            ("spark.network.timeout", "30"),
            ("spark.speculation", "true"),
            ("spark.speculation.quantile", "0.5"),
            ("spark.dynamicAllocation.enabled", "true"),
            ("spark.dynamicAllocation.minExecutors", "3"),
            ("spark.dynamicAllocation.executorIdleTimeout", "2m"),
            ("spark.executor.cores", "8"),
            ("spark.task.cpus", "2"),
        ]);
        assert_eq!((config.order, config.heartbeat_timeout_ms), (PoolOrder::Fair, 30_000));
        assert_eq!(config.speculation.map(|speculation| speculation.quantile), Some(0.5));
        let allocation = config.allocation;
        assert_eq!((allocation.min, allocation.initial, allocation.slots_per_executor), (3, 3, 4));
        assert_eq!((allocation.idle_timeout_ms, allocation.cached_idle_timeout_ms), (120_000, None));
    }
}
