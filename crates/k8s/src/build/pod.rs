//! The pod that every role begins with: one container, nothing that Pod Security "restricted" forbids.

use serde_json::{Map, Value, json};

use crate::pods::PodTemplate;
use crate::policy::Scheduling;
use crate::quantity::{Cpu, Memory};

use super::template;

/// The engine's container in every pod.
pub const CONTAINER: &str = "spark";

/// Seconds that a pod stays on a node that does not answer before the cluster takes it away.
const UNREACHABLE_SECONDS: u32 = 60;

/// What differs between pods.
#[derive(Clone, Debug)]
pub struct PodParts<'a> {
    /// The pod's name.
    pub name: String,
    /// The pod's namespace.
    pub namespace: &'a str,
    /// Labels, an object.
    pub labels: Value,
    /// Annotations, an object.
    pub annotations: Value,
    /// Owner references, a list.
    pub owners: Value,
    /// Image of the container.
    pub image: &'a str,
    /// `Always`, `IfNotPresent` or `Never`.
    pub image_pull_policy: Option<&'a str>,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Environment, a list of entries.
    pub env: Vec<Value>,
    /// Volumes beside the scratch space.
    pub volumes: Vec<Value>,
    /// Mounts beside the scratch space.
    pub mounts: Vec<Value>,
    /// Ports, a list of entries.
    pub ports: Vec<Value>,
    /// Processor time.
    pub cpu: &'a Cpu,
    /// Memory: request and limit.
    pub memory: &'a Memory,
    /// Service account, by which object stores know the pod.
    pub service_account: Option<&'a str>,
    /// Whether the account's token for the Kubernetes API is in the pod.
    pub has_api_token: bool,
    /// Queue, priority and scheduler.
    pub scheduling: &'a Scheduling,
    /// How long the pod may take to end.
    pub grace_seconds: u32,
}

/// The pod, with the user's template laid over it.
///
/// Guarantees: non-root, read-only root file system, no capabilities, seccomp RuntimeDefault, no service links, no
/// restarts. A template may add to the pod and change its container; identity (name, labels of ours, owners),
/// command and restart policy stay.
pub fn pod(parts: &PodParts<'_>, template: &PodTemplate) -> Value {
    let base = base(parts);
    let mut pod = template::lay_over(base.clone(), &template.0);
    let identity = &base["metadata"];
    for key in ["name", "namespace", "ownerReferences"] {
        pod["metadata"][key] = identity[key].clone();
    }
    for kept in ["labels", "annotations"] {
        for (key, value) in identity[kept].as_object().into_iter().flatten() {
            pod["metadata"][kept][key] = value.clone();
        }
    }
    for key in ["restartPolicy", "enableServiceLinks", "automountServiceAccountToken"] {
        pod["spec"][key] = base["spec"][key].clone();
    }
    if let Some(spark) = container(&mut pod) {
        spark.insert("command".to_owned(), json!(parts.command));
        spark.remove("args");
    }
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    pod
}

/// The engine's container of a pod.
fn container(pod: &mut Value) -> Option<&mut Map<String, Value>> {
    let containers = pod.get_mut("spec")?.get_mut("containers")?.as_array_mut()?;
    containers.iter_mut().find(|container| container["name"] == CONTAINER)?.as_object_mut()
}

fn base(parts: &PodParts<'_>) -> Value {
    let mut metadata = json!({
        "name": parts.name,
        "namespace": parts.namespace,
        "labels": parts.labels,
        "annotations": parts.annotations,
        "ownerReferences": parts.owners,
    });
    if let Some(queue) = &parts.scheduling.queue {
        metadata["labels"]["kueue.x-k8s.io/queue-name"] = json!(queue);
    }
    let mut volumes = vec![json!({ "name": "scratch", "emptyDir": {} })];
    volumes.extend(parts.volumes.iter().cloned());
    let mut spec = json!({
        "restartPolicy": "Never",
        "enableServiceLinks": false,
        "automountServiceAccountToken": parts.has_api_token,
        "terminationGracePeriodSeconds": parts.grace_seconds,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "tolerations": [unreachable("not-ready"), unreachable("unreachable")],
        "volumes": volumes,
        "containers": [spark(parts)],
    });
    let optional = [
        ("serviceAccountName", parts.service_account),
        ("priorityClassName", parts.scheduling.priority_class_name.as_deref()),
        ("schedulerName", parts.scheduling.scheduler_name.as_deref()),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            spec[key] = json!(value);
        }
    }
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec })
}

