//! Batches of a file to the columns asked for: by name, missing ones NULL, types converted.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StructArray, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType};
use firesteel_functions::datetime::Zone;
use firesteel_model::{Result, SparkError, error_class};

use super::fields::{same_name, value_added_later};
use crate::error::{from_arrow, from_datafusion};

/// How the columns of files become those of the table.
#[derive(Clone)]
pub(crate) struct Adapter {
    pub(crate) wanted: SchemaRef,
    pub(crate) case_sensitive: bool,
    /// The zone of wall clocks that become instants.
    pub(crate) zone: Zone,
    pub(crate) shown: String,
}

impl Adapter {
    /// The file's columns that are needed.
    pub(crate) fn needed(&self, file: &Schema) -> Vec<usize> {
        self.wanted.fields().iter().filter_map(|field| self.position(field, file)).collect()
    }

    fn position(&self, field: &Field, file: &Schema) -> Option<usize> {
        let exact = file.fields().iter().position(|other| other.name() == field.name());
        let same = |other: &Arc<Field>| same_name(other.name(), field.name(), self.case_sensitive);
        exact.or_else(|| file.fields().iter().position(same))
    }

    /// The batch as the table wants it.
    pub(crate) fn adapt(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let file = batch.schema();
        let columns = self.wanted.fields().iter().map(|field| match self.position(field, &file) {
            None => self.missing(field, batch.num_rows()),
            Some(index) => self.convert(batch.column(index), field),
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.wanted), columns, &options).map_err(from_arrow)
    }

    fn missing(&self, field: &Field, rows: usize) -> Result<ArrayRef> {
        let value = value_added_later(field).and_then(|value| value.map(|v| v.to_array_of_size(rows)).transpose());
        let value = value.map_err(|error| from_datafusion(error, &self.shown))?;
        Ok(value.unwrap_or_else(|| new_null_array(field.data_type(), rows)))
    }

    fn convert(&self, array: &ArrayRef, field: &Field) -> Result<ArrayRef> {
        if array.data_type() == field.data_type() {
            return Ok(Arc::clone(array));
        }
        match (array.data_type(), field.data_type()) {
            (DataType::Struct(_), DataType::Struct(fields)) => {
                let file = array.as_struct();
                let rows = RecordBatch::try_new_with_options(
                    Arc::new(Schema::new(file.fields().clone())),
                    file.columns().to_vec(),
                    &RecordBatchOptions::new().with_row_count(Some(file.len())),
                );
                let inner = Self { wanted: Arc::new(Schema::new(fields.clone())), ..self.clone() };
                let rows = inner.adapt(&rows.map_err(from_arrow)?)?;
                let adapted = StructArray::try_new_with_length(
                    fields.clone(),
                    rows.columns().to_vec(),
                    file.nulls().cloned(),
                    file.len(),
                );
                Ok(Arc::new(adapted.map_err(from_arrow)?))
            }
            (DataType::Timestamp(_, None), DataType::Timestamp(TimeUnit::Microsecond, Some(_))) => {
                self.instants(array, field)
            }
            _ => self.cast(array, field),
        }
    }

    fn instants(&self, array: &ArrayRef, field: &Field) -> Result<ArrayRef> {
        let local =
            self.cast(array, &field.clone().with_data_type(DataType::Timestamp(TimeUnit::Microsecond, None)))?;
        let local = local.as_primitive::<TimestampMicrosecondType>();
        let instants = local.unary::<_, TimestampMicrosecondType>(|clock| self.zone.to_instant(clock));
        Ok(Arc::new(instants.with_data_type(field.data_type().clone())))
    }

    fn cast(&self, array: &ArrayRef, field: &Field) -> Result<ArrayRef> {
        let options = CastOptions { safe: false, ..CastOptions::default() };
        cast_with_options(array, field.data_type(), &options).map_err(|error| {
            SparkError::new(&error_class::FAILED_READ_FILE_NO_HINT).param("path", &self.shown).source(error)
        })
    }
}
