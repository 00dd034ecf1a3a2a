//! What an executor's pod shows, read into the few states that decisions need.

use firesteel_k8s::build::names;
use firesteel_k8s::pod_status::{self, Disruption, Obstacle};
use firesteel_model::ExecutorLoss;
use firesteel_model::ids::ExecutorId;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, Pod, PodStatus};

/// How far an executor's pod is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PodState {
    /// It does not run yet; why, if something is in the way.
    Pending(Option<Obstacle>),
    /// It runs.
    Running {
        /// Whether the cluster hears of its node.
        node_answers: bool,
    },
    /// It was told to end, for this reason, and may still run.
    Leaving(ExecutorLoss),
    /// It has ended.
    Ended(Ending),
}

/// How an executor's pod ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) loss: ExecutorLoss,
    pub(crate) exit_code: Option<i32>,
}

/// Whose pod it is.
pub(crate) fn executor(pod: &Pod) -> Option<ExecutorId> {
    let id = pod.metadata.labels.as_ref()?.get(names::EXECUTOR_ID)?;
    id.parse().ok().map(ExecutorId)
}

/// Reads a pod that is there.
pub(crate) fn read(pod: &Pod) -> PodState {
    let Some(status) = &pod.status else { return PodState::Pending(None) };
    let state = pod_status::engine(status);
    let terminated = state.and_then(|state| state.terminated.as_ref());
    let is_deleted = pod.metadata.deletion_timestamp.is_some();
    let is_over = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    if is_over || terminated.is_some() {
        return PodState::Ended(ending(status, terminated, is_deleted));
    }
    if is_deleted {
        return match pod_status::disruption(status) {
            // Nobody on the node is there to end it.
            Some(Disruption::NodeLost) => PodState::Ended(Ending { loss: ExecutorLoss::NodeLost, exit_code: None }),
            other => PodState::Leaving(other.map_or(ExecutorLoss::PodDeleted, loss_of)),
        };
    }
    match state.and_then(|state| state.running.as_ref()) {
        Some(_) => PodState::Running { node_answers: node_answers(status) },
        None => PodState::Pending(pod_status::obstacle(status)),
    }
}

/// How a pod ended that is not there any more; `pod` is how it was seen last.
pub(crate) fn gone(pod: &Pod) -> Ending {
    match read(pod) {
        PodState::Ended(ending) => ending,
        PodState::Leaving(loss) => Ending { loss, exit_code: None },
        _ => {
            let disruption = pod.status.as_ref().and_then(pod_status::disruption);
            Ending { loss: disruption.map_or(ExecutorLoss::PodDeleted, loss_of), exit_code: None }
        }
    }
}

/// A container that runs and has no probe is ready unless its node is silent.
fn node_answers(status: &PodStatus) -> bool {
    let mut conditions = status.conditions.iter().flatten();
    !conditions.any(|condition| condition.type_ == "Ready" && condition.status == "False")
}

fn loss_of(disruption: Disruption) -> ExecutorLoss {
    match disruption {
        Disruption::Evicted => ExecutorLoss::Evicted,
        Disruption::NodeLost => ExecutorLoss::NodeLost,
    }
}

fn ending(status: &PodStatus, terminated: Option<&ContainerStateTerminated>, is_deleted: bool) -> Ending {
    let exit_code = terminated.map(|ended| ended.exit_code);
    if terminated.is_some_and(pod_status::is_out_of_memory) {
        return Ending { loss: ExecutorLoss::OutOfMemory, exit_code };
    }
    let by_itself = match exit_code {
        // It did as it was told, in time or not.
        None | Some(0 | 130 | 137 | 143) if is_deleted => ExecutorLoss::PodDeleted,
        // 128 and the signal: somebody else ended it.
        Some(code @ (130 | 137 | 143)) => ExecutorLoss::Killed(code - 128),
        Some(code) => ExecutorLoss::of_exit(code),
        None => ExecutorLoss::NotStarted,
    };
    Ending { loss: pod_status::disruption(status).map_or(by_itself, loss_of), exit_code }
}

/// A loss in a word, as statuses of pods have them.
pub(crate) fn word(loss: ExecutorLoss) -> &'static str {
    match loss {
        ExecutorLoss::OutOfMemory => "OOMKilled",
        ExecutorLoss::NotStarted => "NotStarted",
        ExecutorLoss::ImagePullFailed => "ImagePullFailed",
        ExecutorLoss::Unschedulable => "Unschedulable",
        ExecutorLoss::Exited(_) => "Error",
        ExecutorLoss::Killed(_) => "Killed",
        ExecutorLoss::Evicted => "Evicted",
        ExecutorLoss::NodeLost => "NodeLost",
        ExecutorLoss::PodDeleted => "PodDeleted",
        ExecutorLoss::Decommissioned => "Decommissioned",
        ExecutorLoss::ConnectionLost => "ConnectionLost",
        ExecutorLoss::HeartbeatTimeout => "HeartbeatTimeout",
        ExecutorLoss::Stopped => "Stopped",
    }
}

