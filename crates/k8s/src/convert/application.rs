//! A `SparkApplication` of the Kubeflow operator or of Apache's own.

use serde_json::{Map, Value, json};

use super::{ConvertError, Converted, Draft};

/// Reads the YAML of one.
///
/// Errors: it is none; there is no Python program.
pub fn from_application(text: &str) -> Result<Converted, ConvertError> {
    let application: Value =
        serde_saphyr::from_str(text).map_err(|error| ConvertError::NoApplication(error.to_string()))?;
    if application["kind"] != "SparkApplication" {
        return Err(ConvertError::NoApplication(format!("its kind is {}", application["kind"])));
    }
    let mut draft = Draft::default();
    for (key, value) in application["spec"]["sparkConf"].as_object().into_iter().flatten() {
        draft.set_conf(key, &plain(value));
    }
    // The resource's own name wins over that of the application.
    draft.name = application["metadata"]["name"].as_str().map(str::to_owned);
    draft.namespace = application["metadata"]["namespace"].as_str().map(str::to_owned);
    let empty = Map::new();
    let spec = application["spec"].as_object().unwrap_or(&empty);
    let api = application["apiVersion"].as_str().unwrap_or_default();
    if api.starts_with("spark.apache.org/") {
        apache(&mut draft, spec)?
    } else {
        kubeflow(&mut draft, spec)?
    }
    draft.finish()
}

fn kubeflow(draft: &mut Draft, spec: &Map<String, Value>) -> Result<(), ConvertError> {
    for (key, value) in spec {
        match key.as_str() {
            "sparkConf" | "type" | "mode" | "sparkVersion" | "pythonVersion" | "deps" => {}
            "mainApplicationFile" => {
                let py_files: Vec<String> = spec
                    .get("deps")
                    .and_then(|deps| deps["pyFiles"].as_array())
                    .into_iter()
                    .flatten()
                    .map(plain)
                    .collect();
                draft.set_program(&plain(value), &py_files)?;
            }
            "mainClass" => draft.leave_out(format!("mainClass: {}", plain(value))),
            "arguments" => draft.set(&["args"], value.clone()),
            "image" => draft.set_image(&plain(value)),
            "suspend" => draft.set(&["suspend"], value.clone()),
            "timeToLiveSeconds" => {
                let seconds = format!("{}s", plain(value));
                draft.set(&["cleanup", "ttl"], json!(seconds));
                draft.set(&["cleanup", "ttlFailed"], json!(seconds));
            }
            "driver" => pod(draft, "driver", value),
            "executor" => pod(draft, "executor", value),
            "restartPolicy" => restart(draft, value),
            "dynamicAllocation" => elastic(draft, value),
            "batchSchedulerOptions" => {
                for (from, to) in [("queue", "queue"), ("priorityClassName", "priorityClassName")] {
                    if let Some(text) = value[from].as_str() {
                        draft.set(&["scheduling", to], json!(text));
                    }
                }
            }
            other => draft.leave_out(format!("spec.{other}")),
        }
    }
    for (key, _) in spec.get("deps").and_then(Value::as_object).into_iter().flatten() {
        if key != "pyFiles" {
            draft.leave_out(format!("spec.deps.{key}"));
        }
    }
    Ok(())
}

/// Apache's operator has the program in `pyFiles` and nearly everything else in `sparkConf`.
fn apache(draft: &mut Draft, spec: &Map<String, Value>) -> Result<(), ConvertError> {
    for (key, value) in spec {
        match key.as_str() {
            "sparkConf" | "runtimeVersions" | "deploymentMode" => {}
            "pyFiles" => {
                let files: Vec<String> = plain(value).split(',').map(str::to_owned).collect();
                if let Some((program, others)) = files.split_first() {
                    draft.set_program(program, others)?;
                }
            }
            "mainClass" => return Err(ConvertError::Jvm(plain(value))),
            "driverArgs" => draft.set(&["args"], value.clone()),
            other => draft.leave_out(format!("spec.{other}")),
        }
    }
    Ok(())
}

fn pod(draft: &mut Draft, role: &str, pod: &Value) {
    let mut overhead = None;
    for (key, value) in pod.as_object().into_iter().flatten() {
        match key.as_str() {
            "cores" => draft.set(&[role, "cpu"], json!(plain(value))),
            "memory" => draft.set_memory(role, &plain(value)),
            "memoryOverhead" => overhead = Some(plain(value)),
            "instances" => draft.set(&[role, "count"], value.clone()),
            "serviceAccount" if role == "driver" => draft.set(&["serviceAccountName"], value.clone()),
            "labels" | "annotations" => draft.set(&[role, "podTemplate", "metadata", key], value.clone()),
            "nodeSelector" | "tolerations" | "affinity" | "hostNetwork" | "priorityClassName" => {
                draft.set(&[role, "podTemplate", "spec", key], value.clone());
            }
            "env" | "envFrom" | "volumeMounts" => {
                let path = [role, "podTemplate", "spec", "containers"];
                let mut containers = draft.get(&path).cloned().unwrap_or_else(|| json!([{ "name": "spark" }]));
                containers[0][key.as_str()] = value.clone();
                draft.set(&path, containers);
            }
            other => draft.leave_out(format!("spec.{role}.{other}")),
        }
    }
    if let Some(overhead) = overhead {
        draft.add_memory(role, &overhead);
    }
}

