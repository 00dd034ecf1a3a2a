//! KLL sketches: ranks and quantiles of numbers.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType as Arrow, Float32Type, Float64Type, Int64Type};
use datasketches::common::SearchCriteria::Inclusive;
use datasketches::kll::{KllFloat, KllSketch, KllValue};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::to_arrow;

use super::{INT_ONLY, bytes, constant_int, prepared};
use crate::call::{AggregateCall, CallModifiers, FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::errors::from_arrow;
use crate::families::aggregate::{Summary, as_binary, ours, summary_kinds};
use crate::families::args::Args;
use crate::families::rows::{BINARY, any_nullable, definitions, fold, kernels};
use crate::udf::{self, KernelContext};

definitions! {
    "kll_sketch_agg_bigint" (1, 2), Aggregate(|c, a, m| sketch::<i64>(c, "kll_sketch_agg_bigint", a, m)), "a KLL sketch of the values";
    "kll_sketch_agg_float" (1, 2), Aggregate(|c, a, m| sketch::<KllFloat<f32>>(c, "kll_sketch_agg_float", a, m)), "a KLL sketch of the values";
    "kll_sketch_agg_double" (1, 2), Aggregate(|c, a, m| sketch::<KllFloat<f64>>(c, "kll_sketch_agg_double", a, m)), "a KLL sketch of the values";
    "kll_merge_agg_bigint" (1, 2), Aggregate(|c, a, m| merged(c, "kll_merge_agg_bigint", a, m)), "one KLL sketch of all that KLL sketches saw";
    "kll_merge_agg_float" (1, 2), Aggregate(|c, a, m| merged(c, "kll_merge_agg_float", a, m)), "one KLL sketch of all that KLL sketches saw";
    "kll_merge_agg_double" (1, 2), Aggregate(|c, a, m| merged(c, "kll_merge_agg_double", a, m)), "one KLL sketch of all that KLL sketches saw";
    "kll_sketch_get_n_bigint" (1, 1), Scalar(|c, a| made(c, "kll_sketch_get_n_bigint", a, DataType::Long)), "how many values a KLL sketch saw";
    "kll_sketch_get_n_float" (1, 1), Scalar(|c, a| made(c, "kll_sketch_get_n_float", a, DataType::Long)), "how many values a KLL sketch saw";
    "kll_sketch_get_n_double" (1, 1), Scalar(|c, a| made(c, "kll_sketch_get_n_double", a, DataType::Long)), "how many values a KLL sketch saw";
    "kll_sketch_merge_bigint" (2, 2), Scalar(|c, a| made(c, "kll_sketch_merge_bigint", a, DataType::Binary)), "one KLL sketch of what two saw";
    "kll_sketch_merge_float" (2, 2), Scalar(|c, a| made(c, "kll_sketch_merge_float", a, DataType::Binary)), "one KLL sketch of what two saw";
    "kll_sketch_merge_double" (2, 2), Scalar(|c, a| made(c, "kll_sketch_merge_double", a, DataType::Binary)), "one KLL sketch of what two saw";
    "kll_sketch_to_string_bigint" (1, 1), Scalar(|c, a| made(c, "kll_sketch_to_string_bigint", a, DataType::STRING)), "what is in a KLL sketch, to be read";
    "kll_sketch_to_string_float" (1, 1), Scalar(|c, a| made(c, "kll_sketch_to_string_float", a, DataType::STRING)), "what is in a KLL sketch, to be read";
    "kll_sketch_to_string_double" (1, 1), Scalar(|c, a| made(c, "kll_sketch_to_string_double", a, DataType::STRING)), "what is in a KLL sketch, to be read";
    "kll_sketch_get_quantile_bigint" (2, 2), Scalar(|c, a| asked(c, "kll_sketch_get_quantile_bigint", a, DataType::Double, DataType::Long)), "the value of a rank from 0 to 1";
    "kll_sketch_get_quantile_float" (2, 2), Scalar(|c, a| asked(c, "kll_sketch_get_quantile_float", a, DataType::Double, DataType::Float)), "the value of a rank from 0 to 1";
    "kll_sketch_get_quantile_double" (2, 2), Scalar(|c, a| asked(c, "kll_sketch_get_quantile_double", a, DataType::Double, DataType::Double)), "the value of a rank from 0 to 1";
    "kll_sketch_get_rank_bigint" (2, 2), Scalar(|c, a| asked(c, "kll_sketch_get_rank_bigint", a, DataType::Long, DataType::Double)), "the rank of a value, from 0 to 1";
    "kll_sketch_get_rank_float" (2, 2), Scalar(|c, a| asked(c, "kll_sketch_get_rank_float", a, DataType::Float, DataType::Double)), "the rank of a value, from 0 to 1";
    "kll_sketch_get_rank_double" (2, 2), Scalar(|c, a| asked(c, "kll_sketch_get_rank_double", a, DataType::Double, DataType::Double)), "the rank of a value, from 0 to 1";
}

kernels! {
    "kll_sketch_get_n_bigint" => |a| counts::<i64>(a);
    "kll_sketch_get_n_float" => |a| counts::<KllFloat<f32>>(a);
    "kll_sketch_get_n_double" => |a| counts::<KllFloat<f64>>(a);
    "kll_sketch_merge_bigint" => |a| merges::<i64>(a);
    "kll_sketch_merge_float" => |a| merges::<KllFloat<f32>>(a);
    "kll_sketch_merge_double" => |a| merges::<KllFloat<f64>>(a);
    "kll_sketch_to_string_bigint" => |a| texts::<i64>(a);
    "kll_sketch_to_string_float" => |a| texts::<KllFloat<f32>>(a);
    "kll_sketch_to_string_double" => |a| texts::<KllFloat<f64>>(a);
    "kll_sketch_get_quantile_bigint" => |a| answers(a, quantile::<i64>);
    "kll_sketch_get_quantile_float" => |a| answers(a, quantile::<KllFloat<f32>>);
    "kll_sketch_get_quantile_double" => |a| answers(a, quantile::<KllFloat<f64>>);
    "kll_sketch_get_rank_bigint" => |a| answers(a, rank::<i64>);
    "kll_sketch_get_rank_float" => |a| answers(a, rank::<KllFloat<f32>>);
    "kll_sketch_get_rank_double" => |a| answers(a, rank::<KllFloat<f64>>);
}

summary_kinds! {
    "kll_sketch_agg_bigint" = Values<i64>;
    "kll_sketch_agg_float" = Values<KllFloat<f32>>;
    "kll_sketch_agg_double" = Values<KllFloat<f64>>;
    "kll_merge_agg_bigint" = Merged<i64>;
    "kll_merge_agg_float" = Merged<KllFloat<f32>>;
    "kll_merge_agg_double" = Merged<KllFloat<f64>>;
}

const K_DEFAULT: u16 = 200;

/// A BINARY, to which nothing is cast.
const SKETCH: Accepts = Accepts::Only(&[BINARY]);

/// Numbers of a KLL sketch.
trait Number: KllValue + Ord + Send + Sync + 'static {
    /// What Java calls sketches of it.
    const NAME: &'static str;
    /// What is taken.
    const ACCEPTS: Accepts;
    /// What it is cast to.
    fn data_type() -> DataType;
    /// The value in a row; `None` for NaN.
    fn at(column: &ArrayRef, row: usize) -> Option<Self>;
    /// From a double that came from this type.
    fn from_double(value: f64) -> Option<Self>;
    fn to_double(self) -> f64;
}

