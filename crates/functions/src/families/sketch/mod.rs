//! Sketches: small summaries of many values, in the formats of Apache DataSketches, as Spark keeps them.
//!
//! ```text
//!   hll    how many distinct values            theta  the same, with set operations
//!   tuple  distinct keys, with a number each   kll    ranks and quantiles
//!   top_k  the most frequent values            counts how often a value is there (Spark's own format)
//! ```

pub(crate) mod counts;
pub(crate) mod hll;
pub(crate) mod kll;
pub(crate) mod theta;
pub(crate) mod top_k;
pub(crate) mod tuple;
mod tuple_number;
pub(crate) mod tuple_theta;

use std::hash::{Hash, Hasher};

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType as Arrow, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use datafusion::common::ScalarValue;
use datasketches::hash::value::{canonical_float, raw_bytes};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::rows::fold;
use crate::call::{CallModifiers, FunctionContext, Typed};
use crate::coercion::{self, Accepts};

/// What a sketch hashes: numbers as they are, texts as their bytes. `None` for values that sketches pass over.
pub(crate) enum Item<'a> {
    Long(i64),
    Double(f64),
    Bytes(&'a [u8]),
    /// An array's numbers, one behind the other.
    Packed(Vec<u8>),
}

impl Hash for Item<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Long(value) => value.hash(state),
            Self::Double(value) => canonical_float::from_f64(*value).hash(state),
            Self::Bytes(bytes) => raw_bytes::from_slice(bytes).hash(state),
            Self::Packed(bytes) => raw_bytes::from_slice(bytes).hash(state),
        }
    }
}

/// The value in a row that is not null.
pub(crate) fn item(column: &ArrayRef, row: usize) -> Result<Option<Item<'_>>> {
    Ok(Some(match column.data_type() {
        Arrow::Int8 => Item::Long(i64::from(column.as_primitive::<Int8Type>().value(row))),
        Arrow::Int16 => Item::Long(i64::from(column.as_primitive::<Int16Type>().value(row))),
        Arrow::Int32 => Item::Long(i64::from(column.as_primitive::<Int32Type>().value(row))),
        Arrow::Int64 => Item::Long(column.as_primitive::<Int64Type>().value(row)),
        Arrow::Float32 => Item::Double(f64::from(column.as_primitive::<Float32Type>().value(row))),
        Arrow::Float64 => Item::Double(column.as_primitive::<Float64Type>().value(row)),
        Arrow::Utf8 => Item::Bytes(column.as_string::<i32>().value(row).as_bytes()),
        Arrow::Binary => Item::Bytes(column.as_binary::<i32>().value(row)),
        Arrow::List(_) => Item::Packed(packed(&column.as_list::<i32>().value(row))?),
        other => return Err(SparkError::internal(format!("a sketch of {other}"))),
    })
    // Empty texts and arrays are no values to DataSketches.
    .filter(|item| !matches!(item, Item::Bytes([])) && !matches!(item, Item::Packed(bytes) if bytes.is_empty())))
}

/// The numbers of an array, each lowest byte first; a null is 0, as in Java's arrays.
fn packed(numbers: &ArrayRef) -> Result<Vec<u8>> {
    Ok(match numbers.data_type() {
        Arrow::Int32 => {
            let numbers = numbers.as_primitive::<Int32Type>();
            numbers.iter().flat_map(|number| number.unwrap_or_default().to_le_bytes()).collect()
        }
        Arrow::Int64 => {
            let numbers = numbers.as_primitive::<Int64Type>();
            numbers.iter().flat_map(|number| number.unwrap_or_default().to_le_bytes()).collect()
        }
        other => return Err(SparkError::internal(format!("a sketch of arrays of {other}"))),
    })
}

/// The bytes of a BINARY argument's row.
pub(crate) fn bytes(column: &ArrayRef, row: usize) -> &[u8] {
    column.as_binary::<i32>().value(row)
}

/// An INT, to which nothing is cast.
pub(crate) const INT_ONLY: Accepts = Accepts::Only(&[Accepts::Is(DataType::Integer)]);

/// Adds the INT argument `i` where it is left out.
pub(crate) fn complete(arguments: &mut Vec<Typed>, i: usize, default: i32) {
    if arguments.len() <= i {
        arguments.push(super::rows::int_literal(default));
    }
}

/// A constant INT; NULL is `null`. `None` where the argument is not constant.
pub(crate) fn constant_int(argument: &Typed, null: i32) -> Option<i32> {
    match fold(argument)?.cast_to(&Arrow::Int32) {
        Ok(ScalarValue::Int32(value)) => Some(value.unwrap_or(null)),
        _ => None,
    }
}

/// What `lgNomEntries` is where it is left out.
pub(crate) const NOMINAL_ENTRIES: i32 = 12;

/// `lgNomEntries` of theta and tuple sketches.
pub(crate) fn nominal_entries(name: &str, argument: &Typed) -> Result<i32> {
    let value = constant_int(argument, 0).ok_or_else(|| {
        SparkError::new(&error_class::THETA_LG_NOM_ENTRIES_MUST_BE_CONSTANT).param("function", format!("`{name}`"))
    })?;
    if (4..=26).contains(&value) {
        return Ok(value);
    }
    Err(SparkError::new(&error_class::SKETCH_INVALID_LG_NOM_ENTRIES)
        .param("function", format!("`{name}`"))
        .param("min", "4")
        .param("max", "26")
        .param("value", value.to_string()))
}

/// What sketches of distinct values take.
pub(crate) const COUNTED: Accepts = Accepts::OneOf(&[
    Accepts::ArrayOf(&Accepts::Is(DataType::Integer)),
    Accepts::ArrayOf(&Accepts::Is(DataType::Long)),
    Accepts::Is(DataType::Binary),
    Accepts::Is(DataType::Double),
    Accepts::Is(DataType::Float),
    Accepts::Is(DataType::Integer),
    Accepts::Is(DataType::Long),
    Accepts::String,
]);

/// The arguments of an aggregate, coerced, and its text.
pub(crate) fn prepared(
    ctx: &FunctionContext,
    name: &str,
    arguments: Vec<Typed>,
    modifiers: &CallModifiers,
    accepts: &[Accepts],
) -> Result<(Vec<Typed>, String)> {
    let sql = super::aggregate::aggregate_sql(name, &arguments, modifiers);
    Ok((coercion::coerce_arguments(ctx, name, arguments, accepts)?, sql))
}
