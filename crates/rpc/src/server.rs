//! The driver's side.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use firesteel_model::SparkError;
use firesteel_model::ids::ExecutorId;
use futures::{Stream, StreamExt, stream};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};
use tracing::{debug, warn};

use crate::convert;
use crate::credentials::Credentials;
use crate::error::RpcError;
use crate::message::{BlobHash, Hello, Order, Report, ResultHeader, Welcome};
use crate::wire::service::driver_server;
use crate::wire::{self, ExecutorMessage, ResultMessage};

/// An executor that connects says Hello at once.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// Orders that may wait for one executor. One that does not take them is not there.
const ORDERS_MAX: usize = 8192;

/// Orders sent in one message.
const ORDERS_PER_MESSAGE: usize = 512;

const CHUNK_BYTES: usize = 1 << 20;

/// A batch of rows whose single row is very large still has to pass.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1 << 30;

/// What may be under way before it is taken: of one result, and of all over a connection.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 4 << 20;
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 32 << 20;

/// Silence after which the other side is asked whether it is there, and how long it may take to answer.
pub(crate) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// What a driver does with what executors say.
#[async_trait]
pub trait DriverHandler: Send + Sync + 'static {
    /// An executor is there, for the first time or again; orders for it go through `orders` from now on.
    async fn registered(&self, hello: Hello, orders: Orders) -> Result<Welcome, RpcError>;

    /// An executor tells something, if only that it lives.
    async fn reported(&self, executor: ExecutorId, report: Report);

    /// The connection of this number is gone; the executor may come back with another.
    async fn disconnected(&self, executor: ExecutorId, connection: u64);

    /// Bytes that executors ask for by name.
    fn blob(&self, hash: BlobHash) -> Option<Bytes>;

    /// Takes the rows of a result; gives the record under which they are kept.
    async fn result(&self, header: ResultHeader, rows: ResultReceiver) -> Result<Bytes, SparkError>;
}

/// The way to one executor.
#[derive(Clone, Debug)]
pub struct Orders {
    connection: u64,
    queue: mpsc::Sender<Outgoing>,
}

#[derive(Debug)]
enum Outgoing {
    Order(Order),
    Acknowledge(u64),
}

impl Orders {
    /// Tells connections of one executor apart.
    pub fn connection(&self) -> u64 {
        self.connection
    }

    /// Sends without waiting.
    pub fn send(&self, order: Order) -> Result<(), Undelivered> {
        self.queue.try_send(Outgoing::Order(order)).map_err(|error| match error {
            TrySendError::Closed(_) => Undelivered::Away,
            TrySendError::Full(_) => Undelivered::Full,
        })
    }
}

/// Why an order cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// The connection is gone; the executor may come back with another, or be lost.
    Away,
    /// The executor takes nothing.
    Full,
}

/// The rows of a result as they come.
pub struct ResultReceiver {
    parts: Streaming<wire::ResultPart>,
    complete: bool,
}

impl ResultReceiver {
    /// More rows and their partition; none after the last.
    ///
    /// Errors: the sender broke off.
    pub async fn next(&mut self) -> Result<Option<(u32, Bytes)>, RpcError> {
        if self.complete {
            return Ok(None);
        }
        let part = self.parts.message().await?.and_then(|part| part.message);
        match part {
            Some(ResultMessage::Rows(rows)) if rows.last => {
                self.complete = true;
                Ok(None)
            }
            Some(ResultMessage::Rows(rows)) => Ok(Some((rows.partition, rows.rows))),
            Some(ResultMessage::Header(_)) => Err(RpcError::Malformed("rows")),
            None => Err(RpcError::Gone("the sender of a result".to_owned())),
        }
    }
}

impl fmt::Debug for ResultReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResultReceiver").finish_non_exhaustive()
    }
}