impl Number for i64 {
    const NAME: &'static str = "Longs";

    const ACCEPTS: Accepts = Accepts::Only(&[
        Accepts::Is(DataType::Byte),
        Accepts::Is(DataType::Integer),
        Accepts::Is(DataType::Long),
        Accepts::Is(DataType::Short),
    ]);

    fn data_type() -> DataType {
        DataType::Long
    }

    fn at(column: &ArrayRef, row: usize) -> Option<Self> {
        Some(column.as_primitive::<Int64Type>().value(row))
    }

    fn from_double(value: f64) -> Option<Self> {
        Some(value as i64)
    }

    fn to_double(self) -> f64 {
        self as f64
    }
}

macro_rules! float_number {
    ($float:ty, $name:literal, $arrow:ty, $spark:expr, $accepts:expr) => {
        impl Number for KllFloat<$float> {
            const NAME: &'static str = $name;

            const ACCEPTS: Accepts = Accepts::Only($accepts);

            fn data_type() -> DataType {
                $spark
            }

            fn at(column: &ArrayRef, row: usize) -> Option<Self> {
                Self::new(column.as_primitive::<$arrow>().value(row)).ok()
            }

            fn from_double(value: f64) -> Option<Self> {
                Self::new(value as $float).ok()
            }

            fn to_double(self) -> f64 {
                f64::from(self.into_inner())
            }
        }
    };
}

