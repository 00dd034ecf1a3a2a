//! Names and labels, the same for whoever makes an object and whoever looks for it.

use serde_json::{Value, json};

/// The job that an object belongs to, by name.
pub const JOB: &str = "firesteel.dev/job";
/// The job that an object belongs to, by its identity.
pub const JOB_UID: &str = "firesteel.dev/job-uid";
/// The server that an object belongs to, by name.
pub const SERVER: &str = "firesteel.dev/server";
/// The schedule that a job was made by, by name.
pub const SCHEDULE: &str = "firesteel.dev/schedule";
/// The attempt that a pod belongs to.
pub const ATTEMPT: &str = "firesteel.dev/attempt";
/// What a pod is for: [`DRIVER`], [`EXECUTOR`], [`CLEANUP`] or [`CONNECT`].
pub const ROLE: &str = "firesteel.dev/role";
/// The number of an executor's pod within its attempt.
pub const EXECUTOR_ID: &str = "firesteel.dev/executor-id";
/// Annotation of a driver's pod in which the driver reports, as JSON.
pub const REPORT: &str = "firesteel.dev/report";
/// Annotation of a driver's pod with the executors that the job asks for, as JSON.
pub const SIZING: &str = "firesteel.dev/sizing";

/// Annotation of a server that rests: when somebody last wanted it.
pub const AWAKE: &str = "firesteel.dev/awake";

/// Role of a driver's pod.
pub const DRIVER: &str = "driver";
/// Role of an executor's pod.
pub const EXECUTOR: &str = "executor";
/// Role of a pod that deletes shuffle files.
pub const CLEANUP: &str = "cleanup";
/// Role of a standing server's pod.
pub const CONNECT: &str = "connect";

/// Who writes the objects, as Kubernetes records it.
pub const FIELD_MANAGER: &str = "firesteel-operator";

/// The same for the objects that a driver writes.
pub const DRIVER_FIELD_MANAGER: &str = "firesteel-driver";

/// Name of an attempt's driver pod and of the objects that go with it.
pub fn driver(job: &str, attempt: u32) -> String {
    format!("{job}-{attempt}-driver")
}

/// Name of an executor's pod; `id` counts from 1 within the attempt.
pub fn executor(job: &str, attempt: u32, id: u64) -> String {
    format!("{job}-{attempt}-exec-{id}")
}

/// Name of the Secret with which the executors of an attempt's driver show who they are. Part of the driver's identity
/// is in it, so that the Secret of a driver before is never taken for this one's.
pub fn credentials(job: &str, attempt: u32, driver_uid: &str) -> String {
    let part: String = driver_uid.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    format!("{job}-{attempt}-exec-{}", part.to_lowercase())
}

/// Name of the NetworkPolicy of a job.
pub fn network_policy(job: &str) -> String {
    format!("{job}-parts")
}

/// Name of the pod that deletes a job's shuffle files.
pub fn cleanup(job: &str) -> String {
    format!("{job}-cleanup")
}

/// Labels of an attempt's objects; `uid` is the job's.
pub fn labels(job: &str, uid: &str, attempt: u32, role: &str) -> Value {
    json!({
        "app.kubernetes.io/name": "firesteel",
        "app.kubernetes.io/managed-by": FIELD_MANAGER,
        JOB: job,
        JOB_UID: uid,
        ATTEMPT: attempt.to_string(),
        ROLE: role,
    })
}

/// An owner reference: the owner's deletion deletes the object too.
pub fn owned_by(api_version: &str, kind: &str, name: &str, uid: &str) -> Value {
    json!([{
        "apiVersion": api_version,
        "kind": kind,
        "name": name,
        "uid": uid,
        "controller": true,
        "blockOwnerDeletion": true,
    }])
}
