//! What must be there before, and what the API server has counted.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use firesteel_k8s::{SparkJob, crd};
use k8s_openapi::api::core::v1::{Namespace, Node, ServiceAccount};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;

use crate::{Failure, kubelet};

const LIMIT: Duration = Duration::from_secs(300);

/// Makes definitions, an empty namespace and its service account.
pub(crate) async fn prepare(client: &Client, namespace: &str) -> Result<(), Failure> {
    remove(client, namespace).await?;
    let parameters = PatchParams::apply("firesteel-bench").force();
    let definitions = Api::<CustomResourceDefinition>::all(client.clone());
    for definition in crd::definitions()? {
        let name = definition.json["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        definitions.patch(&name, &parameters, &Patch::Apply(&definition.json)).await?;
    }
    let text = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
    Api::<Namespace>::all(client.clone()).patch(namespace, &parameters, &Patch::Apply(&text)).await?;
    let jobs = Api::<SparkJob>::namespaced(client.clone(), namespace);
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), namespace);
    let begun = Instant::now();
    loop {
        let is_there = jobs.list(&ListParams::default().limit(1)).await.is_ok();
        if is_there && accounts.get_opt("default").await?.is_some() {
            return Ok(());
        }
        if begun.elapsed() > LIMIT {
            return Err("definitions or the namespace's service account do not come up".into());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Deletes namespace and node, and waits until they are gone.
pub(crate) async fn remove(client: &Client, namespace: &str) -> Result<(), Failure> {
    let namespaces = Api::<Namespace>::all(client.clone());
    let nodes = Api::<Node>::all(client.clone());
    let begun = Instant::now();
    if nodes.get_opt(kubelet::NODE).await?.is_some() {
        nodes.delete(kubelet::NODE, &DeleteParams::default()).await?;
    }
    while let Some(found) = namespaces.get_opt(namespace).await? {
        if found.metadata.deletion_timestamp.is_none() {
            namespaces.delete(namespace, &DeleteParams::default()).await?;
        }
        if begun.elapsed() > LIMIT {
            return Err(format!("the namespace {namespace} does not go away").into());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}

/// Calls that the API server has answered since its start, by verb and resource.
pub(crate) async fn calls(client: &Client) -> Result<BTreeMap<String, f64>, Failure> {
    let text = client.request_text(http::Request::get("/metrics").body(Vec::new())?).await?;
    let mut calls = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("apiserver_request_total{")) {
        let Some((labels, count)) = line.rsplit_once("} ") else { continue };
        let label = |name: &str| {
            let start = labels.find(&format!("{name}=\""))? + name.len() + 2;
            labels[start..].split('"').next()
        };
        let (verb, resource) = (label("verb").unwrap_or_default(), label("resource").unwrap_or_default());
        let part = label("subresource").filter(|part| !part.is_empty());
        let trial = label("dry_run").filter(|trial| !trial.is_empty()).map_or("", |_| " (trial)");
        let name = format!("{verb} {resource}{}{}{trial}", if part.is_some() { "/" } else { "" }, part.unwrap_or(""));
        *calls.entry(name).or_default() += count.parse::<f64>()?;
    }
    Ok(calls)
}
