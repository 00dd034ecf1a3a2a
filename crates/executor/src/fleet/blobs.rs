//! Bytes that executors fetch by their hash, for as long as somebody may launch tasks that need them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use firesteel_rpc::BlobHash;
use sha2::{Digest, Sha256};

/// Names of dropped blobs that may stay before they are looked through.
const DEAD_MIN: usize = 64;

/// Bytes and their name; the store forgets them when the last holder does.
#[derive(Debug)]
pub(crate) struct Blob {
    pub(crate) hash: BlobHash,
    bytes: Bytes,
}

#[derive(Debug, Default)]
pub(crate) struct BlobStore {
    blobs: Mutex<HashMap<BlobHash, Weak<Blob>>>,
}

impl BlobStore {
    /// Takes bytes; equal ones are kept once.
    pub(crate) fn put(&self, bytes: Vec<u8>) -> Arc<Blob> {
        let hash = BlobHash(Sha256::digest(&bytes).into());
        let mut blobs = self.locked();
        if let Some(known) = blobs.get(&hash).and_then(Weak::upgrade) {
            return known;
        }
        if blobs.len() >= DEAD_MIN && blobs.len().is_power_of_two() {
            blobs.retain(|_, blob| blob.strong_count() > 0);
        }
        let blob = Arc::new(Blob { hash, bytes: bytes.into() });
        blobs.insert(hash, Arc::downgrade(&blob));
        blob
    }

    pub(crate) fn get(&self, hash: BlobHash) -> Option<Bytes> {
        self.locked().get(&hash).and_then(Weak::upgrade).map(|blob| blob.bytes.clone())
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<BlobHash, Weak<Blob>>> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn equal_bytes_are_kept_once_and_as_long_as_they_are_held() {
        let store = BlobStore::default();
        let (first, second) = (store.put(vec![1]), store.put(vec![1]));
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(store.get(first.hash).unwrap(), Bytes::from_static(&[1]));
        let hash = first.hash;
        drop((first, second));
        assert!(store.get(hash).is_none());
    }
}
