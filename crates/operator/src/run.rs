//! `firesteel-operator run`: elects a leader, then works until SIGTERM.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use firesteel_k8s::build::names;
use firesteel_k8s::{ScheduledSparkJob, SparkConnectServer, SparkJob};
use futures::{Stream, StreamExt};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::controller::{Action as Requeue, Config, Controller};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cluster::ClusterError;
use crate::context::Context;
use crate::job::{KnownPods, Watch};
use crate::leader::Candidate;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::{health, schedule, server};

/// How long work that has begun may take after a signal.
const GRACE: Duration = Duration::from_secs(20);

/// A look that failed, or the watch that asks for looks.
type Failed = kube::runtime::controller::Error<ClusterError, watcher::Error>;

/// An operator that cannot work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error("cannot find the cluster: {0}")]
    Client(#[from] Box<kube::Error>),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("the health service ended: {0}")]
    Health(std::io::Error),
    #[error("the lease is lost")]
    LeaseLost,
}

/// Runs until SIGTERM or Ctrl-C.
///
/// Errors: no cluster, no permission to listen; the Lease is lost, so that the process starts anew as a candidate.
pub(crate) async fn run(settings: Settings) -> Result<(), RunError> {
    let stop = CancellationToken::new();
    stop_on_signals(&stop)?;
    let client = Client::try_default().await.map_err(Box::new)?;
    let metrics = Arc::new(Metrics::default());
    let mut health = tokio::spawn(health::serve(settings.listen, Arc::clone(&metrics), stop.clone()));
    let work = lead_and_work(client, settings, metrics, &stop);
    tokio::select! {
        ended = work => ended,
        served = &mut health => match served {
            Ok(Err(error)) => Err(RunError::Health(error)),
            _ => Ok(()),
        },
    }
}

fn stop_on_signals(stop: &CancellationToken) -> Result<(), RunError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        stop.cancel();
    });
    Ok(())
}

async fn lead_and_work(
    client: Client,
    settings: Settings,
    metrics: Arc<Metrics>,
    stop: &CancellationToken,
) -> Result<(), RunError> {
    let candidate = settings
        .lease_namespace
        .as_deref()
        .map(|namespace| Candidate::new(client.clone(), namespace, &settings.lease_name, &settings.identity));
    if let Some(candidate) = &candidate
        && !candidate.lead(stop).await
    {
        return Ok(());
    }
    tracing::info!(identity = settings.identity, "working");
    metrics.set_leader(true);
    // The work ends before the lease is given back.
    let mut work = start(&client, settings, Arc::clone(&metrics), &stop.child_token());
    let Some(candidate) = candidate else {
        stop.cancelled().await;
        finish(&mut work).await;
        return Ok(());
    };
    let keep_stop = CancellationToken::new();
    let keep = candidate.keep(&keep_stop);
    tokio::pin!(keep);
    tokio::select! {
        () = &mut keep => {
            metrics.set_leader(false);
            work.abort_all();
            return Err(RunError::LeaseLost);
        }
        () = stop.cancelled() => finish(&mut work).await,
    }
    keep_stop.cancel();
    keep.await;
    Ok(())
}

async fn finish(work: &mut JoinSet<()>) {
    let all = async { while work.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all).await.is_err() {
        tracing::warn!("work that had begun is cut off");
        work.abort_all();
    }
}

/// Starts the controllers of each namespace, or of all at once.
fn start(client: &Client, settings: Settings, metrics: Arc<Metrics>, stop: &CancellationToken) -> JoinSet<()> {
    let namespaces: Vec<Option<String>> = match settings.namespaces.as_slice() {
        [] => vec![None],
        some => some.iter().cloned().map(Some).collect(),
    };
    let watches: Vec<Watch> = namespaces
        .iter()
        .map(|namespace| {
            let namespace = namespace.as_deref();
            Watch::new(api(client, namespace), selected(&settings), api(client, namespace))
        })
        .collect();
    let pods = KnownPods::new(watches.iter().map(Watch::pods).collect());
    let context = &Arc::new(Context::new(client.clone(), settings, metrics, pods));
    let mut work = JoinSet::new();
    for watch in watches {
        work.spawn(drain(watch.work(context, stop)));
    }
    for namespace in &namespaces {
        let namespace = namespace.as_deref();
        let of_servers = watcher::Config::default().labels(names::SERVER);
        let schedules = controller::<ScheduledSparkJob>(client, namespace, context)
            .owns(api::<SparkJob>(client, namespace), watcher::Config::default().labels(names::SCHEDULE));
        spawn(&mut work, schedules, context, stop, schedule::reconcile);
        let servers = controller::<SparkConnectServer>(client, namespace, context)
            .owns(api::<Deployment>(client, namespace), of_servers)
            .watches(api::<Pod>(client, namespace), connect_pods(), server_of);
        spawn(&mut work, servers, context, stop, server::reconcile);
    }
    work
}

fn connect_pods() -> watcher::Config {
    watcher::Config::default().labels(&format!("{},{}={}", names::SERVER, names::ROLE, names::CONNECT))
}

/// The server that a pod belongs to; a Deployment's pods have another owner.
fn server_of(pod: Pod) -> Option<ObjectRef<SparkConnectServer>> {
    let name = pod.metadata.labels?.remove(names::SERVER)?;
    Some(ObjectRef::new(&name).within(&pod.metadata.namespace?))
}

fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<Scope = NamespaceResourceScope>,
    K::DynamicType: Default,
{
    match namespace {
        None => Api::all(client.clone()),
        Some(namespace) => Api::namespaced(client.clone(), namespace),
    }
}

fn controller<K>(client: &Client, namespace: Option<&str>, context: &Arc<Context>) -> Controller<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + DeserializeOwned
        + Debug
        + Send
        + Sync
        + 'static,
{
    let watch = selected(&context.settings);
    // Unbounded unless said otherwise.
    let config = Config::default().concurrency(context.settings.concurrency.max(1));
    Controller::new(api(client, namespace), watch).with_config(config)
}

fn spawn<K, Work>(
    work: &mut JoinSet<()>,
    controller: Controller<K>,
    context: &Arc<Context>,
    stop: &CancellationToken,
    reconcile: fn(Arc<K>, Arc<Context>) -> Work,
) where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    Work: Future<Output = Result<Requeue, ClusterError>> + Send + 'static,
{
    let failed = |resource: Arc<K>, error: &ClusterError, context: Arc<Context>| context.failed(&*resource, error);
    let stream =
        controller.graceful_shutdown_on(stop.clone().cancelled_owned()).run(reconcile, failed, Arc::clone(context));
    work.spawn(drain(stream));
}

/// Works to the stream's end. A resource's own failure was told where it is handled; what is left are watches that fail
/// and start again.
async fn drain<K>(looks: impl Stream<Item = Result<(ObjectRef<K>, Requeue), Failed>>)
where
    K: Resource<DynamicType = ()>,
{
    looks
        .for_each(|outcome| async move {
            if let Err(error @ Failed::QueueError(_)) = outcome {
                tracing::warn!(%error, kind = %K::kind(&()), "a watch failed");
            }
        })
        .await;
}

/// The resources that this operator cares for.
fn selected(settings: &Settings) -> watcher::Config {
    match &settings.selector {
        Some(selector) => watcher::Config::default().labels(selector),
        None => watcher::Config::default(),
    }
}
