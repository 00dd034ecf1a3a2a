//! The few things that a driver does with the Kubernetes API.

use std::sync::Arc;
use std::time::Duration;

use firesteel_k8s::build::names::{DRIVER_FIELD_MANAGER, REPORT};
use firesteel_k8s::quota;
use firesteel_k8s::status::Reason;
use futures::Stream;
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Pod, ResourceQuota, Secret};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Error};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// Every call ends within this time.
const CALL_LIMIT: Duration = Duration::from_secs(30);

/// Calls at the same time.
const CALLS_MAX: usize = 16;

/// What the cluster said instead of making an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    /// In a word, where the user should know of it.
    pub(crate) reason: Option<Reason>,
    /// In a sentence.
    pub(crate) message: String,
    /// Whether it may be taken later.
    pub(crate) may_ask_again: bool,
    /// How long the API wants to be left alone.
    pub(crate) after: Option<SignedDuration>,
}

/// A watch of pods.
pub(crate) type Watched = Result<watcher::Event<Pod>, watcher::Error>;

/// The API as the driver of one namespace uses it.
#[derive(Clone)]
pub(crate) struct Cluster {
    pods: Api<Pod>,
    secrets: Api<Secret>,
    quotas: Api<ResourceQuota>,
    calls: Arc<Semaphore>,
}

impl Cluster {
    pub(crate) fn new(client: &Client, namespace: &str) -> Self {
        Self {
            pods: Api::namespaced(client.clone(), namespace),
            secrets: Api::namespaced(client.clone(), namespace),
            quotas: Api::namespaced(client.clone(), namespace),
            calls: Arc::new(Semaphore::new(CALLS_MAX)),
        }
    }

    /// Pods with these labels, as they change. It goes on for ever, whatever fails.
    pub(crate) fn watch(&self, labels: &str) -> impl Stream<Item = Watched> + Send + use<> {
        watcher(self.pods.clone(), watcher::Config::default().labels(labels)).default_backoff()
    }

    /// One pod as it changes.
    pub(crate) fn watch_one(&self, name: &str) -> impl Stream<Item = Watched> + Send + use<> {
        let fields = format!("metadata.name={name}");
        watcher(self.pods.clone(), watcher::Config::default().fields(&fields)).default_backoff()
    }

    /// Makes a Secret; one of its name is ours, because the name holds the driver's identity.
    pub(crate) async fn create_secret(&self, secret: Value) -> Result<(), Refusal> {
        let secret: Secret = serde_json::from_value(secret).map_err(|error| senseless(&error))?;
        match self.limited(self.secrets.create(&by_driver(), &secret)).await {
            Err(error) if error.is("AlreadyExists") => Ok(()),
            other => other.map(|_| ()).map_err(CallError::into_refusal),
        }
    }

    /// Makes a pod. It is made and not applied, because one of its name that belongs to a driver before must stay as it
    /// is; ours from a call whose answer was lost is taken for made.
    pub(crate) async fn create_pod(&self, pod: Value, owner: &str) -> Result<(), Refusal> {
        let pod: Pod = serde_json::from_value(pod).map_err(|error| senseless(&error))?;
        let name = pod.metadata.name.clone().unwrap_or_default();
        match self.limited(self.pods.create(&by_driver(), &pod)).await {
            Ok(_) => Ok(()),
            Err(error) if error.is("AlreadyExists") => self.adopt(&name, owner).await,
            Err(error) if error.code() == Some(403) => Err(self.forbidden(&pod, error).await),
            Err(error) => Err(error.into_refusal()),
        }
    }

    async fn adopt(&self, name: &str, owner: &str) -> Result<(), Refusal> {
        let pod = self.limited(self.pods.get_opt(name)).await.map_err(CallError::into_refusal)?;
        let mut owners = pod.iter().flat_map(|pod| pod.metadata.owner_references.iter().flatten());
        if owners.any(|reference| reference.uid == owner) {
            return Ok(());
        }
        let message = format!("the pod {name} is there already and belongs to somebody else");
        Err(Refusal { reason: Some(Reason::NameConflict), message, may_ask_again: true, after: None })
    }

