//! Where `s3://` leads: the stores that a manifest names, or a folder on this machine.

use std::path::{Path, PathBuf};

use firesteel_k8s::build::storage;
use firesteel_k8s::storage::Connection;
use firesteel_s3::EmbeddedS3;
use firesteel_sources::stores::S3Connection;

use crate::arguments::{DATA_FOLDER, Session};
use crate::failure::Failure;

/// The stores behind `s3://`.
#[derive(Debug)]
pub(crate) struct Data {
    /// How the engine reaches them.
    pub(crate) connections: Vec<S3Connection>,
    /// The server over the folder, if it is one; it stops when this is dropped.
    pub(crate) embedded: Option<EmbeddedS3>,
}

/// What decides where `s3://` leads.
#[derive(Debug)]
enum Choice {
    Folder(PathBuf),
    Named(Vec<S3Connection>),
}

impl Data {
    /// Serves a folder.
    pub(crate) async fn folder(folder: &Path) -> Result<Self, Failure> {
        let server = EmbeddedS3::start(folder, 0).await?;
        let connection = S3Connection {
            name: "firesteel-data".to_owned(),
            endpoint: Some(server.endpoint().to_owned()),
            region: Some("us-east-1".to_owned()),
            path_style: true,
            access_key: Some(server.access_key().to_owned()),
            secret_key: Some(server.secret_key().to_owned()),
            ..S3Connection::default()
        };
        Ok(Self { connections: vec![connection], embedded: Some(server) })
    }

    /// The store of a session: the one at the endpoint that is given, with keys from the environment, else the folder.
    pub(crate) async fn of_session(session: &Session) -> Result<Self, Failure> {
        let Some(endpoint) = &session.endpoint else { return Self::folder(&session.data).await };
        let connection = S3Connection {
            name: "endpoint".to_owned(),
            endpoint: Some(endpoint.clone()),
            path_style: true,
            ..S3Connection::default()
        };
        Ok(Self { connections: vec![connection], embedded: None })
    }

    /// The stores of a job: a folder if one is given or the job names no store, else those that it names.
    ///
    /// Errors: a store wants credentials that are not there.
    pub(crate) async fn of_job(named: &[Connection], folder: Option<&Path>) -> Result<Self, Failure> {
        match choose(named, folder, &|name| std::env::var(name).ok())? {
            Choice::Folder(folder) => Self::folder(&folder).await,
            Choice::Named(connections) => Ok(Self { connections, embedded: None }),
        }
    }

    /// The stores of a job in a pod, with credentials from the files below `folder`. A job that names none reaches
    /// Amazon S3 by the pod's own identity.
    ///
    /// Errors: a file is not there.
    pub(crate) fn of_pod(named: &[Connection], folder: &Path) -> Result<Self, Failure> {
        let connections = named.iter().enumerate().map(|(index, connection)| mounted(connection, index, folder));
        Ok(Self { connections: connections.collect::<Result<_, _>>()?, embedded: None })
    }

    /// What tells the user where the folder is.
    pub(crate) fn notice(&self) -> Option<String> {
        self.embedded.as_ref().map(|server| format!("s3:// is the folder {}", server.folder().display()))
    }

