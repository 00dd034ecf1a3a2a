//! Batches as workers want them and as the engine wants them back.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatchOptions, StructArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result, internal_err};
use firesteel_model::{SparkError, error_class};
use firesteel_python::PythonSession;

/// The setting that says in which zone functions see moments.
const TIME_ZONE: &str = "spark.sql.session.timeZone";

/// Columns as a worker sees them: the user's names, moments in the session's zone.
#[derive(Clone, Debug)]
pub(crate) struct WorkerSchema {
    pub(crate) schema: SchemaRef,
    rows_max: usize,
    bytes_max: usize,
}

impl WorkerSchema {
    /// Columns of these types under these names.
    pub(crate) fn new<'a>(columns: impl Iterator<Item = (&'a str, &'a Field)>, session: &PythonSession) -> Self {
        let zone: Option<Arc<str>> = session.conf.get(TIME_ZONE).map(|zone| zone.as_str().into());
        let field = |(name, field): (&str, &Field)| {
            Field::new(name, zoned(field.data_type(), zone.as_ref()), field.is_nullable())
        };
        let fields: Vec<Field> = columns.map(field).collect();
        Self {
            schema: Arc::new(Schema::new(fields)),
            rows_max: session.batch_rows_max(),
            bytes_max: session.batch_bytes.max(1),
        }
    }

    /// The columns under the worker's names and types.
    pub(crate) fn batch(&self, columns: &[ArrayRef], rows: usize) -> Result<RecordBatch> {
        let fields = self.schema.fields();
        let columns = columns.iter().zip(fields).map(|(column, field)| converted(column, field.data_type()));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &with_rows(rows))?)
    }

    /// A batch in pieces no larger than functions may get.
    pub(crate) fn pieces(&self, batch: &RecordBatch) -> Vec<RecordBatch> {
        let rows = batch.num_rows();
        let row_bytes = batch.get_array_memory_size().div_ceil(rows.max(1)).max(1);
        let step = self.rows_max.min((self.bytes_max / row_bytes).max(1));
        if rows <= step {
            return vec![batch.clone()];
        }
        (0..rows).step_by(step).map(|start| batch.slice(start, step.min(rows - start))).collect()
    }
}

/// The type with its moments in a zone.
fn zoned(data_type: &DataType, zone: Option<&Arc<str>>) -> DataType {
    let inner =
        |field: &FieldRef| Arc::new(Field::new(field.name(), zoned(field.data_type(), zone), field.is_nullable()));
    match data_type {
        DataType::Timestamp(unit, Some(own)) => DataType::Timestamp(*unit, Some(Arc::clone(zone.unwrap_or(own)))),
        DataType::List(element) => DataType::List(inner(element)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::Map(entries, sorted) => DataType::Map(inner(entries), *sorted),
        other => other.clone(),
    }
}

/// The batch as one struct column, which is how whole rows travel.
pub(crate) fn wrapped(batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = wrapped_schema(&batch.schema());
    let rows = match batch.num_columns() {
        0 => StructArray::new_empty_fields(batch.num_rows(), None),
        _ => StructArray::from(batch.clone()),
    };
    Ok(RecordBatch::try_new(schema, vec![Arc::new(rows)])?)
}

/// The schema of one struct column.
pub(crate) fn wrapped_schema(schema: &SchemaRef) -> SchemaRef {
    let fields = DataType::Struct(schema.fields().clone());
    Arc::new(Schema::new(vec![Field::new("struct", fields, false)]))
}

/// The rows of one struct column.
pub(crate) fn unwrapped(batch: &RecordBatch) -> Result<(Vec<FieldRef>, Vec<ArrayRef>)> {
    let rows = batch.columns().first().and_then(|column| column.as_any().downcast_ref::<StructArray>());
    let Some(rows) = rows else { return internal_err!("a Python worker sent no rows but {:?}", batch.schema()) };
    Ok((rows.fields().iter().cloned().collect(), rows.columns().to_vec()))
}

/// Columns from a worker under the engine's schema.
///
/// Errors: ARROW_TYPE_MISMATCH where there are more or fewer columns, or of other types.
pub(crate) fn conformed(
    operation: &str,
    fields: &[FieldRef],
    columns: Vec<ArrayRef>,
    rows: usize,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let wanted = schema.fields();
    let alike = |(given, wanted): (&FieldRef, &FieldRef)| same_kind(given.data_type(), wanted.data_type());
    if fields.len() != wanted.len() || !fields.iter().zip(wanted).all(alike) {
        let mismatch = SparkError::new(&error_class::ARROW_TYPE_MISMATCH)
            .param("operation", operation)
            .param("outputTypes", types(wanted))
            .param("actualDataTypes", types(fields));
        return Err(DataFusionError::External(Box::new(mismatch)));
    }
    let columns = columns.iter().zip(wanted).map(|(column, field)| converted(column, field.data_type()));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &with_rows(rows))?)
}

fn types<'a>(fields: impl IntoIterator<Item = &'a FieldRef>) -> String {
    let types: Vec<String> = fields.into_iter().map(|field| field.data_type().to_string()).collect();
    format!("[{}]", types.join(", "))
}

fn with_rows(rows: usize) -> RecordBatchOptions {
    RecordBatchOptions::new().with_row_count(Some(rows))
}

/// The column in a type that says the same in another way; mostly it is that type already.
fn converted(column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
    if column.data_type() == wanted {
        return Ok(Arc::clone(column));
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    Ok(cast_with_options(column, wanted, &options)?)
}

/// Whether two types hold the same values of Spark's: names of list elements, zones and widths of offsets do not count.
fn same_kind(left: &DataType, right: &DataType) -> bool {
    use DataType::{
        Binary, BinaryView, Date32, Duration, FixedSizeBinary, FixedSizeList, LargeBinary, LargeList, LargeUtf8, List,
        Map, Struct, Time64, Timestamp, Utf8, Utf8View,
    };
    let fields = |l: &[FieldRef], r: &[FieldRef]| {
        l.len() == r.len() && l.iter().zip(r).all(|(l, r)| same_kind(l.data_type(), r.data_type()))
    };
    match (left, right) {
        (Utf8 | LargeUtf8 | Utf8View, Utf8 | LargeUtf8 | Utf8View) => true,
        (Binary | LargeBinary | BinaryView | FixedSizeBinary(_), Binary) => true,
        (Timestamp(_, l), Timestamp(_, r)) => l.is_some() == r.is_some(),
        (Duration(_), Duration(_)) | (Time64(_), Time64(_)) | (Date32, Date32) => true,
        (List(l) | LargeList(l) | FixedSizeList(l, _), List(r)) => same_kind(l.data_type(), r.data_type()),
        (Struct(l), Struct(r)) => fields(l, r),
        (Map(l, _), Map(r, _)) => same_kind(l.data_type(), r.data_type()),
        (left, right) => left == right,
    }
}
