//! Casts between arrays, maps and structs: element by element, field by field, by position.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::datatypes::DataType as Arrow;
use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::to_arrow;

use super::conversion::{Conversion, unknown};
use crate::errors::from_arrow;

pub(super) fn convert(conversion: &Conversion, array: &ArrayRef, from: &DataType, to: &DataType) -> Result<ArrayRef> {
    match (from, to, to_arrow(to)) {
        (DataType::Array(from, _), DataType::Array(to, _), Arrow::List(field)) => {
            let list = array.as_list::<i32>();
            let values = conversion.convert(list.values(), from, to)?;
            let list = ListArray::try_new(field, list.offsets().clone(), values, list.nulls().cloned());
            Ok(Arc::new(list.map_err(from_arrow)?))
        }
        (DataType::Map(from_key, from_value, _), DataType::Map(to_key, to_value, _), Arrow::Map(field, sorted)) => {
            let map = array.as_map();
            let columns = vec![
                conversion.convert(map.keys(), from_key, to_key)?,
                conversion.convert(map.values(), from_value, to_value)?,
            ];
            let Arrow::Struct(fields) = field.data_type().clone() else {
                return Err(SparkError::internal("a map has no entries"));
            };
            let entries = StructArray::try_new(fields, columns, None).map_err(from_arrow)?;
            let map = MapArray::try_new(field, map.offsets().clone(), entries, map.nulls().cloned(), sorted);
            Ok(Arc::new(map.map_err(from_arrow)?))
        }
        (DataType::Struct(from), DataType::Struct(to), Arrow::Struct(fields)) => {
            let values = array.as_struct();
            let columns = from
                .iter()
                .zip(to)
                .zip(values.columns())
                .map(|((from, to), column)| conversion.convert(column, &from.data_type, &to.data_type))
                .collect::<Result<Vec<_>>>()?;
            let nulls = values.nulls().cloned();
            let result = StructArray::try_new_with_length(fields, columns, nulls, values.len());
            Ok(Arc::new(result.map_err(from_arrow)?))
        }
        _ => Err(unknown(from, to)),
    }
}
