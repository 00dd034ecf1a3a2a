//! Objects as files: find, stage, commit, remove.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};
use s3s::{S3Error, S3Result, s3_error};

use crate::condition::WriteCondition;
use crate::key::{bucket_path, object_path};
use crate::staging::{Staged, Staging};

/// The data folder.
#[derive(Debug)]
pub(crate) struct Store {
    root: PathBuf,
    staging: Staging,
    /// Held while objects are put in place or removed: the mutex within this process, the file's lock between
    /// processes.
    commit: Mutex<File>,
}

/// An object that is there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) size: u64,
    /// In whole seconds, as HTTP's dates are.
    pub(crate) modified: SystemTime,
    pub(crate) etag: String,
}

impl Found {
    /// The ETag is made of the file's identity, size and time of change, so that it is right for files that a user
    /// puts into the folder, and costs no reading.
    pub(crate) fn new(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let since_epoch = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
            .unwrap_or_default();
        Self {
            size: metadata.len(),
            modified: SystemTime::UNIX_EPOCH + Duration::from_secs(since_epoch.as_secs()),
            etag: format!("{:x}-{:x}-{:x}", metadata.ino(), since_epoch.as_nanos(), metadata.len()),
        }
    }
}

impl Store {
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        let root = root.canonicalize()?;
        let staging = Staging::open(&root)?;
        let commit = Mutex::new(Staging::open_commit_lock(&root)?);
        Ok(Self { root, staging, commit })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of a bucket that exists.
    ///
    /// Errors: `NoSuchBucket`.
    pub(crate) fn bucket(&self, bucket: &str) -> S3Result<PathBuf> {
        let path = bucket_path(&self.root, bucket)?;
        if path.is_dir() { Ok(path) } else { Err(s3_error!(NoSuchBucket, "there is no bucket \"{bucket}\"")) }
    }

    /// Errors: `BucketAlreadyOwnedByYou`.
    pub(crate) fn create_bucket(&self, bucket: &str) -> S3Result<()> {
        let path = bucket_path(&self.root, bucket)?;
        match fs::create_dir(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(s3_error!(BucketAlreadyOwnedByYou)),
            Err(error) => Err(fault(error)),
        }
    }

    /// Removes a bucket without objects; empty folders in it go with it.
    ///
    /// Errors: `NoSuchBucket`, `BucketNotEmpty`.
    pub(crate) fn delete_bucket(&self, bucket: &str) -> S3Result<()> {
        let path = self.bucket(bucket)?;
        self.locked(|| {
            if crate::list::holds_object(&path).map_err(fault)? {
                return Err(s3_error!(BucketNotEmpty));
            }
            fs::remove_dir_all(&path).map_err(fault)
        })
    }

    /// Names of the buckets, in order, and when they were made.
    pub(crate) fn buckets(&self) -> io::Result<Vec<(String, SystemTime)>> {
        let mut buckets = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            let Ok(metadata) = fs::metadata(entry.path()) else { continue };
            if metadata.is_dir() && s3s::path::check_bucket_name(&name) {
                buckets.push((name, metadata.created().or_else(|_| metadata.modified())?));
            }
        }
        buckets.sort();
        Ok(buckets)
    }

    /// The file of an object in a bucket that exists; the object itself need not.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> S3Result<PathBuf> {
        object_path(&self.bucket(bucket)?, key)
    }

    /// Opens an object. What is read later is this one, even if another takes its place.
    ///
    /// Errors: `NoSuchBucket`, `NoSuchKey`.
    pub(crate) fn open_object(&self, bucket: &str, key: &str) -> S3Result<(File, Found)> {
        let path = self.object(bucket, key)?;
        let missing = || s3_error!(NoSuchKey, "there is no object \"{key}\" in the bucket \"{bucket}\"");
        let file = File::open(&path).map_err(|error| if is_missing(&error) { missing() } else { fault(error) })?;
        let metadata = file.metadata().map_err(fault)?;
        if metadata.is_file() { Ok((file, Found::new(&metadata))) } else { Err(missing()) }
    }

    /// A new file on its way in.
    pub(crate) fn stage(&self) -> S3Result<(File, Staged)> {
        self.staging.create().map_err(fault)
    }

    /// Puts a file in an object's place, if the condition holds for what stands there.
    ///
    /// Guarantees: readers see either what stood there or the new object; between check and change no other write
    /// takes place, in any process that shares the folder.
    pub(crate) fn commit(&self, staged: Staged, to: &Path, condition: &WriteCondition) -> S3Result<Found> {
        self.locked(|| {
            let current = fs::metadata(to).ok().filter(Metadata::is_file).map(|metadata| Found::new(&metadata));
            condition.check(current.as_ref())?;
            let metadata = fs::metadata(staged.path()).map_err(fault)?;
            let clash = |error: io::Error| match error.kind() {
                io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory => s3_error!(
                    InvalidArgument,
                    "a part of the key is an object already, or the key is the beginning of other objects; a file \
                     cannot be a folder too"
                ),
                _ => fault(error),
            };
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder).map_err(clash)?;
            }
            staged.rename(to).map_err(clash)?;
            Ok(Found::new(&metadata))
        })
    }

    /// Removes an object, and the folders that it leaves empty. Nothing happens if it is not there.
    pub(crate) fn remove(&self, bucket: &str, key: &str) -> S3Result<()> {
        let bucket = self.bucket(bucket)?;
        // A key that cannot be a file names no object, and deleting what is not there succeeds.
        let Ok(path) = object_path(&bucket, key) else { return Ok(()) };
        self.locked(|| {
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if is_missing(&error) || path.is_dir() => return Ok(()),
                Err(error) => return Err(fault(error)),
            }
            for folder in path.ancestors().skip(1).take_while(|folder| **folder != *bucket) {
                if fs::remove_dir(folder).is_err() {
                    break; // It still holds something.
                }
            }
            Ok(())
        })
    }

    fn locked<T>(&self, change: impl FnOnce() -> S3Result<T>) -> S3Result<T> {
        let file = self.commit.lock().unwrap_or_else(PoisonError::into_inner);
        flock(&*file, FlockOperation::LockExclusive).map_err(|error| fault(error.into()))?;
        let result = change();
        flock(&*file, FlockOperation::Unlock).map_err(|error| fault(error.into()))?;
        result
    }
}

/// Whether an error says that there is no such file.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// An error of the file system, which the client cannot help.
pub(crate) fn fault(error: io::Error) -> S3Error {
    tracing::warn!(%error, "the data folder failed");
    let message = format!("the data folder failed: {error}");
    s3_error!(error, InternalError, "{message}")
}
