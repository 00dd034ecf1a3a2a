//! What all reconcilers share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kube::runtime::controller::Action as Requeue;
use kube::{Client, Resource, ResourceExt};
use tokio::sync::Semaphore;

use crate::access::Access;
use crate::cluster::{Cluster, ClusterError};
use crate::events::Events;
use crate::job::KnownPods;
use crate::metrics::Metrics;
use crate::server::Doorbells;
use crate::settings::Settings;

/// Waits after failures: the first, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(120));

/// What all reconcilers share.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) cluster: Cluster,
    pub(crate) events: Events,
    pub(crate) access: Access,
    pub(crate) pods: KnownPods,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) doorbells: Doorbells,
    /// Jobs take turns in the order in which they come.
    pub(crate) turns: Semaphore,
    /// Failures in a row of each resource that has any, by its identity.
    failures: Mutex<HashMap<String, u32>>,
}

impl Context {
    pub(crate) fn new(client: Client, settings: Settings, metrics: Arc<Metrics>, pods: KnownPods) -> Self {
        Self {
            turns: Semaphore::new(settings.concurrency.max(1).into()),
            events: Events::new(client.clone(), &settings.identity),
            access: Access::default(),
            pods,
            cluster: Cluster::new(client),
            settings,
            metrics,
            doorbells: Doorbells::default(),
            failures: Mutex::default(),
        }
    }

    /// A resource was looked at without failure.
    pub(crate) fn succeeded<K: Resource>(&self, resource: &K) {
        self.metrics.reconciled(true);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(&resource.uid().unwrap_or_default());
    }

    /// When to look again after a failure: at once if somebody else was faster, else after a wait that doubles.
    pub(crate) fn failed<K: Resource>(&self, resource: &K, error: &ClusterError) -> Requeue {
        self.metrics.reconciled(false);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(resource.uid().unwrap_or_default()).or_default();
        *count += 1;
        let wait = BACKOFF.0.saturating_mul(2_u32.saturating_pow((*count - 1).min(16))).min(BACKOFF.1);
        let name = resource.name_any();
        match error {
            ClusterError::Conflict => tracing::debug!(name, "changed meanwhile"),
            error => tracing::warn!(name, %error, failures = *count, "will try again"),
        }
        Requeue::requeue(wait)
    }
}
