//! What the operator reports about a `SparkJob`.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the operator reports about the job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SparkJobStatus {
    /// Generation of the resource that this report is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Where the job stands: `Suspended`, `Queued`, `Starting`, `Running`, `Retrying`, `Stopping`, `Succeeded` or
    /// `Failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,

    /// Why it stands there, where that needs a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,

    /// The reason in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,

    /// Number of the current attempt, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,

    /// The last five attempts that have ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<AttemptReport>,

    /// When the current attempt was admitted; `timeouts.start` counts from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_start_time: Option<Time>,

    /// Attempts that failed by the job's own fault, towards `retry.limit`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u32,

    /// Attempts that the cluster took away, towards `retry.disruptionLimit`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub disruptions: u32,

    /// When the next attempt may begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_time: Option<Time>,

    /// When the first attempt's driver was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,

    /// When the job succeeded or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<Time>,

    /// The driver of the current attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<DriverReport>,

    /// Executors by state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executors: Option<ExecutorCounts>,

    /// The last ten executors that failed or were lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub executor_failures: Vec<ExecutorFailure>,

    /// How much of the work is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,

    /// Web pages of the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urls: Option<Urls>,

    /// The last 2 KB of the program's output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_tail: Option<String>,

    /// `Accepted`, `Admitted`, `DriverReady`, `ExecutorsReady`, `Degraded`, `Suspended`, `Complete` and `Failed`, for
    /// `kubectl wait --for=condition=Complete`; `Ignored` if fields are set that have no effect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Stopped because `suspend` is true.
    Suspended,
    /// Waits for its turn, for quota or for a retry.
    Queued,
    /// The driver's pod is there but does not run yet.
    Starting,
    /// The program runs.
    Running,
    /// An attempt has failed and another follows.
    Retrying,
    /// Is being stopped: suspended, deleted or past its deadline.
    Stopping,
    /// The program ended with exit code 0.
    Succeeded,
    /// No attempt is left.
    Failed,
}

/// Why a job stands where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Reason {
    /// The image cannot be pulled.
    ImagePullFailed,
    /// The namespace's quota refuses the driver.
    QuotaExceeded,
    /// No node fits the pod.
    Unschedulable,
    /// The driver's pod was evicted.
    DriverEvicted,
    /// The driver's node went away.
    NodeLost,
    /// The driver ran out of memory.
    #[serde(rename = "OOMKilled")]
    OomKilled,
    /// The program ended with an exit code other than 0.
    AppError,
    /// A time-out of the spec has passed.
    DeadlineExceeded,
    /// A pod of the driver's name exists that is not this job's.
    NameConflict,
    /// The cluster refuses the driver's pod: a policy, missing permissions or a faulty pod template.
    Refused,
    /// The pod names a Secret or ConfigMap that is not there.
    ConfigError,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OomKilled => f.write_str("OOMKilled"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// An attempt that has ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttemptReport {
    /// Its number, from 1.
    pub attempt: u32,

    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,

    /// Exit code of the program, if it ran to an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,

    /// Whether it counts towards `retry.limit`.
    #[serde(default)]
    pub counted: bool,

    /// When its driver was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,

    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<Time>,
}

/// The driver of the current attempt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriverReport {
    /// Name of its pod.
    pub pod_name: String,

    /// Identity of its pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,

    /// Node it runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,

    /// When it began to run; `timeouts.run` counts from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
}

/// Executors by state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecutorCounts {
    /// Running and wanted, as text: `8/10`.
    #[serde(default)]
    pub summary: String,

    /// As many as the driver wants.
    #[serde(default)]
    pub target: u32,

    /// Asked for, not running yet.
    #[serde(default)]
    pub pending: u32,

    /// Registered with the driver.
    #[serde(default)]
    pub running: u32,

    /// Ended by their own fault, over the whole attempt.
    #[serde(default)]
    pub failed: u32,

    /// Taken away by the cluster, over the whole attempt.
    #[serde(default)]
    pub lost: u32,

    /// Finishing their tasks before they go.
    #[serde(default)]
    pub decommissioning: u32,
}

/// An executor that failed or was lost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecutorFailure {
    /// Name of its pod.
    pub pod_name: String,

    /// What happened, in a word: `OOMKilled`, `Evicted`, `Error`.
    pub reason: String,

    /// Exit code, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,

    /// When it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
}

/// How much of the work is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Tasks done of the jobs submitted so far, as text: `120/200`.
    #[serde(default)]
    pub summary: String,

    /// Stages that are complete.
    #[serde(default)]
    pub stages_done: u64,

    /// Stages known so far.
    #[serde(default)]
    pub stages_total: u64,

    /// Tasks that are complete.
    #[serde(default)]
    pub tasks_done: u64,

    /// Tasks known so far.
    #[serde(default)]
    pub tasks_total: u64,
}

/// Web pages of the job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Urls {
    /// The page of the running job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ui: Option<String>,

    /// The page of the ended job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
}
