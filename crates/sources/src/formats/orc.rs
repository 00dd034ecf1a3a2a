//! ORC files.

use std::io::Read;

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::StructField;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use object_store::ObjectStoreExt;
use orc_rust::compression::{Compression, Decompressor};
use orc_rust::projection::ProjectionMask;
use orc_rust::reader::AsyncChunkReader;
use orc_rust::{ArrowReaderBuilder, TimestampPrecision};

use super::adapt::Adapter;
use crate::error::{is_corrupt, while_decoding, while_reading, while_reading_footer};
use crate::options::Options;
use crate::orc::{self, fields, types_of_tail};
use crate::text::blocks::Source;

/// Bytes at the end of a file that mostly hold its footer.
const TAIL_BYTES: u64 = 16 << 10;

/// The schema of the first readable file.
pub(super) async fn infer(
    sources: &[Source],
    options: &Options,
    ignores_corrupt: bool,
) -> Result<Option<Vec<StructField>>> {
    if options.flag("mergeSchema", false)? {
        return Err(SparkError::unsupported("mergeSchema of ORC files"));
    }
    for source in sources {
        let builder = match open(source).await {
            Err(failure) if ignores_corrupt && is_corrupt(&failure) => continue,
            Err(failure) => return Err(while_reading_footer(&source.shown, failure)),
            Ok(builder) => builder,
        };
        let compression = builder.file_metadata().compression();
        let fields = fields(&types(source, compression).await?);
        let unknown = || SparkError::unsupported(format!("a column type of the ORC file {}", source.shown));
        return fields.ok_or_else(unknown).map(Some);
    }
    Ok(None)
}

/// The file's types, of which the reader keeps no attributes.
async fn types(source: &Source, compression: Option<Compression>) -> Result<Vec<orc::Type>> {
    let plain = |footer: &[u8]| {
        let mut out = Vec::new();
        let mut decompressor = Decompressor::new(Bytes::copy_from_slice(footer), compression, Vec::new());
        decompressor.read_to_end(&mut out).ok().map(|_| out)
    };
    for length in [TAIL_BYTES.min(source.size), source.size] {
        let tail = source.store.get_range(&source.path, source.size - length..source.size).await;
        let tail = tail.map_err(|error| while_reading(error, &source.shown))?;
        if let Some(types) = types_of_tail(&tail, plain) {
            return Ok(types);
        }
    }
    Err(SparkError::new(&error_class::FAILED_READ_FILE_CANNOT_READ_FILE_FOOTER).param("path", &source.shown))
}

/// The batches of the stripes that start in `range`.
pub(crate) async fn read(
    source: Source,
    range: Option<std::ops::Range<u64>>,
    adapter: Adapter,
    batch_size: usize,
) -> Result<BoxStream<'static, Result<RecordBatch>>> {
    let mut builder = open(&source).await?.with_batch_size(batch_size);
    let file = builder.schema();
    let names: Vec<String> = adapter.needed(&file).into_iter().map(|index| file.field(index).name().clone()).collect();
    if let Some(range) = range {
        let bound = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        builder = builder.with_file_byte_range(bound(range.start)..bound(range.end));
    }
    // Without any column there would be no row count.
    let names = if names.is_empty() { first_column(&file) } else { names };
    let mask = ProjectionMask::named_roots(builder.file_metadata().root_data_type(), &names);
    let stream = builder.with_projection(mask).build_async();
    Ok(stream
        .map(move |batch| match batch {
            Ok(batch) => adapter.adapt(&batch),
            Err(error) => Err(while_decoding(&adapter.shown, error)),
        })
        .boxed())
}

fn first_column(schema: &datafusion::arrow::datatypes::Schema) -> Vec<String> {
    schema.fields().first().map(|field| field.name().clone()).into_iter().collect()
}

async fn open(source: &Source) -> Result<ArrowReaderBuilder<ChunkReader>> {
    let builder = ArrowReaderBuilder::try_new_async(ChunkReader(source.clone())).await;
    let builder = builder.map_err(|error| while_decoding(&source.shown, error))?;
    Ok(builder.with_timestamp_precision(TimestampPrecision::Microsecond))
}

/// A file in a store, for the ORC reader.
struct ChunkReader(Source);

impl AsyncChunkReader for ChunkReader {
    fn len(&mut self) -> BoxFuture<'_, std::io::Result<u64>> {
        std::future::ready(Ok(self.0.size)).boxed()
    }

    fn get_bytes(&mut self, start: u64, length: u64) -> BoxFuture<'_, std::io::Result<Bytes>> {
        let source = self.0.clone();
        async move {
            if length == 0 {
                return Ok(Bytes::new());
            }
            source.store.get_range(&source.path, start..start + length).await.map_err(std::io::Error::other)
        }
        .boxed()
    }
}
