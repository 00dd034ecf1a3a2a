//! Avro object containers.

use std::io::Cursor;

use arrow::array::RecordBatch;
use arrow_avro::reader::{Reader, ReaderBuilder};
use bytes::Bytes;
use firesteel_model::{Result, SparkError};
use firesteel_spec::StructField;
use firesteel_spec::types_arrow::from_arrow_fields;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::ObjectStoreExt;

use super::adapt::Adapter;
use crate::error::{unreadable, while_reading};
use crate::options::Options;
use crate::text::blocks::Source;

/// The schema of the first file.
pub(super) async fn infer(sources: &[Source], options: &Options) -> Result<Option<Vec<StructField>>> {
    if options.get("avroSchema").is_some() {
        return Err(SparkError::unsupported("the option avroSchema; give a schema instead"));
    }
    let Some(source) = sources.first() else { return Ok(None) };
    let reader = open(source, 1).await?;
    let fields = from_arrow_fields(reader.schema().fields())
        .ok_or_else(|| SparkError::unsupported(format!("a column type of the Avro file {}", source.shown)))?;
    Ok(Some(fields.into_iter().map(|field| StructField { metadata: None, ..field }).collect()))
}

/// The batches of a file.
pub(crate) async fn read(
    source: Source,
    adapter: Adapter,
    batch_size: usize,
) -> Result<BoxStream<'static, Result<RecordBatch>>> {
    let reader = open(&source, batch_size).await?;
    let batches = reader.map(move |batch| match batch {
        Ok(batch) => adapter.adapt(&batch),
        Err(error) => Err(unreadable(&adapter.shown, error)),
    });
    Ok(futures::stream::iter(batches).boxed())
}

async fn open(source: &Source, batch_size: usize) -> Result<Reader<Cursor<Bytes>>> {
    let result = source.store.get(&source.path).await.map_err(|error| while_reading(error, &source.shown))?;
    let bytes = result.bytes().await.map_err(|error| while_reading(error, &source.shown))?;
    let reader = ReaderBuilder::new().with_batch_size(batch_size).build(Cursor::new(bytes));
    reader.map_err(|error| unreadable(&source.shown, error))
}
