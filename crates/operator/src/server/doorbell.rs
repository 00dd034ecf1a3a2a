//! [`Doorbells`]: while a server rests without a pod, its Service leads to a port of the operator. Whoever connects there
//! is turned away and wakes the server; clients try again by themselves until it is there.

use std::collections::HashMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use firesteel_k8s::SparkConnectServer;
use firesteel_k8s::build::names;
use jiff::Timestamp;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::cluster::Cluster;

/// Between two times of waking the same server.
const PAUSE: Duration = Duration::from_secs(1);

/// Servers that may rest at the same time; more stay awake.
const BELLS_MAX: usize = 1000;

/// The ports of servers that rest.
#[derive(Debug, Default)]
pub(crate) struct Doorbells {
    bells: Mutex<HashMap<(String, String), Bell>>,
}

#[derive(Debug)]
struct Bell {
    port: u16,
    /// Ends with the bell.
    _work: JoinSet<()>,
}

impl Doorbells {
    /// The port that wakes this server; it is listened on from now on.
    ///
    /// Errors: there is no port left.
    pub(crate) async fn hang(&self, cluster: &Cluster, namespace: &str, name: &str) -> io::Result<u16> {
        let key = (namespace.to_owned(), name.to_owned());
        if let Some(bell) = self.locked().get(&key) {
            return Ok(bell.port);
        }
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
        let port = listener.local_addr()?.port();
        let mut work = JoinSet::new();
        work.spawn(listen(listener, cluster.clone(), key.clone()));
        let mut bells = self.locked();
        if bells.len() >= BELLS_MAX {
            return Err(io::Error::other(format!("{BELLS_MAX} servers rest already")));
        }
        bells.insert(key, Bell { port, _work: work });
        Ok(port)
    }

    /// Takes a server's bell away; whether there was one.
    pub(crate) fn take(&self, namespace: &str, name: &str) -> bool {
        self.locked().remove(&(namespace.to_owned(), name.to_owned())).is_some()
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<(String, String), Bell>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn listen(listener: TcpListener, cluster: Cluster, (namespace, name): (String, String)) {
    loop {
        match listener.accept().await {
            Ok((connection, from)) => {
                drop(connection);
                tracing::info!(namespace, name, %from, "somebody wants a server that rests");
                let annotations = json!({ "annotations": { names::AWAKE: Timestamp::now().to_string() } });
                if let Err(error) = cluster.patch_metadata::<SparkConnectServer>(&namespace, &name, annotations).await {
                    tracing::warn!(namespace, name, %error, "a server cannot be woken");
                }
            }
            Err(error) => tracing::warn!(namespace, name, %error, "a connection was not taken"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