float_number!(f32, "Floats", Float32Type, DataType::Float, &[Accepts::Is(DataType::Float)]);
float_number!(
    f64,
    "Doubles",
    Float64Type,
    DataType::Double,
    &[Accepts::Is(DataType::Float), Accepts::Is(DataType::Double)]
);

fn read<T: Number>(function: &str, bytes: &[u8]) -> Result<KllSketch<T>> {
    KllSketch::deserialize(bytes).map_err(|error| {
        SparkError::new(&error_class::KLL_INVALID_INPUT_SKETCH_BUFFER)
            .param("function", format!("`{function}`"))
            .source(error)
    })
}

fn impossible(error: datasketches::error::Error) -> SparkError {
    SparkError::internal("a KLL sketch cannot be made").source(error)
}

/// The constant `k`, if any; it is not part of the text of the call where it was not given.
fn k_of(name: &str, sql: &str, argument: Option<&Typed>) -> Result<u16> {
    let Some(argument) = argument else { return Ok(K_DEFAULT) };
    let not_constant = || {
        SparkError::new(&error_class::DATATYPE_MISMATCH_NON_FOLDABLE_INPUT)
            .param("sqlExpr", coercion::quoted(sql))
            .param("inputName", "k")
            .param("inputType", "int")
            .param("inputExpr", argument.sql.clone())
    };
    let k = constant_int(argument, i32::MIN).ok_or_else(not_constant)?;
    if k == i32::MIN {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_UNEXPECTED_NULL)
            .param("sqlExpr", coercion::quoted(sql))
            .param("exprName", "k"));
    }
    u16::try_from(k).ok().filter(|k| *k >= 8).ok_or_else(|| {
        SparkError::new(&error_class::KLL_SKETCH_K_OUT_OF_RANGE)
            .param("functionName", format!("`{name}`"))
            .param("k", k.to_string())
    })
}

fn sketch<T: Number>(
    ctx: &FunctionContext,
    name: &str,
    arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    let (mut arguments, sql) = prepared(ctx, name, arguments, modifiers, &[T::ACCEPTS, INT_ONLY])?;
    let k = k_of(name, &sql, arguments.get(1))?;
    arguments.truncate(1);
    let arguments = vec![coercion::convert(ctx, arguments.remove(0), &T::data_type())?];
    ours(ctx, name, arguments, modifiers, (DataType::Binary, false), vec![k.to_string()], sql)
}

fn merged(
    ctx: &FunctionContext,
    name: &str,
    arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    let (mut arguments, sql) = prepared(ctx, name, arguments, modifiers, &[SKETCH, INT_ONLY])?;
    let k = k_of(name, &sql, arguments.get(1))?;
    arguments.truncate(1);
    ours(ctx, name, arguments, modifiers, (DataType::Binary, false), vec![k.to_string()], sql)
}

fn made(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>, result: DataType) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[SKETCH])?;
    let nullable = any_nullable(&arguments);
    udf::call_with(ctx, name, arguments, result, nullable, sql, vec![name.to_owned()])
}

