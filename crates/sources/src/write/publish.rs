//! Making a finished file visible, or removing it.

use firesteel_model::{Result, SparkError};
use object_store::ObjectStoreExt;
use object_store::multipart::PartId;
use object_store::path::Path;

use super::spec::{CommittedFile, Upload};
use crate::error::from_store;
use crate::stores::Location;

/// Makes a file visible under its own name.
///
/// Guarantees: trying again after an unclear answer is harmless.
pub(super) async fn publish(root: &Location, file: &CommittedFile) -> Result<()> {
    let location = root.at(parse(&file.path)?);
    let published = match &file.upload {
        Upload::Staged { path } => location.store.rename(&parse(path)?, &location.path).await,
        Upload::Multipart { id, parts } => {
            let store = location.multipart.as_ref().ok_or_else(|| SparkError::internal("a store without uploads"))?;
            let parts = parts.iter().map(|part| PartId { content_id: part.clone() }).collect();
            store.complete_multipart(&location.path, id, parts).await.map(|_| ())
        }
    };
    let Err(error) = published else { return Ok(()) };
    match location.store.head(&location.path).await {
        Ok(meta) if meta.size == file.bytes => Ok(()),
        _ => Err(from_store(error, &location.show())),
    }
}

/// Removes a file that is not visible.
pub(super) async fn discard(root: &Location, file: &CommittedFile) -> Result<()> {
    let location = root.at(parse(&file.path)?);
    let discarded = match &file.upload {
        Upload::Staged { path } => location.store.delete(&parse(path)?).await,
        Upload::Multipart { id, .. } => match &location.multipart {
            Some(store) => store.abort_multipart(&location.path, id).await,
            None => Ok(()),
        },
    };
    gone(discarded, &location)
}

/// Removes a file that is visible.
pub(super) async fn delete(root: &Location, path: &Path) -> Result<()> {
    gone(root.store.delete(path).await, &root.at(path.clone()))
}

fn gone(result: object_store::Result<()>, location: &Location) -> Result<()> {
    match result {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(from_store(error, &location.show())),
    }
}

pub(super) fn parse(path: &str) -> Result<Path> {
    Path::parse(path).map_err(|error| SparkError::internal(error.to_string()))
}
