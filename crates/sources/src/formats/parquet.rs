//! Parquet footers to Spark's schema.

use bytes::Bytes;
use datafusion::config::TableParquetOptions;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::types_arrow::from_arrow_fields;
use firesteel_spec::{DataType, StructField};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use parquet::arrow::parquet_to_arrow_schema;
use parquet::basic::Type as PhysicalType;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::fields::same_name;
use crate::error::{is_corrupt, unreadable, while_reading, while_reading_footer};
use crate::options::Options;
use crate::settings::Settings;
use crate::text::blocks::Source;

/// Where Spark keeps its own schema in a footer.
pub(crate) const SPARK_SCHEMA_KEY: &str = "org.apache.spark.sql.parquet.row.metadata";
const FOOTER_GUESS: u64 = 64 << 10;
const FOOTERS_AT_ONCE: usize = 16;

/// How Parquet files are read: timestamps of the old 96-bit form are instants in microseconds.
pub(crate) fn read_options() -> TableParquetOptions {
    let mut options = TableParquetOptions::default();
    options.global.coerce_int96 = Some("us".to_owned());
    options.global.coerce_int96_tz = Some("UTC".to_owned());
    options.global.pruning = true;
    options.global.enable_page_index = true;
    options.global.schema_force_view_types = false;
    options.global.pushdown_filters = false;
    options
}

/// The schema of the first readable file, or of all files merged.
pub(super) async fn infer(
    sources: &[Source],
    options: &Options,
    settings: &Settings,
) -> Result<Option<Vec<StructField>>> {
    let merge = options.flag("mergeSchema", settings.parquet_merge_schema)?;
    let ignores_corrupt = options.flag("ignoreCorruptFiles", settings.ignore_corrupt_files)?;
    if !merge {
        for source in sources {
            match footer(source).await {
                Ok(metadata) => return Ok(Some(fields(&metadata, source)?)),
                Err(failure) if ignores_corrupt && is_corrupt(&failure) => {}
                Err(failure) => return Err(failure),
            }
        }
        return Ok(None);
    }
    let schemas: Vec<Option<Vec<StructField>>> = futures::stream::iter(sources.to_vec())
        .map(|source| async move {
            match footer(&source).await {
                Err(failure) if ignores_corrupt && is_corrupt(&failure) => Ok(None),
                footer => fields(&footer?, &source).map(Some),
            }
        })
        .buffered(FOOTERS_AT_ONCE)
        .try_collect()
        .await?;
    let mut merged: Option<Vec<StructField>> = None;
    for schema in schemas.into_iter().flatten() {
        merged = Some(match merged {
            None => schema,
            Some(so_far) => merge_fields(so_far, schema, settings.case_sensitive)?,
        });
    }
    Ok(merged)
}

/// Reads the footer of a file, mostly with one request.
pub(crate) async fn footer(source: &Source) -> Result<ParquetMetaData> {
    let mut wanted = FOOTER_GUESS.min(source.size);
    loop {
        let range = source.size - wanted..source.size;
        let tail: Bytes =
            source.store.get_range(&source.path, range).await.map_err(|error| while_reading(error, &source.shown))?;
        let mut reader = ParquetMetaDataReader::new();
        match reader.try_parse_sized(&tail, source.size) {
            Ok(()) => return reader.finish().map_err(|error| while_reading_footer(&source.shown, error)),
            Err(ParquetError::NeedMoreData(more)) if wanted < source.size => {
                wanted = (more as u64).max(wanted * 2).min(source.size);
            }
            Err(error) => return Err(while_reading_footer(&source.shown, error)),
        }
    }
}

fn fields(metadata: &ParquetMetaData, source: &Source) -> Result<Vec<StructField>> {
    let file = metadata.file_metadata();
    let pairs = file.key_value_metadata();
    let told = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == SPARK_SCHEMA_KEY));
    let told = told.and_then(|pair| pair.value.as_deref()).and_then(|text| DataType::parse_json(text).ok());
    if let Some(DataType::Struct(fields)) = told {
        return Ok(fields);
    }
    let schema = file.schema_descr();
    let arrow = parquet_to_arrow_schema(schema, pairs).map_err(|error| unreadable(&source.shown, error))?;
    let mut fields = from_arrow_fields(arrow.fields())
        .ok_or_else(|| SparkError::unsupported(format!("a column type of the Parquet file {}", source.shown)))?;
    for (field, root) in fields.iter_mut().zip(schema.root_schema().get_fields()) {
        if root.is_primitive() && root.get_physical_type() == PhysicalType::INT96 {
            field.data_type = DataType::Timestamp;
        }
        field.metadata = None;
    }
    Ok(fields)
}

/// Fields of both schemas, those of the left first.
///
/// Errors: `CANNOT_MERGE_SCHEMAS` where a field has types that do not go together.
fn merge_fields(left: Vec<StructField>, right: Vec<StructField>, case_sensitive: bool) -> Result<Vec<StructField>> {
    let mut merged = left;
    for field in right {
        match merged.iter_mut().find(|other| same_name(&other.name, &field.name, case_sensitive)) {
            None => merged.push(field),
            Some(other) => {
                other.data_type = merge_types(&other.data_type, &field.data_type, case_sensitive)?;
                other.nullable |= field.nullable;
            }
        }
    }
    Ok(merged)
}

fn merge_types(left: &DataType, right: &DataType, case_sensitive: bool) -> Result<DataType> {
    Ok(match (left, right) {
        (a, b) if a == b => a.clone(),
        (DataType::Null, other) | (other, DataType::Null) => other.clone(),
        (DataType::Struct(a), DataType::Struct(b)) => {
            DataType::Struct(merge_fields(a.clone(), b.clone(), case_sensitive)?)
        }
        (DataType::Array(a, x), DataType::Array(b, y)) => {
            DataType::Array(Box::new(merge_types(a, b, case_sensitive)?), *x || *y)
        }
        (DataType::Map(k1, v1, x), DataType::Map(k2, v2, y)) => DataType::Map(
            Box::new(merge_types(k1, k2, case_sensitive)?),
            Box::new(merge_types(v1, v2, case_sensitive)?),
            *x || *y,
        ),
        (DataType::Decimal(p1, s1), DataType::Decimal(p2, s2)) if s1 == s2 => DataType::Decimal(*p1.max(p2), *s1),
        _ => {
            return Err(SparkError::new(&error_class::CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE)
                .param("left", format!("\"{}\"", left.sql()))
                .param("right", format!("\"{}\"", right.sql())));
        }
    })
}