    /// Variables with which other S3 clients in the user's program reach the folder.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let Some(server) = &self.embedded else { return Vec::new() };
        [
            ("AWS_ENDPOINT_URL_S3", server.endpoint()),
            ("AWS_ACCESS_KEY_ID", server.access_key()),
            ("AWS_SECRET_ACCESS_KEY", server.secret_key()),
            ("AWS_REGION", "us-east-1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Lets requests end and stops.
    pub(crate) async fn shutdown(self) {
        if let Some(server) = self.embedded {
            server.shutdown().await;
        }
    }
}

fn choose(
    named: &[Connection],
    folder: Option<&Path>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Choice, Failure> {
    match folder {
        Some(folder) => Ok(Choice::Folder(folder.to_owned())),
        None if named.is_empty() => Ok(Choice::Folder(PathBuf::from(DATA_FOLDER))),
        None => {
            let connections = named.iter().map(|connection| connect(connection, variable));
            Ok(Choice::Named(connections.collect::<Result<_, _>>()?))
        }
    }
}

/// A connection with credentials from the files of its Secrets. `folder` stands in for the one that pods have.
fn mounted(connection: &Connection, index: usize, folder: &Path) -> Result<S3Connection, Failure> {
    let below = |path: String| folder.join(path.trim_start_matches(storage::FOLDER).trim_start_matches('/'));
    let read = |path: PathBuf, secret: &str| {
        std::fs::read(&path).map_err(|error| {
            let key = path.file_name().unwrap_or_default().to_string_lossy();
            Failure::Usage(format!(
                "the connection \"{}\" needs the key {key} of the Secret {secret}: {error}",
                connection.name
            ))
        })
    };
    let mut result = plain(connection);
    if let Some(secret) = &connection.credentials_secret {
        let folder = below(storage::credentials_folder(index));
        let text =
            |name: &str| read(folder.join(name), secret).map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
        result.access_key = Some(text("AWS_ACCESS_KEY_ID")?);
        result.secret_key = Some(text("AWS_SECRET_ACCESS_KEY")?);
        result.session_token =
            if folder.join("AWS_SESSION_TOKEN").exists() { Some(text("AWS_SESSION_TOKEN")?) } else { None };
    }
    if let Some(secret) = &connection.ca_secret {
        result.ca_pem = Some(read(below(storage::ca_folder(index)).join("ca.crt"), secret)?);
    }
    Ok(result)
}

/// A connection without credentials.
fn plain(connection: &Connection) -> S3Connection {
    S3Connection {
        name: connection.name.clone(),
        buckets: connection.buckets.clone(),
        endpoint: connection.endpoint.clone(),
        region: connection.region.clone(),
        path_style: connection.path_style,
        ..S3Connection::default()
    }
}

/// A connection with credentials from the environment, where the cluster would take them from a Secret.
fn connect(connection: &Connection, variable: &dyn Fn(&str) -> Option<String>) -> Result<S3Connection, Failure> {
    let wants = |what: &str, secret: &str, variables: &str| {
        Failure::Usage(format!(
            "the connection \"{}\" takes its {what} from the Secret {secret}, which only a cluster has; set {variables}, \
             or use a folder instead with --data",
            connection.name
        ))
    };
    let mut result = plain(connection);
    if let Some(secret) = &connection.credentials_secret {
        result.access_key = variable("AWS_ACCESS_KEY_ID");
        result.secret_key = variable("AWS_SECRET_ACCESS_KEY");
        result.session_token = variable("AWS_SESSION_TOKEN");
        if result.access_key.is_none() || result.secret_key.is_none() {
            return Err(wants("credentials", secret, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"));
        }
    }
    if let Some(secret) = &connection.ca_secret {
        let bundle =
            variable("AWS_CA_BUNDLE").ok_or_else(|| wants("certificate authority", secret, "AWS_CA_BUNDLE"))?;
        let pem = std::fs::read(&bundle)
            .map_err(|error| Failure::Usage(format!("cannot read {bundle}, the file in AWS_CA_BUNDLE: {error}")))?;
        result.ca_pem = Some(pem);
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(credentials: Option<&str>) -> Vec<Connection> {
        let credentials_secret = credentials.map(str::to_owned);
        vec![Connection { name: "lake".into(), credentials_secret, ..Connection::default() }]
    }

    #[test]
    fn a_folder_stands_in_where_no_store_is_named_or_one_is_given() {
        let nothing = |_: &str| None;
        let default = choose(&[], None, &nothing).unwrap();
        assert!(matches!(default, Choice::Folder(folder) if folder == Path::new(DATA_FOLDER)));
        let given = choose(&named(Some("s")), Some(Path::new("d")), &nothing).unwrap();
        assert!(matches!(given, Choice::Folder(folder) if folder == Path::new("d")));
    }

    #[test]
    fn credentials_come_from_the_environment() {
        let full = |name: &str| (name != "AWS_SESSION_TOKEN").then(|| name.to_lowercase());
        let Choice::Named(connections) = choose(&named(Some("s")), None, &full).unwrap() else { panic!("a folder") };
        assert_eq!(connections[0].access_key.as_deref(), Some("aws_access_key_id"));
        assert_eq!(connections[0].session_token, None);

        let Choice::Named(connections) = choose(&named(None), None, &full).unwrap() else { panic!("a folder") };
        assert_eq!(connections[0].access_key, None, "workload identity is the client's own business");

        let error = choose(&named(Some("s3-credentials")), None, &|_| None).unwrap_err().to_string();
        assert!(error.contains("Secret s3-credentials") && error.contains("--data"), "{error}");
    }

    #[test]
    fn a_pods_credentials_are_files_and_a_missing_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("0/credentials");
        std::fs::create_dir_all(&keys).unwrap();
        std::fs::write(keys.join("AWS_ACCESS_KEY_ID"), "id\n").unwrap();
        let error = Data::of_pod(&named(Some("keys")), folder.path()).unwrap_err().to_string();
        assert!(error.contains("AWS_SECRET_ACCESS_KEY of the Secret keys"), "{error}");
        std::fs::write(keys.join("AWS_SECRET_ACCESS_KEY"), "secret").unwrap();
        let data = Data::of_pod(&named(Some("keys")), folder.path()).unwrap();
        assert_eq!(data.connections[0].access_key.as_deref(), Some("id"));
        assert_eq!(data.connections[0].session_token, None);
    }

    #[tokio::test]
    async fn a_folder_is_served_and_shown() {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::folder(&folder.path().join("new")).await.unwrap();
        assert!(data.notice().unwrap().ends_with("/new"));
        assert_eq!(data.variables().len(), 4);
        assert!(data.connections[0].path_style);
        data.shutdown().await;
    }
}
