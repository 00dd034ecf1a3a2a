//! What all sessions of an application share: the cluster, the stores, the catalog.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use firesteel_catalog::{Catalog, MetadataStore};
use firesteel_executor::{ClusterConfig, LocalCluster};
use firesteel_model::conf::ConfKey;
use firesteel_model::error_class::INVALID_CONF_VALUE_TYPE_MISMATCH;
use firesteel_model::runtime_conf::parse_bytes;
use firesteel_model::{Result, SparkError, conf};
use firesteel_sources::{S3Connection, StoreRegistry};

use crate::shuffle;

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
}

/// One application.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) cluster: Arc<LocalCluster>,
    pub(crate) stores: Arc<StoreRegistry>,
    pub(crate) catalog: Arc<Catalog>,
    /// The Python that runs functions unless a session says otherwise.
    pub(crate) python: PathBuf,
    /// Modules for functions, beside those that sessions bring.
    pub(crate) python_path: Vec<PathBuf>,
    /// Settings that new sessions start from.
    pub(crate) conf: BTreeMap<String, String>,
}

impl Application {
    /// Starts the cluster and opens the warehouse.
    pub(crate) fn start(config: EngineConfig) -> Result<Arc<Self>> {
        let mut settings = config.conf;
        let id = settings.entry(conf::APP_ID.name.to_owned()).or_insert_with(|| format!("local-{}", now_ms())).clone();
        let setting = |key: &ConfKey| {
            settings.get(key.name).cloned().or_else(|| key.default.map(str::to_owned)).unwrap_or_default()
        };
        let stores = StoreRegistry::new(config.connections);
        let mut cluster = ClusterConfig::from_master(&setting(&conf::MASTER))?;
        cluster.object_stores = Some(Arc::clone(&stores) as _);
        cluster.memory_bytes = memory_bytes(&settings)?;
        if let Some(folder) = settings.get(conf::LOCAL_DIR.name).and_then(|list| list.split(',').next()) {
            cluster.directory = Some(PathBuf::from(folder.trim()));
        }
        cluster.shuffle = shuffle::location(&stores, &settings, &id)?;
        let cluster = LocalCluster::start(cluster)?;
        let warehouse = stores.resolve(&setting(&conf::WAREHOUSE_DIR))?;
        let metadata = MetadataStore::new(Arc::clone(&warehouse.store), &warehouse.path);
        let catalog = Arc::new(Catalog::new(metadata, warehouse.show().trim_end_matches('/')));
        settings.entry("spark.default.parallelism".to_owned()).or_insert_with(|| cluster.slots().to_string());
        let (python, python_path) = (config.python, config.python_path);
        Ok(Arc::new(Self { cluster, stores, catalog, python, python_path, conf: settings }))
    }
}

/// What tasks in this process may take, if somebody said: the fraction that operators divide of an executor's memory,
/// or else of the driver's.
fn memory_bytes(settings: &BTreeMap<String, String>) -> Result<Option<u64>> {
    let Some((key, text)) =
        [&conf::EXECUTOR_MEMORY, &conf::DRIVER_MEMORY].into_iter().find_map(|key| Some((key, settings.get(key.name)?)))
    else {
        return Ok(None);
    };
    let wrong = |key: &ConfKey, text: &str, kind: &str| {
        SparkError::new(&INVALID_CONF_VALUE_TYPE_MISMATCH)
            .param("confName", key.name)
            .param("confValue", text)
            .param("confType", kind)
    };
    // A number alone counts MiB, as in Spark.
    let plain = text.trim().parse::<u64>().ok().and_then(|mib| mib.checked_mul(1 << 20));
    let total = plain.or_else(|| parse_bytes(text)).ok_or_else(|| wrong(key, text, "bytes"))?;
    let fraction = settings.get(conf::MEMORY_FRACTION.name).map_or("0.6", String::as_str);
    let percent =
        fraction.trim().parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share)).map(|share| share * 100.0);
    let percent = percent.ok_or_else(|| wrong(&conf::MEMORY_FRACTION, fraction, "a number from 0 to 1"))?;
    Ok(Some(total / 100 * percent as u64))
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
