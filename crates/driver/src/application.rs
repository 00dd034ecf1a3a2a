//! What all sessions of an application share: the cluster, the stores, the catalog.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use firesteel_catalog::{Catalog, MetadataStore};
use firesteel_executor::{ClusterConfig, LocalCluster};
use firesteel_model::{Result, conf};
use firesteel_sources::{S3Connection, StoreRegistry};

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
    /// Settings that new sessions start from.
    pub(crate) conf: BTreeMap<String, String>,
}

impl Application {
    /// Starts the cluster and opens the warehouse.
    pub(crate) fn start(config: EngineConfig) -> Result<Arc<Self>> {
        let setting = |key: &conf::ConfKey| {
            config.conf.get(key.name).cloned().or_else(|| key.default.map(str::to_owned)).unwrap_or_default()
        };
        let stores = StoreRegistry::new(config.connections);
        let mut cluster = ClusterConfig::from_master(&setting(&conf::MASTER))?;
        cluster.object_stores = Some(Arc::clone(&stores) as _);
        let cluster = LocalCluster::start(cluster)?;
        let warehouse = stores.resolve(&setting(&conf::WAREHOUSE_DIR))?;
        let metadata = MetadataStore::new(Arc::clone(&warehouse.store), &warehouse.path);
        let catalog = Arc::new(Catalog::new(metadata, warehouse.show().trim_end_matches('/')));
        let mut conf = config.conf;
        conf.entry("spark.default.parallelism".to_owned()).or_insert_with(|| cluster.slots().to_string());
        conf.entry("spark.app.id".to_owned()).or_insert_with(|| format!("local-{}", now_ms()));
        Ok(Arc::new(Self { cluster, stores, catalog, conf }))
    }
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
