//! One round for a server: make its objects, report what they do.

use std::sync::Arc;
use std::time::Duration;

use firesteel_k8s::SparkConnectServer;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::ResourceExt;
use kube::api::{ListParams, PostParams};
use kube::runtime::controller::Action as Requeue;

use crate::cluster::{ClusterError, limited};
use crate::context::Context;

use super::build;
use super::rest::{Rest, rest, resting_since};
use super::status::{adopt, derive};

const RESYNC: Duration = Duration::from_secs(600);

/// Brings a server up to date.
pub(crate) async fn reconcile(server: Arc<SparkConnectServer>, context: Arc<Context>) -> Result<Requeue, ClusterError> {
    if server.metadata.deletion_timestamp.is_some() {
        context.doorbells.take(&server.namespace().unwrap_or_default(), &server.name_any());
        return Ok(Requeue::await_change());
    }
    let namespace = server.namespace().unwrap_or_default();
    let cluster = &context.cluster;
    context.access.ensure(&context, &namespace).await?;
    make_token(&context, &server, &namespace).await?;
    cluster.apply::<ConfigMap>(&build::text(&server, &context.settings)).await?;
    cluster.apply::<Service>(&build::service(&server)).await?;
    let pods = ListParams::default().labels(&build::selector(&server));
    let pods = limited(cluster.api::<Pod>(&namespace).list(&pods)).await?.items;
    let (mut status, now) = (server.status.clone().unwrap_or_default(), Timestamp::now());
    let report = adopt(&mut status, &pods);
    let mut rest = rest(&server, &mut status, &report, now);
    if rest == Rest::Resting && !hang_doorbell(&context, &server, &namespace).await? {
        rest = Rest::Awake;
    }
    let rests = rest == Rest::Resting;
    cluster.apply::<Deployment>(&build::deployment(&server, rests, &context.settings)).await?;
    if !rests {
        take_doorbell(&context, &server, &namespace).await?;
    }
    let deployment = cluster.get::<Deployment>(&namespace, &build::name(&server)).await?;
    let (status, note) = derive(&server, status, &report, deployment.as_ref(), rests, now);
    if server.status.as_ref() != Some(&status) {
        let written = SparkConnectServer { status: Some(status), ..(*server).clone() };
        cluster.replace_status(&namespace, &server.name_any(), &written).await?;
    }
    if let Some(note) = note {
        context.events.tell(&*server, &note).await;
    }
    context.succeeded(&*server);
    let wait = match rest {
        Rest::At(time) => time.duration_since(now).unsigned_abs() + Duration::from_millis(50),
        Rest::Awake | Rest::Resting => RESYNC,
    };
    Ok(Requeue::requeue(wait.min(RESYNC)))
}

/// Leads whoever connects to the Service here; whether that can be done, because a server that nothing can wake must
/// not rest.
async fn hang_doorbell(context: &Context, server: &SparkConnectServer, namespace: &str) -> Result<bool, ClusterError> {
    let Some(address) = context.settings.pod_ip else { return Ok(false) };
    let name = server.name_any();
    let port = match context.doorbells.hang(&context.cluster, namespace, &name).await {
        Ok(port) => port,
        Err(error) => {
            tracing::warn!(namespace, name, %error, "a server stays awake");
            return Ok(false);
        }
    };
    context.cluster.apply::<EndpointSlice>(&build::doorbell(server, address, port)).await.map(|()| true)
}

async fn take_doorbell(context: &Context, server: &SparkConnectServer, namespace: &str) -> Result<(), ClusterError> {
    let had_one = context.doorbells.take(namespace, &server.name_any());
    // Another operator may have made it.
    let was_resting = server.status.as_ref().and_then(resting_since).is_some();
    if !had_one && !was_resting {
        return Ok(());
    }
    let slices = context.cluster.api::<EndpointSlice>(namespace);
    let name = build::doorbell_name(server);
    let Some(slice) = limited(slices.get_opt(&name)).await? else { return Ok(()) };
    let uid = slice.metadata.uid.unwrap_or_default();
    context.cluster.delete::<EndpointSlice>(namespace, &name, &uid, false).await
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
