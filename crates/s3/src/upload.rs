//! Uploads in parts.
//!
//! An upload lives in this server's memory, its parts among the files on their way in; both end with the server.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::{self, OpenOptions};
use std::sync::{Mutex, MutexGuard, PoisonError};

use s3s::dto::CompletedPart;
use s3s::{S3Result, s3_error};
use uuid::Uuid;

use crate::attributes::Attributes;
use crate::condition::WriteCondition;
use crate::staging::Staged;
use crate::store::{Found, Store, fault};

/// Bytes of a part at least, but for the last.
const PART_BYTES_MIN: u64 = 5 << 20;

/// Numbers a part can have.
const PART_NUMBERS: std::ops::RangeInclusive<i32> = 1..=10_000;

/// Completed uploads that are remembered, for a client that asks twice.
const REMEMBERED: usize = 1000;

/// The uploads that are under way.
#[derive(Debug, Default)]
pub(crate) struct Uploads(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    open: HashMap<String, Upload>,
    completed: VecDeque<(String, Found)>,
}

#[derive(Debug)]
struct Upload {
    bucket: String,
    key: String,
    attributes: Attributes,
    parts: BTreeMap<i32, Part>,
}

#[derive(Debug)]
struct Part {
    staged: Staged,
    found: Found,
}

impl Uploads {
    /// Begins an upload; the answer is its id.
    pub(crate) fn create(&self, bucket: &str, key: &str, attributes: Attributes) -> String {
        let id = Uuid::new_v4().simple().to_string();
        let upload = Upload { bucket: bucket.to_owned(), key: key.to_owned(), attributes, parts: BTreeMap::new() };
        self.state().open.insert(id.clone(), upload);
        id
    }

    /// Errors: `NoSuchUpload`.
    pub(crate) fn exists(&self, id: &str, bucket: &str, key: &str) -> S3Result<()> {
        self.state().find(id, bucket, key).map(|_| ())
    }

    /// Adds a part, in place of one of the same number.
    ///
    /// Errors: `NoSuchUpload`, also when the upload ended while the part was sent; `InvalidArgument`.
    pub(crate) fn add_part(&self, id: &str, bucket: &str, key: &str, number: i32, staged: Staged) -> S3Result<Found> {
        if !PART_NUMBERS.contains(&number) {
            return Err(s3_error!(InvalidArgument, "the number of a part must lie between 1 and 10000"));
        }
        let found = Found::new(&fs::metadata(staged.path()).map_err(fault)?);
        let part = Part { staged, found: found.clone() };
        self.state().find(id, bucket, key)?.parts.insert(number, part);
        Ok(found)
    }

    /// Numbers of the parts that are there, in order.
    pub(crate) fn parts(&self, id: &str, bucket: &str, key: &str) -> S3Result<Vec<(i32, Found)>> {
        let mut state = self.state();
        let upload = state.find(id, bucket, key)?;
        Ok(upload.parts.iter().map(|(number, part)| (*number, part.found.clone())).collect())
    }

    /// Keys and ids of a bucket's uploads, in order.
    pub(crate) fn of_bucket(&self, bucket: &str) -> Vec<(String, String)> {
        let state = self.state();
        let uploads = state.open.iter().filter(|(_, upload)| upload.bucket == bucket);
        let mut uploads: Vec<_> = uploads.map(|(id, upload)| (upload.key.clone(), id.clone())).collect();
        uploads.sort();
        uploads
    }

    /// Ends an upload and drops its parts.
    ///
    /// Errors: `NoSuchUpload`.
    pub(crate) fn abort(&self, id: &str, bucket: &str, key: &str) -> S3Result<()> {
        let mut state = self.state();
        state.find(id, bucket, key)?;
        state.open.remove(id);
        Ok(())
    }

    /// Joins the parts that the client names, and puts the object in place.
    ///
    /// Guarantees: asked again with the same id it answers the same. After a refusal the upload is as before, so that
    /// the client can correct itself; parts that are not named are dropped.
    ///
    /// Errors: `NoSuchUpload`, `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall`, `PreconditionFailed`.
    pub(crate) fn complete(
        &self,
        store: &Store,
        (id, bucket, key): (&str, &str, &str),
        named: &[CompletedPart],
        condition: &WriteCondition,
    ) -> S3Result<Found> {
        let mut upload = {
            let mut state = self.state();
            if let Some((_, found)) = state.completed.iter().find(|(completed, _)| completed == id) {
                return Ok(found.clone());
            }
            state.find(id, bucket, key)?.check(named)?;
            state.open.remove(id).ok_or_else(no_such_upload)?
        };
        let target = store.object(bucket, key)?;
        // The condition is checked again at the end; this spares the work where it fails already, and the upload.
        let current = fs::metadata(&target).ok().map(|metadata| Found::new(&metadata));
        if let Err(error) = condition.check(current.as_ref()) {
            self.state().open.insert(id.to_owned(), upload);
            return Err(error);
        }
        let staged = upload.join(named)?;
        let found = store.commit(staged, &target, condition)?;
        let mut state = self.state();
        state.completed.truncate(REMEMBERED - 1);
        state.completed.push_front((id.to_owned(), found.clone()));
        Ok(found)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&mut self, id: &str, bucket: &str, key: &str) -> S3Result<&mut Upload> {
        let upload = self.open.get_mut(id).filter(|upload| upload.bucket == bucket && upload.key == key);
        upload.ok_or_else(no_such_upload)
    }
}

impl Upload {
    fn check(&self, named: &[CompletedPart]) -> S3Result<()> {
        if named.is_empty() {
            return Err(s3_error!(InvalidPart, "an upload needs at least one part"));
        }
        if !named.is_sorted_by(|a, b| a.part_number < b.part_number) {
            return Err(s3_error!(InvalidPartOrder, "the parts must be named in the order of their numbers"));
        }
        for (place, name) in named.iter().enumerate() {
            let part = name.part_number.and_then(|number| self.parts.get(&number));
            let fits = |part: &&Part| name.e_tag.as_ref().is_none_or(|etag| etag.value() == part.found.etag);
            let Some(part) = part.filter(fits) else {
                let number = name.part_number.unwrap_or_default();
                return Err(s3_error!(InvalidPart, "there is no part {number} with that ETag"));
            };
            if place + 1 < named.len() && part.found.size < PART_BYTES_MIN {
                return Err(s3_error!(EntityTooSmall, "every part but the last needs at least 5 MiB"));
            }
        }
        Ok(())
    }

    /// Appends the parts to the first of them.
    fn join(&mut self, named: &[CompletedPart]) -> S3Result<Staged> {
        let mut parts = named.iter().filter_map(|name| self.parts.remove(&name.part_number?));
        let first = parts.next().ok_or_else(|| s3_error!(InvalidPart))?.staged;
        let mut file = OpenOptions::new().write(true).open(first.path()).map_err(fault)?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).map_err(fault)?;
        for part in parts {
            let mut source = fs::File::open(part.staged.path()).map_err(fault)?;
            std::io::copy(&mut source, &mut file).map_err(fault)?;
        }
        self.attributes.write(&file)?;
        Ok(first)
    }
}

fn no_such_upload() -> s3s::S3Error {
    s3_error!(NoSuchUpload, "there is no such upload; it may have been completed or aborted")
}
