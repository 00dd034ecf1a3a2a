//! Executors in other processes: what they learn of the application, and the process that learns it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use firesteel_engine::codec::PlanCodec;
use firesteel_executor::{ClusterConfig, FleetConfig, ProcessConfig, ProcessLauncher, ProcessParts};
use firesteel_model::runtime_conf::RuntimeConf;
use firesteel_model::{Result, SparkError, conf};
use firesteel_sources::{S3Connection, StoreRegistry};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::application::{local_folder, pool_bytes};
use crate::shuffle;

/// How long an executor on the same machine may take to come back.
const RECONNECT_GRACE: Duration = Duration::from_secs(10);

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
    let known = Known { id: id.to_owned(), connections: connections.to_vec(), conf: settings.clone() };
    let application = serde_json::to_vec(&known).map_err(|error| SparkError::internal("settings").source(error))?;
    let program = std::env::current_exe();
    let program = program.map_err(|error| SparkError::internal("where this program is, is not known").source(error))?;
    let mut cluster = ClusterConfig::of_processes(count, slots, &conf);
    cluster.fleet = Some(FleetConfig {
        slots,
        pool_bytes: pool_bytes(memory_bytes, settings)?,
        bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
        codec: Arc::new(codec()),
        application: application.into(),
        heartbeat_interval: Duration::from_millis(conf.time_ms(&conf::EXECUTOR_HEARTBEAT_INTERVAL).max(1)),
        reconnect_grace: RECONNECT_GRACE,
        launcher: Arc::new(ProcessLauncher { program, slots, memory_bytes }),
    });
    Ok(cluster)
}

/// Runs this process as an executor, as its environment says, until the driver ends it.
pub async fn run_executor() -> Result<()> {
    firesteel_executor::run_executor(ProcessConfig::from_environment()?, learn).await
}

fn learn(mut cluster: ClusterConfig, known: &[u8]) -> Result<ProcessParts> {
    let broken = |error| SparkError::internal("what the driver says of the application makes no sense").source(error);
    let Known { id, connections, conf } = serde_json::from_slice(known).map_err(broken)?;
    let stores = StoreRegistry::new(connections);
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
