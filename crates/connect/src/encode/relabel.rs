//! Batches as the engine has them into batches as the client expects them.
//!
//! The user's names instead of the engine's, the session's zone on instants, plain strings instead of views, and no
//! metadata of ours. Values are not copied unless their representation differs.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, LargeListArray, ListArray, MapArray, RecordBatch, RecordBatchOptions,
    StructArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType as Arrow, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use firesteel_model::{Result, SparkError};
use firesteel_spec::types::StructField;
use firesteel_spec::types_arrow::to_arrow;

/// The schema that the client sees.
#[derive(Clone, Debug)]
pub(crate) struct ClientSchema(SchemaRef);

impl ClientSchema {
    /// For these columns and the session's time zone.
    pub(crate) fn new(fields: &[StructField], zone: &str) -> Self {
        let fields: Fields = fields
            .iter()
            .map(|field| Field::new(&field.name, labelled(&to_arrow(&field.data_type), zone), field.nullable))
            .collect();
        Self(Arc::new(Schema::new(fields)))
    }

    /// The Arrow schema.
    pub(crate) fn arrow(&self) -> &SchemaRef {
        &self.0
    }

    /// The batch with this schema.
    ///
    /// Errors: a defect of the engine where the columns are not those it announced.
    pub(crate) fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        if batch.num_columns() != self.0.fields().len() {
            return Err(SparkError::internal(format!(
                "a result of {} columns was announced with {}",
                batch.num_columns(),
                self.0.fields().len()
            )));
        }
        let columns = batch.columns().iter().zip(self.0.fields()).map(|(column, field)| relabel(column, field));
        let columns = columns.collect::<std::result::Result<Vec<_>, _>>().map_err(defect)?;
        // What the engine calls nullable may be more than what it announced; the values decide.
        let fields = self.0.fields().iter().zip(&columns).map(|(field, column)| {
            if column.null_count() > 0 && !field.is_nullable() {
                Arc::new(field.as_ref().clone().with_nullable(true))
            } else {
                field.clone()
            }
        });
        let schema = Arc::new(Schema::new(fields.collect::<Fields>()));
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(schema, columns, &options).map_err(defect)
    }
}

/// The type with the session's zone on every instant and without metadata.
fn labelled(of: &Arrow, zone: &str) -> Arrow {
    let field = |field: &FieldRef| {
        let metadata = if is_variant_part(field) { field.metadata().clone() } else { Default::default() };
        Arc::new(
            Field::new(field.name(), labelled(field.data_type(), zone), field.is_nullable()).with_metadata(metadata),
        )
    };
    match of {
        Arrow::Timestamp(unit, Some(_)) => Arrow::Timestamp(*unit, Some(zone.into())),
        Arrow::List(element) => Arrow::List(field(element)),
        Arrow::Map(entries, sorted) => Arrow::Map(field(entries), *sorted),
        Arrow::Struct(fields) => Arrow::Struct(fields.iter().map(field).collect()),
        other => other.clone(),
    }
}

/// The client knows a variant by metadata on one of its two parts.
fn is_variant_part(field: &Field) -> bool {
    field.metadata().contains_key("variant")
}

fn relabel(array: &ArrayRef, field: &Field) -> std::result::Result<ArrayRef, ArrowError> {
    let wanted = field.data_type();
    if array.data_type() == wanted {
        return Ok(array.clone());
    }
    match (array.data_type(), wanted) {
        (Arrow::Timestamp(TimeUnit::Microsecond, Some(_)), Arrow::Timestamp(TimeUnit::Microsecond, zone)) => {
            let instants = array.as_primitive::<TimestampMicrosecondType>().clone();
            Ok(Arc::new(instants.with_timezone_opt(zone.clone())))
        }
        (Arrow::Struct(_), Arrow::Struct(fields)) => {
            relabel_struct(array.as_struct(), fields).map(|a| Arc::new(a) as _)
        }
        (Arrow::List(_), Arrow::List(element)) => {
            let list: &ListArray = array.as_list();
            let values = relabel(list.values(), element)?;
            let list = ListArray::try_new(element.clone(), list.offsets().clone(), values, list.nulls().cloned())?;
            Ok(Arc::new(list))
        }
        (Arrow::Map(..), Arrow::Map(entries, sorted)) => {
            let map = array.as_map();
            let Arrow::Struct(fields) = entries.data_type() else {
                return Err(ArrowError::SchemaError("the entries of a map are no struct".to_owned()));
            };
            let values = relabel_struct(map.entries(), fields)?;
            let offsets = map.offsets().clone();
            Ok(Arc::new(MapArray::try_new(entries.clone(), offsets, values, map.nulls().cloned(), *sorted)?))
        }
        (Arrow::LargeList(_), Arrow::List(element)) => {
            let list: &LargeListArray = array.as_list();
            let values = relabel(list.values(), element)?;
            let list = LargeListArray::try_new(element.clone(), list.offsets().clone(), values, list.nulls().cloned())?;
            cast(&(Arc::new(list) as ArrayRef), wanted)
        }
        (Arrow::FixedSizeList(_, size), Arrow::List(element)) => {
            let list: &FixedSizeListArray = array.as_fixed_size_list();
            let values = relabel(list.values(), element)?;
            let list = FixedSizeListArray::try_new(element.clone(), *size, values, list.nulls().cloned())?;
            cast(&(Arc::new(list) as ArrayRef), wanted)
        }
        _ => cast(array, wanted),
    }
}

fn relabel_struct(array: &StructArray, fields: &Fields) -> std::result::Result<StructArray, ArrowError> {
    if array.num_columns() != fields.len() {
        return Err(ArrowError::SchemaError("a struct has other fields than announced".to_owned()));
    }
    let columns = array.columns().iter().zip(fields).map(|(column, field)| relabel(column, field));
    let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
    StructArray::try_new_with_length(fields.clone(), columns, array.nulls().cloned(), array.len())
}

fn cast(array: &ArrayRef, wanted: &Arrow) -> std::result::Result<ArrayRef, ArrowError> {
    cast_with_options(array, wanted, &CastOptions { safe: false, ..Default::default() })
}

fn defect(error: ArrowError) -> SparkError {
    SparkError::internal(format!("a result does not fit the schema announced for it: {error}")).source(error)
}
