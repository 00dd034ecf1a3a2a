//! A job from its submission to its end.

use std::time::Duration;

use firesteel_k8s::{Phase, SparkJobStatus};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use crate::log::Place;
use crate::story::{Story, has_ended};
use crate::{Jobs, SubmitError};

/// How often the status is read.
const LOOK: Duration = Duration::from_secs(1);

/// Reads of the status that may fail one after the other.
const FAILURES_MAX: u32 = 30;

/// How long the log may go on after the job has ended.
const REST: Duration = Duration::from_secs(10);

/// Lines of a log that wait to be printed.
const LINES_MAX: usize = 1_000;

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Whether it succeeded.
    pub succeeded: bool,
    /// The program's exit code, where there is one.
    pub exit_code: Option<i32>,
}

/// Where a job's story and its program's output go.
pub trait Screen: Send {
    /// A line about the job.
    fn tell(&mut self, line: &str) -> std::io::Result<()>;
    /// A line that the program printed.
    fn print(&mut self, line: &str) -> std::io::Result<()>;
}

impl Jobs {
    /// Tells what happens to a job and prints what its program prints, until it has ended.
    ///
    /// Errors: the job is gone, or the cluster cannot be reached for half a minute.
    pub async fn follow(&self, name: &str, screen: &mut dyn Screen) -> Result<Ended, SubmitError> {
        let mut story = Story::default();
        let mut log: Option<DriverLog> = None;
        let mut failures = 0;
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                line = next_line(&mut log) => {
                    screen.print(&line).map_err(SubmitError::Print)?;
                    continue;
                }
            }
            let status = match self.get(name).await {
                Ok(job) => job.status.unwrap_or_default(),
                Err(error @ SubmitError::NotFound { .. }) => return Err(error),
                Err(error) if failures >= FAILURES_MAX => return Err(error),
                Err(error) => {
                    tracing::debug!(%error, "no status for now");
                    failures += 1;
                    continue;
                }
            };
            failures = 0;
            // Another attempt has another pod.
            if let Some(driver) = &status.driver
                && log.as_ref().is_none_or(|log| log.pod != driver.pod_name)
            {
                log = Some(DriverLog::start(self, &driver.pod_name));
            }
            if has_ended(&status) {
                finish(log.take(), &status, screen).await.map_err(SubmitError::Print)?;
            }
            for line in story.tell(&status) {
                screen.tell(&line).map_err(SubmitError::Print)?;
            }
            if has_ended(&status) {
                return Ok(ended(&status));
            }
        }
    }

    /// Prints the log of a job's driver, as it is now.
    ///
    /// Errors: there is no such job or it has no driver; the cluster cannot be reached.
    pub async fn logs(&self, name: &str, screen: &mut dyn Screen) -> Result<(), SubmitError> {
        let status = self.get(name).await?.status.unwrap_or_default();
        let pod = status.driver.ok_or_else(|| SubmitError::NoPod(name.to_owned()))?.pod_name;
        let (sender, mut lines) = mpsc::channel(LINES_MAX);
        let read = async {
            let sender = sender;
            self.read_log(&pod, false, &mut Place::default(), &sender).await
        };
        let print = async {
            let mut has_begun = false;
            while let Some(line) = lines.recv().await {
                screen.print(&line)?;
                has_begun = true;
            }
            drop(lines);
            Ok((screen, has_begun))
        };
        let (read, printed) = tokio::join!(read, print);
        let (screen, has_begun) = printed.map_err(SubmitError::Print)?;
        let tail = match read {
            // The pod or its log is gone; what it said last is not.
            Err(SubmitError::NotFound { .. }) => status.log_tail.ok_or_else(|| SubmitError::NoPod(name.to_owned()))?,
            Ok(()) if !has_begun => status.log_tail.unwrap_or_default(),
            read => return read,
        };
        tail.lines().try_for_each(|line| screen.print(line)).map_err(SubmitError::Print)
    }
}

/// The next line of the log; none ever without one, or after its end.
async fn next_line(log: &mut Option<DriverLog>) -> String {
    let line = match log {
        Some(log) => log.next().await,
        None => None,
    };
    match line {
        Some(line) => line,
        None => std::future::pending().await,
    }
}

/// Prints what is left of the log: from the pod, or what the status keeps of one that is gone.
async fn finish(log: Option<DriverLog>, status: &SparkJobStatus, screen: &mut dyn Screen) -> std::io::Result<()> {
    let mut has_begun = false;
    if let Some(mut log) = log {
        // A task that has ended needs no telling.
        let _ = log.over.send(true);
        let until = Instant::now() + REST;
        while let Ok(Some(line)) = timeout_at(until, log.next()).await {
            screen.print(&line)?;
        }
        has_begun = log.has_begun;
    }
    match &status.log_tail {
        Some(tail) if !has_begun => tail.lines().try_for_each(|line| screen.print(line)),
        _ => Ok(()),
    }
}

fn ended(status: &SparkJobStatus) -> Ended {
    let last = status.attempts.iter().max_by_key(|attempt| attempt.attempt);
    Ended { succeeded: status.phase == Some(Phase::Succeeded), exit_code: last.and_then(|attempt| attempt.exit_code) }
}

/// The log of the driver of the current attempt, read by a task of its own.
#[derive(Debug)]
struct DriverLog {
    pod: String,
    lines: mpsc::Receiver<String>,
    over: watch::Sender<bool>,
    has_begun: bool,
}

impl DriverLog {
    /// The task ends when this is dropped: its lines have nowhere to go.
    fn start(jobs: &Jobs, pod: &str) -> Self {
        let (sender, lines) = mpsc::channel(LINES_MAX);
        let (over, is_over) = watch::channel(false);
        tokio::spawn(jobs.clone().tail(pod.to_owned(), is_over, sender));
        Self { pod: pod.to_owned(), lines, over, has_begun: false }
    }

    async fn next(&mut self) -> Option<String> {
        let line = self.lines.recv().await;
        self.has_begun |= line.is_some();
        line
    }
}
