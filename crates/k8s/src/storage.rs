//! Where a job's data, shuffle files and logs lie.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::rules;

/// A place in S3-compatible object storage: `s3://bucket/prefix`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct S3Url(pub String);

/// A file: `s3://bucket/key`, or `local:///path` inside the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileUrl(pub String);

impl From<&str> for S3Url {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&str> for FileUrl {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl JsonSchema for S3Url {
    fn schema_name() -> Cow<'static, str> {
        "S3Url".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "maxLength": 1024,
            "x-kubernetes-validations": rules::cel(rules::S3_URL),
        })
    }
}

impl JsonSchema for FileUrl {
    fn schema_name() -> Cow<'static, str> {
        "FileUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "maxLength": 1024,
            "x-kubernetes-validations": rules::cel(rules::FILE_URL),
        })
    }
}

/// Where data, shuffle files and logs lie.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// Object stores the job reads and writes. Without any, `s3://` means Amazon S3 with workload identity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub connections: Vec<Connection>,

    /// Where executors exchange rows between stages. Without it a job has no executors: its driver computes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shuffle: Option<Shuffle>,

    /// Where the record of the job's events is kept, from which its page can be shown after it has ended. Not supported
    /// yet: it has no effect, and the condition `Ignored` says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_log: Option<Location>,

    /// Where the logs of driver and executors are kept after their pods are gone. Not supported yet: it has no effect,
    /// and the condition `Ignored` says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<Location>,
}

/// An object store and how to sign in to it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules::cel(rules::CONNECTION)))]
pub struct Connection {
    /// A name for this connection, unique in the job.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,

    /// Buckets that are reached through this connection. Empty: all buckets that no other connection names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 3, max = 63)))]
    pub buckets: Vec<String>,

    /// Address of the service, `http://` or `https://`. Defaults to Amazon S3 in `region`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub endpoint: Option<String>,

    /// Region of the buckets. Defaults to `us-east-1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub region: Option<String>,

    /// Puts the bucket into the path of the address (`endpoint/bucket`) rather than into the host name. Services
    /// other than Amazon's mostly want this.
    #[serde(default)]
    pub path_style: bool,

    /// Secret whose key `ca.crt` holds the certificate authority of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub ca_secret: Option<String>,

    /// Secret with the keys `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, and `AWS_SESSION_TOKEN` if there is one.
    /// Without it, workload identity is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub credentials_secret: Option<String>,
}

/// Where executors exchange rows between stages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shuffle {
    /// A place in object storage; each job makes its own folder there.
    pub url: S3Url,

    /// When the job's shuffle files are deleted.
    #[serde(default)]
    pub cleanup: ShuffleCleanup,
}

/// When shuffle files are deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ShuffleCleanup {
    /// As soon as no stage needs them, and all of them when the job ends.
    #[default]
    OnFinish,
    /// Never; for looking at a failure.
    Keep,
}

/// A place for files that outlive the job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// A place in object storage; each job makes its own folder there.
    pub url: S3Url,
}