#[cfg(test)]
mod tests {
    use firesteel_k8s::Reason;
    use serde_json::{Value, json};

    use super::*;

    fn pod(status: Value) -> Pod {
        let labels = json!({ "firesteel.dev/executor-id": "7" });
        serde_json::from_value(json!({ "metadata": { "labels": labels }, "status": status })).unwrap()
    }

    fn container(state: Value) -> Value {
        json!([{ "name": "spark", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state }])
    }

    fn terminated(code: i32, reason: &str) -> Value {
        container(json!({ "terminated": { "exitCode": code, "reason": reason } }))
    }

    #[track_caller]
    fn ended(status: Value, loss: ExecutorLoss) {
        match read(&pod(status.clone())) {
            PodState::Ended(ending) => assert_eq!(ending.loss, loss, "{status}"),
            other => panic!("{status}: {other:?}"),
        }
    }

    #[test]
    fn reasons_of_a_loss_come_from_typed_fields() {
        let failed = |containers: Value| json!({ "phase": "Failed", "containerStatuses": containers });
        ended(failed(terminated(137, "OOMKilled")), ExecutorLoss::OutOfMemory);
        ended(failed(terminated(137, "Error")), ExecutorLoss::Killed(9));
        ended(failed(terminated(3, "Error")), ExecutorLoss::Exited(3));
        ended(failed(terminated(52, "Error")), ExecutorLoss::OutOfMemory);
        ended(failed(terminated(139, "Error")), ExecutorLoss::Exited(139));
        ended(
            json!({ "phase": "Succeeded", "containerStatuses": terminated(0, "Completed") }),
            ExecutorLoss::Decommissioned,
        );
        ended(json!({ "phase": "Failed", "reason": "Evicted", "message": "disk" }), ExecutorLoss::Evicted);
        ended(json!({ "phase": "Failed", "reason": "OutOfcpu" }), ExecutorLoss::NotStarted);
        let lost = json!([{ "type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager" }]);
        ended(
            json!({ "phase": "Failed", "conditions": lost, "containerStatuses": terminated(143, "Error") }),
            ExecutorLoss::NodeLost,
        );
        assert_eq!(executor(&pod(json!({}))), Some(ExecutorId(7)));
    }

    #[test]
    fn a_pod_that_is_told_to_end_is_there_until_it_has() {
        let running = container(json!({ "running": {} }));
        let mut leaving = pod(json!({ "phase": "Running", "containerStatuses": running }));
        assert_eq!(read(&leaving), PodState::Running { node_answers: true });
        leaving.metadata.deletion_timestamp = serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
        assert_eq!(read(&leaving), PodState::Leaving(ExecutorLoss::PodDeleted));
        assert_eq!(gone(&leaving).loss, ExecutorLoss::PodDeleted);
        for (code, loss) in [
            (0, ExecutorLoss::PodDeleted),
            (143, ExecutorLoss::PodDeleted),
            (137, ExecutorLoss::PodDeleted),
            (3, ExecutorLoss::Exited(3)),
        ] {
            let mut over = leaving.clone();
            let containers = serde_json::from_value(terminated(code, "Completed")).unwrap();
            over.status.as_mut().unwrap().container_statuses = containers;
            assert!(matches!(read(&over), PodState::Ended(ending) if ending.loss == loss), "{code}");
        }
        let target = json!([{ "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI" }]);
        leaving.status.as_mut().unwrap().conditions = serde_json::from_value(target).unwrap();
        assert_eq!(read(&leaving), PodState::Leaving(ExecutorLoss::Evicted), "it may finish its tasks");
        assert_eq!(gone(&leaving).loss, ExecutorLoss::Evicted);
        let target = json!([{ "type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager" }]);
        leaving.status.as_mut().unwrap().conditions = serde_json::from_value(target).unwrap();
        assert!(matches!(read(&leaving), PodState::Ended(ending) if ending.loss == ExecutorLoss::NodeLost));
    }

    #[test]
    fn a_pod_that_does_not_start_tells_why() {
        let waiting = container(json!({ "waiting": { "reason": "ErrImagePull", "message": "no such image" } }));
        let PodState::Pending(Some(obstacle)) = read(&pod(json!({ "phase": "Pending", "containerStatuses": waiting })))
        else {
            panic!("no obstacle")
        };
        assert_eq!((obstacle.reason, obstacle.message.as_str()), (Reason::ImagePullFailed, "no such image"));
        assert_eq!(read(&pod(json!({ "phase": "Pending" }))), PodState::Pending(None));
    }

    #[test]
    fn a_running_pod_on_a_silent_node_is_not_ready() {
        let status = json!({ "phase": "Running", "containerStatuses": container(json!({ "running": {} })),
            "conditions": [{ "type": "Ready", "status": "False" }] });
        assert_eq!(read(&pod(status)), PodState::Running { node_answers: false });
    }
}
