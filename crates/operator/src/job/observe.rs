//! Reads what a decision about a job needs, and nothing else.

use firesteel_k8s::build::names;
use firesteel_k8s::pod_status::Obstacle;
use firesteel_k8s::{Phase, Reason, SparkJob};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::ListParams;

use crate::cluster::{ClusterError, limited};
use crate::context::Context;

use super::build;
use super::build::Identity;
use super::decide::{has_finalizer, wants_admission};
use super::driver::{self, Class, Driver, DriverPod, PodState};
use super::observed::{Admission, Cleanup, Observed};

/// How long a pod may take to start before somebody asks for events: that costs the API a look at all there are.
const EVENTS_AFTER: SignedDuration = SignedDuration::from_secs(4);

/// Observes.
pub(crate) async fn observe<'a>(
    context: &Context,
    job: &'a SparkJob,
    now: Timestamp,
) -> Result<Observed<'a>, ClusterError> {
    let driver = driver_of(context, job, now).await?;
    let admission = if wants_admission(job, now) { Some(admission(context, job).await?) } else { None };
    let is_deleted = job.metadata.deletion_timestamp.is_some() && has_finalizer(job);
    let cleanup = if is_deleted { cleanup(context, job).await? } else { Cleanup::Absent };
    Ok(Observed { job, driver, admission, cleanup })
}

/// The driver's pod, as the watch knows it: what that says may be late but was so, and no later look takes it back.
async fn driver_of(context: &Context, job: &SparkJob, now: Timestamp) -> Result<Driver, ClusterError> {
    let Some(attempt) = job.status.as_ref().and_then(|status| status.attempt) else { return Ok(Driver::Absent) };
    let identity = Identity::of(job);
    let name = names::driver(identity.name, attempt);
    let known = context.pods.get(identity.namespace, &name);
    let known = known.map_or(Driver::Absent, |pod| driver::read(&pod, identity.uid, attempt));
    let mut driver = match known {
        Driver::Pod(_) => known,
        // Nothing but its pods' deletion depends on them any more.
        Driver::Absent if context.pods.is_kept() && is_over(job) => known,
        // That there is no such pod, or somebody else's, is to be true now.
        Driver::Absent | Driver::Foreign => {
            let pod: Option<Pod> = context.cluster.get(identity.namespace, &name).await?;
            pod.map_or(Driver::Absent, |pod| driver::read(&pod, identity.uid, attempt))
        }
    };
    if let Driver::Pod(pod) = &mut driver
        && pod.node.is_some()
        && pod.state == PodState::Pending(None)
        && waiting_for(job, now) >= EVENTS_AFTER
    {
        pod.state = PodState::Pending(failed_mount(context, identity.namespace, &pod.uid).await?);
    }
    Ok(driver)
}

fn is_over(job: &SparkJob) -> bool {
    let phase = job.status.as_ref().and_then(|status| status.phase);
    matches!(phase, Some(Phase::Succeeded | Phase::Failed)) && job.metadata.deletion_timestamp.is_none()
}

/// How long the attempt has been on.
fn waiting_for(job: &SparkJob, now: Timestamp) -> SignedDuration {
    let begun = job.status.as_ref().and_then(|status| status.attempt_start_time.as_ref());
    begun.map_or(SignedDuration::ZERO, |begun| now.duration_since(begun.0))
}

/// A pod that waits for a Secret or ConfigMap does not say so; only an event does.
async fn failed_mount(context: &Context, namespace: &str, pod: &str) -> Result<Option<Obstacle>, ClusterError> {
    let fields = format!("involvedObject.uid={pod},reason=FailedMount");
    let events = context.cluster.api::<Event>(namespace);
    let mut found = limited(events.list(&ListParams::default().fields(&fields))).await?.items;
    let message = found.pop().map(|event| event.message.unwrap_or_default());
    Ok(message.map(|message| Obstacle { reason: Reason::ConfigError, message }))
}

/// Tries to make the next driver's pod without making it, if the cluster has refused it before: else the launch shows.
async fn admission(context: &Context, job: &SparkJob) -> Result<Admission, ClusterError> {
    context.access.ensure(context, Identity::of(job).namespace).await?;
    let reason = job.status.as_ref().and_then(|status| status.reason);
    if !matches!(reason, Some(Reason::QuotaExceeded | Reason::Refused)) {
        return Ok(Admission::Allowed);
    }
    // The name does not matter to quotas and policies, so that any free one does.
    let attempt = job.status.as_ref().and_then(|status| status.attempt).unwrap_or(0) + 1;
    match context.cluster.create_pod(&build::driver_pod(job, attempt, &context.settings), true).await {
        Ok(()) => Ok(Admission::Allowed),
        Err(ClusterError::Refused(refusal)) => Ok(Admission::Refused(refusal)),
        Err(error) => Err(error),
    }
}

async fn cleanup(context: &Context, job: &SparkJob) -> Result<Cleanup, ClusterError> {
    let identity = Identity::of(job);
    let pod: Option<Pod> = context.cluster.get(identity.namespace, &names::cleanup(identity.name)).await?;
    let Some(pod) = pod else { return Ok(Cleanup::Absent) };
    let attempt = job.status.as_ref().and_then(|status| status.attempt).unwrap_or(0);
    Ok(match driver::read(&pod, identity.uid, attempt) {
        Driver::Pod(pod) => progress(&pod),
        // It belongs to a job of the same name that is going away.
        Driver::Absent | Driver::Foreign => Cleanup::Running,
    })
}

fn progress(pod: &DriverPod) -> Cleanup {
    match &pod.state {
        PodState::Ended(ending) if ending.class == Class::Success => Cleanup::Done,
        PodState::Ended(_) => Cleanup::Failed,
        PodState::Pending(_) | PodState::Running(_) => Cleanup::Running,
    }
}
