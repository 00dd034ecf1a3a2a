//! Where the application's shuffle lies: `spark.firesteel.shuffle.url`.

use std::collections::BTreeMap;

use firesteel_model::runtime_conf::RuntimeConf;
use firesteel_model::{Result, conf};
use firesteel_shuffle::{Compression, ObjectLocation, RequestPolicy};
use firesteel_sources::{ClientPolicy, StoreRegistry};

/// The bucket or folder that the settings name; none for memory and local files.
pub(crate) fn location(
    stores: &StoreRegistry,
    settings: &BTreeMap<String, String>,
    application: &str,
) -> Result<Option<ObjectLocation>> {
    let Some(url) = settings.get(conf::SHUFFLE_URL.name).filter(|url| !url.trim().is_empty()) else { return Ok(None) };
    let place = stores.resolve_unretried(url.trim())?;
    let compression = match place.url.as_str().starts_with("file:") {
        true => Compression::Lz4,
        false => Compression::Zstd,
    };
    Ok(Some(ObjectLocation {
        store: place.store,
        multipart: place.multipart,
        prefix: place.path,
        namespace: settings.get(conf::KUBERNETES_NAMESPACE.name).cloned().unwrap_or_else(|| "default".to_owned()),
        application: application.to_owned(),
        compression,
        policy: policy(settings),
    }))
}

/// The shuffle's own bounds, unless requests are to take less.
fn policy(settings: &BTreeMap<String, String>) -> RequestPolicy {
    let usual = RequestPolicy::default();
    let wanted = ClientPolicy::of_conf(&RuntimeConf::new(settings.clone()));
    RequestPolicy { timeout: usual.timeout.min(wanted.request_timeout), ..usual }
}
