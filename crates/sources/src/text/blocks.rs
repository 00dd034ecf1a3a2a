//! A file as a stream of blocks, fetched by range and a little ahead.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::error::DataFusionError;
use firesteel_model::Result;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::compression::Compression;
use crate::error::{from_datafusion, to_datafusion, unreadable, while_reading};

const BLOCK: u64 = 4 << 20;
/// Fetched together with a split, since its last record ends after it.
const LOOKAHEAD: u64 = 64 << 10;
const BLOCKS_AHEAD: usize = 2;

/// A file to read, as the user knows it.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) path: Path,
    pub(crate) size: u64,
    pub(crate) shown: String,
}

impl Source {
    /// The bytes from `range.start` to the end of the file; those after `range.end` only when asked for.
    pub(crate) fn blocks(&self, range: Range<u64>) -> BoxStream<'static, Result<Bytes>> {
        let near = (range.end + LOOKAHEAD).min(self.size);
        let (source, tail) = (self.clone(), self.clone());
        let ahead = futures::stream::iter(cut(range.start..near, BLOCK))
            .map(move |range| source.clone().fetch(range))
            .buffered(BLOCKS_AHEAD);
        let rest = futures::stream::iter(cut(near..self.size, LOOKAHEAD)).then(move |range| tail.clone().fetch(range));
        ahead.chain(rest).boxed()
    }

    async fn fetch(self, range: Range<u64>) -> Result<Bytes> {
        self.store.get_range(&self.path, range).await.map_err(|error| while_reading(error, &self.shown))
    }

    /// The whole file, decompressed.
    pub(crate) async fn decompressed(&self, compression: Compression) -> Result<BoxStream<'static, Result<Bytes>>> {
        let raw = self.blocks(0..self.size);
        if compression == Compression::None {
            return Ok(raw);
        }
        let shown = self.shown.clone();
        if compression == Compression::Deflate {
            let compressed: Vec<Bytes> = raw.try_collect().await?;
            let mut decoder = flate2::write::ZlibDecoder::new(Vec::new());
            let plain = compressed
                .iter()
                .try_for_each(|block| std::io::Write::write_all(&mut decoder, block))
                .and_then(|()| decoder.finish())
                .map_err(|error| unreadable(&shown, error))?;
            return Ok(futures::stream::iter([Ok(Bytes::from(plain))]).boxed());
        }
        let raw = raw.map_err(to_datafusion).boxed();
        let plain = compression.decoder().convert_stream(raw).map_err(|error| from_datafusion(error, &shown))?;
        Ok(plain.map_err(move |error| from_datafusion(without_wrapping(error), &shown)).boxed())
    }
}

fn cut(range: Range<u64>, size: u64) -> impl Iterator<Item = Range<u64>> {
    let end = range.end;
    let step = usize::try_from(size).unwrap_or(usize::MAX);
    (range.start..end).step_by(step).map(move |start| start..(start + size).min(end))
}

/// The stream's error goes through an `io::Error` inside the decompressor.
fn without_wrapping(error: DataFusionError) -> DataFusionError {
    match error {
        DataFusionError::IoError(error) if error.get_ref().is_some_and(|inner| inner.is::<DataFusionError>()) => {
            match error.into_inner().map(|inner| inner.downcast::<DataFusionError>()) {
                Some(Ok(inner)) => *inner,
                Some(Err(inner)) => DataFusionError::External(inner),
                None => DataFusionError::Internal("an error without content".to_owned()),
            }
        }
        other => other,
    }
}
