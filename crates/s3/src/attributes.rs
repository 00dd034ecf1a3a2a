//! What an object carries beside its bytes, kept in an extended attribute of its file.
//!
//! So it moves and vanishes with the file, and no second file lies beside it.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use rustix::fs::{XattrFlags, fsetxattr, getxattr};
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

const XATTR_NAME: &str = "user.firesteel.s3";
const XATTR_BYTES_MAX: usize = 64 * 1024;

/// Headers and user metadata of an object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    pub(crate) metadata: HashMap<String, String>,
}

/// Takes the attributes out of a request; the requests that carry them have fields of the same names.
macro_rules! attributes_of {
    ($input:expr) => {
        $crate::attributes::Attributes {
            cache_control: $input.cache_control.take(),
            content_disposition: $input.content_disposition.take(),
            content_encoding: $input.content_encoding.take(),
            content_language: $input.content_language.take(),
            content_type: $input.content_type.take(),
            metadata: $input.metadata.take().unwrap_or_default(),
        }
    };
}
pub(crate) use attributes_of;

impl Attributes {
    /// Those of a file; none if it has none or cannot have any.
    pub(crate) fn of(path: &Path) -> Self {
        let mut buffer = vec![0; XATTR_BYTES_MAX];
        match getxattr(path, XATTR_NAME, &mut buffer) {
            Ok(length) => serde_json::from_slice(&buffer[..length]).unwrap_or_default(),
            Err(_) => Self::default(),
        }
    }

    /// Writes them to a file.
    ///
    /// Errors: the file system cannot keep them, and more would be lost than the content type.
    pub(crate) fn write(&self, file: &File) -> S3Result<()> {
        if *self == Self::default() {
            return Ok(());
        }
        let text = serde_json::to_vec(self).map_err(|error| s3_error!(error, InternalError))?;
        let only_type = Self { content_type: self.content_type.clone(), ..Self::default() } == *self;
        match fsetxattr(file, XATTR_NAME, &text, XattrFlags::empty()) {
            Ok(()) => Ok(()),
            Err(_) if only_type => Ok(()),
            Err(error) => Err(s3_error!(
                NotImplemented,
                "the file system of the data folder cannot keep metadata of objects: {error}"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_stay_with_a_file_when_it_is_renamed() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        let file = File::create(&from).unwrap();
        assert_eq!(Attributes::of(&from), Attributes::default());
        let attributes = Attributes {
            content_type: Some("text/csv".into()),
            metadata: HashMap::from([("owner".into(), "me".into())]),
            ..Attributes::default()
        };
        if attributes.write(&file).is_err() {
            return; // This file system cannot keep them, and says so.
        }
        std::fs::rename(&from, &to).unwrap();
        assert_eq!(Attributes::of(&to), attributes);
    }
}