/// A question, or an array of them, answered alike.
fn asked(
    ctx: &FunctionContext,
    name: &str,
    mut arguments: Vec<Typed>,
    question: DataType,
    answer: DataType,
) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let is_many = matches!(arguments[1].data_type, DataType::Array(..));
    let many = DataType::array(question.clone());
    let required = format!("({} or {})", coercion::type_sql(&question), coercion::type_sql(&many));
    let takes = if is_many { many } else { question };
    let asked = arguments.remove(1);
    let mut arguments = coercion::coerce_arguments(ctx, name, arguments, &[SKETCH])?;
    if coercion::implicit_type(ctx, &asked.data_type, &Accepts::Is(takes.clone())).is_none() {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_UNEXPECTED_INPUT_TYPE)
            .param("sqlExpr", coercion::quoted(&sql))
            .param("paramIndex", coercion::ordinal(1))
            .param("requiredType", required)
            .param("inputSql", coercion::quoted(&asked.sql))
            .param("inputType", coercion::type_sql(&asked.data_type)));
    }
    if !asked.data_type.is_string() && fold(&asked).is_none() {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_NON_FOLDABLE_INPUT)
            .param("sqlExpr", coercion::quoted(&sql))
            .param("inputName", if name.contains("quantile") { "`rank`" } else { "`quantile`" })
            .param("inputType", coercion::type_sql(&takes))
            .param("inputExpr", coercion::quoted(&asked.sql)));
    }
    arguments.push(coercion::convert(ctx, asked, &takes)?);
    let result = if is_many { DataType::Array(Box::new(answer), true) } else { answer };
    udf::call_with(ctx, name, arguments, result, true, sql, vec![name.to_owned()])
}

fn counts<T: Number>(a: &Args) -> Result<ArrayRef> {
    let (sketches, name) = (a.binary(0)?, a.option(0)?);
    a.try_values::<Int64Type>(|r| Ok(Some(read::<T>(name, sketches.value(r))?.n() as i64)))
}

fn merges<T: Number>(a: &Args) -> Result<ArrayRef> {
    let (left, right, name) = (a.binary(0)?, a.binary(1)?, a.option(0)?);
    a.try_binaries(|r| {
        let mut all = read::<T>(name, left.value(r))?;
        all.merge(&read(name, right.value(r))?).map_err(impossible)?;
        Ok(Some(all.serialize()))
    })
}

fn texts<T: Number>(a: &Args) -> Result<ArrayRef> {
    let (sketches, name) = (a.binary(0)?, a.option(0)?);
    a.try_texts(|r| {
        let sketch = read::<T>(name, sketches.value(r))?;
        let bound = |item: Option<&T>| item.map_or("none".to_owned(), |item| item.clone().to_double().to_string());
        Ok(Some(format!(
            "\n### KllKll{}Sketch Summary:\n   K: {}\n   N: {}\n   Items kept: {}\n   Empty: {}\n   Estimates: {}\n   Least: {}\n   Greatest: {}\n### End",
            T::NAME,
            sketch.k(),
            sketch.n(),
            sketch.num_retained(),
            sketch.is_empty(),
            sketch.is_estimation_mode(),
            bound(sketch.min_item()),
            bound(sketch.max_item()),
        )))
    })
}

fn quantile<T: Number>(name: &str, sketch: &[u8], rank: f64) -> Result<Option<f64>> {
    let sketch = read::<T>(name, sketch)?;
    if !(0.0..=1.0).contains(&rank) {
        return Err(
            SparkError::new(&error_class::KLL_SKETCH_INVALID_QUANTILE_RANGE).param("functionName", format!("`{name}`"))
        );
    }
    Ok(sketch.quantile(rank, Inclusive).map_err(impossible)?.map(T::to_double))
}

fn rank<T: Number>(name: &str, sketch: &[u8], value: f64) -> Result<Option<f64>> {
    let sketch = read::<T>(name, sketch)?;
    Ok(T::from_double(value).and_then(|value| sketch.rank(&value, Inclusive)))
}