fn restart(draft: &mut Draft, policy: &Value) {
    match policy["type"].as_str() {
        Some("OnFailure") => {
            draft.set(&["retry", "limit"], json!(policy["onFailureRetries"].as_u64().unwrap_or(0)));
            if let Some(seconds) = policy["onFailureRetryInterval"].as_u64() {
                let wait = format!("{}s", seconds.min(600));
                draft.set(&["retry", "backoff"], json!({ "initial": wait, "max": "10m" }));
            }
        }
        Some("Always") => {
            draft.leave_out("restartPolicy Always: a ScheduledSparkJob or a SparkConnectServer may be meant")
        }
        _ => {}
    }
}

fn elastic(draft: &mut Draft, value: &Value) {
    let names = [("initialExecutors", "initial"), ("minExecutors", "min"), ("maxExecutors", "max")];
    draft.set(&["executor", "elastic", "enabled"], value["enabled"].clone());
    for (from, to) in names {
        if let Some(number) = value[from].as_u64() {
            draft.set(&["executor", "elastic", to], json!(number));
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use crate::Manifest;

    use super::*;

    const KUBEFLOW: &str = "
apiVersion: sparkoperator.k8s.io/v1beta2
kind: SparkApplication
metadata: {name: nightly, namespace: data}
spec:
  type: Python
  mode: cluster
  image: mine:1
  mainApplicationFile: s3a://code/nightly.py
  arguments: [a, b]
  sparkVersion: 3.5.0
  sparkConf: {spark.sql.ansi.enabled: 'false', spark.kubernetes.driver.label.x: z}
  deps: {pyFiles: ['s3a://code/lib.py'], jars: ['x.jar']}
  restartPolicy: {type: OnFailure, onFailureRetries: 3, onFailureRetryInterval: 20}
  timeToLiveSeconds: 3600
  driver: {cores: 1, memory: 2g, memoryOverhead: 512m, serviceAccount: spark, labels: {team: a}}
  executor: {instances: 5, cores: 4, memory: 8g, env: [{name: A, value: b}], gpu: {quantity: 1}}
  monitoring: {}
";

    #[test]
    fn kubeflows_becomes_a_valid_job() {
        let converted = from_application(KUBEFLOW).unwrap();
        let spec = &converted.job["spec"];
        assert_eq!(converted.job["metadata"], json!({ "name": "nightly", "namespace": "data" }));
        assert_eq!(spec["driver"]["memory"], "2560Mi");
        assert_eq!(spec["serviceAccountName"], "spark");
        assert_eq!((&spec["executor"]["count"], &spec["retry"]["limit"]), (&json!(5), &json!(3)));
        assert_eq!(spec["executor"]["podTemplate"]["spec"]["containers"][0]["env"][0]["name"], "A");
        let mut left_out = converted.left_out.clone();
        left_out.sort();
        let image = "the image mine:1: make one FROM firesteel with what the job needs, and set spec.image";
        let keys = ["spark.kubernetes.driver.label.x=z", "spec.deps.jars", "spec.executor.gpu", "spec.monitoring"];
        assert_eq!(left_out, [&keys[..], &[image]].concat());
        assert_eq!(spec["image"], Value::Null);
        assert!(matches!(converted.to_add.as_slice(), [one] if one.starts_with("storage.shuffle.url")));
        Manifest::parse(&converted.job.to_string(), "job", &[]).unwrap();
    }

    #[test]
    fn apaches_becomes_a_valid_job() {
        let text = "
apiVersion: spark.apache.org/v1
kind: SparkApplication
metadata: {name: pi}
spec:
  pyFiles: local:///opt/pi.py
  runtimeVersions: {sparkVersion: 4.0.0}
  sparkConf:
    spark.dynamicAllocation.enabled: 'true'
    spark.dynamicAllocation.maxExecutors: '3'
    spark.kubernetes.container.image: apache/spark:4.0.0
";
        let converted = from_application(text).unwrap();
        assert_eq!(converted.job["spec"]["executor"]["elastic"], json!({ "max": 3 }));
        let [image] = converted.left_out.as_slice() else { panic!("{:?}", converted.left_out) };
        assert!(image.starts_with("the image apache/spark:4.0.0: "), "{image}");
        Manifest::parse(&converted.job.to_string(), "job", &[]).unwrap();
    }

    #[test]
    fn other_things_are_refused() {
        assert!(matches!(from_application("kind: Pod"), Err(ConvertError::NoApplication(_))));
        let jvm = KUBEFLOW.replace("nightly.py", "app.jar");
        assert!(matches!(from_application(&jvm), Err(ConvertError::Jvm(_))));
    }
}
