//! The objects of a server, as JSON.

use std::net::IpAddr;

use firesteel_k8s::SparkConnectServer;
use firesteel_k8s::build::{names, pod, storage};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::settings::Settings;

/// Port of the server inside its pod.
const PORT: u16 = 15_002;
/// Folder of the server's own text in its pod, and of its token.
const SERVER_FOLDER: &str = "/etc/firesteel/server";
const TOKEN_FOLDER: &str = "/etc/firesteel/token";
const GRACE_SECONDS: u32 = 30;

/// Name of everything that a server consists of.
pub(crate) fn name(server: &SparkConnectServer) -> String {
    format!("{}-connect", server.metadata.name.as_deref().unwrap_or_default())
}

/// The Secret with the token, if the operator is to make one.
pub(crate) fn token_secret(server: &SparkConnectServer) -> Option<Value> {
    if server.spec.auth.token_secret.is_some() {
        return None;
    }
    let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    Some(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(server, &token_secret_name(server)),
        "stringData": { "token": token },
    }))
}

fn token_secret_name(server: &SparkConnectServer) -> String {
    let own = || format!("{}-token", server.metadata.name.as_deref().unwrap_or_default());
    server.spec.auth.token_secret.clone().unwrap_or_else(own)
}

/// The ConfigMap with the server as it is now.
pub(crate) fn text(server: &SparkConnectServer, settings: &Settings) -> Value {
    let mut storage = server.spec.storage.clone();
    storage.connections = settings.connections_of(&server.spec.storage.connections).to_vec();
    // All that the server's executors are made from, and nothing that may change without a new pod.
    let metadata = &server.metadata;
    let text = json!({
        "apiVersion": "firesteel.dev/v1alpha1",
        "kind": "SparkConnectServer",
        "metadata": { "name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid },
        "spec": {
            "image": server.spec.image.as_deref().unwrap_or(&settings.image),
            "serviceAccountName": service_account(server, settings),
            "conf": server.spec.conf,
            "storage": storage,
            "executor": server.spec.executor,
            "scheduling": server.spec.scheduling,
        },
    });
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": self::metadata(server, &name(server)),
        "data": { "server.json": text.to_string() },
    })
}

/// The Service that clients connect to.
pub(crate) fn service(server: &SparkConnectServer) -> Value {
    let mut metadata = metadata(server, &name(server));
    metadata["annotations"] = json!(server.spec.service.annotations);
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {
            "type": server.spec.service.kind,
            "selector": labels(server),
            "ports": [{
                "name": "connect", "port": server.spec.service.port, "targetPort": PORT, "appProtocol": "kubernetes.io/h2c",
            }],
        },
    })
}

/// Name of the EndpointSlice of a server that rests.
pub(crate) fn doorbell_name(server: &SparkConnectServer) -> String {
    format!("{}-doorbell", name(server))
}

/// What leads the Service of a server that rests to a port of the operator.
pub(crate) fn doorbell(server: &SparkConnectServer, operator: IpAddr, port: u16) -> Value {
    let mut metadata = metadata(server, &doorbell_name(server));
    metadata["labels"]["kubernetes.io/service-name"] = json!(name(server));
    metadata["labels"]["endpointslice.kubernetes.io/managed-by"] = json!(names::FIELD_MANAGER);
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": if operator.is_ipv4() { "IPv4" } else { "IPv6" },
        "endpoints": [{ "addresses": [operator.to_string()], "conditions": { "ready": true } }],
        "ports": [{ "name": "connect", "port": port, "protocol": "TCP" }],
    })
}

/// The Deployment: one pod, or none while the server is stopped or rests. A change of the server's text makes a new pod.
pub(crate) fn deployment(server: &SparkConnectServer, rests: bool, settings: &Settings) -> Value {
    let text = text(server, settings)["data"]["server.json"].as_str().map(str::to_owned).unwrap_or_default();
    let mut pod = pod(server, settings);
    pod["metadata"]["annotations"]["firesteel.dev/text"] =
        json!(Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).to_string());
    let template = json!({
        "metadata": { "labels": pod["metadata"]["labels"], "annotations": pod["metadata"]["annotations"] },
        "spec": pod["spec"],
    });
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(server, &name(server)),
        "spec": {
            "replicas": if server.spec.stop || rests { 0 } else { 1 },
            // Two servers would share a name and know nothing of each other's sessions.
            "strategy": { "type": "Recreate" },
            "selector": { "matchLabels": labels(server) },
            "template": template,
        },
    })
}

