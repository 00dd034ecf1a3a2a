//! Spark Connect 4.2: the server side of the protocol that an unmodified PySpark client speaks.
//!
//! ```text
//!   client --gRPC--> service --decode--> request (firesteel_spec trees) --> engine::Session
//!                       |                                                        |
//!                       |            operation: numbered, buffered responses <-- ResultSink
//!                       +--stream-- attach, reattach, release
//! ```
//!
//! Protobuf types stop here. It must not know DataFusion, how a plan is resolved or where it runs: that is behind
//! [`Engine`] and [`Session`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod artifact;
mod decode;
mod encode;
mod engine;
mod error;
mod operation;
mod request;
mod server;
mod service;
mod session;
mod wire;

pub use artifact::{ArtifactKind, ArtifactStore};
pub use engine::{Engine, Session, SessionKey, SessionSeed};
pub use operation::{MetricValue, ObservedMetrics, Operation, PlanMetrics, Progress, ResultSink, StageProgress};
pub use request::{Analyze, Analyzed, Request, StorageLevel};
pub use server::{ServerConfig, ServerHandle, serve};
