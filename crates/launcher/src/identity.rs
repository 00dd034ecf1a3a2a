//! Which pod this process runs in.

use std::net::IpAddr;
use std::str::FromStr;

use crate::launcher::LaunchError;

/// The pod of this process, as its environment tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodIdentity {
    /// Its name.
    pub name: String,
    /// Its identity.
    pub uid: String,
    /// Its namespace.
    pub namespace: String,
    /// Where other pods reach it.
    pub ip: IpAddr,
    /// The attempt of the job that it runs.
    pub attempt: u32,
    /// `Always`, `IfNotPresent` or `Never`.
    pub image_pull_policy: Option<String>,
    /// Whether it runs a standing server.
    pub is_server: bool,
}

impl PodIdentity {
    /// Reads the environment; `variable` gives a variable's value.
    ///
    /// Errors: a variable is missing or makes no sense, as in a process that the operator did not start.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, LaunchError> {
        let attempt = variable("FIRESTEEL_ATTEMPT").ok_or(LaunchError::Environment("FIRESTEEL_ATTEMPT"))?;
        Self::of_attempt(variable, parsed("FIRESTEEL_ATTEMPT", &attempt)?, false)
    }

    /// The same for a standing server, which has no attempts; `incarnation` tells it from those before in its pod.
    ///
    /// Errors: as of [`Self::read`].
    pub fn of_server(variable: impl Fn(&str) -> Option<String>, incarnation: u32) -> Result<Self, LaunchError> {
        Self::of_attempt(variable, incarnation, true)
    }

    fn of_attempt(
        variable: impl Fn(&str) -> Option<String>,
        attempt: u32,
        is_server: bool,
    ) -> Result<Self, LaunchError> {
        let required = |name: &'static str| variable(name).ok_or(LaunchError::Environment(name));
        Ok(Self {
            name: required("POD_NAME")?,
            uid: required("POD_UID")?,
            namespace: required("POD_NAMESPACE")?,
            ip: parsed("POD_IP", &required("POD_IP")?)?,
            attempt,
            image_pull_policy: variable("FIRESTEEL_IMAGE_PULL_POLICY"),
            is_server,
        })
    }
}

fn parsed<T: FromStr>(name: &'static str, text: &str) -> Result<T, LaunchError> {
    text.parse().map_err(|_| LaunchError::Environment(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_variable_is_named() {
        let all = |name: &str| match name {
            "POD_IP" => Some("10.0.0.7".to_owned()),
            "FIRESTEEL_ATTEMPT" => Some("3".to_owned()),
            "FIRESTEEL_IMAGE_PULL_POLICY" => None,
            other => Some(other.to_lowercase()),
        };
        let identity = PodIdentity::read(all).unwrap();
        assert_eq!((identity.attempt, identity.uid.as_str()), (3, "pod_uid"));
        let error = PodIdentity::read(|name| all(name).filter(|_| name != "POD_UID")).unwrap_err();
        assert!(error.to_string().contains("POD_UID"), "{error}");
    }
}
