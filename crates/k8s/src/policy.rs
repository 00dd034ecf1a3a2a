//! How a job is queued, retried, timed, shown and cleaned up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::duration::Span;
use crate::rules;

/// How the job is queued and placed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scheduling {
    /// Queue of a batch scheduler such as Kueue or Volcano.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub queue: Option<String>,

    /// PriorityClass of driver and executors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub priority_class_name: Option<String>,

    /// Scheduler that places the pods. Defaults to the cluster's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub scheduler_name: Option<String>,
}

/// What happens after a failed attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// Further attempts after the job failed by its own fault. With 0 the first failure is final.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1000))]
    pub limit: u32,

    /// How long to wait before the next attempt.
    #[serde(default)]
    pub backoff: Backoff,

    /// An attempt that ran this long sets the count of failures back to 0. Without it, it is never set back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_after: Option<Span>,

    /// Further attempts after the cluster took the driver away (eviction, lost node); counted apart from `limit`.
    #[serde(default = "disruption_limit")]
    #[schemars(range(min = 0, max = 1000))]
    pub disruption_limit: u32,

    /// Exceptions by the program's exit code; the first that matches decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub rules: Vec<RetryRule>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            limit: 0,
            backoff: Backoff::default(),
            reset_after: None,
            disruption_limit: disruption_limit(),
            rules: Vec::new(),
        }
    }
}

fn disruption_limit() -> u32 {
    10
}

/// A wait that doubles from attempt to attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules::cel(rules::BACKOFF)))]
pub struct Backoff {
    /// Wait before the second attempt.
    #[serde(default = "backoff_initial")]
    pub initial: Span,

    /// The longest wait.
    #[serde(default = "backoff_max")]
    pub max: Span,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { initial: backoff_initial(), max: backoff_max() }
    }
}

fn backoff_initial() -> Span {
    Span::from("10s")
}

fn backoff_max() -> Span {
    Span::from("10m")
}

/// What to do after certain exit codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetryRule {
    /// Exit codes of the program, 1 to 255.
    #[schemars(length(min = 1, max = 255), inner(range(min = 1, max = 255)))]
    pub exit_codes: Vec<i32>,

    /// What follows.
    pub action: RetryAction,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RetryAction {
    /// The job has failed, whatever `limit` says.
    Fail,
    /// Another attempt, without counting this one.
    Retry,
}

/// How long each part may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Timeouts {
    /// From admission until the driver runs.
    #[serde(default = "start_timeout")]
    pub start: Span,

    /// From the driver's start until `executor.minToStart` executors are there.
    #[serde(default = "start_timeout")]
    pub executors: Span,

    /// The whole of an attempt; then it is stopped and the job has failed. Unlimited by default. May change while the
    /// job runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Span>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { start: start_timeout(), executors: start_timeout(), run: None }
    }
}

fn start_timeout() -> Span {
    Span::from("10m")
}

/// What is kept once the job has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cleanup {
    /// Whether the pods stay for looking at them.
    #[serde(default)]
    pub keep_pods: KeepPods,

    /// How long pods stay that are kept.
    #[serde(default = "pods_after")]
    pub pods_after: Span,

    /// How long after its success the job itself is deleted. Never by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Span>,

    /// How long after its failure the job itself is deleted. Never by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_failed: Option<Span>,
}

impl Default for Cleanup {
    fn default() -> Self {
        Self { keep_pods: KeepPods::default(), pods_after: pods_after(), ttl: None, ttl_failed: None }
    }
}

fn pods_after() -> Span {
    Span::from("1h")
}

/// Whose pods stay after the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum KeepPods {
    /// Those of every job.
    Always,
    /// Those of a job that failed.
    #[default]
    OnFailure,
    /// None.
    Never,
}

/// The web page of a running job. There is none yet: what is set here has no effect, and the condition `Ignored` says so.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ui {
    /// Creates a Service for the page. Not supported yet.
    #[serde(default)]
    pub service: bool,

    /// Creates an HTTPRoute (Gateway API) to that Service. Not supported yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_route: Option<HttpRoute>,
}

/// A route from a gateway to a page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpRoute {
    /// Name of the Gateway.
    #[schemars(length(min = 1, max = 253))]
    pub gateway: String,

    /// Namespace of the Gateway. Defaults to the job's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub gateway_namespace: Option<String>,

    /// Host name of the page. Defaults to the Gateway's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub hostname: Option<String>,
}

/// Prometheus metrics. There are none yet: what is set here has no effect, and the condition `Ignored` says so.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// Serves metrics and marks the pods for scraping. Not supported yet.
    #[serde(default)]
    pub enabled: bool,
}