    /// Tells quota from policy: the answers differ in their text alone, so that the quotas are looked at.
    async fn forbidden(&self, pod: &Pod, error: CallError) -> Refusal {
        let quotas = self.limited(self.quotas.list(&ListParams::default())).await;
        let is_quota = quotas.is_ok_and(|quotas| quotas.items.iter().any(|quota| quota::is_exceeded_by(quota, pod)));
        let reason = if is_quota { Reason::QuotaExceeded } else { Reason::Refused };
        Refusal { reason: Some(reason), ..error.into_refusal() }
    }

    /// Deletes a pod; one that is gone is no mistake. It gets the time that it needs to end well.
    pub(crate) async fn delete_pod(&self, name: &str) -> Result<(), Refusal> {
        match self.limited(self.pods.delete(name, &DeleteParams::background())).await {
            Err(error) if error.code() != Some(404) => Err(error.into_refusal()),
            _ => Ok(()),
        }
    }

    /// Writes the driver's report into its own pod.
    pub(crate) async fn report(&self, pod: &str, report: &str) -> Result<(), Refusal> {
        let metadata = json!({ "name": pod, "annotations": { REPORT: report } });
        let patch = Patch::Apply(json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata }));
        let params = PatchParams::apply(DRIVER_FIELD_MANAGER).force();
        let call = self.pods.patch_metadata(pod, &params, &patch);
        self.limited(call).await.map(|_| ()).map_err(CallError::into_refusal)
    }

    async fn limited<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, CallError> {
        // The semaphore is never closed.
        let _permit = self.calls.acquire().await;
        match tokio::time::timeout(CALL_LIMIT, call).await {
            Ok(answer) => answer.map_err(CallError::Api),
            Err(_) => Err(CallError::Silent),
        }
    }
}

fn by_driver() -> PostParams {
    PostParams { dry_run: false, field_manager: Some(DRIVER_FIELD_MANAGER.to_owned()) }
}

/// An object that our own builders and the user's template made, and that has not the API's form.
fn senseless(error: &serde_json::Error) -> Refusal {
    Refusal { reason: Some(Reason::Refused), message: error.to_string(), may_ask_again: false, after: None }
}

#[derive(Debug)]
enum CallError {
    Api(Error),
    Silent,
}

impl CallError {
    fn code(&self) -> Option<u16> {
        match self {
            Self::Api(Error::Api(status)) => Some(status.code),
            _ => None,
        }
    }

    /// Whether the API gives this reason, one of its own words.
    fn is(&self, reason: &str) -> bool {
        matches!(self, Self::Api(Error::Api(status)) if status.reason == reason)
    }

    /// What makes no sense now will not later; anything else may pass.
    fn into_refusal(self) -> Refusal {
        let is_senseless = matches!(self.code(), Some(400 | 422));
        let reason = (is_senseless || self.code() == Some(403)).then_some(Reason::Refused);
        let (message, after) = match self {
            Self::Api(Error::Api(status)) => {
                let seconds = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
                (status.message, (seconds > 0).then(|| SignedDuration::from_secs(seconds.into())))
            }
            Self::Api(other) => (other.to_string(), None),
            Self::Silent => (format!("the API did not answer within {} s", CALL_LIMIT.as_secs()), None),
        };
        Refusal { reason, message, may_ask_again: !is_senseless, after }
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn refusal(code: u16, seconds: u32) -> Refusal {
        let mut status = Status::failure("no", "Reason");
        status.code = code;
        status.details = Some(kube::core::response::StatusDetails {
            name: String::new(),
            group: String::new(),
            kind: String::new(),
            uid: String::new(),
            causes: Vec::new(),
            retry_after_seconds: seconds,
        });
        CallError::Api(Error::Api(status.boxed())).into_refusal()
    }

    #[test]
    fn only_what_makes_no_sense_is_not_asked_for_again() {
        for (code, again) in
            [(400, false), (422, false), (401, true), (403, true), (429, true), (500, true), (504, true)]
        {
            assert_eq!(refusal(code, 0).may_ask_again, again, "{code}");
        }
        assert!(CallError::Silent.into_refusal().may_ask_again);
        assert_eq!(refusal(429, 7).after, Some(SignedDuration::from_secs(7)));
        assert_eq!(refusal(429, 0).after, None);
    }
}
