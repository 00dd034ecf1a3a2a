//! [`PodReporter`]: what a driver tells about itself, written into its own pod for the operator to read.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use firesteel_k8s::report::Report;
use kube::Client;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use tracing::warn;

use crate::cluster::Cluster;
use crate::identity::PodIdentity;
use crate::launcher::LaunchError;
use crate::tally::Tally;

/// How often the report is looked at.
const TICK: Duration = Duration::from_millis(500);

/// How often progress and log are written at most; what happens to executors is told at once.
const PACE: Duration = Duration::from_secs(3);

/// How long the last report may take.
const LAST: Duration = Duration::from_secs(5);

/// The end of the program's output, as of now.
pub type LogSource = Arc<dyn Fn() -> String + Send + Sync>;

/// How many sessions are open, as of now.
pub type SessionCount = Arc<dyn Fn() -> usize + Send + Sync>;

/// What a report is made from.
#[derive(Clone, Default)]
pub struct Sources {
    /// What the launcher says of executors, if there is one.
    pub executors: Option<watch::Receiver<Report>>,
    /// What jobs have done.
    pub tally: Arc<Tally>,
    /// The program's output, if there is a program.
    pub log: Option<LogSource>,
    /// Sessions, of a standing server.
    pub sessions: Option<SessionCount>,
}

/// Gathers and writes reports.
pub struct PodReporter {
    cluster: Cluster,
    pod: String,
    sources: Sources,
    written: Option<(Report, Instant)>,
}

/// Reports that are being written.
#[derive(Debug)]
pub struct Reporting {
    end: oneshot::Sender<()>,
    work: JoinHandle<()>,
}

impl PodReporter {
    /// Finds the API as a pod does.
    ///
    /// Errors: there is no API.
    pub async fn connect(identity: &PodIdentity, sources: Sources) -> Result<Self, LaunchError> {
        let client = Client::try_default().await.map_err(|error| LaunchError::Client(Box::new(error)))?;
        let cluster = Cluster::new(&client, &identity.namespace);
        Ok(Self { cluster, pod: identity.name.clone(), sources, written: None })
    }

    /// Reports from now on, whenever something has changed.
    pub fn start(self) -> Reporting {
        let (end, ended) = oneshot::channel();
        Reporting { end, work: tokio::spawn(self.run(ended)) }
    }

    async fn run(mut self, mut ended: oneshot::Receiver<()>) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_last = tokio::select! {
                _ = ticks.tick() => false,
                _ = &mut ended => true,
            };
            let report = self.report();
            if is_due(&report, self.written.as_ref().map(|(report, at)| (report, at.elapsed())), is_last) {
                self.write(report).await;
            }
            if is_last {
                return;
            }
        }
    }

    fn report(&self) -> Report {
        let Sources { executors, tally, log, sessions } = &self.sources;
        let executors = executors.as_ref().map(|known| known.borrow().clone()).unwrap_or_default();
        let log_tail = log.as_ref().map(|log| log()).filter(|text| !text.is_empty());
        let sessions = sessions.as_ref().map(|count| u32::try_from(count()).unwrap_or(u32::MAX));
        Report { progress: tally.progress(), log_tail, sessions, ..executors }
    }

    async fn write(&mut self, report: Report) {
        // A report always has a JSON form.
        let text = serde_json::to_string(&report).unwrap_or_default();
        match self.cluster.report(&self.pod, &text).await {
            Ok(()) => self.written = Some((report, Instant::now())),
            Err(error) => warn!(%error, "the report cannot be written"),
        }
    }
}

impl fmt::Debug for PodReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PodReporter").field("pod", &self.pod).finish_non_exhaustive()
    }
}

impl Reporting {
    /// Writes the last report, if it can be done soon.
    pub async fn finish(self) {
        // A task that has ended has written what it could.
        let _ = self.end.send(());
        if tokio::time::timeout(LAST, self.work).await.is_err() {
            warn!("the last report was not written in time");
        }
    }
}

/// Whether to write now, `written` so long after the report before.
fn is_due(report: &Report, written: Option<(&Report, Duration)>, is_last: bool) -> bool {
    let Some((before, ago)) = written else { return *report != Report::default() };
    let of_executors = |report: &Report| {
        let Report { executors, executor_failures, waiting, .. } = report.clone();
        (executors, executor_failures, waiting)
    };
    report != before && (is_last || ago >= PACE || of_executors(report) != of_executors(before))
}

#[cfg(test)]
mod tests {
    use firesteel_k8s::status::{ExecutorCounts, Progress};

    use super::*;

    #[test]
    fn executors_are_told_of_at_once_and_progress_now_and_then() {
        let nothing = Report::default();
        let progress = Report { progress: Some(Progress { tasks_done: 1, ..Progress::default() }), ..nothing.clone() };
        let executors = Report { executors: Some(ExecutorCounts::default()), ..progress.clone() };
        assert!(!is_due(&nothing, None, true));
        assert!(is_due(&progress, None, false));
        let soon = Duration::from_millis(100);
        assert!(!is_due(&progress, Some((&nothing, soon)), false));
        assert!(is_due(&progress, Some((&nothing, soon)), true));
        assert!(is_due(&progress, Some((&nothing, PACE)), false));
        assert!(is_due(&executors, Some((&progress, soon)), false));
        assert!(!is_due(&executors, Some((&executors, PACE)), true));
    }
}
