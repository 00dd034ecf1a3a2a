//! What all sessions of an application share: the cluster, the stores, the catalog.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use firesteel_catalog::{Catalog, MetadataStore};
use firesteel_executor::{LocalCluster, Master, Packer, ProgressSink};
use firesteel_model::conf::ConfKey;
use firesteel_model::error_class::INVALID_CONF_VALUE_TYPE_MISMATCH;
use firesteel_model::runtime_conf::{RuntimeConf, parse_bytes};
use firesteel_model::{Result, SparkError, conf};
use firesteel_python::{PoolLimits, WorkerPool};
use firesteel_sources::{ClientPolicy, S3Connection, StoreRegistry};
use tempfile::TempDir;

use crate::cache::Caches;
use crate::executors::ExecutorLaunch;
use crate::{executors, shuffle};

/// Planning in Python is rare beside its functions; an idle process of each kind waits for the next.
const PLANNERS: PoolLimits = PoolLimits { busy_max: 64, idle_max: 2, daemons_max: 8 };

/// How an application is started.
#[derive(Clone, Debug, Default)]
pub struct EngineConfig {
    /// Where buckets are.
    pub connections: Vec<S3Connection>,
    /// `spark.*` settings.
    pub conf: BTreeMap<String, String>,
    /// The Python that runs functions.
    pub python: PathBuf,
    /// Modules for functions.
    pub python_path: Vec<PathBuf>,
    /// What starts executors, where `spark.master` is `k8s://`.
    pub launch: Option<ExecutorLaunch>,
    /// Nothing of the shuffle that lies in a store is thrown away, not even at the end.
    pub leaves_shuffle: bool,
    /// Hears of every job's progress.
    pub listener: Option<Arc<dyn ProgressSink>>,
}

/// One application.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) cluster: Arc<LocalCluster>,
    pub(crate) stores: Arc<StoreRegistry>,
    pub(crate) catalog: Arc<Catalog>,
    /// What sessions asked to be cached.
    pub(crate) caches: Caches,
    /// Sends files along with jobs, where executors do not see this machine's.
    pub(crate) packer: Option<Packer>,
    /// The Python that runs functions unless a session says otherwise.
    pub(crate) python: PathBuf,
    /// Modules for functions, beside those that sessions bring.
    pub(crate) python_path: Vec<PathBuf>,
    /// Settings that new sessions start from.
    pub(crate) conf: BTreeMap<String, String>,
    /// Processes in which the user's code decides on plans.
    pub(crate) planners: Arc<WorkerPool>,
    /// Goes after the cluster, whose executors use it.
    _scratch: Option<TempDir>,
}

impl Application {
    /// Starts the cluster and opens the warehouse.
    pub(crate) fn start(config: EngineConfig) -> Result<Arc<Self>> {
        let mut settings = config.conf;
        settings.iter().for_each(|(key, value)| conf::warn_if_without_effect(key, value));
        let id = settings.entry(conf::APP_ID.name.to_owned()).or_insert_with(|| format!("local-{}", now_ms())).clone();
        let connections = config.connections;
        let policy = ClientPolicy::of_conf(&RuntimeConf::new(settings.clone()));
        let stores = StoreRegistry::with_policy(connections.clone(), policy);
        let master = Master::parse(&value(&settings, &conf::MASTER))?;
        let packer = matches!(master, Master::Kubernetes).then(Packer::default);
        let (mut cluster, scratch) = match master {
            Master::Local(cluster) => (*cluster, None),
            Master::Processes { executors: count, cores, memory_bytes } => {
                let scratch = executors::shuffle_folder(&mut settings)?;
                (executors::processes(count, cores, memory_bytes, &id, &connections, &settings)?, scratch)
            }
            Master::Kubernetes => {
                let launch = config.launch.as_ref();
                let launch = launch.ok_or_else(|| SparkError::unsupported("spark.master k8s:// outside of a pod"))?;
                (executors::elsewhere(launch, &id, &connections, &settings)?, None)
            }
        };
        cluster.object_stores = Some(Arc::clone(&stores) as _);
        cluster.memory_bytes = memory_bytes(&settings, cluster.fleet.is_none())?;
        cluster.directory = local_folder(&settings);
        cluster.listener = config.listener;
        cluster.leaves_shuffle = config.leaves_shuffle;
        cluster.shuffle = shuffle::location(&stores, &settings, &id)?;
        let cluster = LocalCluster::start(cluster)?;
        let warehouse = stores.resolve(&value(&settings, &conf::WAREHOUSE_DIR))?;
        let metadata = MetadataStore::new(Arc::clone(&warehouse.store), &warehouse.path);
        let catalog = Arc::new(Catalog::new(metadata, warehouse.show().trim_end_matches('/')));
        settings.entry("spark.default.parallelism".to_owned()).or_insert_with(|| cluster.slots().to_string());
        let (python, python_path) = (config.python, config.python_path);
        let conf = settings;
        let planners = Arc::new(WorkerPool::new(PLANNERS, local_folder(&conf).as_deref())?);
        Ok(Arc::new(Self {
            cluster,
            stores,
            catalog,
            caches: Caches::default(),
            packer,
            python,
            python_path,
            conf,
            planners,
            _scratch: scratch,
        }))
    }
}

