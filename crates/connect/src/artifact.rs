//! [`ArtifactStore`]: files that a client uploaded to its session.
//!
//! Guarantees: everything lies below one temporary directory, which goes with the session; a name cannot point
//! outside it; a file shows under its name only when it is whole.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use firesteel_model::{Result, SparkError, error_class};
use tempfile::{NamedTempFile, TempDir};

/// Bytes that a session may keep.
const SESSION_BYTES_MAX: u64 = 16 << 30;

/// What an artifact is for; the first part of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArtifactKind {
    /// `pyfiles/`: importable by Python functions.
    PyFile,
    /// `archives/`: unpacked for Python functions, under the alias after `#`.
    Archive,
    /// `files/`: in the working directory of Python functions.
    File,
    /// `jars/`: kept, of no use without a JVM.
    Jar,
}

impl ArtifactKind {
    fn directory(self) -> &'static str {
        match self {
            Self::PyFile => "pyfiles",
            Self::Archive => "archives",
            Self::File => "files",
            Self::Jar => "jars",
        }
    }
}

/// The files of a session.
#[derive(Debug)]
pub struct ArtifactStore {
    root: TempDir,
    names: Mutex<BTreeSet<String>>,
    size_bytes: AtomicU64,
}

impl ArtifactStore {
    /// An empty store in a new directory below `parent`.
    pub fn new(parent: &Path) -> Result<Self> {
        let root =
            TempDir::with_prefix_in("artifacts-", parent).map_err(|error| failed("create a directory", error))?;
        Ok(Self { root, names: Mutex::default(), size_bytes: AtomicU64::new(0) })
    }

    /// Rows that the client uploaded, an Arrow IPC stream or a schema, by hash. Reads a file: not for async threads.
    ///
    /// Errors: a message that makes no sense, where nothing was uploaded under the hash.
    pub fn local_relation(&self, hash: &str) -> Result<Bytes> {
        let name = format!("cache/{hash}");
        if !self.exists(&name) {
            return Err(invalid(format!("the cached rows {hash} were not uploaded")));
        }
        fs::read(self.path_of(&name)?).map(Bytes::from).map_err(|error| failed("read cached rows", error))
    }

    /// Files of a kind with their paths, by name; an archive's name ends in `#alias` where it has one.
    pub fn files(&self, kind: ArtifactKind) -> Vec<(String, PathBuf)> {
        let prefix = format!("{}/", kind.directory());
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let own = names.iter().filter_map(|name| Some((name, name.strip_prefix(&prefix)?)));
        own.map(|(name, short)| (short.to_owned(), self.root.path().join(name))).collect()
    }

    /// The directory in which they lie, one subdirectory a kind.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// A copy for another session.
    pub(crate) fn fork(&self, parent: &Path) -> Result<Self> {
        let fork = Self::new(parent)?;
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for name in names {
            let target = fork.path_of(&name)?;
            make_parent(&target)?;
            let from = self.path_of(&name)?;
            fs::hard_link(&from, &target)
                .or_else(|_| fs::copy(&from, &target).map(drop))
                .map_err(|error| failed("copy an artifact", error))?;
            fork.names.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        }
        fork.size_bytes.store(self.size_bytes.load(Ordering::Relaxed), Ordering::Relaxed);
        Ok(fork)
    }

