//! `count_min_sketch`: how often values are there, in Spark's own format.

use arrow::array::ArrayRef;
use datafusion::common::ScalarValue;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::{Item, item, prepared};
use crate::call::{AggregateCall, CallModifiers, FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::families::aggregate::{Summary, as_binary, ours, summary_kinds};
use crate::families::hashing::murmur3;
use crate::families::rows::{DOUBLE, INT, definitions, fold};
use crate::udf::KernelContext;

definitions! {
    "count_min_sketch" (4, 4), Aggregate(sketch), "a table from which to tell about how often a value is there";
}

summary_kinds! {
    "count_min_sketch" = Counts;
}

const COUNTED: Accepts = Accepts::OneOf(&[Accepts::Integral, Accepts::String, Accepts::Is(DataType::Binary)]);

fn constant(sql: &str, name: &str, argument: &Typed) -> Result<f64> {
    match fold(argument).map(|value| value.cast_to(&arrow::datatypes::DataType::Float64)) {
        Some(Ok(ScalarValue::Float64(Some(value)))) => Ok(value),
        _ => Err(SparkError::new(&error_class::DATATYPE_MISMATCH_NON_FOLDABLE_INPUT)
            .param("sqlExpr", coercion::quoted(sql))
            .param("inputName", format!("`{name}`"))
            .param("inputType", coercion::type_sql(&argument.data_type))
            .param("inputExpr", coercion::quoted(&argument.sql))),
    }
}

fn sketch(ctx: &FunctionContext, arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<AggregateCall> {
    let (mut arguments, sql) =
        prepared(ctx, "count_min_sketch", arguments, modifiers, &[COUNTED, DOUBLE, DOUBLE, INT])?;
    let (error, confidence) = (constant(&sql, "eps", &arguments[1])?, constant(&sql, "confidence", &arguments[2])?);
    let seed = constant(&sql, "seed", &arguments[3])? as i64;
    let refuse = |name: &str, range: &str, value: f64| {
        Err(SparkError::new(&error_class::DATATYPE_MISMATCH_VALUE_OUT_OF_RANGE)
            .param("sqlExpr", coercion::quoted(&sql))
            .param("exprName", name)
            .param("valueRange", range)
            .param("currentValue", format!("{value:?}")))
    };
    if error.is_nan() || error <= 0.0 {
        return refuse("eps", "(0.0, 1.7976931348623157E308]", error);
    }
    if !(confidence > 0.0 && confidence < 1.0) {
        return refuse("confidence", "(0.0, 1.0)", confidence);
    }
    let width = (2.0 / error).ceil();
    let depth = (-(-confidence).ln_1p() / std::f64::consts::LN_2).ceil();
    if width * depth > f64::from(1 << 28) {
        return Err(SparkError::unsupported("a count_min_sketch of more than 2 GiB"));
    }
    arguments.truncate(1);
    let options = vec![(depth as usize).to_string(), (width as usize).to_string(), seed.to_string()];
    ours(ctx, "count_min_sketch", arguments, modifiers, (DataType::Binary, false), options, sql)
}

struct Counts {
    width: i32,
    /// One per row of the table.
    factors: Vec<i64>,
    total: i64,
    table: Vec<i64>,
}

/// The first numbers below 2^31 - 1 of Java's generator.
fn java_randoms(seed: i64, count: usize) -> Vec<i64> {
    const MULTIPLIER: i64 = 0x5_DEEC_E66D;
    const MASK: i64 = (1 << 48) - 1;
    const BOUND: i32 = i32::MAX;
    let mut state = (seed ^ MULTIPLIER) & MASK;
    let mut next = || {
        state = state.wrapping_mul(MULTIPLIER).wrapping_add(0xb) & MASK;
        (state >> 17) as i32
    };
    let mut bounded = || loop {
        let bits = next();
        let value = bits % BOUND;
        if bits.wrapping_sub(value).wrapping_add(BOUND - 1) >= 0 {
            return i64::from(value);
        }
    };
    (0..count).map(|_| bounded()).collect()
}

impl Counts {
    fn add_item(&mut self, item: &Item<'_>) {
        self.total += 1;
        let (width, hashes) = match item {
            Item::Bytes(bytes) => {
                let first = murmur3(bytes, 0);
                (self.width, Some((first, murmur3(bytes, first))))
            }
            _ => (self.width, None),
        };
        for (row, factor) in self.factors.iter().enumerate() {
            let column = match (item, hashes) {
                (_, Some((first, second))) => {
                    (first as i32).wrapping_add((row as i32).wrapping_mul(second as i32)).wrapping_rem(width).abs()
                }
                (Item::Long(value), None) => {
                    let hash = factor.wrapping_mul(*value);
                    let hash = hash.wrapping_add(hash >> 32) & i64::from(i32::MAX);
                    hash as i32 % width
                }
                _ => return,
            };
            self.table[row * width as usize + column as usize] += 1;
        }
    }
}

impl Summary for Counts {
    fn new(context: &KernelContext) -> Result<Self> {
        let option = |i: usize| context.options.get(i).and_then(|text| text.parse::<i64>().ok());
        let (Some(depth), Some(width), Some(seed)) = (option(0), option(1), option(2)) else {
            return Err(SparkError::internal("a count_min_sketch lacks its size"));
        };
        Ok(Self {
            width: width as i32,
            factors: java_randoms(seed, depth as usize),
            total: 0,
            table: vec![0; (depth * width) as usize],
        })
    }

    fn add(&mut self, _: &KernelContext, columns: &[ArrayRef], row: usize) -> Result<()> {
        match columns.first().map(|column| item(column, row)).transpose()?.flatten() {
            Some(item) => self.add_item(&item),
            None => self.add_item(&Item::Bytes(&[])),
        }
        Ok(())
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut out = 1_i32.to_be_bytes().to_vec();
        out.extend(self.total.to_be_bytes());
        out.extend((self.factors.len() as i32).to_be_bytes());
        out.extend(self.width.to_be_bytes());
        self.factors.iter().chain(&self.table).for_each(|number| out.extend(number.to_be_bytes()));
        Ok(out)
    }

    fn merge(&mut self, _: &KernelContext, state: &[u8]) -> Result<()> {
        let number = |at: usize| state.get(at..at + 8).and_then(|b| b.try_into().ok()).map(i64::from_be_bytes);
        let first = 20 + 8 * self.factors.len();
        let broken = || SparkError::internal("the state of a count_min_sketch is too short");
        self.total += number(4).ok_or_else(broken)?;
        for (i, count) in self.table.iter_mut().enumerate() {
            *count += number(first + 8 * i).ok_or_else(broken)?;
        }
        Ok(())
    }

    fn size(&self) -> usize {
        (self.table.capacity() + self.factors.capacity()) * size_of::<i64>()
    }

    fn finish(context: &KernelContext, groups: Vec<Option<Self>>) -> Result<ArrayRef> {
        as_binary(groups, Some(&Self::new(context)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_javas() {
        assert_eq!(java_randoms(1, 1), [0x5D8D_6AB9]);
    }
}
