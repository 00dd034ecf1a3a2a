//! The objects of an attempt, as JSON.

use firesteel_k8s::SparkJob;
use firesteel_k8s::build::{names, pod, storage};
use firesteel_k8s::pods::PodTemplate;
use firesteel_k8s::quantity::{Cpu, Memory};
use serde_json::{Value, json};

use crate::settings::Settings;

use super::decide::sizing;

/// Folder of the job's own text in the driver's pod.
const JOB_FOLDER: &str = "/etc/firesteel/job";
/// The job in that folder.
const JOB_FILE: &str = "job.json";
/// How long a driver may take to end well: its program gets 10 s of these.
const GRACE_SECONDS: u32 = 30;

/// The identity of a job, as its objects need it.
pub(crate) struct Identity<'a> {
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) uid: &'a str,
}

impl<'a> Identity<'a> {
    /// Of a job that the API has given out; there every part is set.
    pub(crate) fn of(job: &'a SparkJob) -> Self {
        Self {
            name: job.metadata.name.as_deref().unwrap_or_default(),
            namespace: job.metadata.namespace.as_deref().unwrap_or_default(),
            uid: job.metadata.uid.as_deref().unwrap_or_default(),
        }
    }

    fn owners(&self) -> Value {
        names::owned_by("firesteel.dev/v1alpha1", "SparkJob", self.name, self.uid)
    }

    fn labels(&self, attempt: u32, role: &str) -> Value {
        names::labels(self.name, self.uid, attempt, role)
    }

    fn metadata(&self, name: &str, attempt: u32, role: &str) -> Value {
        json!({
            "name": name,
            "namespace": self.namespace,
            "labels": self.labels(attempt, role),
            "ownerReferences": self.owners(),
        })
    }
}

/// The ConfigMap called `name` with the job as it is now, for the pods of an attempt.
pub(crate) fn job_text(job: &SparkJob, name: &str, attempt: u32, settings: &Settings) -> Value {
    let identity = Identity::of(job);
    // What the operator was installed with is told, so that the driver's executors get the same.
    let mut spec = job.spec.clone();
    spec.image.get_or_insert_with(|| settings.image.clone());
    spec.service_account_name.get_or_insert_with(|| settings.service_account.clone());
    spec.storage.connections = settings.connections_of(&job.spec.storage.connections).to_vec();
    let text = json!({
        "apiVersion": "firesteel.dev/v1alpha1",
        "kind": "SparkJob",
        "metadata": { "name": identity.name, "namespace": identity.namespace, "uid": identity.uid },
        "spec": spec,
    });
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": identity.metadata(name, attempt, names::DRIVER),
        "data": { JOB_FILE: text.to_string() },
    })
}

/// The driver's pod of an attempt.
pub(crate) fn driver_pod(job: &SparkJob, attempt: u32, settings: &Settings) -> Value {
    let identity = Identity::of(job);
    let name = names::driver(identity.name, attempt);
    let account = job.spec.service_account_name.as_deref().unwrap_or(&settings.service_account);
    let mut parts = parts(job, &identity, name.clone(), &name, settings);
    parts.labels = identity.labels(attempt, names::DRIVER);
    parts.annotations = json!({ names::SIZING: sizing(job) });
    parts.command = ["firesteel", "driver", "--job", &format!("{JOB_FOLDER}/{JOB_FILE}")].map(str::to_owned).to_vec();
    parts.env = vec![json!({ "name": "FIRESTEEL_ATTEMPT", "value": attempt.to_string() })];
    if let Some(policy) = &settings.image_pull_policy {
        parts.env.push(json!({ "name": "FIRESTEEL_IMAGE_PULL_POLICY", "value": policy }));
    }
    parts.cpu = &job.spec.driver.cpu;
    parts.memory = &job.spec.driver.memory;
    parts.service_account = Some(account);
    parts.has_api_token = true;
    pod::pod(&parts, &job.spec.driver.pod_template)
}

/// The pod that deletes the shuffle files of all attempts.
pub(crate) fn cleanup_pod(job: &SparkJob, settings: &Settings) -> Value {
    let identity = Identity::of(job);
    let name = names::cleanup(identity.name);
    let mut parts = parts(job, &identity, name.clone(), &name, settings);
    parts.labels = identity.labels(job.status.as_ref().and_then(|status| status.attempt).unwrap_or(0), names::CLEANUP);
    parts.command = ["firesteel", "clean", "--job", &format!("{JOB_FOLDER}/{JOB_FILE}")].map(str::to_owned).to_vec();
    let (cpu, memory) = (Cpu::from("100m"), Memory::from("256Mi"));
    parts.cpu = &cpu;
    parts.memory = &memory;
    pod::pod(&parts, &PodTemplate::default())
}

/// What the driver's and the cleaning pod have in common; `text` is the ConfigMap with the job.
fn parts<'a>(
    job: &'a SparkJob,
    identity: &Identity<'a>,
    name: String,
    text: &str,
    settings: &'a Settings,
) -> pod::PodParts<'a> {
    let (mut volumes, mut mounts) = storage::mounts(settings.connections_of(&job.spec.storage.connections));
    volumes.push(json!({ "name": "job", "configMap": { "name": text } }));
    mounts.push(json!({ "name": "job", "mountPath": JOB_FOLDER, "readOnly": true }));
    pod::PodParts {
        name,
        namespace: identity.namespace,
        labels: json!({}),
        annotations: json!({}),
        owners: identity.owners(),
        image: job.spec.image.as_deref().unwrap_or(&settings.image),
        image_pull_policy: settings.image_pull_policy.as_deref(),
        command: Vec::new(),
        env: Vec::new(),
        volumes,
        mounts,
        ports: Vec::new(),
        cpu: &job.spec.driver.cpu,
        memory: &job.spec.driver.memory,
        service_account: None,
        has_api_token: false,
        scheduling: &job.spec.scheduling,
        grace_seconds: GRACE_SECONDS,
    }
}

