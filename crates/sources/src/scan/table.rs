//! The table provider.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Statistics, stats::Precision};
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, FileSource, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use firesteel_model::Result;
use firesteel_spec::StructField;
use firesteel_spec::types::FILE_METADATA;
use firesteel_spec::types_arrow::{to_arrow_field, to_arrow_schema};

use super::metadata;
use super::parquet::ParquetFiles;
use super::prune::{is_partition_only, prune};
use super::request::position;
use super::source::{FormatSource, SourceSpec};
use super::split::pack;
use crate::error::to_datafusion;
use crate::formats::Format;
use crate::formats::parquet::read_options;
use crate::formats::parquet_adapter::ParquetAdapter;
use crate::listing::Listing;

/// Files with a schema.
///
/// Guarantees: a scan has as many partitions as Spark would make, each readable on its own; strings are Utf8,
/// timestamps microseconds; partition-only filters are exact, others are left to the plan above. As a provider it has
/// one column more than `fields`, `_metadata`, unless the files have one of that name.
pub struct FileTable {
    spec: Arc<SourceSpec>,
    listing: Listing,
    /// Columns in files, then partition columns.
    table_schema: TableSchema,
    /// The same, then `_metadata`.
    metadata_schema: TableSchema,
    fields: Vec<StructField>,
    schema: SchemaRef,
    /// For each column shown, its place in `table_schema`.
    order: Vec<usize>,
}

impl FileTable {
    pub(super) fn new(spec: Arc<SourceSpec>, listing: Listing, columns: Vec<StructField>) -> Result<Self> {
        let sensitive = spec.settings.case_sensitive;
        let partitions = &listing.partition_fields;
        let in_files: Vec<StructField> =
            columns.iter().filter(|field| position(partitions, &field.name, sensitive).is_none()).cloned().collect();
        let mut fields = Vec::new();
        let mut order = Vec::new();
        for field in &columns {
            match position(partitions, &field.name, sensitive) {
                None => order.extend(position(&in_files, &field.name, true)),
                Some(index) => order.push(in_files.len() + index),
            }
            fields.push(field.clone());
        }
        for (index, field) in partitions.iter().enumerate() {
            if position(&columns, &field.name, sensitive).is_none() {
                order.push(in_files.len() + index);
                fields.push(field.clone());
            }
        }
        let metadata = to_arrow_field(&metadata::field());
        let partition_fields: Vec<FieldRef> = partitions
            .iter()
            .map(|field| {
                let name = position(&columns, &field.name, sensitive).map_or(&field.name, |at| &columns[at].name);
                Arc::new(to_arrow_field(&StructField { name: name.clone(), ..field.clone() }))
            })
            .collect();
        let file_schema = Arc::new(to_arrow_schema(&in_files));
        let described = |partition_fields: Vec<FieldRef>| {
            TableSchema::builder(Arc::clone(&file_schema)).with_table_partition_cols(partition_fields).build()
        };
        let table_schema = described(partition_fields.clone());
        let metadata_schema = described(partition_fields.into_iter().chain([Arc::new(metadata)]).collect());
        let all = metadata_schema.table_schema();
        let mut shown: Vec<FieldRef> = order.iter().map(|&index| Arc::clone(&all.fields()[index])).collect();
        for (field, arrow) in fields.iter_mut().zip(&shown) {
            if let Some(typed) = firesteel_spec::types_arrow::from_arrow_field(arrow) {
                *field = typed;
            }
        }
        if position(&fields, FILE_METADATA, sensitive).is_none() {
            order.push(all.fields().len() - 1);
            shown.extend(all.fields().last().cloned());
        }
        Ok(Self { spec, listing, table_schema, metadata_schema, fields, schema: Arc::new(Schema::new(shown)), order })
    }

    /// The columns in Spark's types.
    pub fn fields(&self) -> &[StructField] {
        &self.fields
    }

    /// Whether both read the same columns of the same files in the same way.
    pub fn is_same(&self, other: &Self) -> bool {
        let files = |table: &Self| table.listing.files.iter().map(|file| file.meta.clone()).collect::<Vec<_>>();
        self.spec == other.spec
            && self.fields == other.fields
            && self.schema == other.schema
            && self.listing.location.show() == other.listing.location.show()
            && files(self) == files(other)
    }

    /// The format.
    pub fn format(&self) -> Format {
        self.spec.format
    }

    /// The files and their partition values.
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    /// The files as URLs.
    pub fn input_files(&self) -> Vec<String> {
        let url = &self.listing.location.url;
        self.listing.files.iter().map(|file| format!("{url}{}", file.meta.location)).collect()
    }

    /// The files' size together.
    pub fn size_bytes(&self) -> u64 {
        self.listing.files.iter().map(|file| file.meta.size).sum()
    }

    fn partition_fields(&self) -> Vec<FieldRef> {
        self.table_schema.table_partition_cols().iter().cloned().collect()
    }

    fn source(&self, schema: &TableSchema) -> Arc<dyn FileSource> {
        let spec = Arc::clone(&self.spec);
        match self.spec.format {
            Format::Parquet => {
                let reader = ParquetSource::new(schema.clone()).with_table_parquet_options(read_options());
                Arc::new(ParquetFiles::new(spec, reader))
            }
            _ => Arc::new(FormatSource::new(spec, schema.clone())),
        }
    }
}

impl fmt::Debug for FileTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileTable")
            .field("format", &self.spec.format)
            .field("location", &self.listing.location)
            .field("files", &self.listing.files.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for FileTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        let partitions = self.partition_fields();
        let answer = |filter: &&Expr| match is_partition_only(filter, &partitions) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(answer).collect())
    }

    fn statistics(&self) -> Option<Statistics> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        let bytes = usize::try_from(self.size_bytes()).unwrap_or(usize::MAX);
        statistics.total_byte_size = Precision::Inexact(bytes);
        Some(statistics)
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let files = prune(session, &self.listing.files, &self.partition_fields(), filters)?;
        let shown = projection.cloned().unwrap_or_else(|| (0..self.order.len()).collect());
        let has_metadata = shown.iter().any(|&index| index >= self.fields.len());
        let schema = if has_metadata { &self.metadata_schema } else { &self.table_schema };
        let location = has_metadata.then_some(&self.listing.location);
        let groups = pack(&self.spec, &files, location).map_err(to_datafusion)?;
        if groups.is_empty() {
            return Ok(Arc::new(EmptyExec::new(Arc::new(self.schema.project(&shown)?))));
        }
        let indices: Vec<usize> = shown.iter().map(|&index| self.order[index]).collect();
        let bytes: u64 = files.iter().map(|file| file.meta.size).sum();
        let mut statistics = Statistics::new_unknown(schema.table_schema());
        statistics.total_byte_size = Precision::Inexact(usize::try_from(bytes).unwrap_or(usize::MAX));
        let mut builder = FileScanConfigBuilder::new(self.listing.location.url.clone(), self.source(schema))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(Some(indices))?
            .with_limit(limit);
        if self.spec.format == Format::Parquet {
            let case_sensitive = self.spec.settings.case_sensitive;
            builder = builder.with_expr_adapter(Some(ParquetAdapter::factory(case_sensitive)));
        }
        Ok(DataSourceExec::from_data_source(builder.build()))
    }
}
