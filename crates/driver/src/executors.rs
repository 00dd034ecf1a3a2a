//! Executors in other processes: what they learn of the application, and the process that learns it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firesteel_engine::codec::PlanCodec;
use firesteel_executor::{ClusterConfig, FleetConfig, LauncherFactory, ProcessConfig, ProcessLauncher, ProcessParts};
use firesteel_model::runtime_conf::RuntimeConf;
use firesteel_model::{Result, SparkError, conf};
use firesteel_sources::{ClientPolicy, S3Connection, StoreRegistry};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::application::{local_folder, pool_bytes, size};
use crate::shuffle;

/// How long an executor on the same machine may take to come back.
const RECONNECT_GRACE: Duration = Duration::from_secs(10);

/// The same in a cluster: the API mostly knows sooner that a pod is gone, and why.
const POD_RECONNECT_GRACE: Duration = Duration::from_secs(30);

/// What starts executors where they are no processes of this machine.
#[derive(Clone, Debug)]
pub struct ExecutorLaunch {
    /// Starts them.
    pub launcher: Arc<dyn LauncherFactory>,
    /// Address of this process on which they reach it.
    pub bind: IpAddr,
    /// How long a job waits for one.
    pub patience: Duration,
    /// How many may end by their own fault before jobs fail.
    pub faults_max: Option<u32>,
}

/// An application as its executors know it. Secrets are in it, so it travels only to executors that have shown their
/// certificate.
#[derive(Serialize, Deserialize)]
struct Known {
    id: String,
    connections: Vec<S3Connection>,
    conf: BTreeMap<String, String>,
}

/// Executors as processes of this program on this machine.
pub(crate) fn processes(
    count: u32,
    cores: u32,
    memory_bytes: u64,
    id: &str,
    connections: &[S3Connection],
    settings: &BTreeMap<String, String>,
) -> Result<ClusterConfig> {
    let conf = RuntimeConf::new(settings.clone());
    let cores_of_task = u32::try_from(conf.int(&conf::TASK_CPUS)).unwrap_or(1).max(1);
    let slots = (cores / cores_of_task).max(1);
    let program = std::env::current_exe();
    let program = program.map_err(|error| SparkError::internal("where this program is, is not known").source(error))?;
    let mut cluster = ClusterConfig::of_processes(count, slots, &conf);
    cluster.fleet = Some(FleetConfig {
        slots,
        pool_bytes: pool_bytes(memory_bytes, settings)?,
        bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
        codec: Arc::new(codec()),
        application: known(id, connections, settings)?,
        heartbeat_interval: heartbeat_interval(&conf),
        reconnect_grace: RECONNECT_GRACE,
        faults_max: None,
        launcher: Arc::new(ProcessLauncher { program, memory_bytes }),
    });
    Ok(cluster)
}

/// Executors that somebody else starts, as many and as large as the settings say.
pub(crate) fn elsewhere(
    launch: &ExecutorLaunch,
    id: &str,
    connections: &[S3Connection],
    settings: &BTreeMap<String, String>,
) -> Result<ClusterConfig> {
    if settings.get(conf::SHUFFLE_URL.name).is_none_or(|url| url.trim().is_empty()) {
        let feature = format!("executors elsewhere without {}, which they share", conf::SHUFFLE_URL.name);
        return Err(SparkError::unsupported(feature));
    }
    let conf = RuntimeConf::new(settings.clone());
    let mut cluster = ClusterConfig::of_conf(&conf, launch.patience);
    let memory_bytes = size(&conf::EXECUTOR_MEMORY, &conf.text(&conf::EXECUTOR_MEMORY))?;
    cluster.fleet = Some(FleetConfig {
        slots: cluster.scheduler.allocation.slots_per_executor,
        pool_bytes: pool_bytes(memory_bytes, settings)?,
        bind: launch.bind,
        codec: Arc::new(codec()),
        application: known(id, connections, settings)?,
        heartbeat_interval: heartbeat_interval(&conf),
        reconnect_grace: POD_RECONNECT_GRACE,
        faults_max: launch.faults_max,
        launcher: Arc::clone(&launch.launcher),
    });
    Ok(cluster)
}

fn known(id: &str, connections: &[S3Connection], settings: &BTreeMap<String, String>) -> Result<Bytes> {
    let known = Known { id: id.to_owned(), connections: connections.to_vec(), conf: settings.clone() };
    let text = serde_json::to_vec(&known).map_err(|error| SparkError::internal("settings").source(error))?;
    Ok(text.into())
}

fn heartbeat_interval(conf: &RuntimeConf) -> Duration {
    Duration::from_millis(conf.time_ms(&conf::EXECUTOR_HEARTBEAT_INTERVAL).max(1))
}

/// Runs this process as an executor, as its environment says, until the driver ends it.
pub async fn run_executor() -> Result<()> {
    firesteel_executor::end_when_exhausted();
    firesteel_executor::run_executor(ProcessConfig::from_environment()?, learn).await
}

fn learn(mut cluster: ClusterConfig, known: &[u8]) -> Result<ProcessParts> {
    let broken = |error| SparkError::internal("what the driver says of the application makes no sense").source(error);
    let Known { id, connections, conf } = serde_json::from_slice(known).map_err(broken)?;
    let policy = ClientPolicy::of_conf(&RuntimeConf::new(conf.clone()));
    let stores = StoreRegistry::with_policy(connections, policy);
    cluster.object_stores = Some(Arc::clone(&stores) as _);
    cluster.shuffle = shuffle::location(&stores, &conf, &id)?;
    cluster.memory_bytes = cluster.memory_bytes.map(|bytes| pool_bytes(bytes, &conf)).transpose()?;
    let extend = Arc::new(move |config: datafusion::prelude::SessionConfig| config.with_extension(Arc::clone(&stores)));
    Ok(ProcessParts { codec: Arc::new(codec()), cluster, extend })
}

/// Knows the nodes of every crate that has some.
fn codec() -> PlanCodec {
    PlanCodec::new(firesteel_sources::node_codecs())
}

/// A folder for the shuffle of executors on one machine, where the settings name no place; it goes with the value.
pub(crate) fn shuffle_folder(settings: &mut BTreeMap<String, String>) -> Result<Option<TempDir>> {
    if settings.get(conf::SHUFFLE_URL.name).is_some_and(|url| !url.trim().is_empty()) {
        return Ok(None);
    }
    let folder = match local_folder(settings) {
        Some(parent) => TempDir::with_prefix_in("firesteel-shuffle-", parent),
        None => TempDir::with_prefix("firesteel-shuffle-"),
    };
    let folder = folder.map_err(|error| SparkError::internal("no folder for the shuffle").source(error))?;
    settings.insert(conf::SHUFFLE_URL.name.to_owned(), format!("file://{}", folder.path().display()));
    Ok(Some(folder))
}
