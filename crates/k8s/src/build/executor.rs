//! Executors' pods, and the Secret with which they show who they are.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::duration::SpanError;
use crate::job::SparkJob;
use crate::pods::{Executor, Sizing};
use crate::quantity::QuantityError;

use super::{names, pod};

/// Folder of an executor's certificate and token in its pod.
pub const CREDENTIALS_FOLDER: &str = "/etc/firesteel/credentials";

/// How long an executor may take to end: time for running tasks, and a little more.
const GRACE_SECONDS: u32 = 30;

/// What the executors of a driver have in common.
#[derive(Clone, Debug)]
pub struct ExecutorPods {
    /// The job as its driver reads it, with image and service account filled in.
    pub job: SparkJob,
    /// The attempt that the driver runs.
    pub attempt: u32,
    /// Name of the driver's pod.
    pub driver_name: String,
    /// Identity of the driver's pod.
    pub driver_uid: String,
    /// `Always`, `IfNotPresent` or `Never`.
    pub image_pull_policy: Option<String>,
    /// Environment of the executor's container; no secrets.
    pub env: Vec<(String, String)>,
    /// Whether the driver is a standing server, and `job` what [`SparkConnectServer::as_job`] makes of it.
    ///
    /// [`SparkConnectServer::as_job`]: crate::SparkConnectServer::as_job
    pub is_server: bool,
}

impl ExecutorPods {
    fn job_name(&self) -> &str {
        self.job.metadata.name.as_deref().unwrap_or_default()
    }

    fn job_uid(&self) -> &str {
        self.job.metadata.uid.as_deref().unwrap_or_default()
    }

    /// Namespace of all parts of the job.
    pub fn namespace(&self) -> &str {
        self.job.metadata.namespace.as_deref().unwrap_or("default")
    }

    /// Name of an executor's pod.
    pub fn name(&self, id: u64) -> String {
        names::executor(self.job_name(), self.attempt, id)
    }

    /// Selects the pods of this attempt's executors.
    pub fn selector(&self) -> String {
        let (uid, attempt) = (self.job_uid(), self.attempt);
        format!("{}={uid},{}={attempt},{}={}", names::JOB_UID, names::ATTEMPT, names::ROLE, names::EXECUTOR)
    }

    fn owners(&self) -> Value {
        let mut owners = names::owned_by("v1", "Pod", &self.driver_name, &self.driver_uid);
        // Some clusters want a permission on the owner's finalizers for that, which a driver has not.
        owners[0]["blockOwnerDeletion"] = json!(false);
        owners
    }

    fn labels(&self) -> Value {
        let mut labels = names::labels(self.job_name(), self.job_uid(), self.attempt, names::EXECUTOR);
        if self.is_server
            && let Some(labels) = labels.as_object_mut()
        {
            // A job of the server's name has nothing to do with it.
            let name = labels.remove(names::JOB).unwrap_or_default();
            labels.insert(names::SERVER.to_owned(), name);
        }
        labels
    }

    /// An executor's pod.
    ///
    /// Guarantees: those of [`pod::pod`]; no token of the API, and no secret but by reference.
    pub fn pod(&self, id: u64) -> Value {
        let spec = &self.job.spec;
        let secret = names::credentials(self.job_name(), self.attempt, &self.driver_uid);
        let mut labels = self.labels();
        labels[names::EXECUTOR_ID] = json!(id.to_string());
        let mut env: Vec<Value> =
            self.env.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        env.push(json!({ "name": "FIRESTEEL_EXECUTOR_ID", "value": id.to_string() }));
        let parts = pod::PodParts {
            name: self.name(id),
            namespace: self.namespace(),
            labels,
            annotations: json!({}),
            owners: self.owners(),
            image: spec.image.as_deref().unwrap_or_default(),
            image_pull_policy: self.image_pull_policy.as_deref(),
            command: ["firesteel", "executor"].map(str::to_owned).to_vec(),
            env,
            volumes: vec![json!({ "name": "credentials", "secret": { "secretName": secret, "defaultMode": 0o440 } })],
            mounts: vec![json!({ "name": "credentials", "mountPath": CREDENTIALS_FOLDER, "readOnly": true })],
            ports: Vec::new(),
            cpu: &spec.executor.cpu,
            memory: &spec.executor.memory,
            service_account: spec.service_account_name.as_deref(),
            has_api_token: false,
            scheduling: &spec.scheduling,
            grace_seconds: GRACE_SECONDS,
        };
        let mut pod = pod::pod(&parts, &spec.executor.pod_template);
        if pod["spec"].get("topologySpreadConstraints").is_none() {
            pod["spec"]["topologySpreadConstraints"] = json!([{
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": { "matchLabels": {
                    names::JOB_UID: self.job_uid(),
                    names::ROLE: names::EXECUTOR,
                } },
            }]);
        }
        pod
    }

    /// The Secret with what executors show to their driver; it goes when the driver's pod does.
    pub fn credentials<'a>(&self, files: impl Iterator<Item = (&'static str, &'a str)>) -> Value {
        let data: serde_json::Map<String, Value> = files.map(|(name, text)| (name.to_owned(), json!(text))).collect();
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": names::credentials(self.job_name(), self.attempt, &self.driver_uid),
                "namespace": self.namespace(),
                "labels": self.labels(),
                "ownerReferences": self.owners(),
            },
            "immutable": true,
            "stringData": data,
        })
    }
}

