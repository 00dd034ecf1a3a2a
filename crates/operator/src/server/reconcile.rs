//! One round for a server: make its objects, report what they do.

use std::sync::Arc;
use std::time::Duration;

use firesteel_k8s::SparkConnectServer;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Service};
use kube::ResourceExt;
use kube::api::{ListParams, PostParams};
use kube::runtime::controller::Action as Requeue;

use crate::cluster::{ClusterError, limited};
use crate::context::Context;

use super::build;
use super::status::status;

const RESYNC: Duration = Duration::from_secs(600);

/// Brings a server up to date.
pub(crate) async fn reconcile(server: Arc<SparkConnectServer>, context: Arc<Context>) -> Result<Requeue, ClusterError> {
    if server.metadata.deletion_timestamp.is_some() {
        return Ok(Requeue::await_change());
    }
    let namespace = server.namespace().unwrap_or_default();
    let cluster = &context.cluster;
    context.access.ensure(&context, &namespace).await?;
    make_token(&context, &server, &namespace).await?;
    cluster.apply::<ConfigMap>(&build::text(&server, &context.settings)).await?;
    cluster.apply::<Service>(&build::service(&server)).await?;
    cluster.apply::<Deployment>(&build::deployment(&server, &context.settings)).await?;
    let deployment = cluster.get::<Deployment>(&namespace, &build::name(&server)).await?;
    let pods = ListParams::default().labels(&build::selector(&server));
    let pods = limited(cluster.api::<Pod>(&namespace).list(&pods)).await?.items;
    let (status, note) = status(&server, deployment.as_ref(), &pods, Timestamp::now());
    if server.status.as_ref() != Some(&status) {
        let written = SparkConnectServer { status: Some(status), ..(*server).clone() };
        cluster.replace_status(&namespace, &server.name_any(), &written).await?;
    }
    if let Some(note) = note {
        context.events.tell(&*server, &note).await;
    }
    context.succeeded(&*server);
    Ok(Requeue::requeue(RESYNC))
}

/// Makes the token once; the operator never reads it back.
async fn make_token(context: &Context, server: &SparkConnectServer, namespace: &str) -> Result<(), ClusterError> {
    let is_made = server.status.is_some();
    let Some(secret) = build::token_secret(server).filter(|_| !is_made) else { return Ok(()) };
    let secret: Secret = serde_json::from_value(secret)?;
    let secrets = context.cluster.api::<Secret>(namespace);
    match limited(secrets.create(&PostParams::default(), &secret)).await {
        Ok(_) | Err(ClusterError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}
