//! `SparkConnectServer`: a standing server as a Deployment of one pod, a Service and a token.
//!
//! ```text
//!   SparkConnectServer --build (pure)--> ConfigMap, Secret, Service, Deployment --> the cluster
//!   Deployment, report of the pod --rest (pure)----> a pod, or none for want of sessions
//!                                 --status (pure)--> Ready, Idle, Degraded
//!   a connection while there is no pod --doorbell--> annotation of the server: wake up
//! ```

mod build;
mod doorbell;
mod reconcile;
mod rest;
mod status;

pub(crate) use doorbell::Doorbells;
pub(crate) use reconcile::reconcile;
