//! Bitmaps of 32,768 bits, and sums of vectors.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float32Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::Int64Type;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::build::{aggregate_sql, ours};
use super::summaries::{Summary, as_binary, summary_kinds};
use crate::call::{AggregateCall, CallModifiers, FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::families::collection::gather::list;
use crate::families::rows::definitions;
use crate::families::vector::{doubles, strict, vector_type};
use crate::udf::KernelContext;

definitions! {
    "bitmap_construct_agg" (1, 1), Aggregate(|c, a, m| bitmap(c, "bitmap_construct_agg", DataType::Long, a, m)), "a bitmap of the positions";
    "bitmap_or_agg" (1, 1), Aggregate(|c, a, m| bitmap(c, "bitmap_or_agg", DataType::Binary, a, m)), "the bits that any bitmap has";
    "bitmap_and_agg" (1, 1), Aggregate(|c, a, m| bitmap(c, "bitmap_and_agg", DataType::Binary, a, m)), "the bits that all bitmaps have";
    "vector_sum" (1, 1), Aggregate(|c, a, m| vectors(c, "vector_sum", a, m)), "the sum of the vectors";
    "vector_avg" (1, 1), Aggregate(|c, a, m| vectors(c, "vector_avg", a, m)), "the mean of the vectors";
}

summary_kinds! {
    "bitmap_construct_agg" = Positions;
    "bitmap_or_agg" = Any;
    "bitmap_and_agg" = All;
    "vector_sum" = Vectors;
    "vector_avg" = Vectors;
}

const BITMAP_BYTES: usize = 4_096;

fn bitmap(
    ctx: &FunctionContext,
    name: &str,
    takes: DataType,
    arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    let sql = aggregate_sql(name, &arguments, modifiers);
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[Accepts::Is(takes)])?;
    ours(ctx, name, arguments, modifiers, (DataType::Binary, false), Vec::new(), sql)
}

struct Positions(Vec<u8>);
struct Any(Vec<u8>);
struct All(Vec<u8>);

fn or(mine: &mut [u8], other: &[u8]) {
    mine.iter_mut().zip(other).for_each(|(a, b)| *a |= b);
}

/// What the shorter one lacks is 0.
fn and(mine: &mut [u8], other: &[u8]) {
    let common = other.len().min(mine.len());
    mine[common..].fill(0);
    mine.iter_mut().zip(other).for_each(|(a, b)| *a &= b);
}

macro_rules! bitmap_summary {
    ($type:ident, $start:literal, $merge:ident, $add:expr) => {
        impl Summary for $type {
            fn new(_: &KernelContext) -> Result<Self> {
                Ok(Self(vec![$start; BITMAP_BYTES]))
            }

            fn add(&mut self, _: &KernelContext, columns: &[ArrayRef], row: usize) -> Result<()> {
                let add: fn(&mut [u8], &ArrayRef, usize) -> Result<()> = $add;
                columns.first().map_or(Ok(()), |column| add(&mut self.0, column, row))
            }

            fn to_bytes(&self) -> Result<Vec<u8>> {
                Ok(self.0.clone())
            }

            fn merge(&mut self, _: &KernelContext, state: &[u8]) -> Result<()> {
                $merge(&mut self.0, state);
                Ok(())
            }

            fn size(&self) -> usize {
                BITMAP_BYTES
            }

            fn finish(context: &KernelContext, groups: Vec<Option<Self>>) -> Result<ArrayRef> {
                as_binary(groups, Some(&Self::new(context)?))
            }
        }
    };
}

bitmap_summary!(Positions, 0, or, set_position);
bitmap_summary!(Any, 0, or, |bytes, column, row| {
    or(bytes, column.as_binary::<i32>().value(row));
    Ok(())
});
bitmap_summary!(All, 0xff, and, |bytes, column, row| {
    and(bytes, column.as_binary::<i32>().value(row));
    Ok(())
});

fn set_position(bytes: &mut [u8], column: &ArrayRef, row: usize) -> Result<()> {
    let position = column.as_primitive::<Int64Type>().value(row);
    match usize::try_from(position).ok().filter(|at| at / 8 < BITMAP_BYTES) {
        Some(at) => {
            bytes[at / 8] |= 1 << (at % 8);
            Ok(())
        }
        None => Err(SparkError::new(&error_class::INVALID_BITMAP_POSITION)
            .param("bitPosition", position.to_string())
            .param("bitmapNumBytes", BITMAP_BYTES.to_string())
            .param("bitmapNumBits", (8 * BITMAP_BYTES).to_string())),
    }
}

fn vectors(
    ctx: &FunctionContext,
    name: &str,
    arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    let sql = aggregate_sql(name, &arguments, modifiers);
    let vector = vector_type();
    let arguments = arguments.into_iter().map(|a| strict(ctx, a, &vector, &sql, 0)).collect::<Result<Vec<_>>>()?;
    let result = DataType::Array(Box::new(DataType::Float), false);
    ours(ctx, name, arguments, modifiers, (result, true), vec![name.to_owned()], sql)
}

/// How many vectors, and their sum.
struct Vectors {
    count: f64,
    sums: Option<Vec<f64>>,
}

impl Vectors {
    fn plus(&mut self, context: &KernelContext, count: f64, values: Vec<f64>) -> Result<()> {
        self.count += count;
        let Some(sums) = &mut self.sums else {
            self.sums = Some(values);
            return Ok(());
        };
        if sums.len() != values.len() {
            let name = context.options.first().map_or("vector_sum", String::as_str);
            return Err(SparkError::new(&error_class::VECTOR_DIMENSION_MISMATCH)
                .param("functionName", format!("`{name}`"))
                .param("leftDim", sums.len().to_string())
                .param("rightDim", values.len().to_string()));
        }
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        Ok(())
    }
}

impl Summary for Vectors {
    fn new(_: &KernelContext) -> Result<Self> {
        Ok(Self { count: 0.0, sums: None })
    }

    /// A vector that holds a null is passed over.
    fn add(&mut self, context: &KernelContext, columns: &[ArrayRef], row: usize) -> Result<()> {
        match columns.first().and_then(|column| doubles(column, row)) {
            Some(values) => self.plus(context, 1.0, values),
            None => Ok(()),
        }
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        let Some(sums) = &self.sums else { return Ok(Vec::new()) };
        Ok(std::iter::once(&self.count).chain(sums).flat_map(|value| value.to_le_bytes()).collect())
    }

    fn merge(&mut self, context: &KernelContext, state: &[u8]) -> Result<()> {
        let mut values = state.chunks_exact(8).filter_map(|b| b.try_into().ok()).map(f64::from_le_bytes);
        match values.next() {
            Some(count) => self.plus(context, count, values.collect()),
            None => Ok(()),
        }
    }

    fn size(&self) -> usize {
        self.sums.as_ref().map_or(0, |sums| sums.capacity() * size_of::<f64>())
    }

    fn finish(context: &KernelContext, groups: Vec<Option<Self>>) -> Result<ArrayRef> {
        let is_mean = context.options.first().is_some_and(|name| name == "vector_avg");
        let (mut out, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
        for group in groups {
            let (count, sums) = group.map_or((0.0, None), |vectors| (vectors.count, vectors.sums));
            valid.push(sums.is_some());
            let sums = sums.unwrap_or_default();
            lengths.push(sums.len());
            out.extend(sums.iter().map(|sum| (if is_mean { sum / count } else { *sum }) as f32));
        }
        let offsets = OffsetBuffer::from_lengths(lengths);
        list(&context.result, offsets, Arc::new(Float32Array::from(out)), Some(NullBuffer::from(valid)))
    }
}
