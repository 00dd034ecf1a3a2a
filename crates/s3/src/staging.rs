//! Files on their way in.
//!
//! Each server has a folder of its own below `.firesteel`, and holds a lock beside it for as long as it lives. A
//! folder whose lock is free belongs to a server that has died; the next one to start sweeps it away.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{FlockOperation, flock};
use uuid::Uuid;

/// The server's own folder in the data folder. No bucket's name begins with a dot.
const OWN_FOLDER: &str = ".firesteel";
const LOCK_SUFFIX: &str = ".lock";

/// The folder of files on their way in; goes away with everything in it when dropped.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: PathBuf,
    lock_path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
    next: AtomicU64,
}

/// A file on its way in; goes away when dropped, unless it has been moved to its place.
#[derive(Debug)]
pub(crate) struct Staged {
    path: PathBuf,
}

impl Staging {
    /// Makes a folder below `root` and sweeps those of servers that have died.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        let own = root.join(OWN_FOLDER);
        fs::create_dir_all(&own)?;
        sweep(&own)?;
        let name = Uuid::new_v4().simple().to_string();
        let lock_path = own.join(format!("{name}{LOCK_SUFFIX}"));
        let lock = OpenOptions::new().create_new(true).write(true).open(&lock_path)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        let folder = own.join(name);
        fs::create_dir(&folder)?;
        Ok(Self { folder, lock_path, _lock: lock, next: AtomicU64::new(0) })
    }

    /// A file in the data folder that all its servers lock while they put objects in place.
    pub(crate) fn open_commit_lock(root: &Path) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).open(root.join(OWN_FOLDER).join("commit"))
    }

    /// A new, empty file.
    pub(crate) fn create(&self) -> io::Result<(File, Staged)> {
        let path = self.folder.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        let file = OpenOptions::new().create_new(true).read(true).write(true).open(&path)?;
        Ok((file, Staged { path }))
    }
}

impl Staged {
    /// Where it lies for now.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves it to its place; what stood there is replaced at once.
    pub(crate) fn rename(self, to: &Path) -> io::Result<()> {
        fs::rename(&self.path, to)
    }
}

/// Left behind: nothing, unless the file system refuses.
impl Drop for Staged {
    fn drop(&mut self) {
        discard(fs::remove_file(&self.path), &self.path);
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        discard(fs::remove_dir_all(&self.folder), &self.folder);
        discard(fs::remove_file(&self.lock_path), &self.lock_path);
    }
}

fn discard(result: io::Result<()>, path: &Path) {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "cannot remove a temporary file");
        }
        _ => {}
    }
}

/// Removes the folders whose lock nobody holds.
fn sweep(own: &Path) -> io::Result<()> {
    for entry in fs::read_dir(own)? {
        let lock_path = entry?.path();
        let Some(folder) = lock_path.to_str().and_then(|path| path.strip_suffix(LOCK_SUFFIX)).map(PathBuf::from) else {
            continue;
        };
        // Another server may sweep at the same time.
        let Ok(lock) = File::open(&lock_path) else { continue };
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            discard(fs::remove_dir_all(&folder), &folder);
            discard(fs::remove_file(&lock_path), &lock_path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn files(root: &Path) -> usize {
        fs::read_dir(root.join(OWN_FOLDER)).unwrap().count()
    }

    #[test]
    fn what_is_not_moved_goes_away() {
        let root = tempfile::tempdir().unwrap();
        let staging = Staging::open(root.path()).unwrap();
        let (mut file, staged) = staging.create().unwrap();
        file.write_all(b"x").unwrap();
        let (_, abandoned) = staging.create().unwrap();
        let lost = abandoned.path().to_owned();
        drop(abandoned);
        assert!(!lost.exists());
        let target = root.path().join("target");
        staged.rename(&target).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"x");
        drop(staging);
        assert_eq!(files(root.path()), 0);
    }

    #[test]
    fn the_remains_of_a_dead_server_are_swept_and_those_of_a_living_one_are_not() {
        let root = tempfile::tempdir().unwrap();
        let living = Staging::open(root.path()).unwrap();
        let dead = root.path().join(OWN_FOLDER).join("dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join("0"), "x").unwrap();
        fs::write(dead.with_extension("lock"), "").unwrap();
        let second = Staging::open(root.path()).unwrap();
        assert!(!dead.exists());
        assert_eq!(files(root.path()), 4);
        assert!(living.create().is_ok());
        drop(second);
        assert_eq!(files(root.path()), 2);
    }
}
