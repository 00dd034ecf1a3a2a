//! Vectors: arrays of FLOAT.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, ListArray};
use arrow::datatypes::Float32Type;
use datafusion::common::ScalarValue;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::args::Args;
use super::collection::gather::{list, range};
use super::rows::{definitions, kernels, literal};
use crate::call::{FunctionContext, Typed};
use crate::coercion::{self, Accepts, same_type};
use crate::udf;

definitions! {
    "vector_inner_product" (2, 2), Scalar(|c, a| of_pair(c, "vector_inner_product", a)), "the inner product of two vectors";
    "vector_cosine_similarity" (2, 2), Scalar(|c, a| of_pair(c, "vector_cosine_similarity", a)), "the cosine of the angle between two vectors";
    "vector_l2_distance" (2, 2), Scalar(|c, a| of_pair(c, "vector_l2_distance", a)), "the Euclidean distance of two vectors";
    "vector_norm" (1, 2), Scalar(|c, a| with_degree(c, "vector_norm", a, DataType::Float)), "the length of a vector by a norm of degree 1, 2 or infinity";
    "vector_normalize" (1, 2), Scalar(|c, a| with_degree(c, "vector_normalize", a, DataType::Array(Box::new(DataType::Float), false))), "the vector divided by its length";
}

kernels! {
    "vector_inner_product" => |a| pairs(a, "vector_inner_product", inner_product);
    "vector_cosine_similarity" => |a| pairs(a, "vector_cosine_similarity", cosine);
    "vector_l2_distance" => |a| pairs(a, "vector_l2_distance", distance);
    "vector_norm" => norms;
    "vector_normalize" => normalized;
}

/// The argument as ARRAY<FLOAT>; other numbers and NULL are not cast, as in Spark.
pub(crate) fn strict(
    ctx: &FunctionContext,
    value: Typed,
    target: &DataType,
    call: &str,
    index: usize,
) -> Result<Typed> {
    if same_type(target, &value.data_type) {
        return coercion::convert(ctx, value, target);
    }
    Err(coercion::unexpected_type(&value, &Accepts::Is(target.clone()), call, index))
}

/// ARRAY<FLOAT>
pub(crate) fn vector_type() -> DataType {
    DataType::array(DataType::Float)
}

fn of_pair(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let vector = vector_type();
    let arguments = arguments.into_iter().enumerate().map(|(i, a)| strict(ctx, a, &vector, &sql, i));
    let arguments = arguments.collect::<Result<Vec<_>>>()?;
    udf::call(ctx, name, arguments, DataType::Float, true, sql)
}

fn with_degree(ctx: &FunctionContext, name: &str, mut arguments: Vec<Typed>, result: DataType) -> Result<Typed> {
    if arguments.len() == 1 {
        arguments.push(literal(ScalarValue::Float32(Some(2.0)), DataType::Float, "2.0"));
    }
    let sql = coercion::call_sql(name, &arguments);
    let types = [vector_type(), DataType::Float];
    let arguments = arguments.into_iter().zip(&types).enumerate().map(|(i, (a, t))| strict(ctx, a, t, &sql, i));
    let arguments = arguments.collect::<Result<Vec<_>>>()?;
    udf::call(ctx, name, arguments, result, true, sql)
}

/// The vector in a row; `None` where it or any element is null.
fn vector<'v>(lists: &ListArray, elements: &'v Float32Array, row: usize) -> Option<&'v [f32]> {
    let range = range(lists, row);
    let holds_null = elements.nulls().is_some_and(|nulls| range.clone().any(|i| nulls.is_null(i)));
    (!holds_null).then(|| &elements.values()[range])
}

fn pairs(a: &Args, name: &str, f: fn(&[f32], &[f32]) -> Option<f32>) -> Result<ArrayRef> {
    let (x, y) = (a.list(0)?, a.list(1)?);
    let (xs, ys) = (x.values().as_primitive::<Float32Type>(), y.values().as_primitive::<Float32Type>());
    a.try_values::<Float32Type>(|r| {
        let (left, right) = (range(x, r).len(), range(y, r).len());
        if left != right {
            return Err(SparkError::new(&error_class::VECTOR_DIMENSION_MISMATCH)
                .param("functionName", format!("`{name}`"))
                .param("leftDim", left.to_string())
                .param("rightDim", right.to_string()));
        }
        Ok(vector(x, xs, r).zip(vector(y, ys, r)).and_then(|(x, y)| f(x, y)))
    })
}

fn dot(x: &[f32], y: &[f32]) -> f64 {
    x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
}

fn inner_product(x: &[f32], y: &[f32]) -> Option<f32> {
    Some(dot(x, y) as f32)
}

fn cosine(x: &[f32], y: &[f32]) -> Option<f32> {
    let lengths = (dot(x, x) * dot(y, y)).sqrt();
    (lengths != 0.0).then(|| (dot(x, y) / lengths) as f32)
}

fn distance(x: &[f32], y: &[f32]) -> Option<f32> {
    let squares: f64 = x.iter().zip(y).map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum();
    Some(squares.sqrt() as f32)
}

fn norm(name: &str, vector: &[f32], degree: f32) -> Result<f64> {
    let lengths = vector.iter().map(|x| f64::from(*x).abs());
    if degree == 1.0 {
        return Ok(lengths.sum());
    }
    if degree == 2.0 {
        return Ok(dot(vector, vector).sqrt());
    }
    if degree == f32::INFINITY {
        return Ok(lengths.fold(0.0, f64::max));
    }
    let mut shown = String::new();
    crate::number::write_float(&mut shown, degree);
    Err(SparkError::new(&error_class::INVALID_VECTOR_NORM_DEGREE)
        .param("functionName", format!("`{name}`"))
        .param("degree", shown))
}

fn norms(a: &Args) -> Result<ArrayRef> {
    let (x, degrees) = (a.list(0)?, a.primitive::<Float32Type>(1)?);
    let xs = x.values().as_primitive::<Float32Type>();
    a.try_values::<Float32Type>(|r| {
        vector(x, xs, r).map(|vector| Ok(norm("vector_norm", vector, degrees.value(r))? as f32)).transpose()
    })
}

fn normalized(a: &Args) -> Result<ArrayRef> {
    let (x, degrees, nulls) = (a.list(0)?, a.primitive::<Float32Type>(1)?, a.nulls());
    let xs = x.values().as_primitive::<Float32Type>();
    let (mut out, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..a.rows {
        let found = if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) { vector(x, xs, row) } else { None };
        let length =
            found.map(|vector| norm("vector_normalize", vector, degrees.value(row))).transpose()?.filter(|n| *n != 0.0);
        match (found, length) {
            (Some(vector), Some(length)) => {
                out.extend(vector.iter().map(|x| (f64::from(*x) / length) as f32));
                lengths.push(vector.len());
                valid.push(true);
            }
            _ => {
                // A vector without elements has no length, and stays as it is.
                lengths.push(0);
                valid.push(found.is_some_and(<[f32]>::is_empty));
            }
        }
    }
    let offsets = arrow::buffer::OffsetBuffer::from_lengths(lengths);
    list(&a.context.result, offsets, Arc::new(Float32Array::from(out)), Some(valid.into()))
}

/// The vector in a row as doubles; `None` where an element is null.
pub(crate) fn doubles(array: &ArrayRef, row: usize) -> Option<Vec<f64>> {
    let lists = array.as_list::<i32>();
    let found = vector(lists, lists.values().as_primitive::<Float32Type>(), row)?;
    Some(found.iter().map(|x| f64::from(*x)).collect())
}
