//! From nodes to typed resources.

use kube::Resource as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::tree::{self, Node};
use super::{Manifest, ManifestError, Override, Problem, Resource};
use crate::crd;
use crate::field::{FieldError, FieldPath, Segment};
use crate::job::SparkJob;
use crate::schema;
use crate::validate;

const GROUP: &str = "firesteel.dev";
const KINDS: [&str; 3] = ["SparkJob", "ScheduledSparkJob", "SparkConnectServer"];

/// The fields of `metadata` that a manifest may set, and the identity that the operator hands on to pods.
const METADATA_FIELDS: [&str; 8] =
    ["annotations", "finalizers", "generateName", "labels", "name", "namespace", "ownerReferences", "uid"];

pub(super) fn manifest(text: &str, file: &str, overrides: &[Override]) -> Result<Manifest, ManifestError> {
    let mut documents = tree::documents(text).map_err(|error| ManifestError::Syntax {
        file: file.to_owned(),
        line: error.line,
        message: error.message,
    })?;
    let mut resources = Vec::new();
    let mut problems = Vec::new();
    for document in &mut documents {
        if document.to_json()["kind"] == "SparkJob" {
            for value in overrides {
                value.apply(document)?;
            }
        }
        match resource(document) {
            Ok(resource) => resources.push(resource),
            Err(errors) => problems.extend(errors.into_iter().map(|error| located(error, document, file))),
        }
    }
    if problems.is_empty() { Ok(Manifest { resources }) } else { Err(ManifestError::Invalid(problems)) }
}

fn located(error: FieldError, document: &Node, file: &str) -> Problem {
    let origin = document.origin_of(&error.path).clone();
    Problem { file: file.to_owned(), origin, path: error.path, message: error.message }
}

fn resource(document: &Node) -> Result<Resource, Vec<FieldError>> {
    let json = document.to_json();
    let (api_version, kind) = identity(&json).map_err(|error| vec![error])?;
    if api_version.split('/').next() != Some(GROUP) {
        return Ok(Resource::Other { api_version: api_version.to_owned(), kind: kind.to_owned() });
    }
    if api_version != SparkJob::api_version(&()) {
        let message = format!("the version {api_version} is not known; write {}", SparkJob::api_version(&()));
        return Err(vec![FieldError { path: FieldPath::default().key("apiVersion"), message }]);
    }
    match kind {
        "SparkJob" => {
            let job = typed(&json, &crd::JOB_SCHEMA)?;
            ruled(validate::broken_rules(&job), Resource::SparkJob(Box::new(job)))
        }
        "ScheduledSparkJob" => {
            let scheduled = typed(&json, &crd::SCHEDULE_SCHEMA)?;
            ruled(validate::broken_rules_of_schedule(&scheduled), Resource::ScheduledSparkJob(Box::new(scheduled)))
        }
        "SparkConnectServer" => {
            let server = typed(&json, &crd::SERVER_SCHEMA)?;
            ruled(validate::broken_rules_of_server(&server), Resource::SparkConnectServer(Box::new(server)))
        }
        other => {
            let message = format!("there is no kind {other} in {api_version}; there are {}", KINDS.join(", "));
            Err(vec![FieldError { path: FieldPath::default().key("kind"), message }])
        }
    }
}

fn identity(json: &Value) -> Result<(&str, &str), FieldError> {
    let field = |name: &str| {
        let message = format!("the field {name} is missing; a SparkJob begins with apiVersion: {GROUP}/v1alpha1");
        json[name].as_str().ok_or(FieldError { path: FieldPath::default(), message })
    };
    Ok((field("apiVersion")?, field("kind")?))
}

fn ruled(errors: Vec<FieldError>, resource: Resource) -> Result<Resource, Vec<FieldError>> {
    if errors.is_empty() { Ok(resource) } else { Err(errors) }
}

/// A resource whose form is right; its rules come after.
fn typed<T: DeserializeOwned>(json: &Value, schema: &Value) -> Result<T, Vec<FieldError>> {
    let mut errors = metadata(&json["metadata"]);
    errors.extend(schema::check(schema, json));
    if !errors.is_empty() {
        return Err(errors);
    }
    serde_path_to_error::deserialize(json).map_err(|error| {
        let path = path(error.path());
        vec![FieldError { path, message: error.into_inner().to_string() }]
    })
}

fn metadata(metadata: &Value) -> Vec<FieldError> {
    let path = FieldPath::default().key("metadata");
    let Some(fields) = metadata.as_object() else {
        return vec![FieldError { path, message: "the field metadata is missing; it holds the name".to_owned() }];
    };
    let mut errors = Vec::new();
    if !fields.contains_key("name") && !fields.contains_key("generateName") {
        errors.push(FieldError { path: path.clone(), message: "the field name is missing".to_owned() });
    }
    for name in fields.keys().filter(|name| !METADATA_FIELDS.contains(&name.as_str())) {
        let message = schema::unknown(name, METADATA_FIELDS.into_iter());
        errors.push(FieldError { path: path.key(name), message });
    }
    errors
}

