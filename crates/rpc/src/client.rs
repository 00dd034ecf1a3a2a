//! The executor's side.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use firesteel_model::ids::TaskAttempt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

use crate::convert;
use crate::credentials::Credentials;
use crate::error::RpcError;
use crate::message::{BlobHash, Hello, Order, Report, ResultHeader, Welcome};
use crate::server::{
    CONNECTION_WINDOW_BYTES, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, MESSAGE_BYTES_MAX, STREAM_WINDOW_BYTES,
};
use crate::wire::service::driver_client::DriverClient;
use crate::wire::{self, ExecutorMessage, ResultMessage};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// For an answer that takes the driver no work.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// For a plan or a list of inputs.
const FETCH_TIMEOUT: Duration = Duration::from_secs(120);

/// For the driver to take rows; it writes them to disk where memory is short.
const RESULT_TIMEOUT: Duration = Duration::from_secs(300);

/// Reports that wait to be sent.
const REPORTS_MAX: usize = 64;

/// Parts of a result that wait to be sent.
const PARTS_MAX: usize = 2;

/// The way to the driver. Clones share a connection.
#[derive(Clone, Debug)]
pub struct Link {
    client: DriverClient<InterceptedService<Channel, Token>>,
}

#[derive(Clone, Debug)]
struct Token(MetadataValue<Ascii>);

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// A conversation that began with [`Hello`].
#[derive(Debug)]
pub struct Session {
    reports: mpsc::Sender<wire::FromExecutor>,
    said: Streaming<wire::FromDriver>,
}

/// What the driver says.
#[derive(Clone, Debug)]
pub enum LinkEvent {
    /// Do this.
    Order(Order),
    /// Reports up to this number were taken.
    Acknowledged(u64),
}

impl Link {
    /// A way to the driver at `host:port`; nothing is sent yet.
    pub fn new(address: &str, credentials: &Credentials) -> Result<Self, RpcError> {
        let endpoint = Endpoint::from_shared(format!("https://{address}"))?
            .tls_config(credentials.client_tls())?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true);
        let mut token: MetadataValue<Ascii> =
            credentials.bearer().parse().map_err(|_| RpcError::Credentials("the token is no header".to_owned()))?;
        token.set_sensitive(true);
        let client = DriverClient::with_interceptor(endpoint.connect_lazy(), Token(token))
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        Ok(Self { client })
    }

    /// Says Hello and waits for the answer.
    pub async fn open(&self, hello: &Hello) -> Result<(Welcome, Session), RpcError> {
        let (reports, waiting) = mpsc::channel(REPORTS_MAX);
        let hello = wire::FromExecutor { message: Some(ExecutorMessage::Hello(convert::hello_to(hello))) };
        // The channel is new and has room.
        let _ = reports.try_send(hello);
        let mut client = self.client.clone();
        let opening = async move {
            let mut said = client.serve(ReceiverStream::new(waiting)).await?.into_inner();
            let first = said.message().await?.and_then(|message| message.welcome);
            let welcome = first.ok_or(RpcError::Malformed("a welcome"))?;
            Ok((convert::welcome_from(welcome), Session { reports, said }))
        };
        tokio::time::timeout(ANSWER_TIMEOUT, opening).await.unwrap_or_else(|_| Err(late("hello")))
    }

    /// The bytes of that name.
    ///
    /// Errors: [`RpcError::Gone`] if nobody needs them any more.
    pub async fn fetch(&self, hash: BlobHash) -> Result<Bytes, RpcError> {
        let mut client = self.client.clone();
        let fetching = async move {
            let request = wire::FetchRequest { hash: hash.0.to_vec() };
            let mut chunks = client.fetch(request).await?.into_inner();
            let mut bytes = BytesMut::new();
            while let Some(chunk) = chunks.message().await? {
                bytes.extend_from_slice(&chunk.bytes);
            }
            Ok(bytes.freeze())
        };
        tokio::time::timeout(FETCH_TIMEOUT, fetching).await.unwrap_or_else(|_| Err(late("a plan")))
    }

    /// Begins to send the rows of a result.
    pub fn put_result(&self, header: ResultHeader) -> ResultSender {
        let attempt = header.attempt;
        let (parts, waiting) = mpsc::channel(PARTS_MAX);
        let header = wire::ResultPart { message: Some(ResultMessage::Header(convert::header_to(header))) };
        // The channel is new and has room.
        let _ = parts.try_send(header);
        let mut client = self.client.clone();
        let answer = tokio::spawn(async move {
            let stored = client.put_result(ReceiverStream::new(waiting)).await?;
            Ok(stored.into_inner().output)
        });
        ResultSender { attempt, parts, answer }
    }
}

