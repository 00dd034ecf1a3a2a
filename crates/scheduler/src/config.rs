//! Limits and time-outs; the defaults are Spark's unless the field says otherwise.

/// In which order work of the same level is served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PoolOrder {
    /// The older first.
    #[default]
    Fifo,
    /// The one furthest below its share first.
    Fair,
}

/// Everything the scheduler can be told before it starts.
#[derive(Clone, Debug)]
pub struct SchedulerConfig {
    /// `spark.scheduler.mode`: order between pools; with FIFO pools mean nothing.
    pub order: PoolOrder,
    /// `spark.task.maxFailures`: application faults of one task that fail its job.
    pub task_failures_max: u32,
    /// Faults of the surroundings (lost executors, refused launches) that one task survives. Ours.
    pub task_losses_max: u32,
    /// How often one map output may be lost and computed anew. Ours.
    pub recomputes_max: u32,
    /// `spark.locality.wait`: how long a stage holds tasks back for their preferred executors.
    pub locality_wait_ms: u64,
    /// How long a stage may have pending tasks and no executor that could take one. Ours.
    pub starvation_grace_ms: u64,
    /// `spark.network.timeout`: silence after which an executor is lost; 0 for never.
    pub heartbeat_timeout_ms: u64,
    /// Copies of slow tasks, if wanted.
    pub speculation: Option<SpeculationConfig>,
    /// Executors on which tasks fail are avoided, if wanted.
    pub exclusion: Option<ExclusionConfig>,
    /// How many executors there ought to be.
    pub allocation: AllocationConfig,
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self {
            order: PoolOrder::Fifo,
            task_failures_max: 4,
            task_losses_max: 64,
            recomputes_max: 4,
            locality_wait_ms: 3_000,
            starvation_grace_ms: 600_000,
            heartbeat_timeout_ms: 120_000,
            speculation: None,
            exclusion: None,
            allocation: AllocationConfig::default(),
        }
    }
}

/// `spark.speculation.*`.
#[derive(Clone, Copy, Debug)]
pub struct SpeculationConfig {
    /// Share of a stage's tasks that must be done before its slow ones are copied.
    pub quantile: f64,
    /// How many times the median run time counts as slow.
    pub multiplier: f64,
    /// No task is slow before this.
    pub runtime_min_ms: u64,
}

impl Default for SpeculationConfig {
    fn default() -> Self {
        Self { quantile: 0.9, multiplier: 3.0, runtime_min_ms: 100 }
    }
}

/// `spark.excludeOnFailure.*`.
#[derive(Clone, Copy, Debug)]
pub struct ExclusionConfig {
    /// Failed tasks of one stage after which an executor gets no more of that stage.
    pub stage_failures_max: u32,
    /// Failed tasks, in stages that succeeded in the end, after which it gets nothing more.
    pub application_failures_max: u32,
    /// How long a failure, and the exclusion from the application, is remembered.
    pub timeout_ms: u64,
}

impl Default for ExclusionConfig {
    fn default() -> Self {
        Self { stage_failures_max: 2, application_failures_max: 2, timeout_ms: 3_600_000 }
    }
}

/// `spark.dynamicAllocation.*` and `spark.executor.instances`.
#[derive(Clone, Copy, Debug)]
pub struct AllocationConfig {
    /// Whether the number follows the work; otherwise it is `initial`.
    pub dynamic: bool,
    /// Never fewer.
    pub min: u32,
    /// How many before the first job.
    pub initial: u32,
    /// Never ask for more.
    pub max: u32,
    /// What one executor can run at once, for those that are not there yet.
    pub slots_per_executor: u32,
    /// How long an executor may idle before it has to go.
    pub idle_timeout_ms: u64,
    /// The same for one that holds cached blocks; `None` keeps it.
    pub cached_idle_timeout_ms: Option<u64>,
}

impl Default for AllocationConfig {
    fn default() -> Self {
        Self {
            dynamic: false,
            min: 0,
            initial: 2,
            max: u32::MAX,
            slots_per_executor: 1,
            idle_timeout_ms: 60_000,
            cached_idle_timeout_ms: None,
        }
    }
}