    /// Whether an artifact of this name has been uploaded.
    pub(crate) fn exists(&self, name: &str) -> bool {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    /// Starts to take an artifact.
    ///
    /// Errors: for a name that points elsewhere, and for forwarding to the driver's file system.
    pub(crate) fn begin(&self, name: &str) -> Result<Upload> {
        self.path_of(name)?;
        let file = NamedTempFile::new_in(self.root.path()).map_err(|error| failed("create a file", error))?;
        Ok(Upload { name: name.to_owned(), file, size_bytes: 0, is_intact: true })
    }

    /// Takes a piece of an artifact, whose checksum must fit.
    pub(crate) fn write(&self, upload: &mut Upload, data: &[u8], crc: i64) -> Result<()> {
        upload.is_intact &= i64::from(crc32fast::hash(data)) == crc;
        if !upload.is_intact {
            return Ok(());
        }
        let total = self.size_bytes.fetch_add(data.len() as u64, Ordering::Relaxed) + data.len() as u64;
        upload.size_bytes += data.len() as u64;
        if total > SESSION_BYTES_MAX {
            self.forget(upload.size_bytes);
            return Err(SparkError::new(&error_class::FIRESTEEL_LIMIT_EXCEEDED)
                .param("what", "bytes of artifacts in a session")
                .param("limit", SESSION_BYTES_MAX.to_string()));
        }
        upload.file.as_file_mut().write_all(data).map_err(|error| failed("write an artifact", error))
    }

    /// Shows an artifact under its name; returns whether it was intact, and discards it otherwise.
    ///
    /// Errors: `ARTIFACT_ALREADY_EXISTS` where the name stands for something else.
    pub(crate) fn commit(&self, upload: Upload) -> Result<bool> {
        if !upload.is_intact {
            self.forget(upload.size_bytes);
            return Ok(false);
        }
        let target = self.path_of(&upload.name)?;
        if self.exists(&upload.name) {
            self.forget(upload.size_bytes);
            let same = same_content(upload.file.path(), &target).map_err(|error| failed("compare artifacts", error))?;
            return if same {
                Ok(true)
            } else {
                Err(SparkError::new(&error_class::ARTIFACT_ALREADY_EXISTS)
                    .param("normalizedRemoteRelativePath", upload.name))
            };
        }
        make_parent(&target)?;
        upload.file.persist(&target).map_err(|error| failed("keep an artifact", error.error))?;
        self.names.lock().unwrap_or_else(PoisonError::into_inner).insert(upload.name);
        Ok(true)
    }

    fn forget(&self, size_bytes: u64) {
        self.size_bytes.fetch_sub(size_bytes, Ordering::Relaxed);
    }

    fn path_of(&self, name: &str) -> Result<PathBuf> {
        if name.starts_with("forward_to_fs") {
            return Err(SparkError::unsupported("copyFromLocalToFs to the driver's file system"));
        }
        let path = Path::new(name);
        let is_plain = path.components().count() > 1 && path.components().all(|c| matches!(c, Component::Normal(_)));
        if is_plain {
            Ok(self.root.path().join(path))
        } else {
            Err(invalid(format!("{name} is no name of an artifact")))
        }
    }
}

/// An artifact on its way.
#[derive(Debug)]
pub(crate) struct Upload {
    name: String,
    file: NamedTempFile,
    size_bytes: u64,
    is_intact: bool,
}

impl Upload {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Bytes so far.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Marks it as not to be kept.
    pub(crate) fn spoil(&mut self) {
        self.is_intact = false;
    }

    /// Whether all its checksums fitted.
    pub(crate) fn is_intact(&self) -> bool {
        self.is_intact
    }
}

fn make_parent(path: &Path) -> Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(|error| failed("create a directory", error))
}

fn same_content(left: &Path, right: &Path) -> io::Result<bool> {
    let (mut left, mut right) = (File::open(left)?, File::open(right)?);
    if left.metadata()?.len() != right.metadata()?.len() {
        return Ok(false);
    }
    Ok(checksum(&mut left)? == checksum(&mut right)?)
}

fn checksum(file: &mut File) -> io::Result<u32> {
    struct Hash(crc32fast::Hasher);
    impl Write for Hash {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            self.0.update(data);
            Ok(data.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hash = Hash(crc32fast::Hasher::new());
    io::copy(file, &mut hash)?;
    Ok(hash.0.finalize())
}

fn invalid(message: String) -> SparkError {
    SparkError::new(&error_class::FIRESTEEL_INVALID_MESSAGE).param("message", message)
}

fn failed(what: &str, error: io::Error) -> SparkError {
    SparkError::internal(format!("cannot {what}: {error}")).source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(store: &ArtifactStore, name: &str, data: &[u8], crc: i64) -> Result<bool> {
        let mut upload = store.begin(name)?;
        store.write(&mut upload, data, crc)?;
        store.commit(upload)
    }

    fn crc(data: &[u8]) -> i64 {
        i64::from(crc32fast::hash(data))
    }

    #[test]
    fn artifacts_are_kept_by_kind_and_checked() {
        let store = ArtifactStore::new(&std::env::temp_dir()).unwrap();
        assert!(put(&store, "pyfiles/a.py", b"x = 1", crc(b"x = 1")).unwrap());
        assert!(put(&store, "pyfiles/a.py", b"x = 1", crc(b"x = 1")).unwrap());
        let error = put(&store, "pyfiles/a.py", b"x = 2", crc(b"x = 2")).unwrap_err();
        assert_eq!(error.class().name, "ARTIFACT_ALREADY_EXISTS");
        assert!(!put(&store, "files/b", b"spoilt", 7).unwrap());
        assert!(!store.exists("files/b"));
        let files = store.files(ArtifactKind::PyFile);
        assert_eq!(files[0].0, "a.py");
        assert_eq!(fs::read(&files[0].1).unwrap(), b"x = 1");
        let fork = store.fork(&std::env::temp_dir()).unwrap();
        drop(store);
        assert_eq!(fs::read(&fork.files(ArtifactKind::PyFile)[0].1).unwrap(), b"x = 1");
    }

    #[test]
    fn names_cannot_point_elsewhere() {
        let store = ArtifactStore::new(&std::env::temp_dir()).unwrap();
        for name in ["../x", "files/../../x", "/etc/x", "x", "", "files//../x", "forward_to_fs/tmp/x"] {
            assert!(store.begin(name).is_err(), "{name}");
        }
        assert!(put(&store, "cache/abc", b"rows", crc(b"rows")).unwrap());
        assert_eq!(store.local_relation("abc").unwrap(), b"rows".as_slice());
        assert!(store.local_relation("../cache/abc").is_err());
    }
}
