//! The stores of a process, made when first used.

use std::collections::HashMap;
use std::fmt;
use std::path::{Component, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::object_store::{ObjectStoreRegistry, ObjectStoreUrl};
use firesteel_model::{Result, SparkError};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use url::Url;

use super::location::Location;
use super::policy::ClientPolicy;
use super::s3::S3Connection;
use super::turns::CommitTurns;
use super::uploads::OpenUploads;
use crate::error::to_datafusion;

/// Finds the store of a URL and makes it when it is first used.
///
/// Guarantees: one client per bucket; no secret in `Debug` or errors. It is DataFusion's registry too, so that plans
/// decoded in an executor find their stores without registration.
pub struct StoreRegistry {
    connections: Vec<S3Connection>,
    policy: ClientPolicy,
    stores: Mutex<HashMap<String, Entry>>,
    turns: CommitTurns,
}

#[derive(Clone)]
struct Entry {
    store: Arc<dyn ObjectStore>,
    multipart: Option<Arc<dyn MultipartStore>>,
    uploads: Option<Arc<OpenUploads>>,
}

impl StoreRegistry {
    /// A registry of the local file system and of the buckets behind `connections`.
    pub fn new(connections: Vec<S3Connection>) -> Arc<Self> {
        Self::with_policy(connections, ClientPolicy::default())
    }

    /// The same with clients that wait and repeat as `policy` says.
    pub fn with_policy(connections: Vec<S3Connection>, policy: ClientPolicy) -> Arc<Self> {
        let local = Entry { store: Arc::new(LocalFileSystem::new()), multipart: None, uploads: None };
        let stores = Mutex::new(HashMap::from([("file://".to_owned(), local)]));
        Arc::new(Self { connections, policy, stores, turns: CommitTurns::default() })
    }

    /// Whoever holds its lock commits to this place; others of the application wait.
    pub(crate) fn commit_turn(&self, place: &Location) -> Arc<tokio::sync::Mutex<()>> {
        self.turns.at(format!("{}{}", place.url.as_str(), place.path))
    }

    /// Serves `url` (scheme and bucket) from a given store.
    pub fn register(&self, url: &Url, store: Arc<dyn ObjectStore>, multipart: Option<Arc<dyn MultipartStore>>) {
        self.lock().insert(store_key(url), Entry { store, multipart, uploads: None });
    }

    /// The store and path of what a user wrote; relative paths are taken from the working directory.
    ///
    /// Errors: `UNSUPPORTED_FEATURE` for a scheme without a store.
    pub fn resolve(&self, text: &str) -> Result<Location> {
        let Some((scheme, rest)) = split_scheme(text) else { return self.local(text) };
        match scheme.to_ascii_lowercase().as_str() {
            "file" | "local" => self.local(local_path(rest)),
            "s3" | "s3a" | "s3n" => self.remote("s3", rest, text),
            other => self.remote(other, rest, text),
        }
    }

    /// The same through a client of the caller's own that reports every failed request at once, for callers that repeat
    /// and slow down by themselves.
    pub fn resolve_unretried(&self, text: &str) -> Result<Location> {
        let shared = self.resolve(text)?;
        let url: &Url = shared.url.as_ref();
        if url.scheme() != "s3" {
            return Ok(shared);
        }
        let bucket = url.host_str().unwrap_or_default();
        let client = Arc::new(self.connection(bucket).client_unretried(bucket, &self.policy)?);
        Ok(Location { store: Arc::clone(&client) as _, multipart: Some(client), ..shared })
    }

    fn local(&self, text: &str) -> Result<Location> {
        let absolute = std::path::absolute(text).map_err(|e| {
            SparkError::new(&firesteel_model::error_class::PATH_NOT_FOUND).param("path", text).source(e)
        })?;
        let path = Path::from_absolute_path(normalise(&absolute)).map_err(|e| wrong_path(text, e))?;
        self.location(ObjectStoreUrl::local_filesystem(), path)
    }

    fn remote(&self, scheme: &str, rest: &str, text: &str) -> Result<Location> {
        let (bucket, key) =
            rest.trim_start_matches("//").split_once('/').unwrap_or((rest.trim_start_matches("//"), ""));
        let url = ObjectStoreUrl::parse(format!("{scheme}://{bucket}"))
            .map_err(|_| SparkError::unsupported(format!("the path {text}")))?;
        let parts = key.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        let path = Path::parse(parts).map_err(|e| wrong_path(text, e))?;
        self.location(url, path)
    }

    fn location(&self, url: ObjectStoreUrl, path: Path) -> Result<Location> {
        let entry = self.entry(url.as_ref())?;
        Ok(Location { url, store: entry.store, multipart: entry.multipart, uploads: entry.uploads, path })
    }

    /// The location of a path inside the store of `url`, as a plan names it.
    pub fn location_in(&self, url: &str, path: &str) -> Result<Location> {
        let url = ObjectStoreUrl::parse(url).map_err(|_| SparkError::unsupported(format!("the store {url}")))?;
        let path = Path::parse(path).map_err(|e| wrong_path(path, e))?;
        self.location(url, path)
    }

    fn entry(&self, url: &Url) -> Result<Entry> {
        let key = store_key(url);
        if let Some(entry) = self.lock().get(&key) {
            return Ok(entry.clone());
        }
        if url.scheme() != "s3" {
            return Err(SparkError::unsupported(format!("file paths that start with {}://", url.scheme())));
        }
        let bucket = url.host_str().unwrap_or_default();
        let (client, uploads) = self.connection(bucket).client(bucket, &self.policy)?;
        let (client, uploads) = (Arc::new(client), Some(Arc::new(uploads)));
        let entry = Entry { store: Arc::clone(&client) as _, multipart: Some(client), uploads };
        Ok(self.lock().entry(key).or_insert(entry).clone())
    }

    fn connection(&self, bucket: &str) -> S3Connection {
        let named = self.connections.iter().find(|c| c.buckets.iter().any(|b| b == bucket));
        let general = || self.connections.iter().find(|c| c.buckets.is_empty());
        named.or_else(general).cloned().unwrap_or_default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Entry>> {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for StoreRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreRegistry").field("connections", &self.connections).finish_non_exhaustive()
    }
}

impl ObjectStoreRegistry for StoreRegistry {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.lock().insert(store_key(url), Entry { store, multipart: None, uploads: None }).map(|old| old.store)
    }

    fn deregister_store(&self, url: &Url) -> DataFusionResult<Arc<dyn ObjectStore>> {
        let removed = self.lock().remove(&store_key(url)).map(|old| old.store);
        removed.ok_or_else(|| DataFusionError::Plan(format!("no store is registered for {url}")))
    }

    fn get_store(&self, url: &Url) -> DataFusionResult<Arc<dyn ObjectStore>> {
        Ok(self.entry(url).map_err(to_datafusion)?.store)
    }
}

fn store_key(url: &Url) -> String {
    format!("{}://{}", url.scheme(), &url[url::Position::BeforeHost..url::Position::AfterPort])
}

/// `scheme:rest`, if the text starts with a scheme.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    (is_scheme && rest.starts_with('/')).then_some((scheme, rest))
}

