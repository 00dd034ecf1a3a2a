//! Exactly one driver, whatever happens: the real reconciler against an API in memory, with faults.

use std::sync::Arc;

use firesteel_k8s::SparkJob;
use firesteel_k8s::status::{Phase, Reason};
use jiff::{SignedDuration, Timestamp};
use kube::runtime::controller::Action as Requeue;
use serde_json::json;

use crate::cluster::ClusterError;
use crate::context::Context;
use crate::fake_api_tests::{FakeApi, Fault};
use crate::fixtures;
use crate::metrics::Metrics;
use crate::settings::Settings;

use super::{KnownPods, reconcile};

const POD: &str = "sales-1-driver";

fn operator(api: &FakeApi) -> Arc<Context> {
    Arc::new(Context::new(api.client(), Settings::default(), Arc::new(Metrics::default()), KnownPods::default()))
}

fn api_with(spec: &str) -> FakeApi {
    let api = FakeApi::default();
    api.put("sparkjobs", serde_json::to_value(fixtures::job(spec)).unwrap());
    api
}

fn api() -> FakeApi {
    api_with("{main: {sql: {text: SELECT 1}}, retry: {limit: 1}}")
}

fn job(api: &FakeApi) -> SparkJob {
    serde_json::from_value(api.get("sparkjobs", "sales").unwrap()).unwrap()
}

async fn look(api: &FakeApi, operator: &Arc<Context>) -> Result<Requeue, ClusterError> {
    reconcile(Arc::new(job(api)), Arc::clone(operator)).await
}

async fn settle(api: &FakeApi) {
    let operator = operator(api);
    for _ in 0..8 {
        look(api, &operator).await.unwrap();
    }
}

fn set_pod_status(api: &FakeApi, name: &str, status: serde_json::Value) {
    let mut pod = api.get("pods", name).unwrap();
    pod["status"] = status;
    api.put("pods", pod);
}

fn running() -> serde_json::Value {
    json!({ "phase": "Running", "containerStatuses": [{ "name": "spark", "image": "", "imageID": "", "ready": true,
        "restartCount": 0, "state": { "running": { "startedAt": "2026-01-01T00:00:00Z" } } }] })
}

fn failed(code: i32) -> serde_json::Value {
    json!({ "phase": "Failed", "containerStatuses": [{ "name": "spark", "image": "", "imageID": "", "ready": false,
        "restartCount": 0, "state": { "terminated": { "exitCode": code } } }] })
}

#[tokio::test]
async fn a_job_gets_its_driver_and_what_the_driver_needs() {
    let api = api();
    settle(&api).await;
    assert_eq!(api.state().pods_made, [POD]);
    assert_eq!(api.names("configmaps"), [POD]);
    let status = job(&api).status.unwrap();
    assert_eq!((status.phase, status.attempt), (Some(Phase::Starting), Some(1)));
    assert!(status.driver.unwrap().uid.is_some());
}

#[tokio::test]
async fn an_operator_killed_at_any_request_leaves_exactly_one_driver() {
    let complete = api();
    settle(&complete).await;
    let requests = complete.requests();
    assert!(requests > 8);
    for fault in [Fault::Lost, Fault::Unanswered] {
        for at in 0..requests {
            let api = api();
            api.fault_at(at, fault);
            let killed = operator(&api);
            // It dies at the fault; another starts from what is there.
            while api.requests() <= at {
                if look(&api, &killed).await.is_err() {
                    break;
                }
            }
            settle(&api).await;
            assert_eq!(api.state().pods_made, [POD], "request {at}, {fault:?}");
            assert_eq!(job(&api).status.unwrap().attempt, Some(1), "request {at}, {fault:?}");
        }
    }
}

#[tokio::test]
async fn an_operator_killed_at_any_request_of_a_retry_starts_the_next_attempt_once() {
    let begun = || async {
        let api = api_with("{main: {sql: {text: x}}, retry: {limit: 1, backoff: {initial: 0s, max: 0s}}}");
        settle(&api).await;
        set_pod_status(&api, POD, running());
        settle(&api).await;
        set_pod_status(&api, POD, failed(1));
        api
    };
    let complete = begun().await;
    let first = complete.requests();
    settle(&complete).await;
    for fault in [Fault::Lost, Fault::Unanswered] {
        for at in first..complete.requests() {
            let api = begun().await;
            api.fault_at(at, fault);
            let killed = operator(&api);
            while api.requests() <= at {
                if look(&api, &killed).await.is_err() {
                    break;
                }
            }
            settle(&api).await;
            assert_eq!(api.state().pods_made, [POD, "sales-2-driver"], "request {at}, {fault:?}");
        }
    }
}

