//! Does what was decided, in order; the first failure ends it, and the next look starts from what is there then.

use std::time::Duration;

use firesteel_k8s::SparkJob;
use firesteel_k8s::build::names;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use serde_json::json;

use crate::cluster::ClusterError;
use crate::context::Context;

use super::build;
use super::build::Identity;
use super::decide::FINALIZER;
use super::observed::{Action, Refusal};

/// How the actions ended.
pub(crate) enum Applied {
    /// All are done; look again after this long.
    Done(Option<Duration>),
    /// The cluster has refused the driver's pod. The job is as it was written last.
    Refused(Box<SparkJob>, Refusal),
}

/// Does the actions.
pub(crate) async fn apply(context: &Context, job: &SparkJob, actions: Vec<Action>) -> Result<Applied, ClusterError> {
    let mut job = job.clone();
    let mut wait = None;
    for action in actions {
        match action {
            Action::Wait(after) => wait = Some(after),
            Action::WriteStatus(status) => {
                let name = job.metadata.name.clone().unwrap_or_default();
                let namespace = job.metadata.namespace.clone().unwrap_or_default();
                context.metrics.phase(status.phase);
                let written = SparkJob { status: Some(*status), ..job };
                job = context.cluster.replace_status(&namespace, &name, &written).await?;
            }
            Action::Launch { attempt } => match launch(context, &job, attempt).await {
                Ok(()) => context.metrics.launched(),
                Err(ClusterError::Refused(refusal)) => return Ok(Applied::Refused(Box::new(job), refusal)),
                Err(error) => return Err(error),
            },
            other => perform(context, &job, other).await?,
        }
    }
    Ok(Applied::Done(wait))
}

/// What the pod needs comes first, so that it never waits for it.
async fn launch(context: &Context, job: &SparkJob, attempt: u32) -> Result<(), ClusterError> {
    let name = names::driver(Identity::of(job).name, attempt);
    context.cluster.apply::<ConfigMap>(&build::job_text(job, &name, attempt, &context.settings)).await?;
    if context.settings.network_policy {
        context.cluster.apply::<NetworkPolicy>(&build::network_policy(job)).await?;
    }
    if let Some(budget) = build::disruption_budget(job, attempt) {
        context.cluster.apply::<PodDisruptionBudget>(&budget).await?;
    }
    context.cluster.create_pod(&build::driver_pod(job, attempt, &context.settings), false).await
}

async fn perform(context: &Context, job: &SparkJob, action: Action) -> Result<(), ClusterError> {
    let identity = Identity::of(job);
    let (namespace, name) = (identity.namespace, identity.name);
    let attempt = job.status.as_ref().and_then(|status| status.attempt).unwrap_or(0);
    let driver = names::driver(name, attempt);
    let cluster = &context.cluster;
    match action {
        Action::AddFinalizer => finalizers(context, job, true).await,
        Action::RemoveFinalizer => finalizers(context, job, false).await,
        Action::DeleteDriver { uid, at_once } => cluster.delete::<Pod>(namespace, &driver, &uid, at_once).await,
        Action::Resize { sizing } => {
            let annotations = json!({ "annotations": { names::SIZING: sizing } });
            cluster.patch_metadata::<Pod>(namespace, &driver, annotations).await
        }
        Action::DeleteObjects => {
            let labels = build::objects_of(job);
            // Executors go with their driver.
            let only = (attempt <= 1).then_some(driver.as_str());
            cluster.delete_all::<Pod>(namespace, &labels, only).await?;
            cluster.delete_all::<ConfigMap>(namespace, &labels, only).await?;
            if job.spec.driver_pdb {
                cluster.delete_all::<PodDisruptionBudget>(namespace, &labels, None).await?;
            }
            Ok(())
        }
        Action::StartCleanup => {
            let text = build::job_text(job, &names::cleanup(name), 0, &context.settings);
            cluster.apply::<ConfigMap>(&text).await?;
            let pod = build::cleanup_pod(job, &context.settings);
            match cluster.create_pod(&pod, false).await {
                Err(ClusterError::Refused(refusal)) => {
                    tracing::warn!(namespace, name, %refusal, "shuffle files cannot be deleted");
                    Ok(())
                }
                other => other,
            }
        }
        Action::DeleteJob => cluster.delete::<SparkJob>(namespace, name, identity.uid, false).await,
        Action::Tell(note) => {
            context.events.tell(job, &note).await;
            Ok(())
        }
        // These are done in order by the caller.
        Action::WriteStatus(_) | Action::Launch { .. } | Action::Wait(_) => Ok(()),
    }
}

/// The list is written whole, and only if the job is still the one that was read.
async fn finalizers(context: &Context, job: &SparkJob, is_wanted: bool) -> Result<(), ClusterError> {
    let identity = Identity::of(job);
    let mut names = job.metadata.finalizers.clone().unwrap_or_default();
    names.retain(|name| name != FINALIZER);
    if is_wanted {
        names.push(FINALIZER.to_owned());
    }
    let metadata = json!({ "finalizers": names, "resourceVersion": job.metadata.resource_version });
    context.cluster.patch_metadata::<SparkJob>(identity.namespace, identity.name, metadata).await
}
