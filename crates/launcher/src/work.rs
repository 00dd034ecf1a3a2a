//! The one loop that owns the books on executors' pods.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use firesteel_executor::LossReporter;
use firesteel_k8s::build::executor::ExecutorPods;
use firesteel_k8s::build::names;
use firesteel_k8s::status::ExecutorCounts;
use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tracing::{info, warn};

use crate::cluster::{Cluster, Watched};
use crate::ledger::{Action, Event, Ledger};
use crate::observed;
use crate::sizing::Sizing;

/// How often the report is looked at, and pods that do not come.
const TICK: Duration = Duration::from_millis(500);

/// How a call to the API ended.
enum Done {
    /// With something for the books.
    Happened(Event),
    /// With nothing to note.
    Nothing,
    /// The report was written, or not.
    Reported(bool),
}

pub(crate) struct Work {
    cluster: Cluster,
    ledger: Ledger,
    secret: Value,
    pods: ExecutorPods,
    sizing: Sizing,
    losses: LossReporter,
    counts: Arc<watch::Sender<ExecutorCounts>>,
    calls: JoinSet<Done>,
    /// The report that was written last, or is being written.
    reported: Option<String>,
    is_reporting: bool,
}

impl Work {
    pub(crate) fn new(
        cluster: Cluster,
        ledger: Ledger,
        secret: Value,
        pods: ExecutorPods,
        sizing: Sizing,
        losses: LossReporter,
        counts: Arc<watch::Sender<ExecutorCounts>>,
    ) -> Self {
        let calls = JoinSet::new();
        Self { cluster, ledger, secret, pods, sizing, losses, counts, calls, reported: None, is_reporting: false }
    }

    /// Works until nobody can want executors any more. Pods that are left go with the driver's.
    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<Event>) {
        let mut executors = pin!(self.cluster.watch(&self.pods.selector()));
        let mut driver = pin!(self.cluster.watch_one(&self.pods.driver_name));
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                wish = inbox.recv() => match wish {
                    Some(event) => self.happened(event).await,
                    None => return,
                },
                Some(watched) = executors.next() => {
                    if let Some(event) = event_of(watched) {
                        self.happened(event).await;
                    }
                }
                Some(watched) = driver.next() => self.driver_seen(watched).await,
                Some(done) = self.calls.join_next(), if !self.calls.is_empty() => match done {
                    Ok(Done::Happened(event)) => self.happened(event).await,
                    Ok(Done::Reported(is_written)) => {
                        self.is_reporting = false;
                        if !is_written {
                            self.reported = None;
                        }
                    }
                    Ok(Done::Nothing) => {}
                    Err(error) => warn!(%error, "a call was broken off"),
                },
                _ = ticks.tick() => {
                    self.happened(Event::Tick).await;
                    self.report();
                }
            }
        }
    }

    async fn happened(&mut self, event: Event) {
        if let Event::Refused(_, refusal) | Event::NotPublished(refusal) = &event {
            warn!(%refusal, reason = ?refusal.reason, "the cluster does not take an executor");
        }
        for action in self.ledger.apply(Timestamp::now(), event) {
            self.perform(action).await;
        }
    }

    async fn perform(&mut self, action: Action) {
        let cluster = self.cluster.clone();
        match action {
            Action::Lost(executor, loss) => self.losses.lost(executor, loss).await,
            Action::Publish => {
                let secret = self.secret.clone();
                self.calls.spawn(async move {
                    let made = cluster.create_secret(secret).await;
                    Done::Happened(made.map_or_else(Event::NotPublished, |()| Event::Published))
                });
            }
            Action::Create(executor) => {
                let (pod, owner) = (self.pods.pod(executor.0), self.pods.driver_uid.clone());
                self.calls.spawn(async move {
                    let made = cluster.create_pod(pod, &owner).await;
                    Done::Happened(match made {
                        Ok(()) => Event::Created(executor),
                        Err(refusal) => Event::Refused(executor, refusal),
                    })
                });
            }
            Action::Delete(executor) => {
                let name = self.pods.name(executor.0);
                self.calls.spawn(async move {
                    match cluster.delete_pod(&name).await {
                        Ok(()) => Done::Nothing,
                        Err(error) => {
                            warn!(%error, name, "a pod cannot be deleted");
                            Done::Happened(Event::NotDeleted(executor))
                        }
                    }
                });
            }
        }
    }

    /// The operator tells in the driver's own pod how many executors the job asks for now.
    async fn driver_seen(&mut self, watched: Watched) {
        let Ok(watcher::Event::Apply(pod) | watcher::Event::InitApply(pod)) = watched else { return };
        let said = pod.metadata.annotations.as_ref().and_then(|all| all.get(names::SIZING));
        if let Some(conf) = said.and_then(|said| self.sizing.change(said)) {
            info!(said, "the job asks for other executors");
            self.losses.resized(&conf).await;
        }
    }

    /// Tells how things are, if that has changed.
    fn report(&mut self) {
        let report = self.ledger.report();
        if let Some(counts) = &report.executors {
            self.counts.send_if_modified(|known| {
                let is_news = known != counts;
                if is_news {
                    known.clone_from(counts);
                }
                is_news
            });
        }
        // A report always has a JSON form.
        let text = serde_json::to_string(&report).unwrap_or_default();
        if self.is_reporting || self.reported.as_ref() == Some(&text) {
            return;
        }
        self.is_reporting = true;
        self.reported = Some(text.clone());
        let (cluster, pod) = (self.cluster.clone(), self.pods.driver_name.clone());
        self.calls.spawn(async move {
            let written = cluster.report(&pod, &text).await;
            if let Err(error) = &written {
                warn!(%error, "the report cannot be written");
            }
            Done::Reported(written.is_ok())
        });
    }
}

/// What a watch tells, for the books; errors are tried again by the watch.
fn event_of(watched: Watched) -> Option<Event> {
    let seen = |pod: &Pod| Some(Event::Seen(observed::executor(pod)?, observed::read(pod)));
    match watched {
        Ok(watcher::Event::Init) => Some(Event::ListBegun),
        Ok(watcher::Event::InitDone) => Some(Event::Listed),
        Ok(watcher::Event::Apply(pod) | watcher::Event::InitApply(pod)) => seen(&pod),
        Ok(watcher::Event::Delete(pod)) => Some(Event::Gone(observed::executor(&pod)?, observed::gone(&pod))),
        Err(error) => {
            warn!(%error, "the watch of executors is interrupted");
            None
        }
    }
}