fn answers(a: &Args, answer: fn(&str, &[u8], f64) -> Result<Option<f64>>) -> Result<ArrayRef> {
    let (sketches, name, nulls) = (a.binary(0)?, a.option(0)?, a.nulls());
    let is_valid = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
    let doubles = |array: &ArrayRef| -> Result<Float64Array> {
        Ok(cast(array, &Arrow::Float64).map_err(from_arrow)?.as_primitive::<Float64Type>().clone())
    };
    let result = to_arrow(&a.context.result);
    let Arrow::List(field) = &result else {
        let asked = doubles(a.array(1)?)?;
        let found = (0..a.rows)
            .map(|row| if is_valid(row) { answer(name, sketches.value(row), asked.value(row)) } else { Ok(None) });
        let found: ArrayRef = Arc::new(found.collect::<Result<Float64Array>>()?);
        return cast(&found, &result).map_err(from_arrow);
    };
    let lists = a.list(1)?;
    let asked = doubles(lists.values())?;
    let (mut out, mut lengths) = (Vec::new(), Vec::new());
    for row in 0..a.rows {
        let range = crate::families::collection::gather::range(lists, row);
        let range = if is_valid(row) { range } else { 0..0 };
        lengths.push(range.len());
        for i in range {
            out.push(if asked.is_null(i) { None } else { answer(name, sketches.value(row), asked.value(i))? });
        }
    }
    let values: ArrayRef = Arc::new(Float64Array::from(out));
    let values = cast(&values, field.data_type()).map_err(from_arrow)?;
    let list = ListArray::try_new(field.clone(), OffsetBuffer::from_lengths(lengths), values, nulls);
    Ok(Arc::new(list.map_err(from_arrow)?))
}

fn empty<T: Number>(context: &KernelContext) -> Result<KllSketch<T>> {
    let k = context.options.first().and_then(|k| k.parse().ok()).unwrap_or(K_DEFAULT);
    KllSketch::new(k).map_err(impossible)
}

struct Values<T: Number>(KllSketch<T>);

impl<T: Number> Summary for Values<T> {
    fn new(context: &KernelContext) -> Result<Self> {
        empty(context).map(Self)
    }

    fn add(&mut self, _: &KernelContext, columns: &[ArrayRef], row: usize) -> Result<()> {
        if let Some(value) = columns.first().and_then(|column| T::at(column, row)) {
            self.0.update(value);
        }
        Ok(())
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(self.0.serialize())
    }

    fn merge(&mut self, _: &KernelContext, state: &[u8]) -> Result<()> {
        self.0.merge(&read("kll_sketch_agg", state)?).map_err(impossible)
    }

    fn size(&self) -> usize {
        self.0.num_retained() * size_of::<T>()
    }

    fn finish(context: &KernelContext, groups: Vec<Option<Self>>) -> Result<ArrayRef> {
        as_binary(groups, Some(&Self::new(context)?))
    }
}

struct Merged<T: Number>(KllSketch<T>);

impl<T: Number> Summary for Merged<T> {
    fn new(context: &KernelContext) -> Result<Self> {
        empty(context).map(Self)
    }

    fn add(&mut self, _: &KernelContext, columns: &[ArrayRef], row: usize) -> Result<()> {
        let Some(column) = columns.first() else { return Ok(()) };
        self.0.merge(&read("kll_merge_agg", bytes(column, row))?).map_err(impossible)
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(self.0.serialize())
    }

    fn merge(&mut self, _: &KernelContext, state: &[u8]) -> Result<()> {
        self.0.merge(&read("kll_merge_agg", state)?).map_err(impossible)
    }

    fn size(&self) -> usize {
        self.0.num_retained() * size_of::<T>()
    }

    fn finish(context: &KernelContext, groups: Vec<Option<Self>>) -> Result<ArrayRef> {
        as_binary(groups, Some(&Self::new(context)?))
    }
}
