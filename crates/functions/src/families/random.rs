//! Functions that depend on the task they run in, and random ones.
//!
//! Their state, such as a generator that runs on from batch to batch, is kept by [`crate::task`].

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, StringArray};
use arrow::datatypes::DataType as Arrow;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;
use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;

use super::hashing::murmur3;
use super::rows::{definitions, fold};
use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::task;
use crate::udf::{self, Kernel, KernelContext, SparkUdf};

definitions! {
    "rand" (0, 1), Scalar(|c, a| seeded(c, "rand", a)), "a random number from 0 to 1";
    "random" (0, 1), Scalar(|c, a| seeded(c, "rand", a)), "a random number from 0 to 1";
    "randn" (0, 1), Scalar(|c, a| seeded(c, "randn", a)), "a random number of the standard normal distribution";
    "monotonically_increasing_id" (0, 0), Scalar(|c, _| of_task(c, "monotonically_increasing_id", DataType::Long)), "a number that grows with every row and is never there twice";
    "spark_partition_id" (0, 0), Scalar(|c, _| of_task(c, "spark_partition_id", DataType::Integer)), "number of the partition that the row is in";
    "uuid" (0, 1), Scalar(|c, _| of_task(c, "uuid", DataType::STRING)), "a random identifier";
}

/// The kernels of this family.
pub(crate) static KERNELS: &[Kernel] = &[
    Kernel::arrays("rand", uniform).volatile(),
    Kernel::arrays("randn", normal).volatile(),
    Kernel::arrays("monotonically_increasing_id", increasing_ids).volatile(),
    Kernel::arrays("spark_partition_id", partition_ids).volatile(),
    Kernel::arrays("uuid", uuids).volatile(),
];

/// Kernels that must be evaluated in the scope of a task's partition.
const OF_THE_TASK: [&str; 4] = ["rand", "randn", "monotonically_increasing_id", "spark_partition_id"];

/// Whether the function depends on the task that it runs in.
pub fn depends_on_task(udf: &ScalarUDF) -> bool {
    udf.inner().downcast_ref::<SparkUdf>().is_some_and(|udf| OF_THE_TASK.contains(&udf.kernel().name))
}

/// Random bits of the operating system.
pub(crate) fn entropy() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn seeded(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let given = arguments.first().and_then(fold).and_then(|value| value.cast_to(&Arrow::Int64).ok());
    let seed = match (given, arguments.first()) {
        (Some(ScalarValue::Int64(seed)), _) => seed.unwrap_or(0),
        (_, Some(_)) => return Err(SparkError::unsupported(format!("a seed of {name} that is not constant"))),
        (_, None) => entropy() as i64,
    };
    let sql = match arguments.first() {
        Some(_) => coercion::call_sql(name, &arguments),
        None => format!("{name}({seed})"),
    };
    udf::call_with(ctx, name, Vec::new(), DataType::Double, false, sql, vec![seed.to_string()])
}

fn of_task(ctx: &FunctionContext, name: &str, data_type: DataType) -> Result<Typed> {
    udf::call(ctx, name, Vec::new(), data_type, false, format!("{name}()"))
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
