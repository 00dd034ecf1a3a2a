//! What the engine tells of a running operation besides rows.

use firesteel_spec::Literal;
use spark_connect_proto::execute_plan_response as message;
use spark_connect_proto::execute_plan_response::execution_progress::StageInfo;
use spark_connect_proto::execute_plan_response::metrics::{MetricObject, MetricValue as ValueMessage};

use crate::encode::literal::literal;

/// How far an operation is; feeds the client's progress bar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Its stages.
    pub stages: Vec<StageProgress>,
    /// Tasks running now.
    pub running_tasks: i64,
}

/// How far a stage is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StageProgress {
    /// The stage.
    pub stage_id: i64,
    /// Its tasks.
    pub tasks: i64,
    /// Those that are done.
    pub completed_tasks: i64,
    /// Bytes it has read.
    pub input_bytes: i64,
    /// Whether it is done.
    pub is_done: bool,
}

/// What a node of the physical plan counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanMetrics {
    /// The node's name.
    pub name: String,
    /// The node's number.
    pub plan_id: i64,
    /// Its parent's number.
    pub parent: i64,
    /// The counts.
    pub values: Vec<MetricValue>,
}

/// A count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricValue {
    /// Short name, unique in the node.
    pub key: String,
    /// Name for people.
    pub name: String,
    /// The count.
    pub value: i64,
    /// `sum`, `size`, `timing`, `nsTiming` or `average`.
    pub kind: String,
}

/// What `df.observe` saw, or `__python_accumulator__`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObservedMetrics {
    /// The observation's name.
    pub name: String,
    /// The DataFrame's plan id, or 0.
    pub plan_id: i64,
    /// Names and values.
    pub values: Vec<(String, Literal)>,
}

impl Progress {
    pub(super) fn into_message(self) -> message::ExecutionProgress {
        let stages = self.stages.into_iter().map(|stage| StageInfo {
            stage_id: stage.stage_id,
            num_tasks: stage.tasks,
            num_completed_tasks: stage.completed_tasks,
            input_bytes_read: stage.input_bytes,
            done: stage.is_done,
        });
        message::ExecutionProgress { stages: stages.collect(), num_inflight_tasks: self.running_tasks }
    }
}

impl PlanMetrics {
    pub(super) fn into_message(self) -> MetricObject {
        let values = self
            .values
            .into_iter()
            .map(|value| (value.key, ValueMessage { name: value.name, value: value.value, metric_type: value.kind }));
        MetricObject {
            name: self.name,
            plan_id: self.plan_id,
            parent: self.parent,
            execution_metrics: values.collect(),
        }
    }
}

impl ObservedMetrics {
    pub(super) fn into_message(self) -> message::ObservedMetrics {
        message::ObservedMetrics {
            name: self.name,
            plan_id: self.plan_id,
            values: self.values.iter().map(|(_, value)| literal(value)).collect(),
            keys: self.values.into_iter().map(|(key, _)| key).collect(),
            root_error_idx: None,
            errors: Vec::new(),
        }
    }
}
