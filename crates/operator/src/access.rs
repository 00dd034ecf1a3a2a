//! The drivers' service account and role binding, where the operator was told to make them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::RoleBinding;
use serde_json::{Value, json};

use crate::cluster::ClusterError;
use crate::context::Context;

/// How long a namespace counts as provided for.
const VALID: Duration = Duration::from_secs(300);

/// Which namespaces were provided for, and when.
#[derive(Default)]
pub(crate) struct Access {
    namespaces: Mutex<HashMap<String, Instant>>,
}

impl Access {
    /// Makes account and binding in a namespace, unless that was done not long ago or is not the operator's business.
    pub(crate) async fn ensure(&self, context: &Context, namespace: &str) -> Result<(), ClusterError> {
        let Some(role) = &context.settings.driver_role else { return Ok(()) };
        if self.is_valid(namespace) {
            return Ok(());
        }
        let account = &context.settings.service_account;
        context.cluster.apply::<ServiceAccount>(&service_account(namespace, account)).await?;
        context.cluster.apply::<RoleBinding>(&role_binding(namespace, account, role)).await?;
        let mut namespaces = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        namespaces.retain(|_, made| made.elapsed() < VALID);
        namespaces.insert(namespace.to_owned(), Instant::now());
        Ok(())
    }

    fn is_valid(&self, namespace: &str) -> bool {
        let namespaces = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        namespaces.get(namespace).is_some_and(|made| made.elapsed() < VALID)
    }
}

fn service_account(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": { "name": name, "namespace": namespace, "labels": { "app.kubernetes.io/name": "firesteel" } },
    })
}

fn role_binding(namespace: &str, account: &str, role: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": { "name": account, "namespace": namespace, "labels": { "app.kubernetes.io/name": "firesteel" } },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
        "subjects": [{ "kind": "ServiceAccount", "name": account, "namespace": namespace }],
    })
}
