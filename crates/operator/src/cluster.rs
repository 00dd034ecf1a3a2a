//! The few ways in which the operator changes the cluster, on JSON objects.

use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, Client, Error, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use firesteel_k8s::build::names::FIELD_MANAGER;
use firesteel_k8s::quota;

use crate::job::observed::{Refusal, RefusalKind};

/// Every call to the API ends within this time.
const CALL_LIMIT: Duration = Duration::from_secs(30);

/// A change that did not happen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClusterError {
    /// Somebody changed the object first; look again.
    #[error("the object has changed since it was read")]
    Conflict,
    /// The cluster does not take the object.
    #[error(transparent)]
    Refused(Refusal),
    /// The API did not answer, or not well.
    #[error(transparent)]
    Api(#[from] Box<Error>),
    /// The API did not answer in time.
    #[error("the API did not answer within {} s", CALL_LIMIT.as_secs())]
    Silent,
    /// The look was cut off in the middle.
    #[error("the look was cut off")]
    CutOff,
    /// An object of ours does not have the form that the API has.
    #[error("an object has the wrong form: {0}")]
    Form(#[from] serde_json::Error),
}

impl From<Error> for ClusterError {
    fn from(error: Error) -> Self {
        if code(&error) == Some(409) { Self::Conflict } else { Self::Api(Box::new(error)) }
    }
}

/// The status code of an answer of the API.
fn code(error: &Error) -> Option<u16> {
    match error {
        Error::Api(status) => Some(status.code),
        _ => None,
    }
}

/// Awaits an answer, but not for ever.
pub(crate) async fn limited<T>(call: impl Future<Output = Result<T, Error>>) -> Result<T, ClusterError> {
    match tokio::time::timeout(CALL_LIMIT, call).await {
        Ok(answer) => answer.map_err(ClusterError::from),
        Err(_) => Err(ClusterError::Silent),
    }
}

/// The cluster, as far as the operator changes it.
#[derive(Clone)]
pub(crate) struct Cluster {
    client: Client,
}

impl Cluster {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    pub(crate) fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// The object, read from the API itself and not from a cache; nothing if it is not there.
    pub(crate) async fn get<K>(&self, namespace: &str, name: &str) -> Result<Option<K>, ClusterError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
        K::DynamicType: Default,
    {
        limited(self.api::<K>(namespace).get_opt(name)).await
    }

    /// Makes or changes an object so that it has these fields.
    pub(crate) async fn apply<K>(&self, object: &Value) -> Result<(), ClusterError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
        K::DynamicType: Default,
    {
        let (namespace, name) = place(object);
        let params = PatchParams::apply(FIELD_MANAGER).force();
        limited(self.api::<K>(namespace).patch(name, &params, &Patch::Apply(object))).await.map(|_| ())
    }

    /// Makes a pod. One of its name that is there already stays as it is: whose it is shows at the next look.
    pub(crate) async fn create_pod(&self, pod: &Value, is_trial: bool) -> Result<(), ClusterError> {
        let (namespace, _) = place(pod);
        let typed: Pod = serde_json::from_value(pod.clone())?;
        let params = PostParams { dry_run: is_trial, field_manager: Some(FIELD_MANAGER.to_owned()) };
        let pods = self.api::<Pod>(namespace);
        match tokio::time::timeout(CALL_LIMIT, pods.create(&params, &typed)).await {
            Err(_) => Err(ClusterError::Silent),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => match code(&error) {
                Some(409) if matches!(&error, Error::Api(status) if status.reason == "AlreadyExists") => Ok(()),
                Some(403) => Err(ClusterError::Refused(self.forbidden(namespace, &typed, &error).await)),
                Some(400 | 422) => Err(ClusterError::Refused(refusal(RefusalKind::Invalid, &error))),
                _ => Err(error.into()),
            },
        }
    }

    /// Tells quota from policy: the answers differ in their text alone, so that the quotas are looked at.
    async fn forbidden(&self, namespace: &str, pod: &Pod, error: &Error) -> Refusal {
        let quotas = limited(self.api::<ResourceQuota>(namespace).list(&ListParams::default())).await;
        let is_quota = quotas.is_ok_and(|quotas| quotas.items.iter().any(|quota| quota::is_exceeded_by(quota, pod)));
        if is_quota {
            return refusal(RefusalKind::Quota, error);
        }
        let refusal = refusal(RefusalKind::Forbidden, error);
        if self.may_create_pods(namespace).await {
            return refusal;
        }
        let message = format!("the operator may not create pods in the namespace {namespace}: {}", refusal.message);
        Refusal { message, ..refusal }
    }

    /// Whether the operator's role lets it create pods; assumed where the API does not say.
    async fn may_create_pods(&self, namespace: &str) -> bool {
        let attributes = ResourceAttributes {
            namespace: Some(namespace.to_owned()),
            verb: Some("create".to_owned()),
            resource: Some("pods".to_owned()),
            ..ResourceAttributes::default()
        };
        let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() };
        let review = SelfSubjectAccessReview { spec, ..Default::default() };
        let reviews: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let answer = limited(reviews.create(&PostParams::default(), &review)).await;
        answer.ok().and_then(|review| review.status).is_none_or(|status| status.allowed)
    }

    /// Deletes an object if it is still the one with this identity.
    pub(crate) async fn delete<K>(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
        at_once: bool,
    ) -> Result<(), ClusterError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
        K::DynamicType: Default,
    {
        let uid = Some(uid.to_owned());
        let mut params = DeleteParams::background().preconditions(Preconditions { resource_version: None, uid });
        params.grace_period_seconds = at_once.then_some(0);
        let call = self.api::<K>(namespace);
        match tokio::time::timeout(CALL_LIMIT, call.delete(name, &params)).await {
            Err(_) => Err(ClusterError::Silent),
            Ok(Ok(_)) => Ok(()),
            // It is gone, or another one has its name.
            Ok(Err(error)) if matches!(code(&error), Some(404 | 409)) => Ok(()),
            Ok(Err(error)) => Err(error.into()),
        }
    }

    /// Deletes all objects of a kind with a label, or of them the one with a name: for all, the API looks through the
    /// whole namespace.
    pub(crate) async fn delete_all<K>(
        &self,
        namespace: &str,
        labels: &str,
        name: Option<&str>,
    ) -> Result<(), ClusterError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
        K::DynamicType: Default,
    {
        let mut params = ListParams::default().labels(labels);
        params.field_selector = name.map(|name| format!("metadata.name={name}"));
        limited(self.api::<K>(namespace).delete_collection(&DeleteParams::background(), &params)).await.map(|_| ())
    }

    /// Changes some fields of an object's metadata.
    pub(crate) async fn patch_metadata<K>(
        &self,
        namespace: &str,
        name: &str,
        metadata: Value,
    ) -> Result<(), ClusterError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
        K::DynamicType: Default,
    {
        let patch = Patch::Merge(serde_json::json!({ "metadata": metadata }));
        limited(self.api::<K>(namespace).patch(name, &PatchParams::default(), &patch)).await.map(|_| ())
    }

    /// Writes a resource's status if it was not changed since it was read, and answers with what is there then.
    pub(crate) async fn replace_status<K>(&self, namespace: &str, name: &str, object: &K) -> Result<K, ClusterError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Serialize + std::fmt::Debug,
        K::DynamicType: Default,
    {
        limited(self.api::<K>(namespace).replace_status(name, &PostParams::default(), object)).await
    }
}

fn refusal(kind: RefusalKind, error: &Error) -> Refusal {
    let message = match error {
        Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    };
    Refusal { kind, message }
}

fn place(object: &Value) -> (&str, &str) {
    let part = |key: &str| object["metadata"][key].as_str().unwrap_or_default();
    (part("namespace"), part("name"))
}
