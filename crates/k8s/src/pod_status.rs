//! What a pod's status tells about the engine's container, for whoever watches drivers or executors.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated, PodStatus};

use crate::build::pod::CONTAINER;
use crate::status::Reason;

/// What keeps a pod from starting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// In a word.
    pub reason: Reason,
    /// In a sentence.
    pub message: String,
}

/// Why the cluster takes a pod away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disruption {
    /// Its node ran short of something or is being drained, or a more important pod needs the room.
    Evicted,
    /// Its node is gone.
    NodeLost,
}

/// The state of the engine's container.
pub fn engine(status: &PodStatus) -> Option<&ContainerState> {
    let statuses = status.container_statuses.iter().flatten();
    statuses.filter(|status| status.name == CONTAINER).find_map(|status| status.state.as_ref())
}

/// Whether a container ended because it went over its memory limit.
pub fn is_out_of_memory(ended: &ContainerStateTerminated) -> bool {
    ended.reason.as_deref() == Some("OOMKilled")
}

/// Why the cluster takes the pod away, if it says so.
pub fn disruption(status: &PodStatus) -> Option<Disruption> {
    let target = status.conditions.iter().flatten().find(|condition| condition.type_ == "DisruptionTarget");
    if let Some(target) = target.filter(|target| target.status == "True") {
        return Some(match target.reason.as_deref() {
            Some("DeletionByTaintManager" | "DeletionByPodGC") => Disruption::NodeLost,
            _ => Disruption::Evicted,
        });
    }
    match status.reason.as_deref() {
        Some("NodeLost") => Some(Disruption::NodeLost),
        Some("Evicted" | "Preempting" | "Shutdown" | "NodeShutdown" | "Terminated" | "UnexpectedAdmissionError") => {
            Some(Disruption::Evicted)
        }
        _ => None,
    }
}

/// What keeps the pod from starting, if the status says so.
pub fn obstacle(status: &PodStatus) -> Option<Obstacle> {
    let inits = status.init_container_statuses.iter().flatten();
    let containers = inits.chain(status.container_statuses.iter().flatten());
    let waiting = containers.filter_map(|container| container.state.as_ref()?.waiting.as_ref());
    for waiting in waiting {
        let reason = match waiting.reason.as_deref() {
            Some("ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull") => {
                Reason::ImagePullFailed
            }
            Some("CreateContainerConfigError") => Reason::ConfigError,
            Some("CreateContainerError" | "RunContainerError") => Reason::Refused,
            _ => continue,
        };
        let message = waiting.message.clone().or_else(|| waiting.reason.clone()).unwrap_or_default();
        return Some(Obstacle { reason, message });
    }
    let scheduled = status.conditions.iter().flatten().find(|condition| condition.type_ == "PodScheduled");
    let unscheduled = scheduled.filter(|condition| condition.reason.as_deref() == Some("Unschedulable"))?;
    let message = unscheduled.message.clone().unwrap_or_default();
    Some(Obstacle { reason: Reason::Unschedulable, message })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn status(status: Value) -> PodStatus {
        serde_json::from_value(status).unwrap()
    }

    #[test]
    fn disruptions_are_told_apart() {
        let target = |reason: &str, value: &str| {
            disruption(&status(
                json!({ "conditions": [{ "type": "DisruptionTarget", "status": value, "reason": reason }] }),
            ))
        };
        assert_eq!(target("DeletionByTaintManager", "True"), Some(Disruption::NodeLost));
        assert_eq!(target("EvictionByEvictionAPI", "True"), Some(Disruption::Evicted));
        assert_eq!(target("EvictionByEvictionAPI", "False"), None);
        assert_eq!(disruption(&status(json!({ "reason": "Evicted" }))), Some(Disruption::Evicted));
        assert_eq!(disruption(&status(json!({ "reason": "NodeLost" }))), Some(Disruption::NodeLost));
        assert_eq!(disruption(&status(json!({}))), None);
    }

    #[test]
    fn obstacles_are_named() {
        let waiting = |reason: &str| {
            obstacle(&status(
                json!({ "containerStatuses": [{ "name": "spark", "image": "", "imageID": "", "ready": false,
                "restartCount": 0, "state": { "waiting": { "reason": reason, "message": "m" } } }] }),
            ))
        };
        for (word, reason) in [
            ("ImagePullBackOff", Reason::ImagePullFailed),
            ("ErrImageNeverPull", Reason::ImagePullFailed),
            ("CreateContainerConfigError", Reason::ConfigError),
        ] {
            assert_eq!(waiting(word), Some(Obstacle { reason, message: "m".to_owned() }), "{word}");
        }
        assert_eq!(waiting("ContainerCreating"), None);
        let unscheduled = status(json!({ "conditions":
            [{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/2 nodes" }] }));
        assert_eq!(obstacle(&unscheduled).unwrap().reason, Reason::Unschedulable);
    }
}
