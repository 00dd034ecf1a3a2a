//! What a driver's pod says about the attempt: the API's pod, read into the few states that decisions need.

use firesteel_k8s::Reason;
use firesteel_k8s::build::{names, pod::CONTAINER};
use firesteel_k8s::pod_status::{self, Disruption, Obstacle};
use firesteel_k8s::report::Report;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, Pod, PodStatus};
use serde::{Deserialize, Serialize};

/// The driver's pod of the current attempt.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Driver {
    /// There is none.
    Absent,
    /// A pod of its name is there that belongs to another owner or attempt.
    Foreign,
    /// It is there.
    Pod(Box<DriverPod>),
}

/// A driver's pod.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DriverPod {
    pub(crate) uid: String,
    pub(crate) node: Option<String>,
    /// When the pod must be gone, if its deletion was asked for.
    pub(crate) gone_by: Option<Timestamp>,
    pub(crate) state: PodState,
    /// Why the cluster is taking it away, if it is.
    pub(crate) disruption: Option<Reason>,
    /// Whether containers beside the driver's go on after it has ended.
    pub(crate) lingers: bool,
    /// What the driver last reported.
    pub(crate) report: Report,
    /// The executors it was last told about.
    pub(crate) sizing: Option<String>,
}

/// How far a pod is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PodState {
    /// It does not run yet; why, if something is in the way.
    Pending(Option<Obstacle>),
    /// It runs since then.
    Running(Option<Timestamp>),
    /// It has ended.
    Ended(Ending),
}

/// Whose doing an attempt's end was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The program ended well.
    Success,
    /// The program, or what it asked for, is at fault.
    Application,
    /// The cluster took the pod away.
    Disruption,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ending {
    pub(crate) class: Class,
    pub(crate) reason: Option<Reason>,
    pub(crate) exit_code: Option<i32>,
    pub(crate) message: Option<String>,
    pub(crate) log_tail: Option<String>,
}

/// A driver's last words: the termination message of its container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LastWords {
    exit_code: Option<i32>,
    message: Option<String>,
    log_tail: Option<String>,
}

impl Ending {
    /// The end of an attempt whose pod is no more; `why` if that was seen before.
    pub(crate) fn vanished(why: Option<Reason>) -> Self {
        Self {
            class: Class::Disruption,
            reason: why.filter(|why| *why == Reason::NodeLost).or(Some(Reason::DriverEvicted)),
            exit_code: None,
            message: Some("the driver's pod was deleted".to_owned()),
            log_tail: None,
        }
    }
}

/// Reads a pod; `owner` and `attempt` are the ones that it must have.
pub(crate) fn read(pod: &Pod, owner: &str, attempt: u32) -> Driver {
    let is_owned = pod.metadata.owner_references.iter().flatten().any(|reference| reference.uid == owner);
    let label = pod.metadata.labels.as_ref().and_then(|labels| labels.get(names::ATTEMPT));
    if !is_owned || label != Some(&attempt.to_string()) {
        return Driver::Foreign;
    }
    let annotation = |name: &str| pod.metadata.annotations.as_ref().and_then(|all| all.get(name));
    // A report comes from the user's own pod: one that cannot be read is none.
    let report = annotation(names::REPORT).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    Driver::Pod(Box::new(DriverPod {
        uid: pod.metadata.uid.clone().unwrap_or_default(),
        node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        gone_by: pod.metadata.deletion_timestamp.as_ref().map(|time| time.0),
        state: pod.status.as_ref().map_or(PodState::Pending(None), state),
        disruption: pod.status.as_ref().and_then(pod_status::disruption).map(reason_of),
        lingers: pod.status.as_ref().is_some_and(has_others),
        report,
        sizing: annotation(names::SIZING).cloned(),
    }))
}

