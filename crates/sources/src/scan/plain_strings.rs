//! Strings of Parquet files come as the engine holds them, whatever form their writer held them in.
//!
//! A writer in Arrow's terms notes its own types in the file, views for example. The reader would build those, only to
//! have them copied into plain strings. Without the note it builds plain strings.

use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use bytes::Bytes;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::DefaultParquetFileReaderFactory;
use datafusion::error::Result as DataFusionResult;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_datasource::PartitionedFile;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::ObjectStore;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::arrow::{ARROW_SCHEMA_META_KEY, parquet_to_arrow_schema};
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{FileMetaData, ParquetMetaData, ParquetMetaDataBuilder};

/// Readers of a store's files.
#[derive(Debug)]
pub(super) struct PlainStrings(DefaultParquetFileReaderFactory);

impl PlainStrings {
    pub(super) fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self(DefaultParquetFileReaderFactory::new(store))
    }
}

impl ParquetFileReaderFactory for PlainStrings {
    fn create_reader(
        &self,
        partition_index: usize,
        file: PartitionedFile,
        metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> DataFusionResult<Box<dyn AsyncFileReader + Send>> {
        let reader = self.0.create_reader(partition_index, file, metadata_size_hint, metrics)?;
        Ok(Box::new(Reader(reader)))
    }
}

struct Reader(Box<dyn AsyncFileReader + Send>);

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.0.get_bytes(range)
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        self.0.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        async move {
            let metadata = self.0.get_metadata(options).await?;
            Ok(if needs_no_note(metadata.file_metadata()) { without_note(metadata) } else { metadata })
        }
        .boxed()
    }
}

/// Whether all that the writer's note adds to the file's own types is another form of strings.
fn needs_no_note(file: &FileMetaData) -> bool {
    let pairs = file.key_value_metadata();
    if !pairs.is_some_and(|pairs| pairs.iter().any(|pair| pair.key == ARROW_SCHEMA_META_KEY)) {
        return false;
    }
    let noted = parquet_to_arrow_schema(file.schema_descr(), pairs);
    let own = parquet_to_arrow_schema(file.schema_descr(), None);
    let (Ok(noted), Ok(own)) = (noted, own) else { return false };
    let same = |noted: &DataType, own: &DataType| noted == own || is_form_of(noted, own);
    !types(&noted).eq(types(&own)) && types(&noted).zip(types(&own)).all(|(noted, own)| same(noted, own))
}

fn types(schema: &Schema) -> impl Iterator<Item = &DataType> {
    schema.fields().iter().map(|field| field.data_type())
}

fn is_form_of(noted: &DataType, own: &DataType) -> bool {
    matches!(
        (noted, own),
        (DataType::Utf8View | DataType::LargeUtf8, DataType::Utf8)
            | (DataType::BinaryView | DataType::LargeBinary, DataType::Binary)
    )
}

fn without_note(metadata: Arc<ParquetMetaData>) -> Arc<ParquetMetaData> {
    let file = metadata.file_metadata();
    let pairs = file.key_value_metadata().cloned();
    let file = FileMetaData::new(
        file.version(),
        file.num_rows(),
        file.created_by().map(str::to_owned),
        pairs.map(|pairs| pairs.into_iter().filter(|pair| pair.key != ARROW_SCHEMA_META_KEY).collect()),
        file.schema_descr_ptr(),
        file.column_orders().cloned(),
    );
    let mut parts = Arc::unwrap_or_clone(metadata).into_builder();
    let builder = ParquetMetaDataBuilder::new(file)
        .set_row_groups(parts.take_row_groups())
        .set_column_index(parts.take_column_index())
        .set_offset_index(parts.take_offset_index());
    Arc::new(builder.build())
}
