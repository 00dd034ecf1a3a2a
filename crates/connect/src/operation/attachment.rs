//! A client's stream over an operation's responses.

use std::sync::Arc;
use std::time::Duration;

use firesteel_model::runtime_conf::RuntimeConf;
use firesteel_model::{Result, SparkError, conf, error_class};
use futures::Stream;
use futures::stream;
use spark_connect_proto::ExecutePlanResponse;
use tokio::time::Instant;
use tonic::Status;

use super::log::{Next, Reader};
use super::registry::Execution;
use crate::error::details::ErrorStore;

/// When a stream over a reattachable operation ends, so that the client comes back with a new one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamLimits {
    duration: Duration,
    bytes: u64,
}

impl StreamLimits {
    /// From the settings; zero is unlimited.
    pub(crate) fn new(settings: &RuntimeConf) -> Self {
        let or_unlimited = |value: u64| if value == 0 { u64::MAX } else { value };
        let duration = or_unlimited(settings.time_ms(&conf::CONNECT_EXECUTE_REATTACHABLE_SENDER_MAX_STREAM_DURATION));
        let bytes = or_unlimited(settings.bytes(&conf::CONNECT_EXECUTE_REATTACHABLE_SENDER_MAX_STREAM_SIZE));
        // A year is beyond any connection and within what a clock can add.
        Self { duration: Duration::from_millis(duration.min(365 * 86_400_000)), bytes }
    }
}

/// Streams an operation's responses from the one after `after` on.
///
/// Guarantees: a newer stream ends an older one with `INVALID_CURSOR.DISCONNECTED`; a dropped stream leaves a
/// reattachable operation running and cancels any other.
pub(crate) fn attach(
    execution: Arc<Execution>,
    errors: Arc<ErrorStore>,
    after: Option<&str>,
    limits: StreamLimits,
) -> Result<impl Stream<Item = std::result::Result<ExecutePlanResponse, Status>> + Send + 'static + use<>> {
    let reader = execution.log.attach(after)?;
    execution.mark_attached(reader);
    let attachment = Attachment {
        execution,
        errors,
        reader,
        deadline: Instant::now() + limits.duration,
        bytes_left: limits.bytes,
        is_over: false,
    };
    Ok(stream::unfold(attachment, |mut attachment| async move {
        let item = attachment.next().await?;
        Some((item, attachment))
    }))
}

struct Attachment {
    execution: Arc<Execution>,
    errors: Arc<ErrorStore>,
    reader: Reader,
    deadline: Instant,
    bytes_left: u64,
    is_over: bool,
}

impl Attachment {
    async fn next(&mut self) -> Option<std::result::Result<ExecutePlanResponse, Status>> {
        let is_reattachable = self.execution.is_reattachable;
        while !self.is_over {
            if is_reattachable && (self.bytes_left == 0 || Instant::now() >= self.deadline) {
                break;
            }
            let execution = self.execution.clone();
            let changed = execution.log.changed();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match execution.log.next(self.reader, !is_reattachable) {
                Next::Response(response, bytes) => {
                    self.bytes_left = self.bytes_left.saturating_sub(bytes as u64);
                    return Some(Ok(*response));
                }
                Next::Pending if is_reattachable => {
                    // At the deadline the loop ends by its own condition.
                    let _ = tokio::time::timeout_at(self.deadline, changed).await;
                }
                Next::Pending => changed.await,
                Next::End => break,
                Next::Failed(error) => return self.fail(&error),
                Next::Replaced => return self.fail(&SparkError::new(&error_class::INVALID_CURSOR_DISCONNECTED)),
            }
        }
        self.is_over = true;
        None
    }

    fn fail(&mut self, error: &SparkError) -> Option<std::result::Result<ExecutePlanResponse, Status>> {
        self.is_over = true;
        Some(Err(self.errors.status(error)))
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.execution.mark_detached(self.reader);
    }
}