#[tokio::test]
async fn two_operators_make_one_driver() {
    // One of them always works on copies of the job that are some looks old.
    for age in 0..6 {
        let api = api();
        let (one, other) = (operator(&api), operator(&api));
        let mut copies = vec![job(&api)];
        for _ in 0..10 {
            look(&api, &one).await.unwrap();
            copies.push(job(&api));
            let old = copies[copies.len().saturating_sub(1 + age)].clone();
            match reconcile(Arc::new(old), Arc::clone(&other)).await {
                Ok(_) | Err(ClusterError::Conflict) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(api.state().pods_made, [POD], "copies {age} looks old");
    }
}

#[tokio::test]
async fn an_old_copy_of_the_job_does_not_bring_a_finished_driver_back() {
    let api = api();
    let operator = operator(&api);
    let mut copies = vec![job(&api)];
    for _ in 0..6 {
        look(&api, &operator).await.unwrap();
        copies.push(job(&api));
    }
    set_pod_status(&api, POD, failed(1));
    look(&api, &operator).await.unwrap();
    api.remove("pods", POD);
    for copy in copies {
        let outcome = reconcile(Arc::new(copy), Arc::clone(&operator)).await;
        assert!(matches!(outcome, Ok(_) | Err(ClusterError::Conflict)));
    }
    assert_eq!(api.state().pods_made, [POD]);
}

#[tokio::test]
async fn a_pod_of_somebody_else_is_left_alone() {
    let api = api();
    api.put("pods", json!({ "metadata": { "name": POD, "namespace": "default" } }));
    settle(&api).await;
    assert_eq!(job(&api).status.unwrap().reason, Some(Reason::NameConflict));
    assert!(api.state().pods_made.is_empty());
    api.remove("pods", POD);
    settle(&api).await;
    assert_eq!(api.state().pods_made, [POD]);
}

#[tokio::test]
async fn a_secret_that_is_not_there_shows_in_an_event_alone() {
    let api = api();
    settle(&api).await;
    let mut pod = api.get("pods", POD).unwrap();
    pod["spec"]["nodeName"] = json!("node-1");
    api.put("pods", pod);
    // Events are asked for only when a start takes long.
    let mut waiting = api.get("sparkjobs", "sales").unwrap();
    let long_ago = Timestamp::now() - SignedDuration::from_secs(10);
    waiting["status"]["attemptStartTime"] = json!(long_ago.to_string());
    api.put("sparkjobs", waiting);
    api.put(
        "events",
        json!({ "metadata": { "name": "zzz" }, "involvedObject": {}, "reason": "FailedMount", "message": "no secret" }),
    );
    settle(&api).await;
    let status = job(&api).status.unwrap();
    assert_eq!((status.phase, status.reason), (Some(Phase::Starting), Some(Reason::ConfigError)));
    assert_eq!(status.message.as_deref(), Some("no secret"));
}

#[tokio::test]
async fn a_refusal_for_quota_is_told_from_one_by_policy() {
    for (used, reason) in [("1", Reason::QuotaExceeded), ("0", Reason::Refused)] {
        let api = api();
        api.state().pods_refused = Some((403, "Forbidden"));
        let status = json!({ "hard": { "pods": "1" }, "used": { "pods": used } });
        api.put("resourcequotas", json!({ "metadata": { "name": "q", "namespace": "default" }, "status": status }));
        settle(&api).await;
        let status = job(&api).status.unwrap();
        assert_eq!((status.phase, status.reason), (Some(Phase::Queued), Some(reason)));
        assert!(status.retry_time.is_some() && status.attempt.is_none());
    }
}

#[tokio::test]
async fn a_pod_that_the_api_finds_invalid_fails_the_job() {
    let api = api();
    api.state().pods_refused = Some((422, "Invalid"));
    settle(&api).await;
    let status = job(&api).status.unwrap();
    assert_eq!((status.phase, status.reason), (Some(Phase::Failed), Some(Reason::Refused)));
}

#[tokio::test]
async fn an_api_that_does_not_answer_well_is_tried_again() {
    let api = api();
    api.fault_at(2, Fault::Lost);
    let operator = operator(&api);
    assert!(matches!(look(&api, &operator).await, Err(ClusterError::Api(_))));
    settle(&api).await;
    assert_eq!(api.state().pods_made, [POD]);
}

#[tokio::test]
async fn everything_of_a_finished_job_is_deleted_by_its_label() {
    let api = api();
    settle(&api).await;
    set_pod_status(&api, POD, json!({ "phase": "Succeeded", "containerStatuses": [] }));
    api.put("pods", json!({ "metadata": { "name": "bystander", "namespace": "default" } }));
    settle(&api).await;
    assert_eq!(job(&api).status.unwrap().phase, Some(Phase::Succeeded));
    assert_eq!(api.names("pods"), ["bystander"]);
    assert!(api.names("configmaps").is_empty());
}

#[tokio::test]
async fn failures_in_a_row_wait_longer_and_longer() {
    let api = api();
    let operator = operator(&api);
    let job = job(&api);
    let waits: Vec<Requeue> = (0..3).map(|_| operator.failed(&job, &ClusterError::Silent)).collect();
    let ms = |ms| Requeue::requeue(std::time::Duration::from_millis(ms));
    assert_eq!(waits, [ms(200), ms(400), ms(800)]);
    operator.succeeded(&job);
    assert_eq!(operator.failed(&job, &ClusterError::Silent), ms(200));
}
