//! `ScheduledSparkJob`: a `SparkJob` made anew at each time of a schedule.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::job::SparkJobSpec;

/// When to run and what.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "firesteel.dev",
    version = "v1alpha1",
    kind = "ScheduledSparkJob",
    namespaced,
    shortname = "ssj",
    category = "firesteel",
    status = "ScheduledSparkJobStatus",
    derive = "PartialEq",
    doc = "A SparkJob made anew at each time of a schedule. A job is named after the schedule and its minute.",
    printcolumn(name = "Schedule", type_ = "string", json_path = ".spec.schedule"),
    printcolumn(name = "Suspend", type_ = "boolean", json_path = ".spec.suspend"),
    printcolumn(name = "Last", type_ = "date", json_path = ".status.lastScheduleTime"),
    printcolumn(name = "Next", type_ = "string", json_path = ".status.nextScheduleTime"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledSparkJobSpec {
    /// Times in cron's notation: minute, hour, day of month, month, day of week; or `@hourly`, `@daily`, `@weekly`,
    /// `@monthly`, `@yearly`.
    #[schemars(
        length(max = 100),
        regex(
            pattern = r"^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|[-0-9*/,?A-Za-z]+( +[-0-9*/,?#LWA-Za-z]+){4})$"
        )
    )]
    pub schedule: String,

    /// Time zone of the schedule, such as `Europe/Zurich`. Defaults to `UTC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub time_zone: Option<String>,

    /// What happens when a job is due and the one before still runs: `Allow` runs both, `Forbid` skips the new one,
    /// `Replace` stops the old one.
    #[serde(default)]
    pub concurrency_policy: ConcurrencyPolicy,

    /// A job that could not be made within this many seconds of its time is skipped. Unlimited by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 31_536_000))]
    pub starting_deadline_seconds: Option<i64>,

    /// Makes no further jobs while it is true. Those that run go on.
    #[serde(default)]
    pub suspend: bool,

    /// Succeeded jobs that are kept.
    #[serde(default = "successful_history")]
    #[schemars(range(min = 0, max = 1000))]
    pub successful_jobs_history_limit: u32,

    /// Failed jobs that are kept.
    #[serde(default = "failed_history")]
    #[schemars(range(min = 0, max = 1000))]
    pub failed_jobs_history_limit: u32,

    /// The job that is made.
    pub job_template: JobTemplate,
}

fn successful_history() -> u32 {
    3
}

fn failed_history() -> u32 {
    1
}

/// What happens when a job is due and the one before still runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConcurrencyPolicy {
    /// Both run.
    #[default]
    Allow,
    /// The new one is skipped.
    Forbid,
    /// The old one is stopped.
    Replace,
}

/// The job that is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobTemplate {
    /// Labels and annotations of the job.
    #[serde(default, skip_serializing_if = "TemplateMetadata::is_empty")]
    pub metadata: TemplateMetadata,

    /// The fields of a SparkJob's `spec`.
    pub spec: SparkJobSpec,
}

/// Labels and annotations of a job that is made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateMetadata {
    /// Labels to select it by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    pub labels: BTreeMap<String, String>,

    /// Notes for other tools.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    pub annotations: BTreeMap<String, String>,
}

impl TemplateMetadata {
    fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.annotations.is_empty()
    }
}

/// What the operator reports about the schedule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledSparkJobStatus {
    /// Generation of the resource that this report is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// The last time of the schedule that was dealt with: a job was made, or skipped as the policies say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_schedule_time: Option<Time>,

    /// The next time at which a job is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_schedule_time: Option<Time>,

    /// When a job of the schedule last succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_successful_time: Option<Time>,

    /// Names of the jobs that have not ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub active: Vec<String>,

    /// `Accepted` and `Suspended`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}
