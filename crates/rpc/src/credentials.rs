//! Certificates and the token of an application.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use subtle::ConstantTimeEq;
use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};
use uuid::Uuid;

use crate::error::RpcError;

/// The name in the driver's certificate; where it runs does not matter.
pub const DRIVER_NAME: &str = "firesteel-driver";

const FILES: [&str; 4] = ["ca.pem", "certificate.pem", "key.pem", "token"];

/// The certificate authority of one application. It lives as long as the driver and its key never leaves it.
pub struct ApplicationAuthority {
    issuer: Issuer<'static, KeyPair>,
    ca_pem: String,
    token: String,
}

/// What one side shows and how it knows the other.
///
/// Guarantees: `Debug` shows no secret.
#[derive(Clone)]
pub struct Credentials {
    ca_pem: String,
    certificate_pem: String,
    key_pem: String,
    token: String,
}

impl ApplicationAuthority {
    /// A new authority with a new token.
    pub fn new() -> Result<Self, RpcError> {
        let key = KeyPair::generate().map_err(broken)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "firesteel application");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let ca_pem = params.self_signed(&key).map_err(broken)?.pem();
        let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        Ok(Self { issuer: Issuer::new(params, key), ca_pem, token })
    }

    /// What the driver shows.
    pub fn driver(&self) -> Result<Credentials, RpcError> {
        self.issue(DRIVER_NAME, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// What an executor shows; one certificate for each.
    pub fn executor(&self, name: &str) -> Result<Credentials, RpcError> {
        self.issue(name, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(&self, name: &str, purpose: ExtendedKeyUsagePurpose) -> Result<Credentials, RpcError> {
        let key = KeyPair::generate().map_err(broken)?;
        let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(broken)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![purpose];
        let certificate = params.signed_by(&key, &self.issuer).map_err(broken)?;
        Ok(Credentials {
            ca_pem: self.ca_pem.clone(),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            token: self.token.clone(),
        })
    }
}

impl fmt::Debug for ApplicationAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplicationAuthority").finish_non_exhaustive()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    /// The files that hold them, by name, as a Secret has keys.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let values = [&self.ca_pem, &self.certificate_pem, &self.key_pem, &self.token];
        FILES.into_iter().zip(values.map(String::as_str))
    }

    /// Puts them into an empty directory, one file each, which nobody else can read.
    pub fn write(&self, directory: &Path) -> Result<(), RpcError> {
        for (name, value) in self.files() {
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(directory.join(name));
            let written = file.and_then(|mut file| file.write_all(value.as_bytes()));
            written.map_err(|error| RpcError::Credentials(format!("{name} cannot be written: {error}")))?;
        }
        Ok(())
    }

    /// Reads what [`Self::write`] wrote, or what a secret mounted as a directory holds.
    pub fn read(directory: &Path) -> Result<Self, RpcError> {
        let read = |name: &str| {
            let text = std::fs::read_to_string(directory.join(name));
            text.map_err(|error| RpcError::Credentials(format!("{name} cannot be read: {error}")))
        };
        let [ca, certificate, key, token] = FILES;
        Ok(Self {
            ca_pem: read(ca)?,
            certificate_pem: read(certificate)?,
            key_pem: read(key)?,
            token: read(token)?.trim().to_owned(),
        })
    }

    pub(crate) fn server_tls(&self) -> ServerTlsConfig {
        ServerTlsConfig::new()
            .identity(Identity::from_pem(&self.certificate_pem, &self.key_pem))
            .client_ca_root(Certificate::from_pem(&self.ca_pem))
    }

    pub(crate) fn client_tls(&self) -> ClientTlsConfig {
        ClientTlsConfig::new()
            .identity(Identity::from_pem(&self.certificate_pem, &self.key_pem))
            .ca_certificate(Certificate::from_pem(&self.ca_pem))
            .domain_name(DRIVER_NAME)
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// Whether a call carries the token; takes the same time wherever the difference is.
    pub(crate) fn admits(&self, authorization: Option<&[u8]>) -> bool {
        authorization.is_some_and(|given| bool::from(given.ct_eq(self.bearer().as_bytes())))
    }
}

fn broken(error: rcgen::Error) -> RpcError {
    RpcError::Credentials(error.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn files_hold_what_was_issued_and_debug_shows_nothing() {
        let authority = ApplicationAuthority::new().unwrap();
        let issued = authority.executor("executor-7").unwrap();
        let directory = tempfile::tempdir().unwrap();
        issued.write(directory.path()).unwrap();
        let read = Credentials::read(directory.path()).unwrap();
        assert_eq!(read.key_pem, issued.key_pem);
        assert!(read.admits(Some(issued.bearer().as_bytes())));
        assert!(!read.admits(Some(b"Bearer x")) && !read.admits(None));
        assert!(!format!("{issued:?} {authority:?}").contains("KEY"));
    }
}
