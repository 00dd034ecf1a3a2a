//! The object stores that the same tests run against.

use std::sync::Arc;

use firesteel_s3::EmbeddedS3;
use firesteel_shuffle::{Compression, FixedBudget, ObjectLocation, ObjectShuffleStore, RequestPolicy};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use tempfile::TempDir;
use tokio::runtime::Handle;

/// A bucket, and whatever must live as long as it.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) multipart: Option<Arc<dyn MultipartStore>>,
    pub(crate) folder: TempDir,
    _server: Option<EmbeddedS3>,
}

impl Place {
    pub(crate) fn memory() -> Self {
        let store = Arc::new(InMemory::new());
        let multipart = Arc::clone(&store) as _;
        Self { name: "memory", store, multipart: Some(multipart), folder: tempfile::tempdir().unwrap(), _server: None }
    }

    pub(crate) fn files() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("objects")).unwrap();
        let store = LocalFileSystem::new_with_prefix(folder.path().join("objects")).unwrap();
        Self { name: "files", store: Arc::new(store), multipart: None, folder, _server: None }
    }

    pub(crate) async fn embedded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("s3")).unwrap();
        let server = EmbeddedS3::start(&folder.path().join("s3"), 0).await.unwrap();
        server.create_bucket("shuffle").unwrap();
        let builder = AmazonS3Builder::new()
            .with_endpoint(server.endpoint())
            .with_access_key_id(server.access_key())
            .with_secret_access_key(server.secret_key())
            .with_bucket_name("shuffle");
        Self::s3("embedded S3", builder, folder, Some(server))
    }

    /// The bucket that the environment names: `FIRESTEEL_TEST_S3_ENDPOINT`, `_BUCKET`, and Amazon's variables for keys.
    pub(crate) fn environment() -> Option<Self> {
        let endpoint = std::env::var("FIRESTEEL_TEST_S3_ENDPOINT").ok()?;
        let bucket = std::env::var("FIRESTEEL_TEST_S3_BUCKET").unwrap_or_else(|_| "firesteel-test".to_owned());
        let builder = AmazonS3Builder::from_env().with_endpoint(endpoint).with_bucket_name(bucket);
        Some(Self::s3("environment's S3", builder, tempfile::tempdir().unwrap(), None))
    }

    fn s3(name: &'static str, builder: AmazonS3Builder, folder: TempDir, server: Option<EmbeddedS3>) -> Self {
        let unretried = RetryConfig { max_retries: 0, ..RetryConfig::default() };
        let builder = builder.with_client_options(ClientOptions::new().with_allow_http(true)).with_retry(unretried);
        let client: Arc<AmazonS3> = Arc::new(builder.with_region("us-east-1").build().unwrap());
        let multipart = Arc::clone(&client) as _;
        Self { name, store: client, multipart: Some(multipart), folder, _server: server }
    }

    pub(crate) async fn all() -> Vec<Self> {
        let mut places = vec![Self::memory(), Self::files(), Self::embedded().await];
        places.extend(Self::environment());
        places
    }

    pub(crate) fn location(&self) -> ObjectLocation {
        ObjectLocation {
            store: Arc::clone(&self.store),
            multipart: self.multipart.clone(),
            prefix: Path::from("some/prefix"),
            namespace: "tests".to_owned(),
            application: format!("app-{:016x}", rand::random::<u64>()),
            compression: Compression::Zstd,
            policy: RequestPolicy::default(),
        }
    }

    /// A shuffle in it that may hold so many bytes in memory.
    pub(crate) fn shuffle(&self, memory: u64) -> ObjectShuffleStore {
        self.shuffle_at(self.location(), memory)
    }

    pub(crate) fn shuffle_at(&self, location: ObjectLocation, memory: u64) -> ObjectShuffleStore {
        let budget = Arc::new(FixedBudget::new(memory));
        ObjectShuffleStore::new(location, self.folder.path(), budget, 2, u64::MAX, Handle::current())
    }
}
