//! The formats that DataFusion does not read the way Spark does.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::physical_plan::{FileOpenFuture, FileOpener, FileScanConfig, FileSource};
use datafusion::datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result as DataFusionResult;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_datasource::PartitionedFile;
use firesteel_functions::datetime::Zone;
use firesteel_model::{Result, SparkError};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::ObjectStore;
use serde::{Deserialize, Serialize};

use crate::csv::{CsvOptions, CsvReader};
use crate::error::{from_arrow, is_corrupt, to_datafusion};
use crate::formats::adapt::Adapter;
use crate::formats::plain_text::{self, TextReader};
use crate::formats::{Format, avro, binary, orc};
use crate::json::{JsonOptions, JsonReader};
use crate::options::Options;
use crate::settings::Settings;
use crate::stores::shown;
use crate::text::blocks::Source;
use crate::text::chunks::Layout;
use crate::text::rows::RowReader;

const DEFAULT_BATCH_SIZE: usize = 8192;

type Batches = BoxStream<'static, Result<RecordBatch>>;

/// Everything about a read but its files and columns; plain data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceSpec {
    /// The format.
    pub format: Format,
    /// Its options.
    pub options: Options,
    /// The session's settings.
    pub settings: Settings,
}

/// Reads one of our formats inside a `DataSourceExec`.
#[derive(Clone)]
pub struct FormatSource {
    spec: Arc<SourceSpec>,
    table_schema: TableSchema,
    projection: SplitProjection,
    batch_size: usize,
    metrics: ExecutionPlanMetricsSet,
}

impl FormatSource {
    /// A source of all columns.
    pub fn new(spec: Arc<SourceSpec>, table_schema: TableSchema) -> Self {
        Self {
            projection: SplitProjection::unprojected(&table_schema),
            spec,
            table_schema,
            batch_size: DEFAULT_BATCH_SIZE,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// What it reads.
    pub fn spec(&self) -> &SourceSpec {
        &self.spec
    }
}

impl FileSource for FormatSource {
    fn create_file_opener(
        &self,
        object_store: Arc<dyn ObjectStore>,
        base_config: &FileScanConfig,
        _partition: usize,
    ) -> DataFusionResult<Arc<dyn FileOpener>> {
        let opener = Arc::new(Opener {
            spec: Arc::clone(&self.spec),
            store: object_store,
            url: base_config.object_store_url.as_str().to_owned(),
            file_schema: Arc::clone(self.table_schema.file_schema()),
            indices: self.projection.file_indices.clone(),
            batch_size: self.batch_size,
        });
        ProjectionOpener::try_new(self.projection.clone(), opener, self.table_schema.file_schema())
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table_schema
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self { batch_size, ..self.clone() })
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> DataFusionResult<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.table_schema.file_schema(), &merged);
        Ok(Some(Arc::new(Self { projection, ..self.clone() })))
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        self.spec.format.name()
    }

    /// Splits are made when the scan is planned, and partition counts are part of Spark's semantics.
    fn supports_repartitioning(&self) -> bool {
        false
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        for projected in self.projection.source.iter() {
            if visit(&projected.expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }
}

impl fmt::Debug for FormatSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormatSource").field("spec", &self.spec).finish_non_exhaustive()
    }
}

struct Opener {
    spec: Arc<SourceSpec>,
    store: Arc<dyn ObjectStore>,
    url: String,
    file_schema: SchemaRef,
    indices: Vec<usize>,
    batch_size: usize,
}

impl FileOpener for Opener {
    fn open(&self, file: PartitionedFile) -> DataFusionResult<FileOpenFuture> {
        let source = Source {
            store: Arc::clone(&self.store),
            path: file.object_meta.location.clone(),
            size: file.object_meta.size,
            shown: shown(&self.url, &file.object_meta.location),
        };
        let range = file.range.as_ref().map(|range| range.start.unsigned_abs()..range.end.unsigned_abs());
        let spec = Arc::clone(&self.spec);
        let opened = self.batches(source, file, range).map_err(to_datafusion)?;
        Ok(async move {
            let batches = match opened.await {
                Ok(batches) => batches,
                Err(error) if spec.ignores(&error) => futures::stream::empty().boxed(),
                Err(error) => return Err(to_datafusion(error)),
            };
            let batches = batches.take_while(move |batch| {
                let ignored = batch.as_ref().is_err_and(|error| spec.ignores(error));
                std::future::ready(!ignored)
            });
            Ok(batches.map_err(to_datafusion).boxed())
        }
        .boxed())
    }
}

