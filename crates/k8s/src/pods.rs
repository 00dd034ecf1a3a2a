//! The driver's and the executors' pods.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::duration::Span;
use crate::quantity::{Cpu, Memory};
use crate::rules;

/// Parts of a pod as Kubernetes defines them; laid over the pod that Firesteel makes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PodTemplate(pub Map<String, Value>);

impl PodTemplate {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl JsonSchema for PodTemplate {
    fn schema_name() -> Cow<'static, str> {
        "PodTemplate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
    }
}

/// The pod that plans the job and runs the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Driver {
    /// Processor time: `2` cores, or `500m` for half a core.
    #[serde(default = "driver_cpu")]
    pub cpu: Cpu,

    /// Memory of the pod: `2Gi`.
    #[serde(default = "driver_memory")]
    pub memory: Memory,

    /// A pod template (`metadata` and `spec` as in a Deployment) laid over the driver's pod: labels, node selectors,
    /// tolerations, volumes, secrets, sidecars. The container called `spark` is the driver.
    #[serde(default, skip_serializing_if = "PodTemplate::is_empty")]
    pub pod_template: PodTemplate,
}

impl Default for Driver {
    fn default() -> Self {
        Self { cpu: driver_cpu(), memory: driver_memory(), pod_template: PodTemplate::default() }
    }
}

fn driver_cpu() -> Cpu {
    Cpu::from("1")
}

fn driver_memory() -> Memory {
    Memory::from("2Gi")
}

/// The pods that compute: `count` of them, or as many as `elastic` allows. With neither there is one. They need
/// `storage.shuffle`; without it, or with a `count` of 0, the driver computes by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules::cel(rules::EXECUTOR)))]
pub struct Executor {
    /// Processor time of each executor. As many tasks run side by side in it as it has whole cores.
    #[serde(default = "executor_cpu")]
    pub cpu: Cpu,

    /// Memory of each executor: `16Gi`. All of the pod's memory, there is no overhead to add.
    #[serde(default = "executor_memory")]
    pub memory: Memory,

    /// A pod template (`metadata` and `spec` as in a Deployment) laid over the executors' pods: GPUs, affinity,
    /// tolerations, volumes, secrets, sidecars. The container called `spark` is the executor.
    #[serde(default, skip_serializing_if = "PodTemplate::is_empty")]
    pub pod_template: PodTemplate,

    /// A fixed number of executors. With 0 the driver computes by itself. May change while the job runs. Not together
    /// with `elastic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10_000))]
    pub count: Option<u32>,

    /// A number of executors that follows the work. May change while the job runs. Not together with `count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elastic: Option<Elastic>,

    /// Executors that must be there before the first task starts. Defaults to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10_000))]
    pub min_to_start: Option<u32>,

    /// Executors that may fail by their own fault before the attempt counts as failed. Evictions and lost nodes do
    /// not count. Defaults to twice the number of executors, at least 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100_000))]
    pub max_failures: Option<u32>,
}

/// How many executors a job may have.
#[derive(Clone, Debug, PartialEq)]
pub enum Sizing<'a> {
    /// Always this many.
    Fixed(u32),
    /// As many as the work needs, within bounds.
    Elastic(&'a Elastic),
}

impl Executor {
    /// How many executors to ask for.
    pub fn sizing(&self) -> Sizing<'_> {
        match (&self.elastic, self.count) {
            (Some(elastic), _) => Sizing::Elastic(elastic),
            (None, count) => Sizing::Fixed(count.unwrap_or(1)),
        }
    }
}

impl Default for Executor {
    fn default() -> Self {
        Self {
            cpu: executor_cpu(),
            memory: executor_memory(),
            pod_template: PodTemplate::default(),
            count: None,
            elastic: None,
            min_to_start: None,
            max_failures: None,
        }
    }
}

fn executor_cpu() -> Cpu {
    Cpu::from("1")
}

fn executor_memory() -> Memory {
    Memory::from("2Gi")
}

/// Bounds of a number of executors that follows the work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules::cel(rules::ELASTIC)))]
pub struct Elastic {
    /// Executors that stay even when there is nothing to do.
    #[serde(default)]
    #[schemars(range(min = 0, max = 10_000))]
    pub min: u32,

    /// Executors to begin with. Defaults to `min`, but at least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10_000))]
    pub initial: Option<u32>,

    /// Executors at most.
    #[schemars(range(min = 1, max = 10_000))]
    pub max: u32,

    /// How long an executor may be idle before it goes.
    #[serde(default = "idle")]
    pub idle: Span,
}

fn idle() -> Span {
    Span::from("60s")
}
