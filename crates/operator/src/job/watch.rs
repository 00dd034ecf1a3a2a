//! Watches of jobs and of their drivers' pods, which stay in memory without what no decision needs.

use std::pin::Pin;
use std::sync::Arc;

use firesteel_k8s::SparkJob;
use firesteel_k8s::build::names;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use k8s_openapi::api::core::v1::{Pod, PodSpec};
use kube::runtime::controller::{self, Action as Requeue, ReconcileRequest, trigger_owners, trigger_self};
use kube::runtime::reflector::{ObjectRef, Store, store};
use kube::runtime::{WatchStreamExt, applier, watcher};
use kube::{Api, ResourceExt};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::cluster::ClusterError;
use crate::context::Context;

use super::reconcile;

/// What `kubectl apply` writes down of an object: the object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The watches of one namespace, or of all.
pub(crate) struct Watch {
    changes: BoxStream<'static, Result<ReconcileRequest<SparkJob>, watcher::Error>>,
    jobs: Store<SparkJob>,
    pods: Store<Pod>,
}

impl Watch {
    /// Watches once it is worked on.
    pub(crate) fn new(jobs: Api<SparkJob>, of_jobs: watcher::Config, pods: Api<Pod>) -> Self {
        // Executors are their driver's business, and there may be many.
        let drivers = format!("{},{}!={}", names::JOB_UID, names::ROLE, names::EXECUTOR);
        let of_pods = watcher::Config::default().labels(&drivers);
        let (known_jobs, writer) = store();
        let jobs = watcher(jobs, of_jobs).modify(strip_job).reflect(writer).default_backoff().applied_objects();
        let (known_pods, writer) = store();
        let pods = watcher(pods, of_pods).modify(strip_pod).reflect(writer).default_backoff().touched_objects();
        let changes = stream::select(trigger_self(jobs, ()), trigger_owners(pods, (), ())).boxed();
        Self { changes, jobs: known_jobs, pods: known_pods }
    }

    /// The drivers' pods that this watch knows.
    pub(crate) fn pods(&self) -> Store<Pod> {
        self.pods.clone()
    }

    /// Brings jobs further until `stop`.
    pub(crate) fn work(
        self,
        context: &Arc<Context>,
        stop: &CancellationToken,
    ) -> impl Stream<Item = Result<(ObjectRef<SparkJob>, Requeue), controller::Error<ClusterError, watcher::Error>>> + use<>
    {
        let failed = |job: Arc<SparkJob>, error: &ClusterError, context: Arc<Context>| context.failed(&*job, error);
        // Without a limit of its own, which would let any of those go first that wait: see `in_turn`.
        let config = controller::Config::default();
        let changes = self.changes.take_until(stop.clone().cancelled_owned());
        let jobs = self.jobs.clone();
        let work = move |job, context| spawned(in_turn(jobs.clone(), job, context));
        applier(work, failed, Arc::clone(context), self.jobs, changes, config)
    }
}

/// Looks at a job when it is its turn, as the job is then.
async fn in_turn(jobs: Store<SparkJob>, job: Arc<SparkJob>, context: Arc<Context>) -> Result<Requeue, ClusterError> {
    let turn = context.turns.acquire().await;
    let job = jobs.get(&ObjectRef::from_obj(&*job)).unwrap_or(job);
    let outcome = reconcile(job, Arc::clone(&context)).await;
    drop(turn);
    outcome
}

/// A look as a task of its own, so that several are at work at the same time. It ends with whoever waits.
fn spawned(
    look: impl Future<Output = Result<Requeue, ClusterError>> + Send + 'static,
) -> Pin<Box<dyn Future<Output = Result<Requeue, ClusterError>> + Send>> {
    let task = AbortOnDropHandle::new(tokio::spawn(look));
    Box::pin(async move { task.await.unwrap_or(Err(ClusterError::CutOff)) })
}

fn strip_job(job: &mut SparkJob) {
    job.metadata.managed_fields = None;
    job.annotations_mut().remove(LAST_APPLIED);
}

fn strip_pod(pod: &mut Pod) {
    pod.metadata.managed_fields = None;
    let node_name = pod.spec.take().and_then(|spec| spec.node_name);
    pod.spec = Some(PodSpec { node_name, ..PodSpec::default() });
}

/// The drivers' pods as the watches know them, perhaps a moment late.
#[derive(Default)]
pub(crate) struct KnownPods(Vec<Store<Pod>>);

impl KnownPods {
    pub(crate) fn new(stores: Vec<Store<Pod>>) -> Self {
        Self(stores)
    }

    /// Whether there is a watch at all.
    pub(crate) fn is_kept(&self) -> bool {
        !self.0.is_empty()
    }

    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<Arc<Pod>> {
        let key = ObjectRef::new(name).within(namespace);
        self.0.iter().find_map(|pods| pods.get(&key))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::driver;
    use super::*;

    #[test]
    fn a_pod_without_what_is_stripped_reads_the_same() {
        let mut pod: Pod = serde_json::from_value(json!({
            "metadata": {
                "name": "sales-1-driver", "uid": "p", "managedFields": [{ "manager": "x" }],
                "labels": { "firesteel.dev/attempt": "1" },
                "annotations": { "firesteel.dev/sizing": "{}" },
                "ownerReferences": [{ "apiVersion": "v", "kind": "SparkJob", "name": "sales", "uid": "u" }],
            },
            "spec": { "nodeName": "n", "containers": [{ "name": "spark", "command": ["a"] }] },
            "status": { "phase": "Running", "containerStatuses": [{ "name": "spark", "image": "", "imageID": "",
                "ready": true, "restartCount": 0, "state": { "running": {} } }] },
        }))
        .unwrap();
        let before = driver::read(&pod, "u", 1);
        strip_pod(&mut pod);
        assert_eq!(driver::read(&pod, "u", 1), before);
        assert!(pod.metadata.managed_fields.is_none() && pod.spec.unwrap().containers.is_empty());
    }
}
