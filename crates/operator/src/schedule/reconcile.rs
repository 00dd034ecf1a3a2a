//! One round for a schedule: read it and its jobs, decide, apply.

use std::sync::Arc;
use std::time::Duration;

use firesteel_k8s::build::names;
use firesteel_k8s::{ScheduledSparkJob, SparkJob};
use jiff::Timestamp;
use kube::ResourceExt;
use kube::api::{ListParams, PostParams};
use kube::runtime::controller::Action as Requeue;

use crate::cluster::{ClusterError, limited};
use crate::context::Context;

use super::decide::{Action, decide};

/// A look at every schedule happens at least this often, in case clocks jump.
const RESYNC: Duration = Duration::from_secs(300);

/// Brings a schedule up to date. It is read anew, because a job that was made and cleaned up must not be made again
/// on the word of an old copy.
pub(crate) async fn reconcile(cached: Arc<ScheduledSparkJob>, context: Arc<Context>) -> Result<Requeue, ClusterError> {
    let namespace = cached.namespace().unwrap_or_default();
    let Some(schedule) = context.cluster.get::<ScheduledSparkJob>(&namespace, &cached.name_any()).await? else {
        return Ok(Requeue::await_change());
    };
    let labels = format!("{}={}", names::SCHEDULE, schedule.name_any());
    let jobs = context.cluster.api::<SparkJob>(&namespace);
    let jobs = limited(jobs.list(&ListParams::default().labels(&labels))).await?.items;
    let uid = schedule.uid();
    let is_own = |job: &SparkJob| job.owner_references().iter().any(|owner| Some(&owner.uid) == uid.as_ref());
    let jobs: Vec<SparkJob> = jobs.into_iter().filter(is_own).collect();
    let mut wait = RESYNC;
    for action in decide(&schedule, &jobs, Timestamp::now()) {
        match action {
            Action::Wait(after) => wait = wait.min(after),
            other => perform(&context, &schedule, &namespace, other).await?,
        }
    }
    context.succeeded(&*cached);
    Ok(Requeue::requeue(wait))
}

async fn perform(
    context: &Context,
    schedule: &ScheduledSparkJob,
    namespace: &str,
    action: Action,
) -> Result<(), ClusterError> {
    match action {
        Action::CreateJob(job) => {
            let jobs = context.cluster.api::<SparkJob>(namespace);
            match limited(jobs.create(&PostParams::default(), &job)).await {
                Ok(_) => context.metrics.scheduled(),
                // It was made before the status could be written.
                Err(ClusterError::Conflict) => {}
                Err(error) => return Err(error),
            }
            Ok(())
        }
        Action::DeleteJob { name, uid } => context.cluster.delete::<SparkJob>(namespace, &name, &uid, false).await,
        Action::WriteStatus(status) => {
            let written = ScheduledSparkJob { status: Some(*status), ..schedule.clone() };
            context.cluster.replace_status(namespace, &schedule.name_any(), &written).await.map(|_| ())
        }
        Action::Tell(note) => {
            context.events.tell(schedule, &note).await;
            Ok(())
        }
        Action::Wait(_) => Ok(()),
    }
}