/// The path in `///x`, `//localhost/x` or `/x`.
fn local_path(rest: &str) -> &str {
    match rest.strip_prefix("//") {
        Some(after) => &after[after.find('/').unwrap_or(0)..],
        None => rest,
    }
}

/// Resolves `.` and `..` by name only, as Hadoop's paths do.
fn normalise(path: &std::path::Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                result.pop();
            }
            Component::CurDir => {}
            other => result.push(other),
        }
    }
    result
}

fn wrong_path(text: &str, error: object_store::path::Error) -> SparkError {
    SparkError::new(&firesteel_model::error_class::PATH_NOT_FOUND).param("path", text).source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_resolve() {
        let stores = StoreRegistry::new(Vec::new());
        for (text, shown) in [
            ("/a/b/../c", "file:/a/c"),
            ("file:/a b", "file:/a b"),
            ("file:///a", "file:/a"),
            ("file://localhost/a", "file:/a"),
            ("s3a://bucket/x//y/", "s3://bucket/x/y"),
            ("s3n://bucket", "s3://bucket/"),
        ] {
            assert_eq!(stores.resolve(text).expect(text).show(), shown);
        }
        let error = stores.resolve("hdfs://host/x").expect_err("no such store");
        assert_eq!(error.class().name, "UNSUPPORTED_FEATURE.FIRESTEEL");
    }

    #[test]
    fn secrets_stay_hidden() {
        let secret = || Some("hush".to_owned());
        let connection = S3Connection { access_key: secret(), secret_key: secret(), ..S3Connection::default() };
        let stores = StoreRegistry::new(vec![connection]);
        let location = stores.resolve("s3://bucket/x").expect("a location");
        assert!(!format!("{stores:?} {location:?} {:?}", location.store).contains("hush"));
    }
}
