//! From a bucket's and an object's names to a path.

use std::path::{Path, PathBuf};

use s3s::path::check_bucket_name;
use s3s::{S3Result, s3_error};

/// Bytes of one part of a key, as file systems allow.
const PART_BYTES_MAX: usize = 255;

/// The folder of a bucket.
///
/// Errors: the name is no bucket's. So no name leads out of the data folder or to the server's own files, which begin
/// with a dot.
pub(crate) fn bucket_path(root: &Path, bucket: &str) -> S3Result<PathBuf> {
    if check_bucket_name(bucket) {
        Ok(root.join(bucket))
    } else {
        Err(s3_error!(InvalidBucketName, "\"{bucket}\" is no name of a bucket"))
    }
}

/// The file of an object inside its bucket's folder.
///
/// Errors: the key has an empty part, `.` or `..`, or a part too long for a file's name.
pub(crate) fn object_path(bucket: &Path, key: &str) -> S3Result<PathBuf> {
    if !key.split('/').all(is_file_name) {
        return Err(s3_error!(
            InvalidArgument,
            "the key \"{key}\" cannot be a file: its parts between slashes must not be empty, \".\", \"..\" or longer \
             than {PART_BYTES_MAX} bytes"
        ));
    }
    Ok(bucket.join(key))
}

/// Whether a part of a key can be a file's or folder's name.
pub(crate) fn is_file_name(part: &str) -> bool {
    !matches!(part, "" | "." | "..") && part.len() <= PART_BYTES_MAX && !part.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_paths_inside_the_root() {
        let bucket = bucket_path(Path::new("/data"), "sales-data").unwrap();
        assert_eq!(bucket, Path::new("/data/sales-data"));
        let object = object_path(&bucket, "year=2026/part 0.parquet").unwrap();
        assert_eq!(object, Path::new("/data/sales-data/year=2026/part 0.parquet"));
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for bucket in [".firesteel", "..", "a/b", "A", ""] {
            assert!(bucket_path(Path::new("/data"), bucket).is_err(), "{bucket}");
        }
        let long = "x".repeat(256);
        for key in ["", "/a", "a/", "a//b", "a/./b", "../a", "a/..", "a\0b", long.as_str()] {
            assert!(object_path(Path::new("/data/b"), key).is_err(), "{key}");
        }
    }
}
