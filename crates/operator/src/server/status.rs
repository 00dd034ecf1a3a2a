//! A server's status: a pure function of the server and its Deployment.

use firesteel_k8s::build::names;
use firesteel_k8s::report::Report;
use firesteel_k8s::server::SparkConnectServerStatus;
use firesteel_k8s::status::DriverReport;
use firesteel_k8s::{SparkConnectServer, ignored};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus};
use k8s_openapi::api::core::v1::Pod;

use crate::job::observed::Note;
use crate::job::{set_condition, tell_ignored};

use super::build;
use super::rest::NO_SESSIONS;

/// The status to be, and what to tell about a change.
pub(crate) fn derive(
    server: &SparkConnectServer,
    mut status: SparkConnectServerStatus,
    report: &Report,
    deployment: Option<&Deployment>,
    rests: bool,
    now: Timestamp,
) -> (SparkConnectServerStatus, Option<Note>) {
    let generation = server.metadata.generation;
    let was_ready = is_ready(&status);
    status.observed_generation = generation;
    let namespace = server.metadata.namespace.as_deref().unwrap_or_default();
    status.remote = Some(format!("sc://{}.{namespace}.svc:{}", build::name(server), server.spec.service.port));
    let deployed = deployment.and_then(|deployment| deployment.status.as_ref());
    let is_off = server.spec.stop || rests;
    let ready = !is_off && deployed.is_some_and(|deployed| deployed.available_replicas.unwrap_or(0) > 0);
    let waiting = report.waiting.as_ref().map(|waiting| (waiting.reason.to_string(), waiting.message.clone()));
    let trouble = deployed.and_then(trouble).or(waiting).filter(|_| !is_off);
    let reason = match (server.spec.stop, rests, ready) {
        (true, ..) => "Stopped",
        (false, true, _) => NO_SESSIONS,
        (false, false, true) => "Running",
        (false, false, false) => "Starting",
    };
    let why = if rests { "a client that connects wakes the server" } else { "" };
    set_condition(&mut status.conditions, "Ready", ready, reason, why, now, generation);
    set_condition(&mut status.conditions, "Idle", is_off, reason, why, now, generation);
    let (word, sentence) = trouble.clone().unwrap_or_else(|| (reason.to_owned(), String::new()));
    set_condition(&mut status.conditions, "Degraded", trouble.is_some(), &word, &sentence, now, generation);
    tell_ignored(&mut status.conditions, &ignored::of_server(&server.spec), now, generation);
    let note = (was_ready != ready).then(|| {
        let (reason, message) = match (ready, reason) {
            (true, _) => ("Ready", "clients can connect"),
            (false, "Stopped") => ("Stopped", "the server is stopped"),
            (false, NO_SESSIONS) => {
                ("Resting", "the server rests for want of sessions; a client that connects wakes it")
            }
            (false, _) => ("NotReady", "clients cannot connect"),
        };
        Note { is_warning: reason == "NotReady", reason, message: message.to_owned() }
    });
    (status, note)
}

/// Takes over what the server's pod shows; while one follows another, the newer one counts.
pub(crate) fn adopt(status: &mut SparkConnectServerStatus, pods: &[Pod]) -> Report {
    let pod = pods.iter().max_by_key(|pod| pod.metadata.creation_timestamp.clone().map(|time| time.0));
    let annotations = pod.and_then(|pod| pod.metadata.annotations.as_ref());
    let text = annotations.and_then(|all| all.get(names::REPORT));
    // It comes from a pod that users may write: a report that cannot be read is none.
    let report: Report = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    status.executors.clone_from(&report.executors);
    status.driver = pod.map(|pod| DriverReport {
        pod_name: pod.metadata.name.clone().unwrap_or_default(),
        uid: pod.metadata.uid.clone(),
        node_name: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        start_time: pod.status.as_ref().and_then(|status| status.start_time.clone()),
    });
    report
}

