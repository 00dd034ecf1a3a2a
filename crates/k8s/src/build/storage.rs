//! How a pod gets the credentials of its connections: each Secret is a folder of files, nothing is in the environment.

use serde_json::{Value, json};

use crate::storage::Connection;

/// Folder under which each connection has its own, by its place in the list.
pub const FOLDER: &str = "/etc/firesteel/storage";

/// Folder of a connection's credentials in a pod.
pub fn credentials_folder(index: usize) -> String {
    format!("{FOLDER}/{index}/credentials")
}

/// Folder of a connection's certificate authority in a pod.
pub fn ca_folder(index: usize) -> String {
    format!("{FOLDER}/{index}/ca")
}

/// Volumes and mounts of the connections' Secrets.
pub fn mounts(connections: &[Connection]) -> (Vec<Value>, Vec<Value>) {
    let mut volumes = Vec::new();
    let mut mounts = Vec::new();
    for (index, connection) in connections.iter().enumerate() {
        let secrets = [
            ("credentials", connection.credentials_secret.as_ref(), credentials_folder(index)),
            ("ca", connection.ca_secret.as_ref(), ca_folder(index)),
        ];
        for (what, secret, path) in secrets {
            let Some(secret) = secret else { continue };
            let name = format!("storage-{index}-{what}");
            volumes.push(json!({ "name": name, "secret": { "secretName": secret, "defaultMode": 0o440 } }));
            mounts.push(json!({ "name": name, "mountPath": path, "readOnly": true }));
        }
    }
    (volumes, mounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_connections_with_secrets_need_files() {
        let plain = Connection { name: "a".to_owned(), ..Connection::default() };
        let secret = Connection {
            name: "b".to_owned(),
            credentials_secret: Some("keys".to_owned()),
            ca_secret: Some("ca".to_owned()),
            ..Connection::default()
        };
        let (volumes, mounts) = mounts(&[plain, secret]);
        assert_eq!(volumes.len(), 2);
        assert_eq!(volumes[0]["secret"]["secretName"], "keys");
        assert_eq!(mounts[0]["mountPath"], "/etc/firesteel/storage/1/credentials");
    }
}
