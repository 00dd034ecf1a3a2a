//! A client of S3-compatible storage with bounded waiting.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use firesteel_model::{Result, SparkError, error_class};
use object_store::aws::{AmazonS3, AmazonS3Builder, AwsCredential};
use object_store::{BackoffConfig, Certificate, ClientOptions, CredentialProvider, RetryConfig};
use serde::{Deserialize, Serialize};

use super::policy::ClientPolicy;
use super::steady::SteadyReads;

/// No request is repeated after this.
const RETRY_TIMEOUT: Duration = Duration::from_secs(120);

/// An object store and how to sign in to it.
///
/// Guarantees: `Debug` shows no secret. Serialised it holds its secrets: only for executors of the same application.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct S3Connection {
    /// A name for it.
    pub name: String,
    /// Buckets reached through it; empty for all that no other connection names.
    pub buckets: Vec<String>,
    /// Address of the service; Amazon's in `region` by default.
    pub endpoint: Option<String>,
    /// Region of the buckets; `us-east-1` by default.
    pub region: Option<String>,
    /// Whether the bucket stands in the path of the address rather than in the host's name.
    pub path_style: bool,
    /// Certificate authority of the service, PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// Access key; without it credentials come from the environment (workload identity).
    pub access_key: Option<String>,
    /// Secret key.
    pub secret_key: Option<String>,
    /// Session token of temporary credentials.
    pub session_token: Option<String>,
}

impl fmt::Debug for S3Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Connection")
            .field("name", &self.name)
            .field("buckets", &self.buckets)
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("path_style", &self.path_style)
            .finish_non_exhaustive()
    }
}

impl S3Connection {
    /// A client for one bucket that repeats failed requests, and reads that take too long.
    pub(crate) fn client(&self, bucket: &str, policy: &ClientPolicy) -> Result<AmazonS3> {
        self.build(bucket, *policy)
    }

    /// A client for one bucket that reports every failed request at once.
    pub(crate) fn client_unretried(&self, bucket: &str, policy: &ClientPolicy) -> Result<AmazonS3> {
        self.build(
            bucket,
            ClientPolicy { retries_max: 0, hedge_after: None, silence_max: policy.request_timeout, ..*policy },
        )
    }

    fn build(&self, bucket: &str, policy: ClientPolicy) -> Result<AmazonS3> {
        let mut options = ClientOptions::new()
            .with_connect_timeout(policy.connect_timeout)
            .with_timeout(policy.request_timeout)
            .with_pool_idle_timeout(Duration::from_secs(30));
        if let Some(pem) = &self.ca_pem {
            options = options.with_root_certificate(Certificate::from_pem(pem).map_err(|e| self.wrong(bucket, e))?);
        }
        let (backoff, max_retries) = (BackoffConfig::default(), policy.retries_max);
        let retry = RetryConfig { backoff, max_retries, retry_timeout: RETRY_TIMEOUT };
        let mut builder = AmazonS3Builder::from_env().with_client_options(options).with_retry(retry);
        builder = builder.with_bucket_name(bucket).with_http_connector(SteadyReads(policy));
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = &self.endpoint {
            let endpoint = if self.path_style { endpoint.clone() } else { virtual_host(endpoint, bucket) };
            builder = builder
                .with_virtual_hosted_style_request(!self.path_style)
                .with_allow_http(endpoint.starts_with("http://"))
                .with_endpoint(endpoint);
        }
        if let Some(keys) = self.keys() {
            builder = builder.with_credentials(Arc::new(keys));
        }
        builder.build().map_err(|e| self.wrong(bucket, e))
    }

    /// The connection's keys, or else those in the environment.
    fn keys(&self) -> Option<Keys> {
        let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let credential = match (&self.access_key, &self.secret_key) {
            (Some(access), Some(secret)) => {
                AwsCredential { key_id: access.clone(), secret_key: secret.clone(), token: self.session_token.clone() }
            }
            _ => AwsCredential {
                key_id: env("AWS_ACCESS_KEY_ID")?,
                secret_key: env("AWS_SECRET_ACCESS_KEY")?,
                token: env("AWS_SESSION_TOKEN"),
            },
        };
        Some(Keys(Arc::new(credential)))
    }

    fn wrong(&self, bucket: &str, error: object_store::Error) -> SparkError {
        let reason = format!("the connection {:?} cannot serve the bucket {bucket}", self.name);
        SparkError::new(&error_class::STORAGE_FAILED).param("reason", reason).source(error)
    }
}

/// Keys that the client's `Debug` does not show, as it would show its own.
struct Keys(Arc<AwsCredential>);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

#[async_trait]
impl CredentialProvider for Keys {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        Ok(Arc::clone(&self.0))
    }
}

/// The client takes an endpoint as it is, so the bucket goes into the host's name here.
fn virtual_host(endpoint: &str, bucket: &str) -> String {
    match endpoint.split_once("://") {
        Some((scheme, host)) if !host.starts_with(&format!("{bucket}.")) => format!("{scheme}://{bucket}.{host}"),
        _ => endpoint.to_owned(),
    }
}