/// The job's own folder for its shuffle, if it has one: a driver writes there, and the operator deletes it.
pub fn shuffle_folder(job: &SparkJob) -> Option<String> {
    let shuffle = job.spec.storage.shuffle.as_ref()?;
    let uid = job.metadata.uid.as_deref().filter(|uid| !uid.is_empty())?;
    Some(format!("{}/{uid}/", shuffle.url.0.trim_end_matches('/')))
}

/// Whether executors compute, and not the driver: the job wants some, and they have a place for their shuffle.
pub fn wants_executors(job: &SparkJob) -> bool {
    let wanted = match job.spec.executor.sizing() {
        Sizing::Fixed(count) => count > 0,
        Sizing::Elastic(_) => true,
    };
    wanted && job.spec.storage.shuffle.is_some()
}

/// What the job says of its executors, as Spark's own settings say it.
///
/// Errors: an amount cannot be read, which the schema refuses beforehand.
pub fn settings(executor: &Executor) -> Result<BTreeMap<String, String>, SettingsError> {
    let mut settings = BTreeMap::from([
        ("spark.executor.cores".to_owned(), executor.cpu.cores()?.to_string()),
        ("spark.executor.memory".to_owned(), format!("{}b", executor.memory.bytes()?)),
    ]);
    let mut set = |key: &str, value: String| settings.insert(key.to_owned(), value);
    match executor.sizing() {
        Sizing::Fixed(count) => {
            set("spark.executor.instances", count.to_string());
        }
        Sizing::Elastic(elastic) => {
            let initial = elastic.initial.unwrap_or(elastic.min.max(1)).min(elastic.max);
            set("spark.dynamicAllocation.enabled", "true".to_owned());
            set("spark.dynamicAllocation.minExecutors", elastic.min.to_string());
            set("spark.dynamicAllocation.initialExecutors", initial.to_string());
            set("spark.dynamicAllocation.maxExecutors", elastic.max.to_string());
            set("spark.dynamicAllocation.executorIdleTimeout", format!("{}ms", elastic.idle.parse()?.as_millis()));
        }
    }
    Ok(settings)
}

/// Executors that may end by their own fault before the attempt has failed.
pub fn faults_max(executor: &Executor) -> u32 {
    let most = match executor.sizing() {
        Sizing::Fixed(count) => count,
        Sizing::Elastic(elastic) => elastic.max,
    };
    executor.max_failures.unwrap_or_else(|| most.saturating_mul(2).max(3))
}

