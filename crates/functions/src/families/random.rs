//! Functions that depend on the task they run in, and random ones.
//!
//! ```text
//!   plan:  rand(seed) = kernel "rand", which refuses to run
//!   task:  bind(udf, partition) = the same with a generator of its own, which runs on from batch to batch
//! ```

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, StringArray};
use arrow::datatypes::DataType as Arrow;
use datafusion::common::ScalarValue;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;

use super::hashing::murmur3;
use super::rows::{definitions, fold};
use crate::call::{FunctionContext, Typed};
use crate::coercion;
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
    Kernel::arrays("rand", unbound).volatile(),
    Kernel::arrays("randn", unbound).volatile(),
    Kernel::arrays("monotonically_increasing_id", unbound).volatile(),
    Kernel::arrays("spark_partition_id", unbound).volatile(),
    Kernel::arrays("uuid", uuids).volatile(),
];

fn unbound(_: &KernelContext, _: &[ArrayRef], _: usize) -> Result<ArrayRef> {
    Err(SparkError::internal("a function of the task was not bound to one"))
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

/// The function bound to a partition, where it is one that depends on it; one object per place in a task's plan.
pub fn bind(udf: &ScalarUDF, partition: usize) -> Option<ScalarUDF> {
    let inner = udf.inner().downcast_ref::<SparkUdf>()?;
    let seed = || inner.context().options.first().and_then(|seed| seed.parse::<i64>().ok()).unwrap_or(0);
    let generator = || XorShift::new(seed().wrapping_add(partition as i64));
    let name = inner.kernel().name;
    let state = match name {
        "rand" => State::Uniform(generator()),
        "randn" => State::Normal(generator()),
        "monotonically_increasing_id" => State::Ids((partition as i64) << 33),
        "spark_partition_id" => State::Partition(partition as i32),
        _ => return None,
    };
    let signature = Signature::nullary(Volatility::Volatile);
    Some(ScalarUDF::new_from_impl(TaskFunction { name, signature, state: Mutex::new(state) }))
}

enum State {
    Uniform(XorShift),
    Normal(XorShift),
    Ids(i64),
    Partition(i32),
}

/// A function with the state of one task.
struct TaskFunction {
    name: &'static str,
    signature: Signature,
    state: Mutex<State>,
}

impl fmt::Debug for TaskFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Two places in a plan have two states.
impl PartialEq for TaskFunction {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for TaskFunction {}

impl Hash for TaskFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::from_ref(self).hash(state);
    }
}

impl ScalarUDFImpl for TaskFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[Arrow]) -> DataFusionResult<Arrow> {
        Ok(match self.name {
            "spark_partition_id" => Arrow::Int32,
            "monotonically_increasing_id" => Arrow::Int64,
            _ => Arrow::Float64,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let rows = args.number_rows;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let array: ArrayRef = match &mut *state {
            State::Uniform(random) => Arc::new(Float64Array::from_iter_values((0..rows).map(|_| random.next_double()))),
            State::Normal(random) => {
                Arc::new(Float64Array::from_iter_values((0..rows).map(|_| random.next_gaussian())))
            }
            State::Ids(next) => {
                let first = *next;
                *next += rows as i64;
                Arc::new(Int64Array::from_iter_values(first..*next))
            }
            State::Partition(partition) => Arc::new(Int32Array::from(vec![*partition; rows])),
        };
        Ok(ColumnarValue::Array(array))
    }
}