/// The first folder for scratch space, if somebody named one.
pub(crate) fn local_folder(settings: &BTreeMap<String, String>) -> Option<PathBuf> {
    let folder = settings.get(conf::LOCAL_DIR.name).and_then(|list| list.split(',').next())?;
    Some(PathBuf::from(folder.trim()))
}

/// What operators in this process may divide, if somebody said: a part of an executor's memory if tasks run here, or
/// else of the driver's.
fn memory_bytes(settings: &BTreeMap<String, String>, runs_tasks: bool) -> Result<Option<u64>> {
    let keys = [runs_tasks.then_some(&conf::EXECUTOR_MEMORY), Some(&conf::DRIVER_MEMORY)];
    let Some((key, text)) = keys.into_iter().flatten().find_map(|key| Some((key, settings.get(key.name)?))) else {
        return Ok(None);
    };
    pool_bytes(size(key, text)?, settings).map(Some)
}

/// A size; a number alone counts MiB, as in Spark.
pub(crate) fn size(key: &ConfKey, text: &str) -> Result<u64> {
    let plain = text.trim().parse::<u64>().ok().and_then(|mib| mib.checked_mul(1 << 20));
    plain.or_else(|| parse_bytes(text)).ok_or_else(|| wrong(key, text, "bytes"))
}

/// What the program itself takes: code, threads, connections, plans. It counts as no more than nine sixteenths.
const PROGRAM_BYTES: u64 = 72 << 20;

/// What operators, shuffle and cache divide of so much memory: a fraction of what the program itself leaves.
pub(crate) fn pool_bytes(total: u64, settings: &BTreeMap<String, String>) -> Result<u64> {
    let fraction = settings.get(conf::MEMORY_FRACTION.name).map_or("0.6", String::as_str);
    let percent =
        fraction.trim().parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share)).map(|share| share * 100.0);
    let percent = percent.ok_or_else(|| wrong(&conf::MEMORY_FRACTION, fraction, "a number from 0 to 1"))?;
    let left = total - PROGRAM_BYTES.min(total / 16 * 9);
    Ok(left / 100 * percent as u64)
}

fn wrong(key: &ConfKey, text: &str, kind: &str) -> SparkError {
    SparkError::new(&INVALID_CONF_VALUE_TYPE_MISMATCH)
        .param("confName", key.name)
        .param("confValue", text)
        .param("confType", kind)
}

/// The setting, or its default.
fn value(settings: &BTreeMap<String, String>, key: &conf::ConfKey) -> String {
    settings.get(key.name).cloned().or_else(|| key.default.map(str::to_owned)).unwrap_or_default()
}

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    now_us() / 1000
}

/// Microseconds since the epoch.
pub(crate) fn now_us() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
