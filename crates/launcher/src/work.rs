//! The one loop that owns the books on executors' pods.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use firesteel_executor::LossReporter;
use firesteel_k8s::build::executor::ExecutorPods;
use firesteel_k8s::build::names;
use firesteel_k8s::report::Report;
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

/// How often pods are looked at that do not come.
const TICK: Duration = Duration::from_millis(500);

/// How a call to the API ended.
enum Done {
    /// With something for the books.
    Happened(Event),
    /// With nothing to note.
    Nothing,
}

pub(crate) struct Work {
    cluster: Cluster,
    ledger: Ledger,
    secret: Value,
    pods: ExecutorPods,
    sizing: Sizing,
    losses: LossReporter,
    reports: Arc<watch::Sender<Report>>,
    calls: JoinSet<Done>,
}

impl Work {
    pub(crate) fn new(
        cluster: Cluster,
        ledger: Ledger,
        secret: Value,
        pods: ExecutorPods,
        sizing: Sizing,
        losses: LossReporter,
        reports: Arc<watch::Sender<Report>>,
    ) -> Self {
        Self { cluster, ledger, secret, pods, sizing, losses, reports, calls: JoinSet::new() }
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
    fn report(&self) {
        let report = self.ledger.report();
        self.reports.send_if_modified(|known| {
            let is_news = *known != report;
            if is_news {
                *known = report;
            }
            is_news
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
