//! ORC files.

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use firesteel_model::{Result, SparkError};
use firesteel_spec::types_arrow::from_arrow_fields;
use firesteel_spec::{DataType, StructField};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use object_store::ObjectStoreExt;
use orc_rust::projection::ProjectionMask;
use orc_rust::reader::AsyncChunkReader;
use orc_rust::{ArrowReaderBuilder, TimestampPrecision};

use super::adapt::Adapter;
use crate::error::unreadable;
use crate::options::Options;
use crate::text::blocks::Source;

/// The schema of the first file.
pub(super) async fn infer(sources: &[Source], options: &Options) -> Result<Option<Vec<StructField>>> {
    if options.flag("mergeSchema", false)? {
        return Err(SparkError::unsupported("mergeSchema of ORC files"));
    }
    let Some(source) = sources.first() else { return Ok(None) };
    let builder = open(source).await?;
    let fields = from_arrow_fields(builder.schema().fields())
        .ok_or_else(|| SparkError::unsupported(format!("a column type of the ORC file {}", source.shown)))?;
    Ok(Some(fields.into_iter().map(as_instant).collect()))
}

/// Spark keeps instants in ORC's plain timestamps.
fn as_instant(mut field: StructField) -> StructField {
    if field.data_type == DataType::TimestampNtz {
        field.data_type = DataType::Timestamp;
    }
    field.metadata = None;
    field
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
            Err(error) => Err(unreadable(&adapter.shown, error)),
        })
        .boxed())
}

fn first_column(schema: &datafusion::arrow::datatypes::Schema) -> Vec<String> {
    schema.fields().first().map(|field| field.name().clone()).into_iter().collect()
}

async fn open(source: &Source) -> Result<ArrowReaderBuilder<ChunkReader>> {
    let builder = ArrowReaderBuilder::try_new_async(ChunkReader(source.clone())).await;
    let builder = builder.map_err(|error| unreadable(&source.shown, error))?;
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
