//! A node that runs nothing: its pods are bound, say that they run, and some time later that they have ended well.

use std::sync::Arc;
use std::time::Duration;

use firesteel_k8s::build::{names, pod::CONTAINER};
use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{Patch, PatchParams, PostParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use crate::Failure;
use crate::clock::Clock;

/// The node, and the scheduler that its pods name, so that no real one takes them.
pub(crate) const NODE: &str = "firesteel-bench";
const LEASE_PERIOD: Duration = Duration::from_secs(4);

/// Plays the node, for ever.
pub(crate) async fn run(client: Client, namespace: String, clock: Arc<Clock>, run: Duration) -> Result<(), Failure> {
    register(&client).await?;
    let beat = heartbeat(client.clone());
    let pods = serve_pods(client, &namespace, clock, run);
    tokio::try_join!(beat, pods).map(|_| ())
}

async fn register(client: &Client) -> Result<(), Failure> {
    let nodes = Api::<Node>::all(client.clone());
    let node = json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": { "name": NODE },
        "spec": { "taints": [{ "key": "firesteel.dev/bench", "effect": "NoSchedule" }] },
    });
    let parameters = PatchParams::apply(NODE).force();
    nodes.patch(NODE, &parameters, &Patch::Apply(&node)).await?;
    let now = Timestamp::now().to_string();
    let ready = json!({ "type": "Ready", "status": "True", "reason": "Bench", "message": "it runs nothing",
        "lastHeartbeatTime": now, "lastTransitionTime": now });
    let status = json!({ "status": { "conditions": [ready], "capacity": { "pods": "100000" } } });
    nodes.patch_status(NODE, &PatchParams::default(), &Patch::Merge(status)).await?;
    Ok(())
}

/// Without it, the cluster would take the pods away.
async fn heartbeat(client: Client) -> Result<(), Failure> {
    let leases = Api::<Lease>::namespaced(client, "kube-node-lease");
    loop {
        // The API wants six digits of the second.
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": { "name": NODE },
            "spec": { "holderIdentity": NODE, "leaseDurationSeconds": 40, "renewTime": now },
        });
        leases.patch(NODE, &PatchParams::apply(NODE).force(), &Patch::Apply(&lease)).await?;
        tokio::time::sleep(LEASE_PERIOD).await;
    }
}

async fn serve_pods(client: Client, namespace: &str, clock: Arc<Clock>, run: Duration) -> Result<(), Failure> {
    let pods = Api::<Pod>::namespaced(client, namespace);
    let drivers = watcher::Config::default().labels(&format!("{}={}", names::ROLE, names::DRIVER));
    let mut watch = watcher::watcher(pods.clone(), drivers).default_backoff().boxed();
    while let Some(event) = watch.next().await {
        let (Event::Apply(pod) | Event::InitApply(pod)) = event? else { continue };
        if pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some()) {
            continue;
        }
        clock.launched(pod.labels().get(names::JOB).map(String::as_str).unwrap_or_default());
        let pods = pods.clone();
        tokio::spawn(async move { live(&pods, &pod.name_any(), run).await });
    }
    Ok(())
}

/// The life of a pod. One that is deleted meanwhile ends early, which the job's end shows.
async fn live(pods: &Api<Pod>, name: &str, run: Duration) -> Result<(), kube::Error> {
    let binding = json!({
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": { "name": name },
        "target": { "apiVersion": "v1", "kind": "Node", "name": NODE },
    });
    let _: Status = pods.create_subresource("binding", name, &PostParams::default(), &binding).await?;
    let started = Timestamp::now().to_string();
    state(pods, name, "Running", json!({ "running": { "startedAt": started } })).await?;
    tokio::time::sleep(run).await;
    let ended = json!({ "exitCode": 0, "startedAt": started, "finishedAt": Timestamp::now().to_string() });
    state(pods, name, "Succeeded", json!({ "terminated": ended })).await
}

async fn state(pods: &Api<Pod>, name: &str, phase: &str, state: Value) -> Result<(), kube::Error> {
    let container = json!({ "name": CONTAINER, "image": "none", "imageID": "none", "restartCount": 0,
        "ready": phase == "Running", "state": state });
    let status = json!({ "status": { "phase": phase, "containerStatuses": [container] } });
    pods.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await.map(|_| ())
}