fn unreachable(taint: &str) -> Value {
    json!({
        "key": format!("node.kubernetes.io/{taint}"),
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": UNREACHABLE_SECONDS,
    })
}

fn spark(parts: &PodParts<'_>) -> Value {
    let mut env = vec![
        json!({ "name": "HOME", "value": "/tmp" }),
        // The user of the pod has a number and no name in the image, and libraries ask for one.
        json!({ "name": "USER", "value": "spark" }),
        json!({ "name": "POD_NAME", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }),
        json!({ "name": "POD_UID", "valueFrom": { "fieldRef": { "fieldPath": "metadata.uid" } } }),
        json!({ "name": "POD_NAMESPACE", "valueFrom": { "fieldRef": { "fieldPath": "metadata.namespace" } } }),
        json!({ "name": "POD_IP", "valueFrom": { "fieldRef": { "fieldPath": "status.podIP" } } }),
    ];
    env.extend(parts.env.iter().cloned());
    let mut mounts = vec![json!({ "name": "scratch", "mountPath": "/tmp" })];
    mounts.extend(parts.mounts.iter().cloned());
    let mut container = json!({
        "name": CONTAINER,
        "image": parts.image,
        "command": parts.command,
        "workingDir": "/tmp",
        "env": env,
        "volumeMounts": mounts,
        "resources": {
            "requests": { "cpu": parts.cpu, "memory": parts.memory },
            "limits": { "memory": parts.memory },
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        },
    });
    if let Some(policy) = parts.image_pull_policy {
        container["imagePullPolicy"] = json!(policy);
    }
    if !parts.ports.is_empty() {
        container["ports"] = json!(parts.ports);
    }
    container
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(template: Value) -> Value {
        let (cpu, memory, scheduling) = (Cpu::from("1"), Memory::from("2Gi"), Scheduling::default());
        let parts = PodParts {
            name: "sales-1-driver".to_owned(),
            namespace: "default",
            labels: json!({ "firesteel.dev/job": "sales" }),
            annotations: json!({}),
            owners: json!([]),
            image: "firesteel:0.1",
            image_pull_policy: Some("Never"),
            command: vec!["firesteel".to_owned(), "driver".to_owned()],
            env: vec![json!({ "name": "A", "value": "1" })],
            volumes: Vec::new(),
            mounts: Vec::new(),
            ports: Vec::new(),
            cpu: &cpu,
            memory: &memory,
            service_account: None,
            has_api_token: false,
            scheduling: &scheduling,
            grace_seconds: 30,
        };
        pod(&parts, &PodTemplate(template.as_object().cloned().unwrap_or_default()))
    }

    #[test]
    fn a_pod_keeps_to_the_restricted_standard() {
        let pod = made(json!({}));
        let spec = &pod["spec"];
        assert_eq!(spec["securityContext"]["runAsNonRoot"], true);
        assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        let container = &spec["containers"][0];
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
        assert_eq!(container["securityContext"]["capabilities"]["drop"], json!(["ALL"]));
        assert_eq!(spec["enableServiceLinks"], false);
        assert_eq!(spec["automountServiceAccountToken"], false);
    }

    #[test]
    fn a_template_adds_but_does_not_take_over() {
        let pod = made(json!({
            "metadata": { "name": "other", "labels": { "team": "a", "firesteel.dev/job": "other" } },
            "spec": {
                "restartPolicy": "Always",
                "nodeSelector": { "disk": "ssd" },
                "containers": [
                    { "name": "spark", "command": ["sh"], "args": ["-c"], "env": [{ "name": "B", "value": "2" }] },
                    { "name": "sidecar", "image": "x" },
                ],
            },
        }));
        assert_eq!(pod["metadata"]["name"], "sales-1-driver");
        assert_eq!(pod["metadata"]["labels"], json!({ "team": "a", "firesteel.dev/job": "sales" }));
        assert_eq!(pod["spec"]["restartPolicy"], "Never");
        assert_eq!(pod["spec"]["nodeSelector"]["disk"], "ssd");
        let containers = pod["spec"]["containers"].as_array().unwrap();
        assert_eq!(containers.len(), 2);
        assert_eq!(containers[0]["command"], json!(["firesteel", "driver"]));
        assert!(containers[0].get("args").is_none());
        let names: Vec<&Value> = containers[0]["env"].as_array().unwrap().iter().map(|entry| &entry["name"]).collect();
        assert!(names.contains(&&json!("A")) && names.contains(&&json!("B")), "{names:?}");
    }
}
