//! A client of S3-compatible storage with bounded waiting.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use firesteel_model::{Result, SparkError, error_class};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, AwsCredential};
use object_store::client::HttpConnector;
use object_store::{BackoffConfig, Certificate, ClientOptions, CredentialProvider, RetryConfig};
use serde::{Deserialize, Serialize};

use super::policy::ClientPolicy;
use super::steady::SteadyReads;
use super::uploads::OpenUploads;

/// The region of buckets where nothing names one.
const DEFAULT_REGION: &str = "us-east-1";
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
    /// A client for one bucket that repeats failed requests, and reads that take too long; with it the bucket's uploads.
    pub(crate) fn client(&self, bucket: &str, policy: &ClientPolicy) -> Result<(AmazonS3, OpenUploads)> {
        let options = self.options(bucket, policy)?;
        let builder = self.builder(bucket, *policy, options.clone());
        let setting = |key| builder.get_config_value(&key);
        let region = setting(AmazonS3ConfigKey::Region).unwrap_or_else(|| DEFAULT_REGION.to_owned());
        let address = match setting(AmazonS3ConfigKey::Endpoint) {
            None => format!("https://{bucket}.s3.{region}.amazonaws.com/"),
            Some(endpoint) if self.is_path_style() || self.endpoint.is_none() => {
                format!("{}/{bucket}", endpoint.trim_end_matches('/'))
            }
            Some(endpoint) => format!("{}/", endpoint.trim_end_matches('/')),
        };
        let http = SteadyReads(*policy).connect(&options).map_err(|e| self.wrong(bucket, e))?;
        let client = builder.build().map_err(|e| self.wrong(bucket, e))?;
        let credentials = Arc::clone(client.credentials());
        Ok((client, OpenUploads { http, address, region, credentials }))
    }

    /// A client for one bucket that reports every failed request at once.
    pub(crate) fn client_unretried(&self, bucket: &str, policy: &ClientPolicy) -> Result<AmazonS3> {
        let (retries_max, silence_max) = (0, policy.request_timeout);
        let policy = ClientPolicy { retries_max, silence_max, hedge_after: None, ..*policy };
        let builder = self.builder(bucket, policy, self.options(bucket, &policy)?);
        builder.build().map_err(|e| self.wrong(bucket, e))
    }

    fn options(&self, bucket: &str, policy: &ClientPolicy) -> Result<ClientOptions> {
        let options = ClientOptions::new()
            .with_connect_timeout(policy.connect_timeout)
            .with_timeout(policy.request_timeout)
            .with_allow_http(self.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://")))
            .with_pool_idle_timeout(Duration::from_secs(30));
        match &self.ca_pem {
            None => Ok(options),
            Some(pem) => {
                let certificate = Certificate::from_pem(pem).map_err(|e| self.wrong(bucket, e))?;
                Ok(options.with_root_certificate(certificate))
            }
        }
    }

    fn builder(&self, bucket: &str, policy: ClientPolicy, options: ClientOptions) -> AmazonS3Builder {
        let (backoff, max_retries) = (BackoffConfig::default(), policy.retries_max);
        let retry = RetryConfig { backoff, max_retries, retry_timeout: RETRY_TIMEOUT };
        let mut builder = AmazonS3Builder::from_env().with_client_options(options).with_retry(retry);
        builder = builder.with_bucket_name(bucket).with_http_connector(SteadyReads(policy));
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = &self.endpoint {
            let is_path_style = self.is_path_style();
            let endpoint = if is_path_style { endpoint.clone() } else { virtual_host(endpoint, bucket) };
            builder = builder
                .with_virtual_hosted_style_request(!is_path_style)
                .with_allow_http(endpoint.starts_with("http://"))
                .with_endpoint(endpoint);
        }
        match self.keys() {
            Some(keys) => builder.with_credentials(Arc::new(keys)),
            None => builder,
        }
    }

    /// An IP address has no names below it for buckets.
    fn is_path_style(&self) -> bool {
        self.path_style || self.endpoint.as_deref().is_some_and(is_ip_address)
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

fn is_ip_address(endpoint: &str) -> bool {
    let host = endpoint.split_once("://").map_or(endpoint, |(_, host)| host);
    let host = host.split('/').next().unwrap_or_default();
    host.parse::<SocketAddr>().is_ok() || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

/// The client takes an endpoint as it is, so the bucket goes into the host's name here.
fn virtual_host(endpoint: &str, bucket: &str) -> String {
    match endpoint.split_once("://") {
        Some((scheme, host)) if !host.starts_with(&format!("{bucket}.")) => format!("{scheme}://{bucket}.{host}"),
        _ => endpoint.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_without_names_are_known() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:9000", true),
            ("https://10.0.0.1", true),
            ("http://[::1]:9000/", true),
            ("http://[fd00::1]", true),
            ("https://s3.example.com", false),
            ("http://localhost:9000", false),
        ] {
            assert_eq!(is_ip_address(endpoint), expected, "{endpoint}");
        }
    }
}