type Opening = futures::future::BoxFuture<'static, Result<Batches>>;

impl Opener {
    fn batches(&self, source: Source, file: PartitionedFile, range: Option<Range<u64>>) -> Result<Opening> {
        let SourceSpec { format, options, settings } = self.spec.as_ref();
        let (schema, indices, batch_size) = (&self.file_schema, &self.indices, self.batch_size);
        let (layout, reader): (Layout, Box<dyn RowReader>) = match format {
            Format::Csv => {
                let options = CsvOptions::new(options, settings)?;
                (options.layout.clone(), Box::new(CsvReader::new(options, schema, indices, batch_size)?))
            }
            Format::Json => {
                let options = JsonOptions::new(options, settings)?;
                (options.layout.clone(), Box::new(JsonReader::new(options, schema, indices, batch_size)?))
            }
            Format::Text => {
                let layout = plain_text::layout(options)?;
                let reader = TextReader::new(layout.framing.clone(), schema, indices, batch_size)?;
                (layout, Box::new(reader))
            }
            Format::BinaryFile => {
                let wanted = Arc::new(schema.project(indices).map_err(from_arrow)?);
                let row = binary::read(source, file.object_meta, wanted);
                return Ok(async move { Ok(futures::stream::once(row).boxed()) }.boxed());
            }
            Format::Orc => return Ok(orc::read(source.clone(), range, self.adapter(&source)?, batch_size).boxed()),
            Format::Avro => return Ok(avro::read(source.clone(), self.adapter(&source)?, batch_size).boxed()),
            Format::Parquet => return Err(SparkError::internal("Parquet has a source of its own")),
        };
        Ok(rows(layout, reader, source, range).boxed())
    }

    fn adapter(&self, source: &Source) -> Result<Adapter> {
        let settings = &self.spec.settings;
        Ok(Adapter {
            wanted: Arc::new(self.file_schema.project(&self.indices).map_err(from_arrow)?),
            case_sensitive: settings.case_sensitive,
            zone: Zone::parse(&settings.time_zone)?,
            shown: source.shown.clone(),
        })
    }
}

/// Reads records chunk by chunk.
async fn rows(
    layout: Layout,
    reader: Box<dyn RowReader>,
    source: Source,
    range: Option<Range<u64>>,
) -> Result<Batches> {
    let chunks = layout.read(&source, range).await?;
    let batches = futures::stream::try_unfold(Some((chunks, reader)), |state| async move {
        let Some((mut chunks, mut reader)) = state else { return Ok::<_, SparkError>(None) };
        match chunks.next().await.transpose()? {
            Some(chunk) => {
                let batches = reader.read(&chunk)?;
                Ok(Some((batches, Some((chunks, reader)))))
            }
            None => Ok(Some((reader.finish()?.into_iter().collect(), None))),
        }
    });
    Ok(batches.map_ok(|batches| futures::stream::iter(batches.into_iter().map(Ok))).try_flatten().boxed())
}

impl SourceSpec {
    /// Whether an error only means that a file is left out.
    pub(super) fn ignores(&self, error: &SparkError) -> bool {
        use firesteel_model::error_class::FAILED_READ_FILE_FILE_NOT_EXIST;
        let flag = |name: &str, default: bool| self.options.flag(name, default).unwrap_or(default);
        let is_missing = std::ptr::eq(error.class(), &raw const FAILED_READ_FILE_FILE_NOT_EXIST);
        (is_missing && flag("ignoreMissingFiles", self.settings.ignore_missing_files))
            || (is_corrupt(error) && flag("ignoreCorruptFiles", self.settings.ignore_corrupt_files))
    }
}