fn is_ready(status: &SparkConnectServerStatus) -> bool {
    status.conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// What keeps the Deployment from having its pod.
fn trouble(status: &DeploymentStatus) -> Option<(String, String)> {
    let failing = status.conditions.iter().flatten().find(|condition| {
        let is_failure = condition.type_ == "ReplicaFailure" && condition.status == "True";
        is_failure || (condition.type_ == "Progressing" && condition.status == "False")
    })?;
    Some((failing.reason.clone().unwrap_or_else(|| failing.type_.clone()), failing.message.clone().unwrap_or_default()))
}

#[cfg(test)]
pub(crate) mod tests {
    use firesteel_k8s::{Manifest, Resource};
    use serde_json::json;

    use super::*;

    pub(crate) fn server(spec: &str) -> SparkConnectServer {
        let text = format!(
            "apiVersion: firesteel.dev/v1alpha1\nkind: SparkConnectServer\nmetadata: {{name: lake, namespace: default}}\nspec: {spec}"
        );
        let mut resources = Manifest::parse(&text, "x.yaml", &[]).unwrap().resources;
        let Some(Resource::SparkConnectServer(server)) = resources.pop() else { panic!("no server") };
        *server
    }

    fn status(
        server: &SparkConnectServer,
        deployment: Option<&Deployment>,
        pods: &[Pod],
        now: Timestamp,
    ) -> (SparkConnectServerStatus, Option<Note>) {
        let mut before = server.status.clone().unwrap_or_default();
        let report = adopt(&mut before, pods);
        derive(server, before, &report, deployment, false, now)
    }

    fn condition(status: &SparkConnectServerStatus, kind: &str) -> String {
        let found = status.conditions.iter().find(|condition| condition.type_ == kind).unwrap();
        format!("{} {}", found.status, found.reason)
    }

    fn at(server: &SparkConnectServer, deployed: serde_json::Value) -> (SparkConnectServerStatus, Option<Note>) {
        let deployment = serde_json::from_value(json!({ "metadata": {}, "status": deployed })).unwrap();
        status(server, Some(&deployment), &[], Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn what_the_pod_says_of_executors_is_shown() {
        let report = json!({
            "executors": { "summary": "1/2", "target": 2, "running": 1, "pending": 1 },
            "waiting": { "reason": "Unschedulable", "message": "1 of 2 executors wait: no node fits" },
        });
        let pod = |created: &str, name: &str, report: &str| -> Pod {
            let metadata = json!({
                "name": name, "creationTimestamp": created, "annotations": { names::REPORT: report },
            });
            serde_json::from_value(json!({ "metadata": metadata })).unwrap()
        };
        let pods =
            [pod("2026-01-02T00:00:00Z", "new", &report.to_string()), pod("2026-01-01T00:00:00Z", "old", "nonsense")];
        let deployed = serde_json::from_value(json!({ "metadata": {}, "status": { "availableReplicas": 1 } })).unwrap();
        let (status, _) = status(&server("{}"), Some(&deployed), &pods, Timestamp::UNIX_EPOCH);
        assert_eq!(status.executors.as_ref().unwrap().summary, "1/2");
        assert_eq!(status.driver.as_ref().unwrap().pod_name, "new");
        assert_eq!(condition(&status, "Degraded"), "True Unschedulable");
    }

    #[test]
    fn a_server_becomes_ready_and_tells_once() {
        let mut server = server("{}");
        let (starting, note) = status(&server, None, &[], Timestamp::UNIX_EPOCH);
        assert_eq!((condition(&starting, "Ready").as_str(), note), ("False Starting", None));
        assert_eq!(starting.remote.as_deref(), Some("sc://lake-connect.default.svc:15002"));
        server.status = Some(starting);
        let (ready, note) = at(&server, json!({ "availableReplicas": 1 }));
        assert_eq!(condition(&ready, "Ready"), "True Running");
        assert_eq!(note.unwrap().reason, "Ready");
        server.status = Some(ready);
        assert_eq!(at(&server, json!({ "availableReplicas": 1 })).1, None);
    }

    #[test]
    fn a_stopped_server_is_idle_and_a_refused_pod_degrades() {
        let (stopped, _) = at(&server("{stop: true}"), json!({ "availableReplicas": 1 }));
        assert_eq!(
            (condition(&stopped, "Ready"), condition(&stopped, "Idle")),
            ("False Stopped".into(), "True Stopped".into())
        );
        let refused = json!({ "conditions": [
            { "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota" },
        ] });
        let (refused, _) = at(&server("{}"), refused);
        assert_eq!(condition(&refused, "Degraded"), "True FailedCreate");
    }
}
