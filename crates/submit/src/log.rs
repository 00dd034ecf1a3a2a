//! What a driver prints, line by line, each line once.

use std::time::Duration;

use futures::{AsyncBufReadExt, TryStreamExt};
use jiff::Timestamp;
use kube::api::LogParams;
use tokio::sync::mpsc::Sender;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::{Jobs, SubmitError};

/// The container that runs the program, as the operator names it.
const CONTAINER: &str = "spark";

/// Until the container's log is asked for again, when it has not begun or its stream has ended early.
const AGAIN: Duration = Duration::from_millis(500);

/// What of a pod's log was printed already.
#[derive(Debug, Default)]
pub(crate) struct Place {
    last: Option<Timestamp>,
}

impl Place {
    /// The text of a line that was not printed yet; lines come with the time at which they were written. One without is
    /// no program's: nodes answer so when a pod's log is gone.
    fn next<'a>(&mut self, line: &'a str) -> Option<&'a str> {
        let (time, text) = line.split_once(' ').unwrap_or((line, ""));
        match time.parse::<Timestamp>() {
            Ok(time) if self.last.is_some_and(|last| time <= last) => None,
            Ok(time) => {
                self.last = Some(time);
                Some(text)
            }
            Err(_) => None,
        }
    }
}

impl Jobs {
    /// Sends a pod's log as it grows, over lost connections, until it is said to be over; then what is left of it.
    pub(crate) async fn tail(self, pod: String, mut over: watch::Receiver<bool>, lines: Sender<String>) {
        let mut place = Place::default();
        loop {
            let is_last = *over.borrow_and_update();
            if let Err(error) = self.read_log(&pod, !is_last, &mut place, &lines).await {
                tracing::debug!(pod, %error, "no log for now");
            }
            if is_last || lines.is_closed() {
                return;
            }
            // Whichever comes first: the job's end or the time to ask again.
            let _ = timeout(AGAIN, over.changed()).await;
        }
    }

    /// Sends what of a pod's log follows on `place`; with `follow`, as long as the pod writes.
    pub(crate) async fn read_log(
        &self,
        pod: &str,
        follow: bool,
        place: &mut Place,
        lines: &Sender<String>,
    ) -> Result<(), SubmitError> {
        let parameters = LogParams {
            container: Some(CONTAINER.to_owned()),
            follow,
            since_time: place.last,
            timestamps: true,
            ..LogParams::default()
        };
        let stream = self.answer(pod, self.pods.log_stream(pod, &parameters)).await?;
        let mut read = stream.lines();
        let broken = |error| SubmitError::Unreachable(Box::new(kube::Error::ReadEvents(error)));
        while let Some(line) = read.try_next().await.map_err(broken)? {
            if let Some(text) = place.next(&line)
                && lines.send(text.to_owned()).await.is_err()
            {
                return Ok(());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_come_again_are_printed_once() {
        let mut place = Place::default();
        assert_eq!(place.next("2026-01-01T00:00:00.000000001Z a b"), Some("a b"));
        assert_eq!(place.next("2026-01-01T00:00:00.000000001Z a b"), None);
        assert_eq!(place.next("2026-01-01T00:00:00.000000002Z "), Some(""));
        assert_eq!(place.next("failed to open the log file"), None);
    }
}
