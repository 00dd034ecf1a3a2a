//! What whoever installs the operator decides.

use std::net::{IpAddr, SocketAddr};

use clap::Args;
use firesteel_k8s::storage::Connection;

/// Settings of `firesteel-operator run`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Settings {
    /// Namespaces to work in; all of the cluster without it. May be given several times.
    #[arg(long = "namespace", env = "FIRESTEEL_NAMESPACES", value_delimiter = ',', value_name = "NAMESPACE")]
    pub(crate) namespaces: Vec<String>,

    /// Labels that a resource must have for this operator to care for it.
    #[arg(long, env = "FIRESTEEL_SELECTOR", value_name = "LABELS")]
    pub(crate) selector: Option<String>,

    /// Image of driver and executors for resources that name none.
    #[arg(long, env = "FIRESTEEL_IMAGE", default_value = "firesteel:0.1", value_name = "IMAGE")]
    pub(crate) image: String,

    /// When images are pulled: Always, IfNotPresent or Never.
    #[arg(long, env = "FIRESTEEL_IMAGE_PULL_POLICY", value_name = "POLICY")]
    pub(crate) image_pull_policy: Option<String>,

    /// Service account of drivers for resources that name none.
    #[arg(long, env = "FIRESTEEL_SERVICE_ACCOUNT", default_value = "firesteel-driver", value_name = "NAME")]
    pub(crate) service_account: String,

    /// ClusterRole of drivers. With it, the operator makes the service account and its role binding in each
    /// namespace that has a job; without it, they must be there.
    #[arg(long, env = "FIRESTEEL_DRIVER_ROLE", value_name = "CLUSTERROLE")]
    pub(crate) driver_role: Option<String>,

    /// Connections of jobs and servers that name none, as JSON in the form of `spec.storage.connections`.
    #[arg(long, env = "FIRESTEEL_CONNECTIONS", value_parser = connections, value_name = "JSON")]
    pub(crate) connections: Option<Connections>,

    /// Whether each job gets a NetworkPolicy: nobody connects to a part of it but its other parts.
    #[arg(long, env = "FIRESTEEL_NETWORK_POLICY")]
    pub(crate) network_policy: bool,

    /// Resources of a kind that are worked on at the same time.
    #[arg(long, env = "FIRESTEEL_CONCURRENCY", default_value_t = 16, value_name = "NUMBER")]
    pub(crate) concurrency: u16,

    /// Address of /metrics, /healthz and /readyz.
    #[arg(long, env = "FIRESTEEL_LISTEN", default_value = "0.0.0.0:8080", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,

    /// Namespace of the Lease that operators elect their leader with. Without it there is no election: this one works.
    #[arg(long, env = "FIRESTEEL_LEASE_NAMESPACE", value_name = "NAMESPACE")]
    pub(crate) lease_namespace: Option<String>,

    /// Name of that Lease.
    #[arg(long, env = "FIRESTEEL_LEASE_NAME", default_value = "firesteel-operator", value_name = "NAME")]
    pub(crate) lease_name: String,

    /// Address on which pods reach this operator; without it, servers do not rest for want of sessions.
    #[arg(long, env = "POD_IP", value_name = "ADDRESS")]
    pub(crate) pod_ip: Option<IpAddr>,

    /// This operator among several.
    #[arg(long, env = "POD_NAME", default_value = "firesteel-operator", value_name = "NAME")]
    pub(crate) identity: String,
}

/// Connections to object stores.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Connections(pub(crate) Vec<Connection>);

fn connections(text: &str) -> Result<Connections, serde_json::Error> {
    serde_json::from_str(text).map(Connections)
}

impl Settings {
    /// The connections of a resource: its own, or those that the operator was given.
    pub(crate) fn connections_of<'a>(&'a self, own: &'a [Connection]) -> &'a [Connection] {
        match &self.connections {
            Some(given) if own.is_empty() => &given.0,
            _ => own,
        }
    }
}

#[cfg(test)]
impl Default for Settings {
    fn default() -> Self {
        Self {
            namespaces: Vec::new(),
            selector: None,
            image: "firesteel:test".to_owned(),
            image_pull_policy: None,
            service_account: "firesteel-driver".to_owned(),
            driver_role: None,
            connections: None,
            network_policy: true,
            concurrency: 4,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            lease_namespace: None,
            lease_name: "firesteel-operator".to_owned(),
            pod_ip: None,
            identity: "test".to_owned(),
        }
    }
}
