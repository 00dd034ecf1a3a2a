//! Where objects lie: `{prefix}/{h:02x}/v1/{namespace}/{application}/{stage}/{map:08}-{attempt}-{nonce}`.

use firesteel_model::ids::TaskAttempt;
use object_store::path::{Path, PathPart};

use crate::block::crc32c;

/// What the keys of one application begin with.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    prefix: Path,
    namespace: String,
    application: String,
}

impl Keys {
    pub(crate) fn new(prefix: Path, namespace: &str, application: &str) -> Self {
        Self { prefix, namespace: namespace.to_owned(), application: application.to_owned() }
    }

    /// A key that no other attempt has, on any executor.
    pub(crate) fn of(&self, attempt: TaskAttempt) -> Path {
        let TaskAttempt { task, attempt } = attempt;
        let (stage, map, nonce) = (task.stage, task.partition.0, rand::random::<u64>());
        let name = format!("{map:08}-{attempt}-{nonce:016x}");
        // Spread over prefixes, because a store's limits are by prefix.
        let spread = crc32c(format!("{}/{stage}/{map}", self.application).as_bytes()) & 0xff;
        self.application_folder(spread).join(stage.to_string()).join(name)
    }

    /// All folders that keys of the application may lie in.
    pub(crate) fn folders(&self) -> impl Iterator<Item = Path> {
        (0..=0xff).map(|spread| self.application_folder(spread))
    }

    /// Whether a key may be one of these.
    pub(crate) fn owns(&self, key: &Path) -> bool {
        let Some(mut rest) = key.prefix_match(&self.prefix) else { return false };
        let spread = rest.next().is_some_and(|part| u8::from_str_radix(part.as_ref(), 16).is_ok());
        let expected =
            ["v1".into(), PathPart::from(self.namespace.as_str()), PathPart::from(self.application.as_str())];
        spread && expected.iter().all(|part| rest.next().as_ref() == Some(part))
    }

    fn application_folder(&self, spread: u32) -> Path {
        let folder = self.prefix.clone().join(format!("{spread:02x}")).join("v1");
        folder.join(self.namespace.as_str()).join(self.application.as_str())
    }
}

#[cfg(test)]
mod tests {
    use firesteel_model::ids::{Attempt, Partition, StageId, TaskId};

    use super::*;

    #[test]
    fn keys_are_spread_and_lie_in_the_folders() {
        let keys = Keys::new(Path::from("some/where"), "default", "app-1");
        let folders: Vec<String> = keys.folders().map(|folder| folder.to_string()).collect();
        let mut used = std::collections::HashSet::new();
        assert!(!keys.owns(&Path::from("some/where")) && !keys.owns(&Path::from("some/where/00/v1/default/app-2/7/x")));
        for map in 0..1000 {
            let task = TaskId { stage: StageId(7), partition: Partition(map) };
            let key = keys.of(TaskAttempt { task, attempt: Attempt(2) }).to_string();
            let (folder, rest) = key.split_at(key.find("/app-1/").unwrap_or_default() + 6);
            assert!(folders.iter().any(|known| known == folder), "{key}");
            assert!(rest.starts_with(&format!("/7/{map:08}-2-")), "{key}");
            assert!(keys.owns(&Path::from(key.as_str())), "{key}");
            used.insert(folder.to_owned());
        }
        assert!(used.len() > 200, "{} prefixes", used.len());
    }
}
