//! A place in a store.

use std::fmt;
use std::sync::Arc;

use datafusion::execution::object_store::ObjectStoreUrl;
use object_store::ObjectStore;
use object_store::multipart::MultipartStore;
use object_store::path::Path;

use super::uploads::OpenUploads;

/// A path in a store, and the store.
#[derive(Clone)]
pub struct Location {
    /// Scheme and bucket, the store's key in DataFusion's registry.
    pub url: ObjectStoreUrl,
    /// The store.
    pub store: Arc<dyn ObjectStore>,
    /// The store's uploads that someone else than their owner can complete; `None` for local file systems.
    pub multipart: Option<Arc<dyn MultipartStore>>,
    /// The bucket's uploads that nobody may end any more; `None` for local file systems.
    pub(crate) uploads: Option<Arc<OpenUploads>>,
    /// The path inside the store.
    pub path: Path,
}

impl Location {
    /// Another path in the same store.
    pub fn at(&self, path: Path) -> Self {
        Self { path, ..self.clone() }
    }

    /// The path as Spark shows it: `s3://bucket/key`, `file:/x`.
    pub fn show(&self) -> String {
        shown(self.url.as_str(), &self.path)
    }
}

/// A path in the store of `url` as Spark shows it.
pub(crate) fn shown(url: &str, path: &Path) -> String {
    format!("{}/{path}", url.trim_end_matches('/'))
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.show())
    }
}
