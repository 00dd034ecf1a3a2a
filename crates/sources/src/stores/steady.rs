//! [`SteadyReads`]: reads that do not wait for an answer that does not come.
//!
//! ```text
//!   GET, HEAD --> one request --no answer for a while--> a second one; the first answer of the two counts
//!   body of an answer --nothing for too long--> a failure; the client asks again from where it stopped
//!   any answer but an object --an error under status 200--> status 503, as which it is retried
//! ```
//!
//! It lies below the client's own retries, so every try is bounded by itself.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::{Either, select};
use http::header::ETAG;
use http::{Method, StatusCode};
use http_body::{Body, Frame, SizeHint};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
    ReqwestConnector,
};
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tracing::debug;

use super::policy::ClientPolicy;

/// Requests of one client that may be asked for a second time at once: a store that is slow as a whole is not to get
/// twice the load.
const HEDGES_MAX: usize = 16;

/// Makes clients whose reads are steady.
#[derive(Debug)]
pub(super) struct SteadyReads(pub(super) ClientPolicy);

impl HttpConnector for SteadyReads {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(SteadyService { inner, policy: self.0, hedges: Arc::new(Semaphore::new(HEDGES_MAX)) }))
    }
}

#[derive(Debug)]
struct SteadyService {
    inner: HttpClient,
    policy: ClientPolicy,
    hedges: Arc<Semaphore>,
}

#[async_trait]
impl HttpService for SteadyService {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return without_hidden_error(self.inner.execute(request).await?).await;
        }
        let silence_max = self.policy.silence_max;
        let answer = timeout(silence_max, self.hedged(request)).await;
        let answer = answer.unwrap_or_else(|_| Err(silent("no answer to a read", silence_max)))?;
        let (head, body) = answer.into_parts();
        let body = LiveBody { body, silence_max, silence: Box::pin(sleep(silence_max)) };
        without_hidden_error(HttpResponse::from_parts(head, HttpResponseBody::new(body))).await
    }
}