impl Session {
    /// Sends a report.
    ///
    /// Errors: the connection is gone or takes nothing.
    pub async fn report(&self, report: &Report, number: u64) -> Result<(), RpcError> {
        let message = wire::FromExecutor { message: Some(ExecutorMessage::Report(convert::report_to(report, number))) };
        match tokio::time::timeout(ANSWER_TIMEOUT, self.reports.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(RpcError::Unreachable("the connection is closed".to_owned())),
            Err(_) => Err(late("a report")),
        }
    }

    /// What the driver says next; an error when the connection is gone. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Vec<LinkEvent>, RpcError> {
        let message = self.said.message().await?;
        let message = message.ok_or_else(|| RpcError::Unreachable("the driver closed the connection".to_owned()))?;
        let mut events = Vec::new();
        if message.acknowledged > 0 {
            events.push(LinkEvent::Acknowledged(message.acknowledged));
        }
        for launch in &message.launches {
            events.push(LinkEvent::Order(Order::Launch(convert::launch_from(launch)?)));
        }
        let kills = message.kills.iter().map(|attempt| Order::Kill(convert::attempt_from(*attempt)));
        let stop = message.stop.map(|stop| Order::Stop(convert::stop_from(stop)));
        let again = message.register_again.then_some(Order::RegisterAgain);
        events.extend(kills.chain(stop).chain(again).map(LinkEvent::Order));
        Ok(events)
    }
}

/// Sends the rows of a result. Dropped unfinished, the driver forgets them.
#[derive(Debug)]
pub struct ResultSender {
    attempt: TaskAttempt,
    parts: mpsc::Sender<wire::ResultPart>,
    answer: JoinHandle<Result<Bytes, Status>>,
}

impl ResultSender {
    /// Sends rows of a partition; waits while the driver is slow.
    pub async fn send(&mut self, partition: u32, rows: Bytes) -> Result<(), RpcError> {
        self.put(wire::ResultRows { partition, rows, last: false }).await
    }

    /// Ends the rows; gives the driver's record of them.
    pub async fn finish(mut self) -> Result<Bytes, RpcError> {
        self.put(wire::ResultRows { last: true, ..Default::default() }).await?;
        match tokio::time::timeout(RESULT_TIMEOUT, &mut self.answer).await {
            Ok(Ok(stored)) => Ok(stored?),
            Ok(Err(_)) => Err(RpcError::Unreachable(format!("the result of {} was not taken", self.attempt))),
            Err(_) => Err(late("a result")),
        }
    }

    async fn put(&mut self, rows: wire::ResultRows) -> Result<(), RpcError> {
        let part = wire::ResultPart { message: Some(ResultMessage::Rows(rows)) };
        match tokio::time::timeout(RESULT_TIMEOUT, self.parts.send(part)).await {
            Ok(Ok(())) => Ok(()),
            Err(_) => Err(late("rows of a result")),
            // The driver has answered already: it does not want more.
            Ok(Err(_)) => match (&mut self.answer).await {
                Ok(Err(status)) => Err(status.into()),
                _ => Err(RpcError::Unreachable(format!("the result of {} was not taken", self.attempt))),
            },
        }
    }
}

impl Drop for ResultSender {
    fn drop(&mut self) {
        self.answer.abort();
    }
}

fn late(what: &str) -> RpcError {
    RpcError::Unreachable(format!("{what}: time is over"))
}
