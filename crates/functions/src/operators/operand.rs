//! Two operands, either of them constant, walked together without copies.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanBufferBuilder, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::ArrowNativeTypeOp;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ColumnarValue;
use firesteel_model::{Result, SparkError};

use crate::cast::Mode;
use crate::errors::from_datafusion;
use crate::udf::KernelContext;

/// An operand.
pub(super) enum Operand<T: ArrowPrimitiveType> {
    Array(PrimitiveArray<T>),
    Constant(Option<T::Native>),
}

impl<T: ArrowPrimitiveType> Operand<T> {
    pub(super) fn new(value: &ColumnarValue) -> Result<Self> {
        Ok(match value {
            ColumnarValue::Array(array) => Self::Array(array.as_primitive::<T>().clone()),
            ColumnarValue::Scalar(scalar) => {
                let array = scalar.to_array().map_err(from_datafusion)?;
                let array = array.as_primitive::<T>();
                Self::Constant(array.is_valid(0).then(|| array.value(0)))
            }
        })
    }

    fn nulls(&self) -> Option<&NullBuffer> {
        match self {
            Self::Array(array) => array.nulls(),
            Self::Constant(_) => None,
        }
    }
}

/// The mode that a kernel's context says.
pub(super) fn mode(context: &KernelContext) -> Mode {
    match (context.options.iter().any(|option| option == "try"), context.ansi) {
        (true, _) => Mode::Try,
        (false, true) => Mode::Ansi,
        (false, false) => Mode::Legacy,
    }
}

/// Applies `f` to every pair; a pair without result raises `error` in ANSI mode and is NULL otherwise.
pub(super) fn zip<L, R, O>(
    context: &KernelContext,
    values: &[ColumnarValue],
    rows: usize,
    f: impl Fn(L::Native, R::Native) -> Option<O::Native>,
    error: impl Fn(L::Native, R::Native) -> SparkError,
) -> Result<ColumnarValue>
where
    L: ArrowPrimitiveType,
    R: ArrowPrimitiveType,
    O: ArrowPrimitiveType,
    O::Native: ArrowNativeTypeOp,
{
    let (left, right) = (Operand::<L>::new(&values[0])?, Operand::<R>::new(&values[1])?);
    let is_strict = mode(context) == Mode::Ansi;
    let array = match (&left, &right) {
        (Operand::Constant(None), _) | (_, Operand::Constant(None)) => {
            PrimitiveArray::<O>::new_null(constant_rows(values, rows))
        }
        (Operand::Constant(Some(a)), Operand::Constant(Some(b))) => {
            walk::<O>(1, None, is_strict, |_| f(*a, *b), |_| error(*a, *b))?
        }
        (Operand::Array(a), Operand::Constant(Some(b))) => {
            let (a, b) = (a.values(), *b);
            walk::<O>(a.len(), left.nulls().cloned(), is_strict, |i| f(a[i], b), |i| error(a[i], b))?
        }
        (Operand::Constant(Some(a)), Operand::Array(b)) => {
            let (a, b) = (*a, b.values());
            walk::<O>(b.len(), right.nulls().cloned(), is_strict, |i| f(a, b[i]), |i| error(a, b[i]))?
        }
        (Operand::Array(a), Operand::Array(b)) => {
            let nulls = NullBuffer::union(a.nulls(), b.nulls());
            let (a, b) = (a.values(), b.values());
            walk::<O>(a.len(), nulls, is_strict, |i| f(a[i], b[i]), |i| error(a[i], b[i]))?
        }
    };
    finish(values, Arc::new(array.with_data_type(firesteel_spec::types_arrow::to_arrow(&context.result))))
}

fn constant_rows(values: &[ColumnarValue], rows: usize) -> usize {
    if values.iter().all(|value| matches!(value, ColumnarValue::Scalar(_))) { 1 } else { rows }
}

/// A result of constants is a constant.
pub(super) fn finish(values: &[ColumnarValue], array: ArrayRef) -> Result<ColumnarValue> {
    if values.iter().all(|value| matches!(value, ColumnarValue::Scalar(_))) {
        return ScalarValue::try_from_array(&array, 0).map(ColumnarValue::Scalar).map_err(from_datafusion);
    }
    Ok(ColumnarValue::Array(array))
}

fn walk<O: ArrowPrimitiveType>(
    rows: usize,
    nulls: Option<NullBuffer>,
    is_strict: bool,
    f: impl Fn(usize) -> Option<O::Native>,
    error: impl Fn(usize) -> SparkError,
) -> Result<PrimitiveArray<O>> {
    let mut missing: Vec<usize> = Vec::new();
    let each = (0..rows).map(|row| {
        f(row).unwrap_or_else(|| {
            missing.push(row);
            O::Native::default()
        })
    });
    let out: Vec<O::Native> = each.collect();
    // Rows that are null anyway may have failed on what lies under the null.
    missing.retain(|row| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row)));
    if missing.is_empty() {
        return Ok(PrimitiveArray::new(out.into(), nulls));
    }
    if is_strict {
        return Err(error(missing[0]));
    }
    let mut valid = BooleanBufferBuilder::new(rows);
    match &nulls {
        Some(nulls) => valid.append_buffer(nulls.inner()),
        None => valid.append_n(rows, true),
    }
    for row in missing {
        valid.set_bit(row, false);
    }
    Ok(PrimitiveArray::new(out.into(), Some(NullBuffer::new(valid.finish()))))
}
