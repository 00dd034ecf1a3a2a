//! [`ResponseLog`]: an operation's responses, numbered from 1, kept until the client has surely got them.
//!
//! Flow: the engine appends; a stream reads on from its position; the client releases what it has.
//! Guarantees: numbers have no gaps; what lies ahead of the client is bounded, so that a slow client holds back the
//! engine; what lies behind it is bounded, so that a client that never releases costs little.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use firesteel_model::{Result, SparkError, error_class};
use prost::Message;
use spark_connect_proto::ExecutePlanResponse;
use tokio::sync::Notify;

/// Bytes ahead of the client before the engine has to wait.
const AHEAD_BYTES_MAX: usize = 32 << 20;

/// What a reader finds at its position.
pub(crate) enum Next {
    /// The next response and its size.
    Response(Box<ExecutePlanResponse>, usize),
    /// There will be no more.
    End,
    /// The operation failed.
    Failed(SparkError),
    /// Another stream has taken over.
    Replaced,
    /// Nothing yet.
    Pending,
}

/// Who reads: streams are told apart by number, and the latest one has the say.
pub(crate) type Reader = u64;

/// See the module.
#[derive(Debug)]
pub(crate) struct ResponseLog {
    state: Mutex<State>,
    changed: Notify,
    behind_bytes_max: usize,
}

#[derive(Debug, Default)]
struct State {
    kept: VecDeque<Kept>,
    /// Number of the last response that was dropped; `kept` starts after it.
    dropped: u64,
    dropped_id: Option<String>,
    /// Number of the last response given to the reader.
    read: u64,
    ahead_bytes: usize,
    behind_bytes: usize,
    end: Option<std::result::Result<(), SparkError>>,
    reader: Reader,
}

#[derive(Debug)]
struct Kept {
    response: ExecutePlanResponse,
    bytes: usize,
}

