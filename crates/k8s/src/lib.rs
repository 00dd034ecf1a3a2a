//! The custom resources of Firesteel: their types, their rules, and how they are read from a file.
//!
//! ```text
//!   YAML file --manifest--> SparkJob, ScheduledSparkJob, SparkConnectServer
//!                              |            |                |
//!                  validate (rules in Rust) |          docs (Markdown)
//!                                    crd (the same rules in CEL)
//! ```
//!
//! A rule is written once, in [`rules`], as CEL text beside a Rust function; both ends read that table.
//!
//! [`build`] makes the objects that a job's pods consist of: pure functions from resources to JSON. What pods and quotas
//! show is read by [`pod_status`] and [`quota`]; [`report`] is what a driver tells the operator.
//!
//! It must not know the operator's logic, a Kubernetes client, or the engine.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]
// The columns of a definition are attributes of one form, which the lint takes for repetitions.
#![allow(clippy::duplicated_attributes)]

pub mod build;
pub mod conf;
pub mod convert;
pub mod crd;
pub mod docs;
pub mod duration;
pub mod field;
pub mod ignored;
pub mod job;
pub mod manifest;
pub mod pod_status;
pub mod pods;
pub mod policy;
pub mod quantity;
pub mod quota;
pub mod report;
pub mod rules;
pub mod scheduled;
mod schema;
pub mod server;
pub mod status;
pub mod storage;
pub mod validate;

pub use field::{FieldError, FieldPath};
pub use job::{Main, NativeMain, PythonMain, SparkJob, SparkJobSpec, SqlMain};
pub use manifest::{Manifest, ManifestError, Override, Resource};
pub use pods::{Driver, Elastic, Executor, Sizing};
pub use scheduled::{ScheduledSparkJob, ScheduledSparkJobSpec};
pub use server::{SparkConnectServer, SparkConnectServerSpec};
pub use status::{Phase, Reason, SparkJobStatus};
pub use validate::{validate, validate_connect_server, validate_scheduled, validate_update};
