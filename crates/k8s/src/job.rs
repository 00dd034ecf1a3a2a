//! `SparkJob`: one Spark application that runs to its end.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conf::Conf;
use crate::pods::{Driver, Executor};
use crate::policy::{Cleanup, Metrics, Retry, Scheduling, Timeouts, Ui};
use crate::rules;
use crate::status::SparkJobStatus;
use crate::storage::{FileUrl, Storage};

/// What to run and how. While the job runs, `suspend`, `executor.count`, `executor.elastic`, `timeouts.run` and
/// `cleanup` may change; anything else may change while it is suspended.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "firesteel.dev",
    version = "v1alpha1",
    kind = "SparkJob",
    namespaced,
    shortname = "sj",
    category = "firesteel",
    status = "SparkJobStatus",
    derive = "PartialEq",
    doc = "A Spark application that runs to its end.",
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.reason"),
    printcolumn(name = "Executors", type_ = "string", json_path = ".status.executors.summary"),
    printcolumn(name = "Progress", type_ = "string", json_path = ".status.progress.summary"),
    printcolumn(name = "Attempt", type_ = "integer", json_path = ".status.attempt"),
    printcolumn(name = "Started", type_ = "date", json_path = ".status.startTime"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Driver", type_ = "string", json_path = ".status.driver.podName", priority = 1),
    printcolumn(name = "URL", type_ = "string", json_path = ".status.urls.ui", priority = 1)
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules::cel_of_spec()))]
pub struct SparkJobSpec {
    /// Stops the job while it is true: pods go away, output that is not committed is dropped. Set it to false to
    /// start again from the beginning. May change at any time.
    #[serde(default)]
    pub suspend: bool,

    /// Name of the controller that runs this job in place of the Firesteel operator, such as
    /// `kueue.x-k8s.io/multikueue`. Cannot change once the job exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub managed_by: Option<String>,

    /// Container image of driver and executors. Defaults to the image that the operator was installed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,

    /// The program: exactly one of `python`, `sql` and `native`.
    pub main: Main,

    /// Arguments handed to the program, after its name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(max = 4096)))]
    pub args: Vec<String>,

    /// Spark configuration, keys `spark.*`. Keys that other fields stand for (memory, cores, number of executors,
    /// storage) and keys that the engine sets by itself are refused.
    #[serde(default, skip_serializing_if = "Conf::is_empty")]
    pub conf: Conf,

    /// Service account of the driver's pod, for access to storage by workload identity. Defaults to the one that the
    /// operator was installed with. Executors get no token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub service_account_name: Option<String>,

    /// The pod that plans the job and runs the program.
    #[serde(default)]
    pub driver: Driver,

    /// The pods that compute.
    #[serde(default)]
    pub executor: Executor,

    /// Where data, shuffle files and logs lie.
    #[serde(default)]
    pub storage: Storage,

    /// How the job is queued and placed.
    #[serde(default)]
    pub scheduling: Scheduling,

    /// What happens after a failed attempt.
    #[serde(default)]
    pub retry: Retry,

    /// How long each part may take. Time spent in a queue does not count.
    #[serde(default)]
    pub timeouts: Timeouts,

    /// What is kept once the job has ended. May change at any time.
    #[serde(default)]
    pub cleanup: Cleanup,

    /// The web page of the running job.
    #[serde(default)]
    pub ui: Ui,

    /// Prometheus metrics of the driver and the executors.
    #[serde(default)]
    pub metrics: Metrics,

    /// Creates a PodDisruptionBudget for the driver, so that draining a node waits for the job.
    #[serde(default, rename = "driverPDB")]
    pub driver_pdb: bool,
}

/// The program: exactly one of the fields is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules::cel(rules::MAIN)))]
pub struct Main {
    /// A Python script that uses PySpark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<PythonMain>,

    /// SQL statements, run one after the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<SqlMain>,

    /// Any other program that speaks Spark Connect; it finds the address in the variable `SPARK_REMOTE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native: Option<NativeMain>,
}

/// A Python script: `file` or `text`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules::cel(rules::PYTHON)))]
pub struct PythonMain {
    /// The script's place: `s3://bucket/key`, or `local:///path` for a file inside the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileUrl>,

    /// The script itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 262_144))]
    pub text: Option<String>,

    /// Modules the script imports: `.py`, `.zip` or `.whl` files, `s3://` or `local://`. They are also there for the
    /// functions that run on executors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub py_files: Vec<FileUrl>,
}

/// SQL statements separated by semicolons: `file` or `text`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules::cel(rules::SQL)))]
pub struct SqlMain {
    /// The text's place: `s3://bucket/key`, or `local:///path` for a file inside the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileUrl>,

    /// The statements themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 262_144))]
    pub text: Option<String>,
}

/// A program inside the image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NativeMain {
    /// The program and its first arguments; `args` follow.
    #[schemars(length(min = 1, max = 64), inner(length(min = 1, max = 4096)))]
    pub command: Vec<String>,
}
