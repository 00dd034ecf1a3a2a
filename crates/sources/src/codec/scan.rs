//! Scans of files.

use std::sync::Arc;

use chrono::DateTime;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, FileSource, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_expr::projection::{ProjectionExpr, ProjectionExprs};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_datasource::{FileRange, PartitionedFile};
use firesteel_engine::codec::{NodeCodec, Reader, Writer};
use firesteel_model::SparkError;
use object_store::ObjectMeta;
use object_store::path::Path;
use prost::Message;

use crate::error::to_datafusion;
use crate::formats::parquet::read_options;
use crate::formats::parquet_adapter::ParquetAdapter;
use crate::scan::{FormatSource, ParquetFiles, SourceSpec};

#[derive(Clone, PartialEq, Message)]
struct ScanNode {
    /// The store: scheme and bucket.
    #[prost(string, tag = "1")]
    url: String,
    #[prost(message, repeated, tag = "2")]
    groups: Vec<GroupNode>,
    /// Columns in the files, then those in the names of directories.
    #[prost(bytes = "vec", tag = "3")]
    schema: Vec<u8>,
    #[prost(uint64, tag = "4")]
    partition_columns: u64,
    #[prost(message, optional, tag = "5")]
    projection: Option<ProjectionNode>,
    #[prost(uint64, optional, tag = "6")]
    limit: Option<u64>,
    #[prost(message, optional, tag = "7")]
    parquet: Option<ParquetNode>,
    /// Format, options and settings, as JSON.
    #[prost(bytes = "vec", tag = "8")]
    spec: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct ParquetNode {
    #[prost(bool, tag = "1")]
    case_sensitive: bool,
    /// Row groups and pages that cannot fulfil it are left out.
    #[prost(bytes = "vec", optional, tag = "2")]
    predicate: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct ProjectionNode {
    #[prost(bytes = "vec", tag = "1")]
    exprs: Vec<u8>,
    #[prost(string, repeated, tag = "2")]
    names: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct GroupNode {
    #[prost(message, repeated, tag = "1")]
    files: Vec<FileNode>,
}

#[derive(Clone, PartialEq, Message)]
struct FileNode {
    #[prost(string, tag = "1")]
    path: String,
    #[prost(uint64, tag = "2")]
    size: u64,
    #[prost(sint64, tag = "3")]
    modified_us: i64,
    #[prost(string, optional, tag = "4")]
    e_tag: Option<String>,
    #[prost(string, optional, tag = "5")]
    version: Option<String>,
    #[prost(bytes = "vec", tag = "6")]
    partition_values: Vec<u8>,
    #[prost(sint64, optional, tag = "7")]
    range_start: Option<i64>,
    #[prost(sint64, tag = "8")]
    range_end: i64,
}

/// Scans of ours among the nodes that read something.
#[derive(Debug)]
pub(super) struct Scan;

impl NodeCodec for Scan {
    fn name(&self) -> &'static str {
        "scan"
    }

    fn encode(&self, node: &Arc<dyn ExecutionPlan>, writer: &Writer<'_>) -> Result<Option<Vec<u8>>> {
        let source = node.downcast_ref::<DataSourceExec>().map(DataSourceExec::data_source);
        let Some(config) = source.and_then(|source| source.downcast_ref::<FileScanConfig>()) else { return Ok(None) };
        if !config.output_ordering.is_empty() || config.output_partitioning.is_some() {
            return Err(unsupported("a scan of sorted files"));
        }
        let source = config.file_source();
        let (parquet, spec) = match (source.downcast_ref::<FormatSource>(), source.downcast_ref::<ParquetFiles>()) {
            (Some(ours), _) => (None, ours.spec()),
            (None, Some(files)) => (Some(parquet_node(config, files, writer)?), files.spec()),
            (None, None) => return Err(unsupported("a scan that is not ours")),
        };
        let spec = serde_json::to_vec(spec).map_err(broken)?;
        let table = source.table_schema();
        let projection = source.projection().map(|projection| {
            let exprs = writer.exprs(projection.iter().map(|item| &item.expr))?;
            Ok::<_, datafusion::error::DataFusionError>(ProjectionNode {
                exprs,
                names: projection.iter().map(|item| item.alias.clone()).collect(),
            })
        });
        let groups = config.file_groups.iter().map(|group| {
            let files = group.iter().map(|file| file_node(file, writer)).collect::<Result<_>>()?;
            Ok(GroupNode { files })
        });
        let node = ScanNode {
            url: config.object_store_url.as_str().to_owned(),
            groups: groups.collect::<Result<_>>()?,
            schema: writer.schema(table.table_schema())?,
            partition_columns: table.table_partition_cols().len() as u64,
            projection: projection.transpose()?,
            limit: config.limit.map(|rows| rows as u64),
            parquet,
            spec,
        };
        Ok(Some(node.encode_to_vec()))
    }

    fn decode(
        &self,
        bytes: &[u8],
        _: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let node = ScanNode::decode(bytes).map_err(broken)?;
        let schema = reader.schema(&node.schema)?;
        let in_files = schema.fields().len().saturating_sub(count(node.partition_columns)?);
        let (in_files, in_names) = schema.fields().split_at(in_files);
        let file_schema = datafusion::arrow::datatypes::Schema::new(in_files.to_vec());
        let table = TableSchema::builder(Arc::new(file_schema)).with_table_partition_cols(in_names.to_vec()).build();
        let spec: Arc<SourceSpec> = Arc::new(serde_json::from_slice(&node.spec).map_err(broken)?);
        let source: Arc<dyn FileSource> = match &node.parquet {
            Some(parquet) => Arc::new(ParquetFiles::new(spec, parquet_source(parquet, table, reader)?)),
            None => Arc::new(FormatSource::new(spec, table)),
        };
        let source = match &node.projection {
            Some(projection) => {
                let exprs = reader.exprs(&projection.exprs, &schema)?.into_iter().zip(&projection.names);
                let items = exprs.map(|(expr, name)| ProjectionExpr::new(expr, name.clone())).collect::<Vec<_>>();
                source.try_pushdown_projection(&ProjectionExprs::new(items))?.unwrap_or(source)
            }
            None => source,
        };
        let adapter = node.parquet.as_ref().map(|parquet| ParquetAdapter::factory(parquet.case_sensitive));
        let groups = node.groups.iter().map(|group| {
            let files = group.files.iter().map(|file| partitioned_file(file, reader));
            Ok(FileGroup::new(files.collect::<Result<_>>()?))
        });
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::parse(&node.url)?, source)
            .with_file_groups(groups.collect::<Result<_>>()?)
            .with_limit(node.limit.map(count).transpose()?)
            .with_expr_adapter(adapter);
        Ok(DataSourceExec::from_data_source(config.build()))
    }
}

fn parquet_node(config: &FileScanConfig, files: &ParquetFiles, writer: &Writer<'_>) -> Result<ParquetNode> {
    let adapter = config.expr_adapter_factory.as_ref().and_then(ParquetAdapter::case_sensitivity);
    let (Some(source), Some(case_sensitive)) = (files.reader(), adapter) else {
        return Err(unsupported("a scan that is not ours"));
    };
    if *source.table_parquet_options() != read_options() {
        return Err(unsupported("a scan of Parquet files with other options"));
    }
    let predicate = source.filter().map(|predicate| writer.exprs([&predicate])).transpose()?;
    Ok(ParquetNode { case_sensitive, predicate })
}

fn parquet_source(node: &ParquetNode, table: TableSchema, reader: &Reader<'_>) -> Result<ParquetSource> {
    let schema = Arc::clone(table.table_schema());
    let source = ParquetSource::new(table).with_table_parquet_options(read_options());
    Ok(match &node.predicate {
        Some(predicate) => {
            let mut predicate = reader.exprs(predicate, &schema)?;
            source.with_predicate(predicate.pop().ok_or_else(|| lacks("its predicate"))?)
        }
        None => source,
    })
}

fn file_node(file: &PartitionedFile, writer: &Writer<'_>) -> Result<FileNode> {
    let ObjectMeta { location, last_modified, size, e_tag, version } = &file.object_meta;
    Ok(FileNode {
        path: location.to_string(),
        size: *size,
        modified_us: last_modified.timestamp_micros(),
        e_tag: e_tag.clone(),
        version: version.clone(),
        partition_values: writer.values(&file.partition_values)?,
        range_start: file.range.as_ref().map(|range| range.start),
        range_end: file.range.as_ref().map_or(0, |range| range.end),
    })
}

fn partitioned_file(node: &FileNode, reader: &Reader<'_>) -> Result<PartitionedFile> {
    let meta = ObjectMeta {
        location: Path::parse(&node.path).map_err(broken)?,
        last_modified: DateTime::from_timestamp_micros(node.modified_us).ok_or_else(|| lacks("a file's age"))?,
        size: node.size,
        e_tag: node.e_tag.clone(),
        version: node.version.clone(),
    };
    let mut file = PartitionedFile::new_from_meta(meta).with_partition_values(reader.values(&node.partition_values)?);
    file.range = node.range_start.map(|start| FileRange { start, end: node.range_end });
    Ok(file)
}

fn count(value: u64) -> Result<usize> {
    usize::try_from(value).map_err(broken)
}

fn unsupported(what: &str) -> datafusion::error::DataFusionError {
    to_datafusion(SparkError::unsupported(format!("{what} on executors")))
}

fn lacks(part: &str) -> datafusion::error::DataFusionError {
    to_datafusion(SparkError::internal(format!("a scan came over the wire without {part}")))
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> datafusion::error::DataFusionError {
    to_datafusion(SparkError::internal("a scan came over the wire broken").source(error))
}