/// What makes the draining of a node wait for the driver, if the job asks for it.
pub(crate) fn disruption_budget(job: &SparkJob, attempt: u32) -> Option<Value> {
    let identity = Identity::of(job);
    let name = names::driver(identity.name, attempt);
    job.spec.driver_pdb.then(|| {
        json!({
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": identity.metadata(&name, attempt, names::DRIVER),
            "spec": {
                "minAvailable": 1,
                "selector": { "matchLabels": {
                    names::JOB_UID: identity.uid,
                    names::ATTEMPT: attempt.to_string(),
                    names::ROLE: names::DRIVER,
                } },
            },
        })
    })
}

/// What lets nobody connect to a part of the job but its other parts.
pub(crate) fn network_policy(job: &SparkJob) -> Value {
    let identity = Identity::of(job);
    let parts = json!({ "matchLabels": { names::JOB_UID: identity.uid } });
    let mut metadata = identity.metadata(&names::network_policy(identity.name), 0, names::DRIVER);
    // It is the job's, whatever the attempt.
    if let Some(labels) = metadata["labels"].as_object_mut() {
        labels.retain(|key, _| key != names::ATTEMPT && key != names::ROLE);
    }
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": {
            "podSelector": parts,
            "policyTypes": ["Ingress"],
            "ingress": [{ "from": [{ "podSelector": parts }] }],
        },
    })
}

/// The objects that all attempts of a job have in common with nothing else.
pub(crate) fn objects_of(job: &SparkJob) -> String {
    format!("{}={}", names::JOB_UID, Identity::of(job).uid)
}

#[cfg(test)]
mod tests {
    use crate::fixtures::job;

    use super::*;

    #[test]
    fn a_drivers_pod_reads_its_job_and_holds_no_secret() {
        let job = job(
            "{main: {sql: {text: SELECT 1}}, driver: {cpu: 2, memory: 4Gi}, storage: {connections: [{name: a, credentialsSecret: keys}]}}",
        );
        let pod = driver_pod(&job, 3, &Settings::default());
        assert_eq!(pod["metadata"]["name"], "sales-3-driver");
        assert_eq!(pod["metadata"]["ownerReferences"][0]["uid"], "u-sales");
        let container = &pod["spec"]["containers"][0];
        assert_eq!(container["command"], json!(["firesteel", "driver", "--job", "/etc/firesteel/job/job.json"]));
        assert_eq!(container["resources"]["limits"]["memory"], "4Gi");
        assert_eq!(pod["spec"]["serviceAccountName"], "firesteel-driver");
        assert!(!pod.to_string().contains("AWS_"), "credentials are files");
        serde_json::from_value::<k8s_openapi::api::core::v1::Pod>(pod).unwrap();
    }

    #[test]
    fn the_job_in_the_config_map_reads_back() {
        let job = job("{main: {python: {text: 'print(1)'}}}");
        let map = job_text(&job, "sales-1-driver", 1, &Settings::default());
        let text = map["data"]["job.json"].as_str().unwrap();
        let back = firesteel_k8s::Manifest::parse(text, "job.json", &[]).unwrap().into_job("job.json").unwrap();
        let mut told = job.spec.clone();
        told.image = Some("firesteel:test".to_owned());
        told.service_account_name = Some("firesteel-driver".to_owned());
        assert_eq!(back.spec, told);
    }

    #[test]
    fn a_job_without_connections_gets_the_operators() {
        let given = serde_json::from_str(r#"[{"name": "given", "credentialsSecret": "keys"}]"#).unwrap();
        let settings = Settings { connections: Some(crate::settings::Connections(given)), ..Settings::default() };
        let text = |spec: &str| {
            let job = job(spec);
            (job_text(&job, "x", 1, &settings).to_string(), driver_pod(&job, 1, &settings).to_string())
        };
        let (map, pod) = text("{main: {sql: {text: x}}}");
        assert!(map.contains("given") && pod.contains("\"secretName\":\"keys\""));
        let (map, pod) = text("{main: {sql: {text: x}}, storage: {connections: [{name: own}]}}");
        assert!(!map.contains("given") && !pod.contains("secretName"));
    }

    #[test]
    fn a_cleaning_pod_gets_no_token() {
        let job = job("{main: {sql: {text: x}}, storage: {shuffle: {url: 's3://b/shuffle'}}}");
        let pod = cleanup_pod(&job, &Settings::default());
        assert_eq!(pod["spec"]["automountServiceAccountToken"], false);
        assert!(pod["spec"].get("serviceAccountName").is_none());
    }

    #[test]
    fn only_parts_of_the_same_job_may_connect() {
        let policy = network_policy(&job("{main: {sql: {text: x}}}"));
        let parts = json!({ "matchLabels": { "firesteel.dev/job-uid": "u-sales" } });
        assert_eq!(policy["spec"]["podSelector"], parts);
        assert_eq!(policy["spec"]["ingress"], json!([{ "from": [{ "podSelector": parts }] }]));
        assert_eq!(policy["metadata"]["ownerReferences"][0]["uid"], "u-sales");
        serde_json::from_value::<k8s_openapi::api::networking::v1::NetworkPolicy>(policy).unwrap();
    }

    #[test]
    fn a_budget_is_made_only_when_asked_for() {
        assert!(disruption_budget(&job("{main: {sql: {text: x}}}"), 1).is_none());
        let budget = disruption_budget(&job("{main: {sql: {text: x}}, driverPDB: true}"), 1).unwrap();
        assert_eq!(budget["spec"]["minAvailable"], 1);
    }
}
