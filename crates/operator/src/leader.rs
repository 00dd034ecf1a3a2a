//! Which of several operators works: the one that holds a Lease.
//!
//! Two that both believe to hold it do no harm, because a job's launch does not depend on it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio_util::sync::CancellationToken;

use crate::cluster::{ClusterError, limited};

/// How long a Lease is good for without being renewed.
const DURATION: SignedDuration = SignedDuration::from_secs(15);
/// How often it is renewed, or tried for.
const PERIOD: Duration = Duration::from_secs(3);
/// After this long without a renewal the holder stops, before anybody else can take over.
const RENEW_LIMIT: Duration = Duration::from_secs(10);

/// An operator that elects.
pub(crate) struct Candidate {
    leases: Api<Lease>,
    name: String,
    identity: String,
}

impl Candidate {
    pub(crate) fn new(client: Client, namespace: &str, name: &str, identity: &str) -> Self {
        Self { leases: Api::namespaced(client, namespace), name: name.to_owned(), identity: identity.to_owned() }
    }

    /// Waits until this operator leads. `false`: it was stopped before.
    pub(crate) async fn lead(&self, stop: &CancellationToken) -> bool {
        loop {
            match self.acquire().await {
                Ok(true) => return true,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "cannot reach the lease"),
            }
            tokio::select! {
                () = tokio::time::sleep(PERIOD) => {}
                () = stop.cancelled() => return false,
            }
        }
    }

    /// Renews until the Lease is lost, or `stop`; then gives it back so that the next need not wait.
    pub(crate) async fn keep(&self, stop: &CancellationToken) {
        let mut renewed = tokio::time::Instant::now();
        loop {
            tokio::select! {
                () = tokio::time::sleep(PERIOD) => {}
                () = stop.cancelled() => {
                    if let Err(error) = self.release().await {
                        tracing::warn!(%error, "cannot give the lease back");
                    }
                    return;
                }
            }
            match self.acquire().await {
                Ok(true) => renewed = tokio::time::Instant::now(),
                Ok(false) => {
                    tracing::error!("another operator leads now");
                    return;
                }
                Err(error) => tracing::warn!(%error, "cannot renew the lease"),
            }
            if renewed.elapsed() > RENEW_LIMIT {
                tracing::error!("the lease could not be renewed in time");
                return;
            }
        }
    }

    /// Takes or renews the Lease; `false`: another has it.
    async fn acquire(&self) -> Result<bool, ClusterError> {
        let now = Timestamp::now();
        let Some(mut lease) = limited(self.leases.get_opt(&self.name)).await? else {
            return taken(limited(self.leases.create(&PostParams::default(), &self.fresh(now))).await);
        };
        let before = lease.spec.take().unwrap_or_default();
        if before.holder_identity.as_deref() != Some(&self.identity) && is_held(&before, now) {
            return Ok(false);
        }
        lease.spec = Some(held(before, &self.identity, now));
        // The version that was read goes along: of two that try, one is refused.
        taken(limited(self.leases.replace(&self.name, &PostParams::default(), &lease)).await)
    }

    async fn release(&self) -> Result<(), ClusterError> {
        let Some(mut lease) = limited(self.leases.get_opt(&self.name)).await? else { return Ok(()) };
        match &mut lease.spec {
            Some(spec) if spec.holder_identity.as_deref() == Some(&self.identity) => spec.holder_identity = None,
            _ => return Ok(()),
        }
        limited(self.leases.replace(&self.name, &PostParams::default(), &lease)).await.map(|_| ())
    }

    fn fresh(&self, now: Timestamp) -> Lease {
        let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
        Lease { metadata, spec: Some(held(LeaseSpec::default(), &self.identity, now)) }
    }
}

fn taken(answer: Result<Lease, ClusterError>) -> Result<bool, ClusterError> {
    match answer {
        Ok(_) => Ok(true),
        Err(ClusterError::Conflict) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_held(lease: &LeaseSpec, now: Timestamp) -> bool {
    let has_holder = lease.holder_identity.as_ref().is_some_and(|holder| !holder.is_empty());
    let renewed = lease.renew_time.as_ref().map(|time| time.0);
    has_holder && renewed.is_some_and(|renewed| renewed + DURATION > now)
}

fn held(before: LeaseSpec, identity: &str, now: Timestamp) -> LeaseSpec {
    let is_same = before.holder_identity.as_deref() == Some(identity);
    let transitions = before.lease_transitions.unwrap_or(0);
    LeaseSpec {
        holder_identity: Some(identity.to_owned()),
        lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
        acquire_time: if is_same { before.acquire_time } else { Some(MicroTime(now)) },
        renew_time: Some(MicroTime(now)),
        lease_transitions: Some(if is_same { transitions } else { transitions + 1 }),
        ..LeaseSpec::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_held_until_it_is_old_or_given_back() {
        let now = Timestamp::from_second(1000).unwrap();
        let spec = held(LeaseSpec::default(), "a", now);
        assert!(is_held(&spec, now + SignedDuration::from_secs(14)));
        assert!(!is_held(&spec, now + SignedDuration::from_secs(15)));
        assert!(!is_held(&LeaseSpec { holder_identity: None, ..spec.clone() }, now));
        let renewed = held(spec.clone(), "a", now + SignedDuration::from_secs(3));
        assert_eq!((renewed.lease_transitions, renewed.acquire_time), (Some(1), spec.acquire_time.clone()));
        assert_eq!(held(spec, "b", now).lease_transitions, Some(2));
    }
}
