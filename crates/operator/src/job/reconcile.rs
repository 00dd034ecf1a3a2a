//! One round: observe, decide, apply.

use std::sync::Arc;
use std::time::Duration;

use firesteel_k8s::SparkJob;
use jiff::Timestamp;
use kube::runtime::controller::Action as Requeue;

use crate::cluster::ClusterError;
use crate::context::Context;

use super::apply::{Applied, apply};
use super::decide::{decide, decide_refused};
use super::observe::observe;

/// A look at every job happens at least this often, in case a watch has missed something.
const RESYNC: Duration = Duration::from_secs(600);

/// Brings a job one step further.
pub(crate) async fn reconcile(job: Arc<SparkJob>, context: Arc<Context>) -> Result<Requeue, ClusterError> {
    let now = Timestamp::now();
    let observed = observe(&context, &job, now).await?;
    let actions = decide(&observed, now);
    tracing::debug!(job = job.metadata.name, ?actions, "decided");
    let wait = match apply(&context, &job, actions).await? {
        Applied::Done(wait) => wait,
        Applied::Refused(job, refusal) => match apply(&context, &job, decide_refused(&job, &refusal, now)).await? {
            Applied::Done(wait) => wait,
            Applied::Refused(_, refusal) => return Err(ClusterError::Refused(refusal)),
        },
    };
    context.succeeded(&*job);
    Ok(Requeue::requeue(wait.map_or(RESYNC, |wait| wait.min(RESYNC))))
}
