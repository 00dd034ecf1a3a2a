//! Functions that depend on the task they run in, and random ones.
//!
//! Their state, such as a generator that runs on from batch to batch, is kept by [`crate::task`].

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, StringArray};
use arrow::datatypes::DataType as Arrow;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::hashing::murmur3;
use super::rows::{definitions, fold};
use crate::call::{FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::registry::{Build, lookup};
use crate::task;
use crate::udf::{self, Kernel, KernelContext, SparkUdf};

definitions! {
    "rand" (0, 1), Scalar(|c, a| seeded(c, "rand", a)), "a random number from 0 to 1";
    "random" (0, 1), Scalar(|c, a| seeded(c, "rand", a)), "a random number from 0 to 1";
    "randn" (0, 1), Scalar(|c, a| seeded(c, "randn", a)), "a random number of the standard normal distribution";
    "monotonically_increasing_id" (0, 0), Scalar(|c, _| of_task(c, "monotonically_increasing_id", DataType::Long)), "a number that grows with every row and is never there twice";
    "spark_partition_id" (0, 0), Scalar(|c, _| of_task(c, "spark_partition_id", DataType::Integer)), "number of the partition that the row is in";
    "randstr" (1, 2), Scalar(random_text), "a random text of digits and letters";
    "uniform" (2, 3), Scalar(between), "a random number between two others";
    "uuid" (0, 1), Scalar(|c, _| of_task(c, "uuid", DataType::STRING)), "a random identifier";
}

/// The kernels of this family.
pub(crate) static KERNELS: &[Kernel] = &[
    Kernel::arrays("rand", uniform).volatile(),
    Kernel::arrays("randn", normal).volatile(),
    Kernel::arrays("randstr", texts).volatile(),
    Kernel::arrays("monotonically_increasing_id", increasing_ids).volatile(),
    Kernel::arrays("spark_partition_id", partition_ids).volatile(),
    Kernel::arrays("uuid", uuids).volatile(),
];

/// Kernels that must be evaluated in the scope of a task's partition.
const OF_THE_TASK: [&str; 5] = ["rand", "randn", "randstr", "monotonically_increasing_id", "spark_partition_id"];

/// Whether the function depends on the task that it runs in.
pub fn depends_on_task(udf: &ScalarUDF) -> bool {
    udf.inner().downcast_ref::<SparkUdf>().is_some_and(|udf| OF_THE_TASK.contains(&udf.kernel().name))
}

/// Random bits of the operating system.
pub(crate) fn entropy() -> u64 {
    RandomState::new().build_hasher().finish()
}

const SEED: Accepts = Accepts::Only(&[Accepts::Is(DataType::Integer), Accepts::Is(DataType::Long)]);

fn seeded(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let seed = seed_of(ctx, arguments.first(), &sql, 0, "INT or BIGINT")?;
    udf::call_with(ctx, name, Vec::new(), DataType::Double, false, sql, vec![seed.to_string()])
}

/// The constant seed, or one by chance.
fn seed_of(ctx: &FunctionContext, argument: Option<&Typed>, call: &str, index: usize, kind: &str) -> Result<i64> {
    let Some(argument) = argument else { return Ok(entropy() as i64) };
    let argument = coercion::coerce_argument(ctx, argument.clone(), &SEED, call, index)?;
    match fold(&argument).map(|value| value.cast_to(&Arrow::Int64)) {
        Some(Ok(ScalarValue::Int64(seed))) => Ok(seed.unwrap_or(0)),
        _ => Err(not_constant(call, "seed", kind, &argument)),
    }
}

fn not_constant(call: &str, input: &str, kind: &str, argument: &Typed) -> SparkError {
    SparkError::new(&error_class::DATATYPE_MISMATCH_NON_FOLDABLE_INPUT)
        .param("sqlExpr", coercion::quoted(call))
        .param("inputName", format!("`{input}`"))
        .param("inputType", kind)
        .param("inputExpr", coercion::quoted(&argument.sql))
}

fn random_text(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("randstr", &arguments);
    let length = match fold(&arguments[0]).map(|value| value.cast_to(&Arrow::Int32)) {
        Some(Ok(ScalarValue::Int32(length))) => length.unwrap_or(0),
        _ => return Err(not_constant(&sql, "length", "integer", &arguments[0])),
    };
    if length < 0 {
        return Err(SparkError::new(&error_class::INVALID_PARAMETER_VALUE_LENGTH)
            .param("parameter", "`length`")
            .param("functionName", "`randstr`")
            .param("length", length.to_string()));
    }
    let seed = seed_of(ctx, arguments.get(1), &sql, 1, "integer")?;
    let options = vec![seed.to_string(), length.to_string()];
    udf::call_with(ctx, "randstr", Vec::new(), DataType::STRING, false, sql, options)
}

/// `min + (max - min) * rand()`, as the type of the bounds.
fn between(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("uniform", &arguments);
    const KIND: &str = "integer or floating-point";
    const BOUND: Accepts = Accepts::Only(&[Accepts::Numeric]);
    let mut numbers = Vec::with_capacity(2);
    for (index, (bound, name)) in arguments.iter().zip(["min", "max"]).enumerate() {
        if !BOUND.accepts(&bound.data_type) && bound.data_type != DataType::Null {
            return Err(coercion::unexpected_type(bound, &Accepts::Numeric, &sql, index));
        }
        if fold(bound).is_none() {
            return Err(not_constant(&sql, name, KIND, bound));
        }
        numbers.push(coercion::coerce_argument(ctx, bound.clone(), &BOUND, &sql, index)?);
    }
    let seed = seed_of(ctx, arguments.get(2), &sql, 2, KIND)?;
    let types: Vec<_> = numbers.iter().map(|number| number.data_type.clone()).collect();
    let result = drawn_type(ctx, &types);
    let doubles = coercion::coerce_arguments(ctx, "uniform", numbers, &[Accepts::Is(DataType::Double)])?;
    let [min, max] = <[Typed; 2]>::try_from(doubles).map_err(|_| SparkError::internal("uniform lacks a bound"))?;
    let seed = vec![seed.to_string()];
    let random = udf::call_with(ctx, "rand", Vec::new(), DataType::Double, false, String::new(), seed)?;
    let apply = |name: &str, arguments: Vec<Typed>| match lookup(name).map(|definition| definition.build) {
        Some(Build::Scalar(build)) => build(ctx, arguments),
        _ => Err(SparkError::internal(format!("the operator {name} is not in the table"))),
    };
    let width = apply("-", vec![max, min.clone()])?;
    let value = apply("+", vec![min, apply("*", vec![width, random])?])?;
    Ok(Typed { sql, ..coercion::convert(ctx, value, &result)? })
}

/// A whole number beside a number of another kind does not widen it.
fn drawn_type(ctx: &FunctionContext, types: &[DataType]) -> DataType {
    match types {
        [whole, other] | [other, whole] if whole.is_integral() && !other.is_integral() => other.clone(),
        _ => coercion::common_type(ctx, types).unwrap_or(DataType::Double),
    }
}

fn of_task(ctx: &FunctionContext, name: &str, data_type: DataType) -> Result<Typed> {
    let shown = if name == "spark_partition_id" { "SPARK_PARTITION_ID" } else { name };
    udf::call(ctx, name, Vec::new(), data_type, false, format!("{shown}()"))
}

/// The generator of a use of a random function.
fn random<T>(ctx: &KernelContext, draw: impl FnOnce(&mut XorShift) -> T) -> Result<T> {
    let seed = || ctx.options.first().and_then(|seed| seed.parse::<i64>().ok()).unwrap_or(0);
    task::with_state(place(ctx), |partition| XorShift::new(seed().wrapping_add(partition as i64)), draw)
}

/// Every use of a function has a context of its own, which stays where it is while a plan runs.
fn place(ctx: &KernelContext) -> usize {
    std::ptr::from_ref(ctx).addr()
}

fn uniform(ctx: &KernelContext, _: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let numbers = random(ctx, |random| Float64Array::from_iter_values((0..rows).map(|_| random.next_double())))?;
    Ok(Arc::new(numbers))
}

fn normal(ctx: &KernelContext, _: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let numbers = random(ctx, |random| Float64Array::from_iter_values((0..rows).map(|_| random.next_gaussian())))?;
    Ok(Arc::new(numbers))
}

fn texts(ctx: &KernelContext, _: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let length: usize = ctx.options.get(1).and_then(|length| length.parse().ok()).unwrap_or(0);
    let texts = random(ctx, |random| {
        let mut text = || -> String { (0..length).map(|_| char::from(random.next_character())).collect() };
        StringArray::from_iter_values((0..rows).map(|_| text()))
    })?;
    Ok(Arc::new(texts))
}

fn increasing_ids(ctx: &KernelContext, _: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let first = |partition| (partition as i64) << 33;
    let ids = task::with_state(place(ctx), first, |next: &mut i64| {
        let first = *next;
        *next += rows as i64;
        Int64Array::from_iter_values(first..*next)
    })?;
    Ok(Arc::new(ids))
}

fn partition_ids(_: &KernelContext, _: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    Ok(Arc::new(Int32Array::from(vec![task::partition()? as i32; rows])))
}

fn uuids(_: &KernelContext, _: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let mut random = XorShift::new(entropy() as i64);
    let one = |_| {
        let high = (random.next_long() as u64 & 0xffff_ffff_ffff_0fff) | 0x4000;
        let low = (random.next_long() as u64 & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
        format!("{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff)
    };
    Ok(Arc::new(StringArray::from_iter_values((0..rows).map(one))))
}

/// Spark's generator.
pub(crate) struct XorShift {
    seed: i64,
    gaussian: Option<f64>,
}

impl XorShift {
    pub(crate) fn new(seed: i64) -> Self {
        let bytes = seed.to_be_bytes();
        let low = murmur3(&bytes, 0x3c07_4a61);
        let high = murmur3(&bytes, low);
        Self { seed: (i64::from(high as i32) << 32) | i64::from(low), gaussian: None }
    }

    fn next(&mut self, bits: u32) -> i32 {
        let mut next = self.seed ^ (self.seed << 21);
        next ^= (next as u64 >> 35) as i64;
        next ^= next << 4;
        self.seed = next;
        (next & ((1_i64 << bits) - 1)) as i32
    }

    /// A digit or a letter.
    fn next_character(&mut self) -> u8 {
        match (self.next(32) % 62).unsigned_abs() as u8 {
            digit @ 0..=9 => b'0' + digit,
            small @ 10..=35 => b'a' + (small - 10),
            capital => b'A' + (capital - 36),
        }
    }

    pub(crate) fn next_long(&mut self) -> i64 {
        (i64::from(self.next(32)) << 32).wrapping_add(i64::from(self.next(32)))
    }

    /// From 0 to 1, 1 excluded.
    pub(crate) fn next_double(&mut self) -> f64 {
        let bits = (i64::from(self.next(26)) << 27) + i64::from(self.next(27));
        bits as f64 / (1_i64 << 53) as f64
    }

    fn next_gaussian(&mut self) -> f64 {
        if let Some(kept) = self.gaussian.take() {
            return kept;
        }
        loop {
            let (x, y) = (2.0 * self.next_double() - 1.0, 2.0 * self.next_double() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.gaussian = Some(y * factor);
                return x * factor;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::XorShift;

    #[test]
    fn random_numbers_are_sparks() {
        assert_eq!(XorShift::new(0).next_double(), 0.760_495_375_828_591_5);
    }
}