/// Listens for executors. Dropping it closes all connections.
#[derive(Debug)]
pub struct DriverServer {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl DriverServer {
    /// Serves executors that connect to the listener.
    ///
    /// Assumptions: it is called in a tokio runtime, on which it then runs.
    pub fn start(
        listener: std::net::TcpListener,
        credentials: Credentials,
        handler: Arc<dyn DriverHandler>,
    ) -> Result<Self, RpcError> {
        listener.set_nonblocking(true).map_err(RpcError::Listen)?;
        let listener = TcpListener::from_std(listener).map_err(RpcError::Listen)?;
        let address = listener.local_addr().map_err(RpcError::Listen)?;
        let stop = CancellationToken::new();
        let service = Service { handler, connections: AtomicU64::new(0), stop: stop.clone() };
        let service = driver_server::DriverServer::new(service)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        let tls = credentials.server_tls();
        let admit = move |request: Request<()>| {
            let given = request.metadata().get("authorization").map(|value| value.as_bytes());
            match credentials.admits(given) {
                true => Ok(request),
                false => Err(Status::unauthenticated("wrong token")),
            }
        };
        let router = Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
            .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
            .tcp_nodelay(true)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .tls_config(tls)?
            .add_service(InterceptedService::new(service, admit));
        let stopped = stop.clone();
        let serving = tokio::spawn(async move {
            let incoming = TcpListenerStream::new(listener);
            let served = router.serve_with_incoming_shutdown(incoming, stopped.cancelled_owned()).await;
            if let Err(error) = served {
                warn!(%error, "the server for executors ended");
            }
        });
        Ok(Self { address, stop, serving })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for DriverServer {
    fn drop(&mut self) {
        self.stop.cancel();
        self.serving.abort();
    }
}

struct Service {
    handler: Arc<dyn DriverHandler>,
    connections: AtomicU64,
    stop: CancellationToken,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[async_trait]
impl driver_server::Driver for Service {
    type ServeStream = Answers<wire::FromDriver>;
    type FetchStream = Answers<wire::Chunk>;

    async fn serve(
        &self,
        request: Request<Streaming<wire::FromExecutor>>,
    ) -> Result<Response<Self::ServeStream>, Status> {
        if self.stop.is_cancelled() {
            return Err(Status::unavailable("the driver is ending"));
        }
        let mut said = request.into_inner();
        let first = tokio::time::timeout(HELLO_TIMEOUT, said.message()).await;
        let first = first.map_err(|_| Status::deadline_exceeded("no hello"))??;
        let Some(ExecutorMessage::Hello(hello)) = first.and_then(|first| first.message) else {
            return Err(Status::invalid_argument("the first message is no hello"));
        };
        let hello = convert::hello_from(hello).map_err(refused)?;
        let executor = hello.executor;
        let connection = self.connections.fetch_add(1, Ordering::Relaxed);
        let (queue, waiting) = mpsc::channel(ORDERS_MAX);
        let acknowledge = queue.clone();
        let welcome = self.handler.registered(hello, Orders { connection, queue }).await.map_err(refused)?;
        let welcome = wire::FromDriver { welcome: Some(convert::welcome_to(welcome)), ..Default::default() };
        let handler = Arc::clone(&self.handler);
        let stop = self.stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = listen(executor, said, acknowledge, handler.as_ref()) => {}
                () = stop.cancelled() => {}
            }
            handler.disconnected(executor, connection).await;
        });
        let orders =
            ReceiverStream::new(waiting).ready_chunks(ORDERS_PER_MESSAGE).map(|orders| Ok::<_, Status>(packed(orders)));
        let orders = orders.take_until(self.stop.clone().cancelled_owned());
        Ok(Response::new(stream::once(async move { Ok::<_, Status>(welcome) }).chain(orders).boxed()))
    }

    async fn fetch(&self, request: Request<wire::FetchRequest>) -> Result<Response<Self::FetchStream>, Status> {
        let hash = convert::hash_from(&request.into_inner().hash).map_err(refused)?;
        let blob = self.handler.blob(hash).ok_or_else(|| Status::not_found(format!("blob {hash:?}")))?;
        let chunks = (0..blob.len()).step_by(CHUNK_BYTES).map(move |from| {
            let bytes = blob.slice(from..blob.len().min(from + CHUNK_BYTES));
            Ok(wire::Chunk { bytes })
        });
        Ok(Response::new(stream::iter(chunks).boxed()))
    }

    async fn put_result(
        &self,
        request: Request<Streaming<wire::ResultPart>>,
    ) -> Result<Response<wire::ResultStored>, Status> {
        let mut parts = request.into_inner();
        let Some(ResultMessage::Header(header)) = parts.message().await?.and_then(|part| part.message) else {
            return Err(Status::invalid_argument("the first part of a result is no header"));
        };
        let header = convert::header_from(header).map_err(refused)?;
        let rows = ResultReceiver { parts, complete: false };
        let output = self.handler.result(header, rows).await.map_err(|error| Status::aborted(error.to_string()))?;
        Ok(Response::new(wire::ResultStored { output }))
    }
}

/// Hears an executor out, until it is gone.
async fn listen(
    executor: ExecutorId,
    mut said: Streaming<wire::FromExecutor>,
    acknowledge: mpsc::Sender<Outgoing>,
    handler: &dyn DriverHandler,
) {
    loop {
        let report = match said.message().await {
            Ok(Some(wire::FromExecutor { message: Some(ExecutorMessage::Report(report)) })) => report,
            Ok(Some(_)) => continue,
            Ok(None) => return,
            Err(status) => {
                debug!(%executor, %status, "connection lost");
                return;
            }
        };
        let number = report.number;
        match convert::report_from(report) {
            Ok(report) => handler.reported(executor, report).await,
            Err(error) => {
                warn!(%executor, %error, "a report makes no sense");
                return;
            }
        }
        if acknowledge.send(Outgoing::Acknowledge(number)).await.is_err() {
            return;
        }
    }
}

fn packed(orders: Vec<Outgoing>) -> wire::FromDriver {
    let mut message = wire::FromDriver::default();
    for order in orders {
        match order {
            Outgoing::Order(Order::Launch(launch)) => message.launches.push(convert::launch_to(&launch)),
            Outgoing::Order(Order::Kill(attempt)) => message.kills.push(convert::attempt_to(attempt)),
            Outgoing::Order(Order::Stop(stop)) => message.stop = Some(convert::stop_to(stop).into()),
            Outgoing::Order(Order::RegisterAgain) => message.register_again = true,
            Outgoing::Acknowledge(number) => message.acknowledged = message.acknowledged.max(number),
        }
    }
    message
}

fn refused(error: RpcError) -> Status {
    match error {
        RpcError::Malformed(_) => Status::invalid_argument(error.to_string()),
        other => Status::failed_precondition(other.to_string()),
    }
}