/// Whether another container than the driver's runs. The pod's phase does not tell: it may say "Running" for a moment
/// after its only container has ended.
fn has_others(status: &PodStatus) -> bool {
    let others = status.container_statuses.iter().flatten().filter(|status| status.name != CONTAINER);
    others.filter_map(|status| status.state.as_ref()).any(|state| state.running.is_some())
}

fn state(status: &PodStatus) -> PodState {
    let container = pod_status::engine(status);
    let terminated = container.and_then(|state| state.terminated.as_ref());
    match status.phase.as_deref() {
        Some("Succeeded") => PodState::Ended(success(terminated)),
        Some("Failed") => PodState::Ended(failure(status, terminated)),
        _ => match (terminated, container.and_then(|state| state.running.as_ref())) {
            // A sidecar still runs; the attempt is over with the engine's container.
            (Some(ended), _) if ended.exit_code == 0 => PodState::Ended(success(terminated)),
            (Some(_), _) => PodState::Ended(failure(status, terminated)),
            (None, Some(running)) => PodState::Running(running.started_at.as_ref().map(|time| time.0)),
            (None, None) => PodState::Pending(pod_status::obstacle(status)),
        },
    }
}

fn success(terminated: Option<&ContainerStateTerminated>) -> Ending {
    let words = last_words(terminated);
    Ending { class: Class::Success, reason: None, exit_code: Some(0), message: None, log_tail: words.log_tail }
}

fn failure(status: &PodStatus, terminated: Option<&ContainerStateTerminated>) -> Ending {
    let words = last_words(terminated);
    let exit_code = terminated.map(|ended| ended.exit_code);
    if terminated.is_some_and(pod_status::is_out_of_memory) {
        return Ending {
            class: Class::Application,
            reason: Some(Reason::OomKilled),
            exit_code,
            message: Some("the driver used more memory than driver.memory".to_owned()),
            log_tail: words.log_tail,
        };
    }
    if let Some(reason) = disruption(status, exit_code) {
        return Ending {
            class: Class::Disruption,
            reason: Some(reason),
            exit_code,
            message: status.message.clone().or_else(|| Some("the cluster took the driver's pod away".to_owned())),
            log_tail: words.log_tail,
        };
    }
    Ending {
        class: Class::Application,
        reason: Some(Reason::AppError),
        exit_code: words.exit_code.or(exit_code),
        message: words.message.or_else(|| exit_code.map(|code| format!("the program ended with exit code {code}"))),
        log_tail: words.log_tail,
    }
}

fn reason_of(disruption: Disruption) -> Reason {
    match disruption {
        Disruption::Evicted => Reason::DriverEvicted,
        Disruption::NodeLost => Reason::NodeLost,
    }
}

/// Why the cluster ended the pod, if it did.
fn disruption(status: &PodStatus, exit_code: Option<i32>) -> Option<Reason> {
    // A pod that never ran a container did not fail by the program's fault.
    let unexplained = exit_code.is_none().then_some(Reason::DriverEvicted);
    pod_status::disruption(status).map(reason_of).or(unexplained)
}

