//! Starting and stopping the server.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::service::Service;
use crate::store::Store;

/// How long requests may still take once the server is to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How long to wait when no connection can be accepted, as when all file descriptors are in use.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A running S3 server over a folder, on this machine only.
///
/// Dropping it stops it at once; [`EmbeddedS3::shutdown`] lets requests end first.
pub struct EmbeddedS3 {
    endpoint: String,
    access_key: String,
    secret_key: String,
    store: Arc<Store>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// Who is let in.
#[derive(Clone)]
pub struct Keys {
    /// The access key.
    pub access_key: String,
    /// The secret that goes with it.
    pub secret_key: String,
}

/// A server that cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedS3Error {
    /// The data folder cannot be made or written.
    #[error("cannot use {} as the data folder: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The address is taken.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A bucket cannot be made.
    #[error("cannot make the bucket {bucket}: {reason}")]
    Bucket {
        /// Its name.
        bucket: String,
        /// Why.
        reason: String,
    },
}

impl EmbeddedS3 {
    /// Serves `folder`, which is made if it is not there, on `port` of the loopback address, or on any free port if it
    /// is 0. The credentials are made up anew each time.
    pub async fn start(folder: &Path, port: u16) -> Result<Self, EmbeddedS3Error> {
        let access_key = format!("firesteel{}", &Uuid::new_v4().simple().to_string()[..11]);
        let secret_key = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        Self::start_at(folder, SocketAddr::from((Ipv4Addr::LOCALHOST, port)), Keys { access_key, secret_key }).await
    }

    /// As [`EmbeddedS3::start`], on any address and for given credentials.
    pub async fn start_at(folder: &Path, address: SocketAddr, keys: Keys) -> Result<Self, EmbeddedS3Error> {
        let store =
            Store::open(folder).map_err(|source| EmbeddedS3Error::Folder { folder: folder.to_owned(), source })?;
        let store = Arc::new(store);
        let bind = |source| EmbeddedS3Error::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let Keys { access_key, secret_key } = keys;
        let mut builder = S3ServiceBuilder::new(Service::new(store.clone()));
        builder.set_auth(SimpleAuth::from_single(access_key.as_str(), secret_key.as_str()));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, builder.build(), stopped));
        Ok(Self { endpoint: format!("http://{address}"), access_key, secret_key, store, stop: Some(stop), task })
    }

    /// The server's address, such as `http://127.0.0.1:40000`. Buckets are reached in the path, not in the host name.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The only access key that it lets in.
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// The secret that goes with the access key.
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }

    /// The data folder, as an absolute path.
    pub fn folder(&self) -> &Path {
        self.store.root()
    }

    /// Makes a bucket, unless it is there.
    pub fn create_bucket(&self, bucket: &str) -> Result<(), EmbeddedS3Error> {
        match self.store.create_bucket(bucket) {
            Err(error) if *error.code() == s3s::S3ErrorCode::BucketAlreadyOwnedByYou => Ok(()),
            Err(error) => Err(EmbeddedS3Error::Bucket {
                bucket: bucket.to_owned(),
                reason: error.message().unwrap_or_else(|| error.code().as_str()).to_owned(),
            }),
            Ok(()) => Ok(()),
        }
    }

    /// Lets requests end that are under way, for some seconds at most, and stops.
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            // Nobody listens if the task has ended by itself, and then there is nothing to stop.
            let _ = stop.send(());
        }
        if let Err(error) = (&mut self.task).await {
            tracing::warn!(%error, "the S3 server ended badly");
        }
    }
}

/// Without the secret.
impl std::fmt::Debug for EmbeddedS3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { endpoint, access_key, store, .. } = self;
        let mut text = f.debug_struct("EmbeddedS3");
        text.field("endpoint", endpoint).field("access_key", access_key).field("folder", &store.root()).finish()
    }
}

/// Left behind: requests under way break off; files on their way in go when the last of them has.
impl Drop for EmbeddedS3 {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, service: S3Service, mut stopped: oneshot::Receiver<()>) {
    let http = Builder::new(TokioExecutor::new());
    let connections = GracefulShutdown::new();
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let connection = http.serve_connection(TokioIo::new(stream), service.clone()).into_owned();
                    let connection = connections.watch(connection);
                    tasks.spawn(async move {
                        if let Err(error) = connection.await {
                            tracing::debug!(%error, "a connection broke off");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = tasks.join_next() => {}
            _ = &mut stopped => break,
        }
    }
    tokio::select! {
        () = connections.shutdown() => {}
        () = tokio::time::sleep(GRACE) => tracing::warn!("requests to the S3 server were broken off"),
    }
}