/// An amount or duration that cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// An amount.
    #[error(transparent)]
    Quantity(#[from] QuantityError),
    /// A duration.
    #[error(transparent)]
    Span(#[from] SpanError),
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{Pod, Secret};

    use crate::Manifest;

    use super::*;

    fn pods(spec: &str) -> ExecutorPods {
        let head =
            "apiVersion: firesteel.dev/v1alpha1\nkind: SparkJob\nmetadata: {name: sales, namespace: team}\nspec: ";
        let mut job = Manifest::parse(&format!("{head}{spec}"), "job.yaml", &[]).unwrap().into_job("job.yaml").unwrap();
        job.metadata.uid = Some("u-sales".to_owned());
        job.spec.image = Some("firesteel:test".to_owned());
        job.spec.service_account_name = Some("firesteel-driver".to_owned());
        ExecutorPods {
            job,
            attempt: 2,
            driver_name: "sales-2-driver".to_owned(),
            driver_uid: "1F2e-3d4c5b6a".to_owned(),
            image_pull_policy: Some("Never".to_owned()),
            env: vec![("FIRESTEEL_DRIVER".to_owned(), "10.0.0.1:4000".to_owned())],
            is_server: false,
        }
    }

    #[test]
    fn a_pod_belongs_to_its_driver_and_asks_for_what_the_job_says() {
        let pods = pods("{main: {sql: {text: x}}, executor: {cpu: 2500m, memory: 4Gi}}");
        let pod = pods.pod(7);
        let metadata = &pod["metadata"];
        assert_eq!((&metadata["name"], &metadata["namespace"]), (&json!("sales-2-exec-7"), &json!("team")));
        assert_eq!(metadata["ownerReferences"][0]["kind"], "Pod");
        assert_eq!(metadata["ownerReferences"][0]["uid"], "1F2e-3d4c5b6a");
        assert_eq!(metadata["labels"][names::EXECUTOR_ID], "7");
        assert_eq!(
            pods.selector(),
            "firesteel.dev/job-uid=u-sales,firesteel.dev/attempt=2,firesteel.dev/role=executor"
        );
        let container = &pod["spec"]["containers"][0];
        assert_eq!(container["command"], json!(["firesteel", "executor"]));
        assert_eq!(container["resources"]["limits"]["memory"], "4Gi");
        assert_eq!(container["resources"]["requests"]["cpu"], "2500m");
        assert_eq!(container["image"], "firesteel:test");
        serde_json::from_value::<Pod>(pod).unwrap();
    }

    #[test]
    fn a_pod_has_no_token_of_the_api_and_no_secret_in_itself() {
        let pods = pods("{main: {sql: {text: x}}, storage: {connections: [{name: a, credentialsSecret: keys}]}}");
        let pod = pods.pod(1);
        assert_eq!(pod["spec"]["automountServiceAccountToken"], false);
        assert_eq!(pod["spec"]["serviceAccountName"], "firesteel-driver", "for workload identity");
        assert!(!pod.to_string().contains("keys"), "the driver tells its executors");
        let secret = pods.credentials([("token", "s3cret")].into_iter());
        assert_eq!(secret["metadata"]["name"], "sales-2-exec-1f2e3d4c");
        assert_eq!(pod["spec"]["volumes"][1]["secret"]["secretName"], secret["metadata"]["name"]);
        assert_eq!(secret["metadata"]["ownerReferences"][0]["name"], "sales-2-driver");
        assert!(!pod.to_string().contains("s3cret"));
        serde_json::from_value::<Secret>(secret).unwrap();
    }

    #[test]
    fn a_servers_executors_are_not_those_of_a_job_of_its_name() {
        let pods = ExecutorPods { is_server: true, ..pods("{main: {sql: {text: x}}}") };
        let labels = pods.pod(1)["metadata"]["labels"].clone();
        assert_eq!((labels.get(names::JOB), &labels[names::SERVER]), (None, &json!("sales")));
        assert_eq!(labels[names::ROLE], names::EXECUTOR);
    }

    #[test]
    fn a_template_may_place_the_pods_elsewhere() {
        let spec = "{main: {sql: {text: x}}, executor: {podTemplate: {metadata: {labels: {team: a}}, spec: {topologySpreadConstraints: []}}}}";
        let pod = pods(spec).pod(1);
        assert_eq!(pod["spec"]["topologySpreadConstraints"], json!([]));
        assert_eq!(pod["metadata"]["labels"]["team"], "a");
        assert_eq!(pods("{main: {sql: {text: x}}}").pod(1)["spec"]["topologySpreadConstraints"][0]["maxSkew"], 1);
    }

    #[test]
    fn sizes_and_numbers_are_said_in_sparks_words() {
        let of = |executor: &str| {
            let pods = pods(&format!("{{main: {{sql: {{text: x}}}}, executor: {executor}}}"));
            let settings = settings(&pods.job.spec.executor).unwrap();
            let lines: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
            (lines.join(" "), faults_max(&pods.job.spec.executor))
        };
        let (fixed, faults) = of("{cpu: 2500m, memory: 1Gi, count: 3}");
        assert_eq!(fixed, "spark.executor.cores=2 spark.executor.instances=3 spark.executor.memory=1073741824b");
        assert_eq!(faults, 6);
        let (elastic, faults) = of("{elastic: {min: 0, max: 9, idle: 5s}, maxFailures: 1}");
        assert!(elastic.contains("initialExecutors=1") && elastic.contains("executorIdleTimeout=5000ms"), "{elastic}");
        assert_eq!(faults, 1);
    }

    #[test]
    fn without_a_place_for_the_shuffle_or_with_none_wanted_the_driver_computes() {
        let wants = |spec: &str| wants_executors(&pods(spec).job);
        let shuffle = "storage: {shuffle: {url: 's3://b/shuffle/'}}";
        assert!(!wants("{main: {sql: {text: x}}, executor: {count: 2}}"));
        assert!(wants(&format!("{{main: {{sql: {{text: x}}}}, {shuffle}}}")));
        assert!(!wants(&format!("{{main: {{sql: {{text: x}}}}, executor: {{count: 0}}, {shuffle}}}")));
        assert!(wants(&format!("{{main: {{sql: {{text: x}}}}, executor: {{elastic: {{max: 4}}}}, {shuffle}}}")));
        let job = pods(&format!("{{main: {{sql: {{text: x}}}}, {shuffle}}}")).job;
        assert_eq!(shuffle_folder(&job).as_deref(), Some("s3://b/shuffle/u-sales/"));
    }
}