fn last_words(terminated: Option<&ContainerStateTerminated>) -> LastWords {
    let Some(text) = terminated.and_then(|ended| ended.message.as_deref()) else { return LastWords::default() };
    serde_json::from_str(text).unwrap_or_else(|_| {
        // The driver could not write them, so that Kubernetes has put the log's end there.
        LastWords { log_tail: Some(text.to_owned()), ..LastWords::default() }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read_status(status: Value) -> PodState {
        let pod = json!({
            "metadata": {
                "name": "sales-1-driver",
                "uid": "p",
                "labels": { "firesteel.dev/attempt": "1" },
                "ownerReferences": [{ "apiVersion": "v", "kind": "SparkJob", "name": "sales", "uid": "u" }],
            },
            "status": status,
        });
        match read(&serde_json::from_value(pod).unwrap(), "u", 1) {
            Driver::Pod(pod) => pod.state,
            other => panic!("{other:?}"),
        }
    }

    fn ended(status: Value) -> Ending {
        match read_status(status) {
            PodState::Ended(ending) => ending,
            other => panic!("{other:?}"),
        }
    }

    fn terminated(fields: Value) -> Value {
        json!([{ "name": "spark", "image": "", "imageID": "", "ready": false, "restartCount": 0,
                 "state": { "terminated": fields } }])
    }

    #[test]
    fn a_pod_of_another_owner_or_attempt_is_foreign() {
        let pod: Pod = serde_json::from_value(json!({ "metadata": { "labels": { "firesteel.dev/attempt": "1" },
            "ownerReferences": [{ "apiVersion": "v", "kind": "SparkJob", "name": "sales", "uid": "u" }] } }))
        .unwrap();
        assert_eq!(read(&pod, "other", 1), Driver::Foreign);
        assert_eq!(read(&pod, "u", 2), Driver::Foreign);
        assert!(matches!(read(&pod, "u", 1), Driver::Pod(_)));
    }

    #[test]
    fn endings_are_told_apart_by_typed_fields() {
        let message = r#"{"exitCode":42,"message":"ValueError: x","logTail":"a\nb"}"#;
        let words = terminated(json!({ "exitCode": 42, "message": message }));
        let app = ended(json!({ "phase": "Failed", "containerStatuses": words }));
        assert_eq!((app.class, app.reason, app.exit_code), (Class::Application, Some(Reason::AppError), Some(42)));
        assert_eq!((app.message.as_deref(), app.log_tail.as_deref()), (Some("ValueError: x"), Some("a\nb")));

        let oom = terminated(json!({ "exitCode": 137, "reason": "OOMKilled", "message": "the log's end" }));
        let oom = ended(json!({ "phase": "Failed", "containerStatuses": oom }));
        assert_eq!((oom.class, oom.reason), (Class::Application, Some(Reason::OomKilled)));
        assert_eq!(oom.log_tail.as_deref(), Some("the log's end"));

        let evicted = ended(json!({ "phase": "Failed", "reason": "Evicted", "message": "disk pressure" }));
        assert_eq!((evicted.class, evicted.reason), (Class::Disruption, Some(Reason::DriverEvicted)));

        let lost = json!([{ "type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager" }]);
        let lost = ended(
            json!({ "phase": "Failed", "conditions": lost, "containerStatuses": terminated(json!({ "exitCode": 143 })) }),
        );
        assert_eq!((lost.class, lost.reason), (Class::Disruption, Some(Reason::NodeLost)));

        let success = ended(json!({ "phase": "Succeeded", "containerStatuses": terminated(json!({ "exitCode": 0 })) }));
        assert_eq!(success.class, Class::Success);
        let sidecar = ended(json!({ "phase": "Running", "containerStatuses": terminated(json!({ "exitCode": 0 })) }));
        assert_eq!(sidecar.class, Class::Success);
    }

    #[test]
    fn only_another_container_that_runs_lingers() {
        let ended = terminated(json!({ "exitCode": 0 }));
        let status = |containers: &Value| {
            let status = json!({ "phase": "Running", "containerStatuses": containers });
            serde_json::from_value::<PodStatus>(status).unwrap()
        };
        assert!(!has_others(&status(&ended)));
        let sidecar = json!({ "name": "sidecar", "image": "", "imageID": "", "ready": true, "restartCount": 0,
            "state": { "running": {} } });
        assert!(has_others(&status(&json!([ended[0], sidecar]))));
    }

    #[test]
    fn a_pod_that_does_not_run_tells_why() {
        let unscheduled = json!({ "phase": "Pending", "conditions":
            [{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/2 nodes" }] });
        let PodState::Pending(Some(obstacle)) = read_status(unscheduled) else { panic!("no obstacle") };
        assert_eq!(obstacle.reason, Reason::Unschedulable);
    }
}
