//! `SparkConnectServer`: a standing server that PySpark clients connect to.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conf::Conf;
use crate::duration::Span;
use crate::job::{Main, SparkJob, SparkJobSpec};
use crate::pods::{Driver, Executor};
use crate::policy::{Cleanup, Metrics, Retry, Scheduling, Timeouts, Ui};
use crate::status::{DriverReport, ExecutorCounts, Urls};
use crate::storage::Storage;

/// The server and who may use it.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "firesteel.dev",
    version = "v1alpha1",
    kind = "SparkConnectServer",
    namespaced,
    shortname = "scs",
    category = "firesteel",
    status = "SparkConnectServerStatus",
    derive = "PartialEq",
    doc = "A standing Spark Connect server: PySpark clients connect to it and share its executors.",
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "Executors", type_ = "string", json_path = ".status.executors.summary"),
    printcolumn(name = "Sessions", type_ = "integer", json_path = ".status.sessions"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "URL", type_ = "string", json_path = ".status.remote", priority = 1)
)]
#[serde(rename_all = "camelCase")]
pub struct SparkConnectServerSpec {
    /// Stops the server while it is true.
    #[serde(default)]
    pub stop: bool,

    /// Container image of driver and executors. Defaults to the image that the operator was installed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,

    /// Spark configuration that sessions begin with, keys `spark.*`. Keys that other fields stand for and keys that
    /// the engine sets by itself are refused.
    #[serde(default, skip_serializing_if = "Conf::is_empty")]
    pub conf: Conf,

    /// Service account of the server's pod, for access to storage by workload identity. Defaults to the one that the
    /// operator was installed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub service_account_name: Option<String>,

    /// The pod that clients talk to and that plans their queries.
    #[serde(default)]
    pub driver: Driver,

    /// The pods that compute.
    #[serde(default)]
    pub executor: Executor,

    /// Where data, shuffle files and logs lie.
    #[serde(default)]
    pub storage: Storage,

    /// How the pods are placed.
    #[serde(default)]
    pub scheduling: Scheduling,

    /// Who may connect.
    #[serde(default)]
    pub auth: Auth,

    /// The Service that clients connect to.
    #[serde(default)]
    pub service: ServerService,

    /// The server's pods go away after this long without a session, and come back when a client connects. Never by
    /// default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<Span>,

    /// The web page of the server.
    #[serde(default)]
    pub ui: Ui,

    /// Prometheus metrics of the server and the executors.
    #[serde(default)]
    pub metrics: Metrics,
}

impl SparkConnectServer {
    /// The server as the job that its executors belong to; it has no program.
    pub fn as_job(&self) -> SparkJob {
        let spec = self.spec.clone();
        let spec = SparkJobSpec {
            suspend: false,
            managed_by: None,
            image: spec.image,
            main: Main::default(),
            args: Vec::new(),
            conf: spec.conf,
            service_account_name: spec.service_account_name,
            driver: spec.driver,
            executor: spec.executor,
            storage: spec.storage,
            scheduling: spec.scheduling,
            retry: Retry::default(),
            timeouts: Timeouts::default(),
            cleanup: Cleanup::default(),
            ui: spec.ui,
            metrics: spec.metrics,
            driver_pdb: false,
        };
        SparkJob { metadata: self.metadata.clone(), spec, status: None }
    }
}

/// Who may connect.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Auth {
    /// Secret whose key `token` holds the token that clients give. Without it the operator makes one, in a Secret
    /// called `<name>-token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub token_secret: Option<String>,
}

/// The Service that clients connect to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerService {
    /// `ClusterIP`, `NodePort` or `LoadBalancer`.
    #[serde(default, rename = "type")]
    pub kind: ServiceKind,

    /// Port that clients connect to.
    #[serde(default = "connect_port")]
    #[schemars(range(min = 1, max = 65_535))]
    pub port: u16,

    /// Annotations of the Service, for load balancers and DNS.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    pub annotations: BTreeMap<String, String>,
}

impl Default for ServerService {
    fn default() -> Self {
        Self { kind: ServiceKind::default(), port: connect_port(), annotations: BTreeMap::new() }
    }
}

fn connect_port() -> u16 {
    15_002
}

/// How a Service is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ServiceKind {
    /// From inside the cluster.
    #[default]
    #[serde(rename = "ClusterIP")]
    ClusterIp,
    /// On a port of every node.
    NodePort,
    /// Through a load balancer of the cloud.
    LoadBalancer,
}

/// What the operator reports about the server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SparkConnectServerStatus {
    /// Generation of the resource that this report is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// What to put into `SPARK_REMOTE`, without the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,

    /// The server's pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<DriverReport>,

    /// Executors by state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executors: Option<ExecutorCounts>,

    /// Sessions that are open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<u32>,

    /// When a client last did something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_active_time: Option<Time>,

    /// Web pages of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urls: Option<Urls>,

    /// `Ready`, `Idle` and `Degraded`; `Ignored` if fields are set that have no effect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}
