//! The gRPC server: who may call, limits, start and end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use firesteel_model::runtime_conf::RuntimeConf;
use firesteel_model::{Result, SparkError, conf};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Status};

use crate::engine::Engine;
use crate::service::Service;
use crate::session::SessionManager;
use crate::wire::server::spark_connect_service_server::SparkConnectServiceServer;

const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// Calls at work and streams open on a connection at most.
const CALLS_PER_CONNECTION_MAX: usize = 1024;
/// How long calls may go on once the server is told to stop.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// What a message may hold besides an Arrow batch.
const MESSAGE_BYTES_MIN: usize = 1 << 20;

/// What a server needs.
pub struct ServerConfig {
    /// Who runs what clients ask.
    pub engine: Arc<dyn Engine>,
    /// The bearer token that every call must carry; `None` lets everybody in.
    pub token: Option<String>,
    /// The application's settings: limits and time-outs of the server itself.
    pub settings: Arc<RuntimeConf>,
    /// Where artifacts are kept; the system's temporary directory when absent.
    pub artifact_directory: Option<PathBuf>,
}

/// A server at work. Dropping it leaves the server running.
#[derive(Debug)]
pub struct ServerHandle {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
    sessions: Arc<SessionManager>,
}

impl ServerHandle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Counts the sessions that are open, as of each call.
    pub fn session_count(&self) -> impl Fn() -> usize + Send + Sync + 'static {
        let sessions = Arc::clone(&self.sessions);
        move || sessions.count()
    }

    /// Cancels what runs, closes all sessions and stops; calls get a short time to end.
    pub async fn shutdown(self) {
        self.stop.cancel();
        let abort = self.task.abort_handle();
        if tokio::time::timeout(SHUTDOWN_GRACE, self.task).await.is_err() {
            abort.abort();
        }
    }
}

/// Starts a server on a listener.
pub fn serve(listener: TcpListener, config: ServerConfig) -> Result<ServerHandle> {
    let address = listener
        .local_addr()
        .map_err(|error| SparkError::internal(format!("the listener has no address: {error}")).source(error))?;
    let message_bytes = usize::try_from(config.settings.bytes(&conf::CONNECT_GRPC_MAX_INBOUND_MESSAGE_SIZE));
    let message_bytes = message_bytes.unwrap_or(usize::MAX).max(MESSAGE_BYTES_MIN);
    let directory = config.artifact_directory.unwrap_or_else(std::env::temp_dir);
    let sessions = Arc::new(SessionManager::new(config.engine, config.settings.clone(), directory));
    let service = SparkConnectServiceServer::new(Service::new(sessions.clone()))
        .max_decoding_message_size(message_bytes)
        .max_encoding_message_size(usize::MAX);
    let service = InterceptedService::new(service, BearerCheck::new(config.token));

    let stop = CancellationToken::new();
    let task = tokio::spawn(run(service, listener, Arc::clone(&sessions), config.settings, stop.clone()));
    tracing::info!(%address, "Spark Connect is listening");
    Ok(ServerHandle { address, stop, task, sessions })
}

async fn run(
    service: InterceptedService<SparkConnectServiceServer<Service>, BearerCheck>,
    listener: TcpListener,
    sessions: Arc<SessionManager>,
    settings: Arc<RuntimeConf>,
    stop: CancellationToken,
) {
    let maintenance = tokio::spawn(maintain(sessions.clone(), settings, stop.clone()));
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let on_stop = {
        let (sessions, stop) = (sessions.clone(), stop.clone());
        async move {
            stop.cancelled().await;
            // Streams end once their operations are cancelled, and only then does the server stop.
            sessions.close_all().await;
        }
    };
    let served = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_concurrent_streams(u32::try_from(CALLS_PER_CONNECTION_MAX).ok())
        .concurrency_limit_per_connection(CALLS_PER_CONNECTION_MAX)
        .add_service(service)
        .serve_with_incoming_shutdown(incoming, on_stop)
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "Spark Connect broke down");
    }
    stop.cancel();
    sessions.close_all().await;
    if let Err(error) = maintenance.await {
        tracing::error!(%error, "looking after sessions broke down");
    }
}

/// Closes unused sessions and gives up operations without client, until told to stop.
async fn maintain(sessions: Arc<SessionManager>, settings: Arc<RuntimeConf>, stop: CancellationToken) {
    let of_operations = settings.time_ms(&conf::CONNECT_EXECUTE_MANAGER_MAINTENANCE_INTERVAL);
    let of_sessions = settings.time_ms(&conf::CONNECT_SESSION_MANAGER_MAINTENANCE_INTERVAL);
    let interval = Duration::from_millis(of_operations.min(of_sessions).max(10));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(interval) => sessions.maintain().await,
        }
    }
}

/// Lets in the calls that carry the token.
#[derive(Clone)]
struct BearerCheck {
    expected: Option<Arc<str>>,
}

impl BearerCheck {
    fn new(token: Option<String>) -> Self {
        Self { expected: token.map(|token| format!("Bearer {token}").into()) }
    }
}

impl Interceptor for BearerCheck {
    fn call(&mut self, request: Request<()>) -> std::result::Result<Request<()>, Status> {
        let Some(expected) = &self.expected else { return Ok(request) };
        let given = request.metadata().get("authorization").map(|value| value.as_bytes()).unwrap_or_default();
        // In constant time, so that answers do not tell how much of a guess was right.
        if bool::from(given.ct_eq(expected.as_bytes())) {
            Ok(request)
        } else {
            Err(Status::unauthenticated("the bearer token is missing or wrong"))
        }
    }
}
