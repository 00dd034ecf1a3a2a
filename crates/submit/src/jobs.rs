//! The jobs of a namespace, by way of the API server.

use std::time::Duration;

use firesteel_k8s::SparkJob;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::config::KubeConfigOptions;
use kube::{Api, Client, Config};

use crate::SubmitError;

/// How long the API server may take for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long a job that is ended may take to go: its driver has 30 seconds, its clean-up 5 minutes.
const GONE: Duration = Duration::from_secs(400);

/// How often a job that is ended is looked for.
const LOOK: Duration = Duration::from_millis(500);

/// Jobs listed at most.
const LIST_MAX: u32 = 5_000;

/// The jobs of a namespace.
#[derive(Clone, Debug)]
pub struct Jobs {
    pub(crate) jobs: Api<SparkJob>,
    pub(crate) pods: Api<Pod>,
    namespace: String,
}

impl Jobs {
    /// As the user's kubeconfig says, or the pod's own account inside a cluster.
    ///
    /// Errors: there is neither, or it names no such context.
    pub async fn connect(context: Option<&str>, namespace: Option<&str>) -> Result<Self, SubmitError> {
        let config = match context {
            Some(context) => {
                let options = KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
                Config::from_kubeconfig(&options).await.map_err(|error| SubmitError::NoCluster(error.to_string()))?
            }
            None => Config::infer().await.map_err(|error| SubmitError::NoCluster(error.to_string()))?,
        };
        let namespace = namespace.unwrap_or(&config.default_namespace).to_owned();
        let client = Client::try_from(config).map_err(|error| SubmitError::NoCluster(error.to_string()))?;
        Ok(Self {
            jobs: Api::namespaced(client.clone(), &namespace),
            pods: Api::namespaced(client, &namespace),
            namespace,
        })
    }

    /// The same in another namespace.
    #[must_use]
    pub fn in_namespace(&self, namespace: &str) -> Self {
        let client = self.jobs.clone().into_client();
        Self {
            jobs: Api::namespaced(client.clone(), namespace),
            pods: Api::namespaced(client, namespace),
            namespace: namespace.to_owned(),
        }
    }

    /// Creates a job; gives its name.
    ///
    /// Errors: one of that name is there, the cluster refuses it or cannot be reached.
    pub async fn submit(&self, job: &SparkJob) -> Result<String, SubmitError> {
        let name = job.metadata.name.clone().unwrap_or_default();
        let parameters = PostParams { field_manager: Some("firesteel-submit".to_owned()), ..PostParams::default() };
        self.answer(&name, self.jobs.create(&parameters, job)).await?;
        Ok(name)
    }

    /// The job of this name.
    pub async fn get(&self, name: &str) -> Result<SparkJob, SubmitError> {
        self.answer(name, self.jobs.get(name)).await
    }

    /// All jobs of the namespace, the oldest first.
    pub async fn list(&self) -> Result<Vec<SparkJob>, SubmitError> {
        let parameters = ListParams::default().limit(LIST_MAX);
        let mut jobs = self.answer("", self.jobs.list(&parameters)).await?.items;
        jobs.sort_by_key(|job| job.metadata.creation_timestamp.as_ref().map(|time| time.0));
        Ok(jobs)
    }

    /// Ends a job and takes it away; returns when it is gone.
    ///
    /// Errors: there is none, or it does not go.
    pub async fn kill(&self, name: &str) -> Result<(), SubmitError> {
        self.answer(name, self.jobs.delete(name, &DeleteParams::foreground())).await?;
        let gone = async {
            loop {
                match self.get(name).await {
                    Err(SubmitError::NotFound { .. }) => return Ok(()),
                    Err(error) => return Err(error),
                    Ok(_) => tokio::time::sleep(LOOK).await,
                }
            }
        };
        tokio::time::timeout(GONE, gone).await.unwrap_or(Err(SubmitError::TimedOut(GONE.as_secs())))
    }

    /// An answer in time, or why there is none.
    pub(crate) async fn answer<T>(
        &self,
        name: &str,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, SubmitError> {
        let answer = tokio::time::timeout(TIMEOUT, request).await;
        let answer = answer.map_err(|_| SubmitError::TimedOut(TIMEOUT.as_secs()))?;
        answer.map_err(|error| self.explain(name, error))
    }

    fn explain(&self, name: &str, error: kube::Error) -> SubmitError {
        match error {
            kube::Error::Api(status) if status.reason == "AlreadyExists" => SubmitError::Exists(name.to_owned()),
            // A resource that is missing has details; a kind that is missing has none.
            kube::Error::Api(status) if status.code == 404 => {
                let is_known = status.details.as_ref().is_some_and(|details| !details.name.is_empty());
                let not_found = || SubmitError::NotFound { name: name.to_owned(), namespace: self.namespace.clone() };
                if is_known { not_found() } else { SubmitError::NotInstalled }
            }
            kube::Error::Api(status) => SubmitError::Refused(status.message),
            error => SubmitError::Unreachable(Box::new(error)),
        }
    }
}
