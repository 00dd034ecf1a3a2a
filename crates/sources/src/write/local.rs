//! Directories of local file systems, which object stores do not know.

use std::path::{Path, PathBuf};

use crate::stores::Location;

/// The directory of a location on a local file system.
pub(super) fn directory(location: &Location) -> Option<PathBuf> {
    (location.url.as_str() == "file:///").then(|| PathBuf::from(format!("/{}", location.path)))
}

/// Removes the directories of a location that hold no file, where there are directories at all.
pub async fn remove_empty_directories(location: &Location) {
    if let Some(directory) = directory(location) {
        remove_empty(directory, true).await;
    }
}

/// Removes a directory and everything in it, if it is there.
pub(super) async fn remove_all(path: &Path) -> std::io::Result<()> {
    match tokio::fs::remove_dir_all(path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes the directories below `path` that hold no file; `path` itself too if asked for.
pub(super) async fn remove_empty(path: PathBuf, with_root: bool) {
    let removed = tokio::task::spawn_blocking(move || remove_empty_below(&path, with_root)).await;
    if let Ok(Err(error)) = removed {
        tracing::debug!(%error, "an empty directory could not be removed");
    }
}

/// `remove_dir` refuses directories that hold something.
fn remove_empty_below(path: &Path, with_root: bool) -> std::io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_empty_below(&entry.path(), true)?;
        }
    }
    if with_root && std::fs::read_dir(path)?.next().is_none() {
        std::fs::remove_dir(path)?;
    }
    Ok(())
}
