//! [`Parcel`]: files of the driver that tasks on other machines find at the same place.

use std::fs::{self, Metadata, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use firesteel_model::{Result, SparkError, error_class};
use prost::Message;
use tempfile::NamedTempFile;

/// What all files of a parcel may have together.
const BYTES_MAX: u64 = 512 << 20;

/// Files and folders of one parcel.
const ENTRIES_MAX: usize = 100_000;

const ZSTD_LEVEL: i32 = 1;

/// Files, packed.
#[derive(Clone, Debug)]
pub struct Parcel {
    pub(crate) bytes: Bytes,
}

/// Packs files, and keeps the last parcel for as long as they do not change.
#[derive(Debug, Default)]
pub struct Packer {
    last: Mutex<Option<(Vec<Seen>, Arc<Parcel>)>>,
}

/// A file as it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    path: PathBuf,
    len: u64,
    changed: Option<SystemTime>,
    mode: u32,
    is_link: bool,
}

#[derive(Clone, PartialEq, Message)]
struct Files {
    #[prost(message, repeated, tag = "1")]
    entries: Vec<Entry>,
}

#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(bytes = "vec", tag = "1")]
    path: Vec<u8>,
    #[prost(uint32, tag = "2")]
    mode: u32,
    /// The file, or where a link leads.
    #[prost(bytes = "vec", tag = "3")]
    content: Vec<u8>,
    #[prost(bool, tag = "4")]
    is_link: bool,
}

impl Packer {
    /// A parcel with these files, and with all in these folders; none if there are none. It reads files: not for async
    /// threads.
    ///
    /// Errors: a file cannot be read; `FIRESTEEL_LIMIT_EXCEEDED` beyond 512 MiB.
    pub fn pack(&self, places: &[PathBuf]) -> Result<Option<Arc<Parcel>>> {
        let mut found = Vec::new();
        for place in places {
            look(place, &mut found).map_err(|error| broken("read", place, error))?;
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        found.dedup_by(|one, other| one.path == other.path);
        if found.is_empty() {
            return Ok(None);
        }
        let bytes: u64 = found.iter().map(|seen| seen.len).sum();
        if bytes > BYTES_MAX || found.len() > ENTRIES_MAX {
            return Err(too_much(bytes, found.len()));
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, parcel)) = last.as_ref().filter(|(seen, _)| *seen == found) {
            return Ok(Some(Arc::clone(parcel)));
        }
        let parcel = Arc::new(Parcel { bytes: packed(&found)? });
        *last = Some((found, Arc::clone(&parcel)));
        Ok(Some(parcel))
    }
}

/// A place that is not there has no files, as a folder for files that nobody added.
fn look(place: &Path, found: &mut Vec<Seen>) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(place) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if metadata.is_dir() {
        for entry in fs::read_dir(place)? {
            look(&entry?.path(), found)?;
        }
    } else if metadata.is_file() || metadata.is_symlink() {
        found.push(seen(place, &metadata));
    }
    Ok(())
}

fn seen(path: &Path, metadata: &Metadata) -> Seen {
    Seen {
        path: path.to_owned(),
        len: metadata.len(),
        changed: metadata.modified().ok(),
        mode: metadata.mode() & 0o777,
        is_link: metadata.is_symlink(),
    }
}

fn packed(found: &[Seen]) -> Result<Bytes> {
    let entry = |seen: &Seen| {
        let content = if seen.is_link {
            fs::read_link(&seen.path).map(|target| target.into_os_string().into_vec())
        } else {
            fs::read(&seen.path)
        };
        let content = content.map_err(|error| broken("read", &seen.path, error))?;
        let path = seen.path.as_os_str().as_bytes().to_vec();
        Ok(Entry { path, mode: seen.mode, content, is_link: seen.is_link })
    };
    let files = Files { entries: found.iter().map(entry).collect::<Result<_>>()? };
    let packed = zstd::encode_all(files.encode_to_vec().as_slice(), ZSTD_LEVEL);
    packed.map(Bytes::from).map_err(|error| SparkError::internal("files cannot be compressed").source(error))
}

/// Lays the files of a parcel where they lie at the driver. It writes files: not for async threads.
///
/// Guarantees: a file shows under its name only when it is whole; one that is there is replaced.
pub(crate) fn unpack(bytes: &[u8]) -> Result<()> {
    let garbled = || SparkError::internal("files of the driver came over the wire broken");
    let bytes = zstd::decode_all(bytes).map_err(|error| garbled().source(error))?;
    let files = Files::decode(bytes.as_slice()).map_err(|error| garbled().source(error))?;
    for entry in files.entries {
        let path = PathBuf::from(std::ffi::OsString::from_vec(entry.path));
        lay(&path, entry.mode, entry.content, entry.is_link).map_err(|error| broken("write", &path, error))?;
    }
    Ok(())
}

fn lay(path: &Path, mode: u32, content: Vec<u8>, is_link: bool) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)?;
    if is_link {
        return match symlink(PathBuf::from(std::ffi::OsString::from_vec(content)), path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        };
    }
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(&content)?;
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn broken(action: &str, path: &Path, error: io::Error) -> SparkError {
    SparkError::internal(format!("cannot {action} {}, a file for functions", path.display())).source(error)
}

fn too_much(bytes: u64, entries: usize) -> SparkError {
    SparkError::new(&error_class::FIRESTEEL_LIMIT_EXCEEDED)
        .param("what", format!("files for functions on executors: {bytes} bytes in {entries} files"))
        .param("limit", format!("{BYTES_MAX} bytes in {ENTRIES_MAX} files"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_to_lie_where_they_lay() {
        let folder = tempfile::tempdir().unwrap();
        let (one, program) = (folder.path().join("one.py"), folder.path().join("tools/bin/run"));
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::write(&one, "x = 1").unwrap();
        fs::write(&program, "#!/bin/sh").unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        symlink("run", folder.path().join("tools/bin/again")).unwrap();
        let (packer, places) = (Packer::default(), [one.clone(), folder.path().join("tools"), "/nowhere/x".into()]);
        let parcel = packer.pack(&places).unwrap().unwrap();
        assert!(Arc::ptr_eq(&parcel, &packer.pack(&places).unwrap().unwrap()));
        fs::remove_dir_all(folder.path().join("tools")).unwrap();
        fs::write(&one, "broken").unwrap();
        for _ in 0..2 {
            unpack(&parcel.bytes).unwrap();
            assert_eq!(fs::read_to_string(&one).unwrap(), "x = 1");
            assert_eq!(fs::read_to_string(folder.path().join("tools/bin/again")).unwrap(), "#!/bin/sh");
            assert_eq!(fs::metadata(&program).unwrap().mode() & 0o777, 0o755);
        }
        fs::write(&one, "x = 22").unwrap();
        assert!(!Arc::ptr_eq(&parcel, &packer.pack(&places).unwrap().unwrap()));
        assert!(packer.pack(&[]).unwrap().is_none());
    }
}