fn path(path: &serde_path_to_error::Path) -> FieldPath {
    let segments = path.iter().filter_map(|segment| match segment {
        serde_path_to_error::Segment::Seq { index } => Some(Segment::Index(*index)),
        serde_path_to_error::Segment::Map { key } => Some(Segment::Key(key.clone())),
        serde_path_to_error::Segment::Enum { variant } => Some(Segment::Key(variant.clone())),
        serde_path_to_error::Segment::Unknown => None,
    });
    FieldPath(segments.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = "apiVersion: firesteel.dev/v1alpha1
kind: SparkJob
metadata:
  name: sales
spec:
  main:
    sql: {text: SELECT 1}
";

    fn problems(text: &str, overrides: &[&str]) -> String {
        let overrides: Vec<Override> = overrides.iter().map(|text| text.parse().unwrap()).collect();
        Manifest::parse(text, "job.yaml", &overrides).unwrap_err().to_string()
    }

    fn job(text: &str, overrides: &[&str]) -> SparkJob {
        let overrides: Vec<Override> = overrides.iter().map(|text| text.parse().unwrap()).collect();
        Manifest::parse(text, "job.yaml", &overrides).unwrap().into_job("job.yaml").unwrap()
    }

    #[test]
    fn a_small_job_gets_defaults() {
        let job = job(JOB, &[]);
        assert_eq!(job.spec.main.sql.unwrap().text.unwrap(), "SELECT 1");
        assert_eq!(job.spec.driver.memory.bytes(), Ok(2 << 30));
        assert_eq!(job.spec.executor.sizing(), crate::pods::Sizing::Fixed(1));
    }

    #[test]
    fn overrides_are_typed_like_the_file() {
        let job = job(JOB, &["executor.count=4", "executor.cpu=2", "conf.spark.sql.shuffle.partitions=8"]);
        assert_eq!(job.spec.executor.count, Some(4));
        assert_eq!(job.spec.executor.cpu.millis(), Ok(2000));
        assert_eq!(job.spec.conf.0["spark.sql.shuffle.partitions"], "8");
    }

    #[test]
    fn every_mistake_is_named_with_line_field_and_remedy() {
        for (extra, expected) in [
            ("  exectuor: {}\n", "job.yaml:8: spec.exectuor: there is no field exectuor; did you mean executor?"),
            (
                "  executor:\n    count: four\n",
                "job.yaml:9: spec.executor.count: expected a whole number, not the text \"four\"",
            ),
            (
                "  executor:\n    memory: 2g\n",
                "job.yaml:9: spec.executor.memory: \"2g\" is no amount of memory; write for example 512Mi or 16Gi",
            ),
            (
                "  executor: {count: 1, elastic: {max: 2}}\n",
                "job.yaml:8: spec.executor: set count or elastic, not both",
            ),
            (
                "  conf:\n    spark.master: local\n",
                "job.yaml:9: spec.conf.\"spark.master\": the engine sets spark.master, spark.remote, spark.submit.*, spark.kubernetes.* and the addresses of driver and executors by itself",
            ),
            (
                "  conf: {spark.x: true}\n",
                "job.yaml:8: spec.conf.\"spark.x\": expected text or a whole number, not true (in quotation marks it would be text)",
            ),
            ("  executor:\n", "job.yaml:8: spec.executor: expected a mapping, not nothing"),
        ] {
            assert_eq!(problems(&format!("{JOB}{extra}"), &[]), expected, "{extra}");
        }
    }

    #[test]
    fn all_mistakes_of_a_file_come_at_once() {
        let text = problems(&format!("{JOB}  imag: x\n  driver: {{cpu: none}}\n"), &[]);
        assert_eq!(text.lines().count(), 2, "{text}");
    }

    #[test]
    fn a_mistake_in_an_override_names_the_override() {
        assert_eq!(
            problems(JOB, &["executor.coutn=4"]),
            "--set executor.coutn=4: spec.executor.coutn: there is no field coutn; did you mean count?"
        );
        assert_eq!(
            problems(JOB, &["executor.count=10001"]),
            "--set executor.count=10001: spec.executor.count: 10001 is too large; the most is 10000"
        );
    }

    #[test]
    fn heads_are_checked() {
        for (text, expected) in [
            (
                "kind: SparkJob\n",
                "job.yaml:1: the field apiVersion is missing; a SparkJob begins with apiVersion: firesteel.dev/v1alpha1",
            ),
            (
                "apiVersion: firesteel.dev/v1\nkind: SparkJob\n",
                "job.yaml:1: apiVersion: the version firesteel.dev/v1 is not known; write firesteel.dev/v1alpha1",
            ),
            (
                "apiVersion: firesteel.dev/v1alpha1\nkind: Job\n",
                "job.yaml:2: kind: there is no kind Job in firesteel.dev/v1alpha1; there are SparkJob, ScheduledSparkJob, SparkConnectServer",
            ),
        ] {
            assert_eq!(problems(text, &[]), expected);
        }
        assert_eq!(
            problems(&JOB.replace("  name:", "  nmae:"), &[]),
            "job.yaml:3: metadata: the field name is missing\njob.yaml:4: metadata.nmae: there is no field nmae; did you mean name?"
        );
    }

    #[test]
    fn files_may_hold_other_resources_beside_the_job() {
        let text = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n---\n{JOB}");
        let manifest = Manifest::parse(&text, "job.yaml", &[]).unwrap();
        assert_eq!(manifest.resources[0], Resource::Other { api_version: "v1".into(), kind: "Secret".into() });
        assert_eq!(manifest.into_job("job.yaml").unwrap().metadata.name.as_deref(), Some("sales"));
        let none = Manifest::parse("apiVersion: v1\nkind: Secret\n", "s.yaml", &[]).unwrap().into_job("s.yaml");
        assert_eq!(none.unwrap_err().to_string(), "s.yaml holds a Secret; exactly one SparkJob is needed");
        let two = Manifest::parse(&format!("{JOB}---\n{JOB}"), "t.yaml", &[]).unwrap().into_job("t.yaml");
        assert_eq!(two.unwrap_err().to_string(), "t.yaml holds 2 SparkJobs; exactly one SparkJob is needed");
    }

    #[test]
    fn text_that_is_no_yaml_is_refused_with_its_line() {
        assert!(problems("a: [1\nb: 2\n", &[]).starts_with("job.yaml:2: "));
    }
}
