//! Every rule in both of its forms: as CEL over the definitions, and as the Rust functions of `validate`.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use firesteel_k8s::crd::{Definition, definitions};
use firesteel_k8s::manifest::{Manifest, ManifestError, Resource};
use firesteel_k8s::{
    FieldError, SparkJob, rules, validate, validate_connect_server, validate_scheduled, validate_update,
};
use kube_cel::{Validator, apply_defaults};
use serde_json::{Value, json};

fn definition(kind: &str) -> Definition {
    definitions().unwrap().into_iter().find(|definition| definition.kind() == kind).unwrap()
}

fn sparkjob(spec: Value) -> Value {
    resource("SparkJob", "sales", merged(json!({"main": {"sql": {"text": "SELECT 1"}}}), spec))
}

fn resource(kind: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "firesteel.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

/// `base` with the fields of `patch` in place of its own.
fn merged(mut base: Value, patch: Value) -> Value {
    for (key, value) in patch.as_object().unwrap() {
        base[key] = value.clone();
    }
    base
}

fn by_cel(kind: &str, new: &Value, old: Option<&Value>) -> Vec<String> {
    let definition = definition(kind);
    // The library fills an object that it has just made only on its next pass; the API does so at once.
    let filled = |value: &Value| (0..4).fold(value.clone(), |value, _| apply_defaults(definition.schema(), &value));
    let errors = Validator::new().validate(definition.schema(), &filled(new), old.map(filled).as_ref()).err();
    let mut messages: Vec<String> = errors.into_iter().flatten().map(|error| error.message).collect();
    messages.sort();
    messages
}

fn by_rust(errors: Vec<FieldError>) -> Vec<String> {
    let mut messages: Vec<String> = errors.into_iter().map(|error| error.message).collect();
    messages.sort();
    messages
}

#[track_caller]
fn check_job(spec: Value, expected: &[&str]) {
    let resource = sparkjob(spec);
    let job: SparkJob = serde_json::from_value(resource.clone()).unwrap();
    assert_eq!(by_cel("SparkJob", &resource, None), expected, "CEL on {resource}");
    assert_eq!(by_rust(validate(&job)), expected, "Rust on {resource}");
}

const ONE_MAIN: &str = "set exactly one of python, sql and native";
const FILE_OR_TEXT: &str = "set either file or text";
const FILE_URL: &str = "must be s3://bucket/key, or local:///path for a file inside the image";
const S3_URL: &str = "must be a URL such as s3://bucket/prefix";
const START: &str = "minToStart must not exceed the number of executors";

#[test]
fn exactly_one_program() {
    check_job(json!({}), &[]);
    check_job(json!({"main": {}}), &[ONE_MAIN]);
    check_job(json!({"main": {"sql": {"text": "x"}, "native": {"command": ["x"]}}}), &[ONE_MAIN]);
    check_job(json!({"main": {"native": {"command": ["x"]}}}), &[]);
    check_job(json!({"main": {"python": {"text": "x"}}}), &[]);
    check_job(json!({"main": {"python": {}}}), &[FILE_OR_TEXT]);
    check_job(json!({"main": {"python": {"text": "x", "file": "s3://b/k"}}}), &[FILE_OR_TEXT]);
    check_job(json!({"main": {"sql": {}}}), &[FILE_OR_TEXT]);
}

#[test]
fn files_lie_in_object_storage_or_in_the_image() {
    check_job(json!({"main": {"python": {"file": "s3://b/k.py"}}}), &[]);
    check_job(json!({"main": {"python": {"file": "local:///opt/k.py"}}}), &[]);
    check_job(json!({"main": {"python": {"file": "k.py"}}}), &[FILE_URL]);
    check_job(json!({"main": {"sql": {"file": "https://x/k.sql"}}}), &[FILE_URL]);
    check_job(json!({"main": {"python": {"text": "x", "pyFiles": ["s3://b/a.zip", "b.zip"]}}}), &[FILE_URL]);
}

#[test]
fn places_are_s3_urls_and_endpoints_http() {
    check_job(json!({"storage": {"shuffle": {"url": "s3://b/shuffle"}, "logs": {"url": "s3://b"}}}), &[]);
    check_job(json!({"storage": {"shuffle": {"url": "gs://b"}}}), &[S3_URL]);
    check_job(json!({"storage": {"eventLog": {"url": "s3://"}, "logs": {"url": "x"}}}), &[S3_URL, S3_URL]);
    check_job(json!({"storage": {"connections": [{"name": "a", "endpoint": "http://s3:9000"}]}}), &[]);
    let message = "endpoint must begin with http:// or https://";
    check_job(json!({"storage": {"connections": [{"name": "a", "endpoint": "s3:9000"}, {"name": "b"}]}}), &[message]);
}

#[test]
fn executors_are_counted_or_elastic() {
    check_job(json!({"executor": {"count": 4, "minToStart": 4}}), &[]);
    check_job(json!({"executor": {"elastic": {"max": 4, "min": 1, "initial": 2}, "minToStart": 4}}), &[]);
    check_job(json!({"executor": {"count": 4, "elastic": {"max": 4}}}), &["set count or elastic, not both"]);
    check_job(json!({"executor": {"elastic": {"max": 4, "min": 5}}}), &["min must not exceed max"]);
    for initial in [0, 5] {
        let elastic = json!({"max": 4, "min": 1, "initial": initial});
        check_job(json!({"executor": {"elastic": elastic}}), &["initial must lie between min and max"]);
    }
    check_job(json!({"executor": {"count": 4, "minToStart": 5}}), &[START]);
    check_job(json!({"executor": {"minToStart": 2}}), &[START]);
    check_job(json!({"executor": {"elastic": {"max": 4}, "minToStart": 5}}), &[START]);
}

#[test]
fn the_wait_between_attempts_grows() {
    check_job(json!({"retry": {"backoff": {"initial": "1m", "max": "1h30m"}}}), &[]);
    check_job(json!({"retry": {"backoff": {"initial": "1h"}}}), &["initial must not exceed max"]);
}

#[test]
fn configuration_keys_of_the_engine_are_refused() {
    check_job(json!({"conf": {"spark.sql.shuffle.partitions": "8", "spark.app.name": "x"}}), &[]);
    check_job(json!({"conf": {"sql.shuffle.partitions": "8"}}), &[rules::KEY_PREFIX_MESSAGE]);
    for keys in rules::RESERVED_KEYS {
        let prefixed = keys.prefixes.iter().map(|prefix| format!("{prefix}x"));
        for key in keys.exact.iter().map(|key| (*key).to_owned()).chain(prefixed) {
            check_job(json!({"conf": {key: "x"}}), &[keys.message]);
        }
    }
}

#[test]
fn names_are_bounded() {
    for (kind, length, allowed) in [("SparkJob", 50, true), ("SparkJob", 51, false), ("SparkConnectServer", 51, false)]
    {
        let name = "n".repeat(length);
        let spec = if kind == "SparkJob" { json!({"main": {"sql": {"text": "x"}}}) } else { json!({}) };
        let resource = resource(kind, &name, spec);
        let rust = match kind {
            "SparkJob" => validate(&serde_json::from_value(resource.clone()).unwrap()),
            _ => validate_connect_server(&serde_json::from_value(resource.clone()).unwrap()),
        };
        let rust = by_rust(rust);
        assert_eq!(rust, by_cel(kind, &resource, None));
        assert_eq!(rust.is_empty(), allowed, "{kind} {length}");
    }
}

#[test]
fn schedules_and_servers_share_the_rules_of_their_parts() {
    let spec = json!({"schedule": "@daily", "jobTemplate": {"spec": {"main": {}, "conf": {"spark.master": "x"}}}});
    let scheduled = resource("ScheduledSparkJob", &"n".repeat(41), spec);
    let rust = by_rust(validate_scheduled(&serde_json::from_value(scheduled.clone()).unwrap()));
    assert_eq!(rust, by_cel("ScheduledSparkJob", &scheduled, None));
    assert_eq!(rust.len(), 3, "{rust:?}");

    let spec =
        json!({"executor": {"count": 1, "elastic": {"max": 1}}, "storage": {"logs": {"url": "x"}}, "conf": {"a": "b"}});
    let server = resource("SparkConnectServer", "s", spec);
    let rust = by_rust(validate_connect_server(&serde_json::from_value(server.clone()).unwrap()));
    assert_eq!(rust, by_cel("SparkConnectServer", &server, None));
    assert_eq!(rust.len(), 3, "{rust:?}");
}

#[track_caller]
fn check_edit(old: Value, new: Value, expected: &[&str]) {
    let (old, new) = (sparkjob(old), sparkjob(new));
    assert_eq!(by_cel("SparkJob", &new, Some(&old)), expected, "CEL from {old} to {new}");
    let typed = |resource| serde_json::from_value::<SparkJob>(resource).unwrap();
    assert_eq!(
        by_rust(validate_update(&typed(new.clone()), &typed(old.clone()))),
        expected,
        "Rust from {old} to {new}"
    );
}

#[test]
fn a_job_that_runs_can_only_be_edited_in_part() {
    const PINNED: &str = "while the job is not suspended, only suspend, executor.count, executor.elastic, timeouts.run and cleanup can change";
    for patch in [
        json!({"image": "b"}),
        json!({"main": {"sql": {"text": "SELECT 2"}}}),
        json!({"args": ["a"]}),
        json!({"conf": {"spark.a": "b"}}),
        json!({"serviceAccountName": "b"}),
        json!({"driver": {"memory": "4Gi"}}),
        json!({"executor": {"cpu": "2"}}),
        json!({"executor": {"memory": "4Gi"}}),
        json!({"executor": {"maxFailures": 3}}),
        json!({"executor": {"minToStart": 1}}),
        json!({"storage": {"logs": {"url": "s3://b"}}}),
        json!({"scheduling": {"queue": "q"}}),
        json!({"retry": {"limit": 1}}),
        json!({"timeouts": {"start": "1m"}}),
        json!({"timeouts": {"executors": "1m"}}),
        json!({"ui": {"service": true}}),
        json!({"metrics": {"enabled": true}}),
        json!({"driverPDB": true}),
    ] {
        check_edit(json!({}), patch.clone(), &[PINNED]);
        check_edit(patch.clone(), json!({}), &[PINNED]);
        check_edit(json!({"suspend": true}), patch.clone(), &[]);
        check_edit(json!({}), merged(patch, json!({"suspend": true})), &[]);
    }
    for patch in [
        json!({"suspend": true}),
        json!({"executor": {"count": 7}}),
        json!({"executor": {"elastic": {"max": 7}}}),
        json!({"timeouts": {"run": "1h"}}),
        json!({"cleanup": {"ttl": "1h"}}),
        json!({"executor": {"podTemplate": {"spec": {"nodeName": "x"}}}}),
    ] {
        check_edit(json!({}), patch, &[]);
    }
}

#[test]
fn managed_by_never_changes() {
    let message = "managedBy cannot change";
    check_edit(json!({"managedBy": "a"}), json!({"managedBy": "a"}), &[]);
    check_edit(json!({"managedBy": "a", "suspend": true}), json!({"managedBy": "b"}), &[message]);
    check_edit(json!({}), json!({"managedBy": "b"}), &[message]);
    check_edit(json!({"managedBy": "a"}), json!({}), &[message]);
}

/// A manifest that uses every field once, so that the types and the schema agree on names and forms.
#[test]
fn the_whole_of_a_job_is_read() {
    let text = include_str!("whole-job.yaml");
    let manifest = Manifest::parse(text, "whole-job.yaml", &[]).unwrap_or_else(|error| panic!("{error}"));
    let Resource::SparkJob(job) = &manifest.resources[0] else { panic!("no job") };
    assert_eq!(validate(job), []);
    let written: Value = serde_json::to_value(job).unwrap();
    let schema = definition("SparkJob");
    let mut missing = Vec::new();
    absent(&schema.schema()["properties"]["spec"], &written["spec"], "spec", &mut missing);
    let exclusive = ["spec.executor.count", "spec.main.native", "spec.main.python.file", "spec.main.sql"];
    assert_eq!(missing, exclusive.map(str::to_owned), "fields that whole-job.yaml leaves out");
}

/// Fields of the schema that a value leaves out, in the schema's order by name.
fn absent(schema: &Value, value: &Value, path: &str, missing: &mut Vec<String>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let at = format!("{path}.{name}");
        match value.get(name) {
            None => missing.push(at),
            Some(inner) if field["items"]["properties"].is_object() => absent(&field["items"], &inner[0], &at, missing),
            Some(inner) => absent(field, inner, &at, missing),
        }
    }
}

#[test]
fn the_examples_are_valid() {
    let folder = std::path::PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../manifests");
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            match Manifest::read(&path, &[]) {
                Ok(_) => seen += 1,
                Err(ManifestError::Invalid(problems)) => panic!("{problems:?}"),
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert!(seen >= 2);
}
