//! `SparkConnectServer`: a standing server as a Deployment of one pod, a Service and a token.
//!
//! ```text
//!   SparkConnectServer --build (pure)--> ConfigMap, Secret, Service, Deployment --> the cluster
//!   Deployment --------status (pure)---> Ready, Idle, Degraded
//! ```

mod build;
mod reconcile;
mod status;

pub(crate) use reconcile::reconcile;