impl ResponseLog {
    /// A log that keeps this many bytes behind the client.
    pub(crate) fn new(behind_bytes_max: usize) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), behind_bytes_max }
    }

    /// Appends a response, and waits first while too much lies ahead of the client.
    ///
    /// Errors: `OPERATION_CANCELED` once the log has ended.
    pub(crate) async fn append(&self, response: ExecutePlanResponse) -> Result<()> {
        let bytes = response.encoded_len();
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut state = self.lock();
                if state.end.is_some() {
                    return Err(SparkError::new(&error_class::OPERATION_CANCELED));
                }
                if state.ahead_bytes == 0 || state.ahead_bytes + bytes <= AHEAD_BYTES_MAX {
                    state.append(response, bytes);
                    break;
                }
            }
            changed.await;
        }
        self.changed.notify_waiters();
        Ok(())
    }

    /// Appends a response that is too small to wait for, unless the log has ended.
    pub(crate) fn append_now(&self, response: ExecutePlanResponse) {
        let bytes = response.encoded_len();
        let mut state = self.lock();
        if state.end.is_none() {
            state.append(response, bytes);
            drop(state);
            self.changed.notify_waiters();
        }
    }

    /// Ends the log; only the first end counts. Returns whether it was this one.
    pub(crate) fn finish(&self, end: std::result::Result<(), SparkError>) -> bool {
        let mut state = self.lock();
        let is_first = state.end.is_none();
        if is_first {
            state.end = Some(end);
        }
        drop(state);
        self.changed.notify_waiters();
        is_first
    }

    /// Whether it has ended.
    pub(crate) fn is_finished(&self) -> bool {
        self.lock().end.is_some()
    }

    /// Puts a new reader after the response with this id, or at the start.
    ///
    /// Errors: `INVALID_CURSOR.POSITION_NOT_FOUND`, `INVALID_CURSOR.POSITION_NOT_AVAILABLE`.
    pub(crate) fn attach(&self, after: Option<&str>) -> Result<Reader> {
        let mut state = self.lock();
        let position = state.position(after)?;
        state.seek(position);
        state.reader += 1;
        let reader = state.reader;
        drop(state);
        self.changed.notify_waiters();
        Ok(reader)
    }

    /// What comes next for a reader. With `consume`, what has been read is not kept.
    pub(crate) fn next(&self, reader: Reader, consume: bool) -> Next {
        let mut state = self.lock();
        if state.reader != reader {
            return Next::Replaced;
        }
        let offset = usize::try_from(state.read - state.dropped).unwrap_or(usize::MAX);
        let Some(kept) = state.kept.get(offset) else {
            return match &state.end {
                None => Next::Pending,
                Some(Ok(())) => Next::End,
                Some(Err(error)) => Next::Failed(error.clone()),
            };
        };
        let (response, bytes) = (kept.response.clone(), kept.bytes);
        state.read += 1;
        state.ahead_bytes -= bytes;
        state.behind_bytes += bytes;
        let behind_bytes_max = if consume { 0 } else { self.behind_bytes_max };
        state.trim(behind_bytes_max);
        drop(state);
        self.changed.notify_waiters();
        Next::Response(Box::new(response), bytes)
    }

    /// Drops everything up to and including the response with this id; an unknown id does nothing.
    pub(crate) fn release_until(&self, id: &str) {
        let mut state = self.lock();
        if let Some(offset) = state.kept.iter().position(|kept| kept.response.response_id == id) {
            let until = state.dropped + offset as u64 + 1;
            // A client can only have what was sent to it.
            let until = until.min(state.read);
            while state.dropped < until {
                state.drop_oldest();
            }
        }
    }

    /// Resolves when something changed after this call.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn append(&mut self, response: ExecutePlanResponse, bytes: usize) {
        self.ahead_bytes += bytes;
        self.kept.push_back(Kept { response, bytes });
    }

    fn position(&self, after: Option<&str>) -> Result<u64> {
        let Some(id) = after.filter(|id| !id.is_empty()) else {
            return if self.dropped == 0 { Ok(0) } else { Err(self.not_available("the first one", 1)) };
        };
        match self.kept.iter().position(|kept| kept.response.response_id == id) {
            Some(offset) => Ok(self.dropped + offset as u64 + 1),
            // The client releases what it has got: its last response may just have gone.
            None if self.dropped_id.as_deref() == Some(id) => Ok(self.dropped),
            None => Err(SparkError::new(&error_class::INVALID_CURSOR_POSITION_NOT_FOUND).param("responseId", id)),
        }
    }

    fn not_available(&self, id: &str, index: u64) -> SparkError {
        SparkError::new(&error_class::INVALID_CURSOR_POSITION_NOT_AVAILABLE)
            .param("responseId", id)
            .param("index", index.to_string())
            .param("responseIndex", self.dropped.to_string())
    }

    fn seek(&mut self, position: u64) {
        self.read = position;
        let offset = usize::try_from(position - self.dropped).unwrap_or(usize::MAX);
        self.behind_bytes = self.kept.iter().take(offset).map(|kept| kept.bytes).sum();
        self.ahead_bytes = self.kept.iter().skip(offset).map(|kept| kept.bytes).sum();
    }

    fn trim(&mut self, behind_bytes_max: usize) {
        // The last response sent is always kept unless nothing is to be: the client may not have got it.
        while self.behind_bytes > behind_bytes_max && (behind_bytes_max == 0 || self.read - self.dropped > 1) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(kept) = self.kept.pop_front() {
            self.dropped += 1;
            self.dropped_id = Some(kept.response.response_id);
            self.behind_bytes = self.behind_bytes.saturating_sub(kept.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(id: &str) -> ExecutePlanResponse {
        ExecutePlanResponse { response_id: id.to_owned(), ..Default::default() }
    }

    fn read(log: &ResponseLog, reader: Reader, consume: bool) -> String {
        match log.next(reader, consume) {
            Next::Response(response, _) => response.response_id,
            Next::End => "end".to_owned(),
            Next::Failed(error) => error.class().name.to_owned(),
            Next::Replaced => "replaced".to_owned(),
            Next::Pending => "pending".to_owned(),
        }
    }

    #[tokio::test]
    async fn readers_go_on_from_any_kept_response() {
        let log = ResponseLog::new(1 << 20);
        for id in ["a", "b", "c"] {
            log.append(response(id)).await.unwrap();
        }
        let first = log.attach(None).unwrap();
        assert_eq!([read(&log, first, false), read(&log, first, false)], ["a", "b"]);
        let second = log.attach(Some("a")).unwrap();
        assert_eq!(read(&log, first, false), "replaced");
        assert_eq!([read(&log, second, false), read(&log, second, false)], ["b", "c"]);
        assert_eq!(read(&log, second, false), "pending");
        log.release_until("b");
        assert_eq!(log.attach(Some("a")).unwrap_err().class().name, "INVALID_CURSOR.POSITION_NOT_FOUND");
        assert_eq!(log.attach(None).unwrap_err().class().name, "INVALID_CURSOR.POSITION_NOT_AVAILABLE");
        let third = log.attach(Some("b")).unwrap();
        assert_eq!(read(&log, third, false), "c");
        assert!(log.finish(Ok(())) && !log.finish(Err(SparkError::internal("late"))));
        assert_eq!(read(&log, third, false), "end");
        assert!(log.append(response("d")).await.is_err());
    }

    #[tokio::test]
    async fn what_lies_behind_is_bounded() {
        let log = ResponseLog::new(10);
        for id in ["aaaa", "bbbb", "cccc"] {
            log.append(response(id)).await.unwrap();
        }
        let reader = log.attach(None).unwrap();
        (0..3).for_each(|_| drop(read(&log, reader, false)));
        assert!(log.attach(Some("aaaa")).is_err() && log.attach(Some("bbbb")).is_ok());
    }

    #[tokio::test]
    async fn a_slow_client_holds_back_the_engine() {
        let log = std::sync::Arc::new(ResponseLog::new(0));
        let large =
            |id: &str| ExecutePlanResponse { operation_id: "x".repeat(AHEAD_BYTES_MAX * 2 / 3), ..response(id) };
        log.append(large("a")).await.unwrap();
        let reader = log.attach(None).unwrap();
        let writer = tokio::spawn({
            let (log, second) = (log.clone(), large("b"));
            async move { log.append(second).await }
        });
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        assert!(!writer.is_finished());
        assert_eq!(read(&log, reader, true), "a");
        writer.await.unwrap().unwrap();
        assert_eq!(read(&log, reader, true), "b");
    }
}