fn pod(server: &SparkConnectServer, settings: &Settings) -> Value {
    let spec = &server.spec;
    let (mut volumes, mut mounts) = storage::mounts(settings.connections_of(&spec.storage.connections));
    volumes.push(json!({ "name": "server", "configMap": { "name": name(server) } }));
    mounts.push(json!({ "name": "server", "mountPath": SERVER_FOLDER, "readOnly": true }));
    volumes
        .push(json!({ "name": "token", "secret": { "secretName": token_secret_name(server), "defaultMode": 0o440 } }));
    mounts.push(json!({ "name": "token", "mountPath": TOKEN_FOLDER, "readOnly": true }));
    let command = [
        "firesteel",
        "driver",
        "--server",
        &format!("{SERVER_FOLDER}/server.json"),
        "--token-file",
        &format!("{TOKEN_FOLDER}/token"),
        "--port",
        &PORT.to_string(),
    ];
    let policy = settings.image_pull_policy.as_ref();
    let env = policy.map(|policy| json!({ "name": "FIRESTEEL_IMAGE_PULL_POLICY", "value": policy }));
    let env = env.into_iter().collect();
    let parts = pod::PodParts {
        name: name(server),
        namespace: server.metadata.namespace.as_deref().unwrap_or_default(),
        labels: labels(server),
        annotations: json!({}),
        owners: json!([]),
        image: spec.image.as_deref().unwrap_or(&settings.image),
        image_pull_policy: settings.image_pull_policy.as_deref(),
        command: command.map(str::to_owned).to_vec(),
        env,
        volumes,
        mounts,
        ports: vec![json!({ "name": "connect", "containerPort": PORT })],
        cpu: &spec.driver.cpu,
        memory: &spec.driver.memory,
        service_account: Some(service_account(server, settings)),
        has_api_token: true,
        scheduling: &spec.scheduling,
        grace_seconds: GRACE_SECONDS,
    };
    let mut pod = pod::pod(&parts, &spec.driver.pod_template);
    pod["spec"]["restartPolicy"] = json!("Always");
    let is_spark = |container: &&mut Value| container["name"] == pod::CONTAINER;
    let containers = pod["spec"]["containers"].as_array_mut();
    if let Some(spark) = containers.and_then(|containers| containers.iter_mut().find(is_spark)) {
        spark["readinessProbe"] = json!({ "tcpSocket": { "port": PORT }, "periodSeconds": 2 });
    }
    pod
}

fn service_account<'a>(server: &'a SparkConnectServer, settings: &'a Settings) -> &'a str {
    server.spec.service_account_name.as_deref().unwrap_or(&settings.service_account)
}

/// Selects the server's own pod.
pub(crate) fn selector(server: &SparkConnectServer) -> String {
    let name = server.metadata.name.as_deref().unwrap_or_default();
    format!("{}={name},{}={}", names::SERVER, names::ROLE, names::CONNECT)
}

/// Labels of a server's objects; those of its executors differ in their role.
fn labels(server: &SparkConnectServer) -> Value {
    json!({
        "app.kubernetes.io/name": "firesteel",
        "app.kubernetes.io/managed-by": names::FIELD_MANAGER,
        names::SERVER: server.metadata.name,
        names::ROLE: names::CONNECT,
    })
}

fn metadata(server: &SparkConnectServer, name: &str) -> Value {
    let uid = server.metadata.uid.as_deref().unwrap_or_default();
    let owner = server.metadata.name.as_deref().unwrap_or_default();
    json!({
        "name": name,
        "namespace": server.metadata.namespace,
        "labels": labels(server),
        "ownerReferences": names::owned_by("firesteel.dev/v1alpha1", "SparkConnectServer", owner, uid),
    })
}

#[cfg(test)]
mod tests {
    use super::super::status::tests::server;
    use super::*;

    #[test]
    fn a_server_is_one_pod_behind_a_service_with_a_token() {
        let server = server("{}");
        let deployment = deployment(&server, false, &Settings::default());
        assert_eq!(deployment["spec"]["replicas"], 1);
        let template = &deployment["spec"]["template"];
        assert_eq!(template["metadata"]["labels"], deployment["spec"]["selector"]["matchLabels"]);
        assert_eq!(template["spec"]["restartPolicy"], "Always");
        assert_eq!(service(&server)["spec"]["selector"], template["metadata"]["labels"]);
        let token = token_secret(&server).unwrap()["stringData"]["token"].as_str().unwrap().to_owned();
        assert_eq!(token.len(), 64);
        assert!(!deployment.to_string().contains(&token));
        serde_json::from_value::<k8s_openapi::api::apps::v1::Deployment>(deployment).unwrap();
    }

    #[test]
    fn a_stopped_server_has_no_pod_and_a_given_secret_is_used() {
        let server = server("{stop: true, auth: {tokenSecret: mine}}");
        assert_eq!(deployment(&server, false, &Settings::default())["spec"]["replicas"], 0);
        assert_eq!(deployment(&self::server("{}"), true, &Settings::default())["spec"]["replicas"], 0);
        assert!(token_secret(&server).is_none());
        assert!(deployment(&server, false, &Settings::default()).to_string().contains("\"secretName\":\"mine\""));
    }

    #[test]
    fn a_service_leads_to_the_operator_beside_its_pods() {
        let slice = doorbell(&server("{}"), [10, 0, 0, 1].into(), 4000);
        assert_eq!(
            slice["metadata"]["labels"]["kubernetes.io/service-name"],
            service(&server("{}"))["metadata"]["name"]
        );
        assert_eq!(slice["ports"][0]["name"], service(&server("{}"))["spec"]["ports"][0]["name"]);
        serde_json::from_value::<k8s_openapi::api::discovery::v1::EndpointSlice>(slice).unwrap();
    }

    #[test]
    fn changed_settings_make_a_new_pod() {
        let annotation = |spec: &str| {
            deployment(&server(spec), false, &Settings::default())["spec"]["template"]["metadata"]["annotations"]
                .clone()
        };
        assert_eq!(annotation("{}"), annotation("{stop: true}"));
        assert_ne!(annotation("{}"), annotation("{conf: {spark.sql.ansi.enabled: 'false'}}"));
    }
}
