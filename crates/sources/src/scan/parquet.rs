//! DataFusion's Parquet reader with Spark's errors: they name the file, and corrupt files can be left out.
//!
//! ```text
//!   ParquetFiles { ParquetSource } --create_morselizer--> Located { its morselizer } --> planners, morsels, streams
//! ```

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::physical_plan::{FileOpener, FileScanConfig, FileSource, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::filter_pushdown::FilterPushdownPropagation;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{DisplayFormatType, SortOrderPushdownResult};
use datafusion_datasource::PartitionedFile;
use datafusion_datasource::morsel::{Morsel, MorselPlan, MorselPlanner, Morselizer};
use firesteel_model::{SparkError, error_class};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;
use parquet::errors::ParquetError;

use super::plain_strings::PlainStrings;
use super::source::SourceSpec;
use crate::error::{to_datafusion, while_decoding, within};
use crate::stores::shown;

/// Parquet files inside a `DataSourceExec`.
pub struct ParquetFiles {
    spec: Arc<SourceSpec>,
    inner: Arc<dyn FileSource>,
}

impl ParquetFiles {
    /// The same files as `inner`, a [`ParquetSource`], reads.
    pub(crate) fn new(spec: Arc<SourceSpec>, inner: ParquetSource) -> Self {
        Self { spec, inner: Arc::new(inner) }
    }

    /// How they are read.
    pub(crate) fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    /// DataFusion's reader.
    pub(crate) fn reader(&self) -> Option<&ParquetSource> {
        self.inner.downcast_ref()
    }

    fn over(&self, inner: Arc<dyn FileSource>) -> Arc<dyn FileSource> {
        Arc::new(Self { spec: Arc::clone(&self.spec), inner })
    }
}

impl FileSource for ParquetFiles {
    fn create_file_opener(
        &self,
        object_store: Arc<dyn ObjectStore>,
        base_config: &FileScanConfig,
        partition: usize,
    ) -> DataFusionResult<Arc<dyn FileOpener>> {
        self.inner.create_file_opener(object_store, base_config, partition)
    }

    fn create_morselizer(
        &self,
        object_store: Arc<dyn ObjectStore>,
        base_config: &FileScanConfig,
        partition: usize,
    ) -> DataFusionResult<Box<dyn Morselizer>> {
        let inner = match self.reader() {
            Some(reader) => {
                let readers = Arc::new(PlainStrings::new(Arc::clone(&object_store)));
                let reader = reader.clone().with_parquet_file_reader_factory(readers);
                reader.create_morselizer(object_store, base_config, partition)?
            }
            None => self.inner.create_morselizer(object_store, base_config, partition)?,
        };
        let url = base_config.object_store_url.as_str().to_owned();
        Ok(Box::new(Located { inner, url, spec: Arc::clone(&self.spec) }))
    }

    fn table_schema(&self) -> &TableSchema {
        self.inner.table_schema()
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        self.over(self.inner.with_batch_size(batch_size))
    }

    fn filter(&self) -> Option<Arc<dyn PhysicalExpr>> {
        self.inner.filter()
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        self.inner.projection()
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        self.inner.metrics()
    }

    fn file_type(&self) -> &str {
        self.inner.file_type()
    }

    fn fmt_extra(&self, t: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        self.inner.fmt_extra(t, f)
    }

    /// Splits are made when the scan is planned, and partition counts are part of Spark's semantics.
    fn supports_repartitioning(&self) -> bool {
        false
    }

    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        config: &ConfigOptions,
    ) -> DataFusionResult<FilterPushdownPropagation<Arc<dyn FileSource>>> {
        let pushed = self.inner.try_pushdown_filters(filters, config)?;
        let updated_node = pushed.updated_node.map(|inner| self.over(inner));
        Ok(FilterPushdownPropagation { filters: pushed.filters, updated_node })
    }

    fn try_pushdown_sort(
        &self,
        order: &[PhysicalSortExpr],
        eq_properties: &EquivalenceProperties,
    ) -> DataFusionResult<SortOrderPushdownResult<Arc<dyn FileSource>>> {
        Ok(self.inner.try_pushdown_sort(order, eq_properties)?.map(|inner| self.over(inner)))
    }

    fn reorder_files(&self, files: Vec<PartitionedFile>) -> Vec<PartitionedFile> {
        self.inner.reorder_files(files)
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> DataFusionResult<Option<Arc<dyn FileSource>>> {
        Ok(self.inner.try_pushdown_projection(projection)?.map(|inner| self.over(inner)))
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        self.inner.apply_expressions(visit)
    }
}

/// Begins files whose errors name them.
#[derive(Debug)]
struct Located {
    inner: Box<dyn Morselizer>,
    url: String,
    spec: Arc<SourceSpec>,
}

impl Morselizer for Located {
    fn plan_file(&self, file: PartitionedFile) -> DataFusionResult<Box<dyn MorselPlanner>> {
        let spec = Arc::clone(&self.spec);
        let name = Arc::new(FileName { shown: shown(&self.url, &file.object_meta.location), spec });
        match self.inner.plan_file(file) {
            Ok(inner) => Ok(name.planner(Some(inner))),
            Err(error) => name.skip(error).map(|()| name.planner(None)),
        }
    }
}

/// The file that errors are about.
#[derive(Debug)]
struct FileName {
    shown: String,
    spec: Arc<SourceSpec>,
}

impl FileName {
    /// Nothing where the file may be left out for the error, else the error with the file's name.
    fn skip(&self, error: DataFusionError) -> DataFusionResult<()> {
        let failure = self.failure(error)?;
        if self.spec.ignores(&failure) { Ok(()) } else { Err(to_datafusion(failure)) }
    }

    /// Spark's error if it is the file's fault, else the error as it came.
    fn failure(&self, error: DataFusionError) -> DataFusionResult<SparkError> {
        if let Some(ours) = within::<SparkError>(&error) {
            let is_mismatch = ours.class() == &error_class::FAILED_READ_FILE_PARQUET_COLUMN_DATA_TYPE_MISMATCH;
            return if is_mismatch { Ok(self.named(ours)) } else { Err(error) };
        }
        let is_of_file = within::<object_store::Error>(&error).is_some()
            || within::<std::io::Error>(&error).is_some()
            || within::<ParquetError>(&error).is_some()
            || matches!(within::<ArrowError>(&error), Some(ArrowError::ParquetError(_)));
        if is_of_file { Ok(while_decoding(&self.shown, error)) } else { Err(error) }
    }

    /// The same error about this file.
    fn named(&self, failure: &SparkError) -> SparkError {
        let others = failure.params().iter().filter(|(name, _)| name != "path");
        let named = SparkError::new(failure.class()).param("path", &self.shown);
        others.fold(named, |named, (name, value)| named.param(name, value))
    }
}

/// The next steps of reading a file; none where it is left out.
#[derive(Debug)]
struct Planner {
    inner: Option<Box<dyn MorselPlanner>>,
    file: Arc<FileName>,
}

impl MorselPlanner for Planner {
    fn plan(self: Box<Self>) -> DataFusionResult<Option<MorselPlan>> {
        let Self { inner, file } = *self;
        let Some(inner) = inner else { return Ok(None) };
        let mut plan = match inner.plan() {
            Ok(Some(plan)) => plan,
            Ok(None) => return Ok(None),
            Err(error) => return file.skip(error).map(|()| None),
        };
        let morsels = plan
            .take_morsels()
            .into_iter()
            .map(|inner| -> Box<dyn Morsel> { Box::new(LocatedMorsel { inner, file: Arc::clone(&file) }) });
        let ready = plan.take_ready_planners().into_iter().map(|inner| file.planner(Some(inner)));
        let located = MorselPlan::new().with_morsels(morsels.collect()).with_planners(ready.collect());
        Ok(Some(match plan.take_pending_planner() {
            None => located,
            Some(pending) => located.with_pending_planner(async move {
                match pending.await {
                    Ok(inner) => Ok(file.planner(Some(inner))),
                    Err(error) => file.skip(error).map(|()| file.planner(None)),
                }
            }),
        }))
    }
}

impl FileName {
    fn planner(self: &Arc<Self>, inner: Option<Box<dyn MorselPlanner>>) -> Box<dyn MorselPlanner> {
        Box::new(Planner { inner, file: Arc::clone(self) })
    }
}

/// Rows whose errors name their file.
#[derive(Debug)]
struct LocatedMorsel {
    inner: Box<dyn Morsel>,
    file: Arc<FileName>,
}

impl Morsel for LocatedMorsel {
    fn into_stream(self: Box<Self>) -> BoxStream<'static, DataFusionResult<RecordBatch>> {
        let Self { inner, file } = *self;
        let batches = inner.into_stream().map(move |batch| match batch {
            Ok(batch) => Ok(Some(batch)),
            Err(error) => file.skip(error).map(|()| None),
        });
        // What comes after an error that is passed over is left out.
        batches.try_take_while(|batch| std::future::ready(Ok(batch.is_some()))).try_filter_map(ready_batch).boxed()
    }
}

async fn ready_batch(batch: Option<RecordBatch>) -> DataFusionResult<Option<RecordBatch>> {
    Ok(batch)
}