/// Stores may begin an answer before they know whether they succeed. What has an ETag is an object.
async fn without_hidden_error(answer: HttpResponse) -> Result<HttpResponse, HttpError> {
    if answer.status() != StatusCode::OK || answer.headers().contains_key(ETAG) {
        return Ok(answer);
    }
    let (mut head, body) = answer.into_parts();
    let bytes = body.bytes().await?;
    if is_error(&bytes) {
        head.status = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(HttpResponse::from_parts(head, bytes.into()))
}

/// Whether this is S3's document of an error.
fn is_error(body: &[u8]) -> bool {
    let text = body.trim_ascii_start();
    let after_declaration = match text.starts_with(b"<?xml") {
        true => text.iter().position(|byte| *byte == b'>').map_or(&[][..], |end| &text[end + 1..]),
        false => text,
    };
    after_declaration.trim_ascii_start().starts_with(b"<Error>")
}

impl SteadyService {
    async fn hedged(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let Some(hedge_after) = self.policy.hedge_after else { return self.inner.execute(request).await };
        let mut first = Box::pin(self.inner.execute(request.clone()));
        if let Ok(answer) = timeout(hedge_after, &mut first).await {
            return answer;
        }
        let Ok(_permit) = self.hedges.try_acquire() else { return first.await };
        debug!(uri = %request.uri().path(), "no answer to a read yet; asking again");
        let second = Box::pin(self.inner.execute(request));
        // One that fails is no answer while the other may still give one.
        match select(first, second).await {
            Either::Left((Err(_), second)) => second.await,
            Either::Right((Err(_), first)) => first.await,
            Either::Left((answer, _)) | Either::Right((answer, _)) => answer,
        }
    }
}

/// A body that fails when nothing of it comes for too long.
struct LiveBody {
    body: HttpResponseBody,
    silence_max: Duration,
    silence: Pin<Box<Sleep>>,
}

impl Body for LiveBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.silence.as_mut().reset(Instant::now() + this.silence_max);
            return Poll::Ready(frame);
        }
        ready!(this.silence.as_mut().poll(cx));
        Poll::Ready(Some(Err(silent("no more of an answer", this.silence_max))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn silent(what: &str, silence: Duration) -> HttpError {
    let text = format!("{what} within {silence:?}");
    HttpError::new(HttpErrorKind::Timeout, std::io::Error::new(std::io::ErrorKind::TimedOut, text))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use object_store::path::Path;
    use object_store::{ObjectStore, ObjectStoreExt};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::stores::S3Connection;

    const CONTENT: &[u8] = b"all of the object";

    /// What a store does with its first request; others it answers.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum First {
        /// It never answers.
        Silent,
        /// It stops in the middle of the answer.
        Half,
    }

    /// A store of one object; gives its address and counts the requests.
    async fn store(first: First) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, first, Arc::clone(&counted)));
            }
        });
        (address, requests)
    }

    async fn serve(mut stream: TcpStream, first: First, requests: Arc<AtomicUsize>) {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        let request = String::from_utf8(request).unwrap().to_lowercase();
        let is_first = requests.fetch_add(1, Ordering::SeqCst) == 0;
        let from = request
            .split_once("range: bytes=")
            .map_or(0, |(_, range)| range.split_once('-').unwrap().0.parse().unwrap());
        let (body, whole) = (&CONTENT[from..], CONTENT.len());
        let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\ncontent-range: bytes {from}-{}/{whole}\r\netag: \"x\"\r\n\
             last-modified: Sat, 01 Jan 2022 00:00:00 GMT\r\nconnection: close\r\n\r\n",
            body.len(),
            whole - 1,
        );
        let sent = match (is_first, first) {
            (true, First::Silent) => &[],
            (true, First::Half) => &body[..body.len() / 2],
            (false, _) => body,
        };
        if !(is_first && first == First::Silent) {
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(sent).await.unwrap();
        }
        if is_first {
            sleep(Duration::from_secs(30)).await;
        }
    }

    fn client(endpoint: String, policy: ClientPolicy) -> impl ObjectStore {
        let key = || Some("key".to_owned());
        let connection = S3Connection {
            endpoint: Some(endpoint),
            path_style: true,
            access_key: key(),
            secret_key: key(),
            ..S3Connection::default()
        };
        connection.client("bucket", &policy).unwrap().0
    }

    async fn read(first: First, policy: ClientPolicy) -> (Duration, usize) {
        let (address, requests) = store(first).await;
        let client = client(address, policy);
        let started = Instant::now();
        let bytes = client.get(&Path::from("object")).await.unwrap().bytes().await.unwrap();
        assert_eq!(bytes, CONTENT, "{first:?}");
        (started.elapsed(), requests.load(Ordering::SeqCst))
    }

    #[test]
    fn errors_are_known_by_their_document() {
        for (body, is) in [
            (&b"<Error><Code>SlowDown</Code></Error>"[..], true),
            (b"\n<?xml version=\"1.0\"?>\n<Error></Error>", true),
            (b"<?xml version=\"1.0\"?><CompleteMultipartUploadResult/>", false),
            (b"<?xml", false),
            (b"", false),
        ] {
            assert_eq!(is_error(body), is, "{}", String::from_utf8_lossy(body));
        }
    }

    #[tokio::test]
    async fn a_silent_store_is_asked_twice_and_then_anew() {
        let brief = |ms| Duration::from_millis(ms);
        let usual = ClientPolicy { silence_max: brief(1000), hedge_after: Some(brief(100)), ..ClientPolicy::default() };
        let unhedged = ClientPolicy { hedge_after: None, ..usual };
        for (first, policy, least, most) in [
            (First::Silent, usual, brief(100), brief(900)),
            (First::Silent, unhedged, brief(1000), brief(5000)),
            (First::Half, usual, brief(1000), brief(5000)),
        ] {
            let (took, requests) = read(first, policy).await;
            assert!(took >= least && took < most, "{first:?} {policy:?} took {took:?}");
            assert_eq!(requests, 2, "{first:?} {policy:?}");
        }
    }
}
