//! HyperLogLog sketches.

use arrow::array::ArrayRef;
use datasketches::hll::{HllSketch, HllType, HllUnion};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::{INT_ONLY, bytes, complete, constant_int, item, prepared};
use crate::call::{AggregateCall, CallModifiers, FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::families::aggregate::{Summary, as_binary, ours, summary_kinds};
use crate::families::args::Args;
use crate::families::rows::{BINARY, BOOLEAN, any_nullable, definitions, is_true, kernels, literal};
use crate::udf::{self, KernelContext};

definitions! {
    "hll_sketch_agg" (1, 2), Aggregate(sketch), "an HLL sketch of the values";
    "hll_union_agg" (1, 2), Aggregate(union), "the HLL sketch of all that HLL sketches saw";
    "hll_sketch_estimate" (1, 1), Scalar(estimate), "about how many distinct values an HLL sketch saw";
    "hll_union" (2, 3), Scalar(union_of_two), "the HLL sketch of all that two HLL sketches saw";
}

kernels! {
    "hll_sketch_estimate" => |a| {
        let sketches = a.binary(0)?;
        a.try_values::<arrow::datatypes::Int64Type>(|r| {
            Ok(Some(read("hll_sketch_estimate", sketches.value(r))?.estimate().round() as i64))
        })
    };
    "hll_union" => unions;
}

summary_kinds! {
    "hll_sketch_agg" = Sketch;
    "hll_union_agg" = Union;
}

const LG_K_DEFAULT: i32 = 12;

const HASHED: Accepts = Accepts::Only(&[
    Accepts::Is(DataType::Integer),
    Accepts::Is(DataType::Long),
    Accepts::String,
    Accepts::Is(DataType::Binary),
]);

fn read(function: &str, bytes: &[u8]) -> Result<HllSketch> {
    HllSketch::deserialize(bytes).map_err(|error| {
        SparkError::new(&error_class::HLL_INVALID_INPUT_SKETCH_BUFFER)
            .param("function", format!("`{function}`"))
            .source(error)
    })
}

fn impossible(error: datasketches::error::Error) -> SparkError {
    SparkError::internal("an HLL sketch cannot be made").source(error)
}

fn different(function: &str, left: u8, right: u8) -> SparkError {
    SparkError::new(&error_class::HLL_UNION_DIFFERENT_LG_K)
        .param("left", left.to_string())
        .param("right", right.to_string())
        .param("function", format!("`{function}`"))
}

fn sketch(ctx: &FunctionContext, mut arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<AggregateCall> {
    const NAME: &str = "hll_sketch_agg";
    complete(&mut arguments, 1, LG_K_DEFAULT);
    let (mut arguments, sql) = prepared(ctx, NAME, arguments, modifiers, &[HASHED, INT_ONLY])?;
    let not_constant = || SparkError::new(&error_class::HLL_K_MUST_BE_CONSTANT).param("function", format!("`{NAME}`"));
    let lg_k = constant_int(&arguments[1], 0).ok_or_else(not_constant)?;
    if !(4..=21).contains(&lg_k) {
        return Err(SparkError::new(&error_class::HLL_INVALID_LG_K)
            .param("function", format!("`{NAME}`"))
            .param("min", "4")
            .param("max", "21")
            .param("value", lg_k.to_string()));
    }
    arguments.truncate(1);
    ours(ctx, NAME, arguments, modifiers, (DataType::Binary, false), vec![lg_k.to_string()], sql)
}

fn union(ctx: &FunctionContext, mut arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<AggregateCall> {
    if arguments.len() == 1 {
        arguments.push(flag(false));
    }
    let differs = is_true(&arguments[1]);
    let (mut arguments, sql) = prepared(ctx, "hll_union_agg", arguments, modifiers, &[BINARY, BOOLEAN])?;
    arguments.truncate(1);
    ours(ctx, "hll_union_agg", arguments, modifiers, (DataType::Binary, false), vec![differs.to_string()], sql)
}

fn flag(value: bool) -> Typed {
    literal(datafusion::common::ScalarValue::Boolean(Some(value)), DataType::Boolean, &value.to_string())
}

fn estimate(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("hll_sketch_estimate", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "hll_sketch_estimate", arguments, &[BINARY])?;
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "hll_sketch_estimate", arguments, DataType::Long, nullable, sql)
}

fn union_of_two(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    if arguments.len() == 2 {
        arguments.push(flag(false));
    }
    let sql = coercion::call_sql("hll_union", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "hll_union", arguments, &[BINARY, BINARY, BOOLEAN])?;
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "hll_union", arguments, DataType::Binary, nullable, sql)
}

fn unions(a: &Args) -> Result<ArrayRef> {
    let (left, right, differs) = (a.binary(0)?, a.binary(1)?, a.boolean(2)?);
    a.try_binaries(|r| {
        let (left, right) = (read("hll_union", left.value(r))?, read("hll_union", right.value(r))?);
        let (x, y) = (left.lg_config_k(), right.lg_config_k());
        if x != y && !differs.value(r) {
            return Err(different("hll_union", x, y));
        }
        let mut union = HllUnion::new(x.min(y)).map_err(impossible)?;
        union.update(&left);
        union.update(&right);
        Ok(Some(union.to_sketch(HllType::Hll8).serialize()))
    })
}

struct Sketch(HllUnion, HllSketch);

impl Sketch {
    fn whole(&self) -> HllSketch {
        if self.0.is_empty() {
            return self.1.clone();
        }
        let mut all = self.0.clone();
        all.update(&self.1);
        all.to_sketch(HllType::Hll8)
    }
}

impl Summary for Sketch {
    fn new(context: &KernelContext) -> Result<Self> {
        let lg_k = context.options.first().and_then(|k| k.parse().ok()).unwrap_or(LG_K_DEFAULT as u8);
        Ok(Self(HllUnion::new(lg_k).map_err(impossible)?, HllSketch::new(lg_k, HllType::Hll8).map_err(impossible)?))
    }

    fn add(&mut self, _: &KernelContext, columns: &[ArrayRef], row: usize) -> Result<()> {
        if let Some(item) = columns.first().map(|column| item(column, row)).transpose()?.flatten() {
            self.1.update(item);
        }
        Ok(())
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(self.whole().serialize())
    }

    fn merge(&mut self, _: &KernelContext, state: &[u8]) -> Result<()> {
        self.0.update(&read("hll_sketch_agg", state)?);
        Ok(())
    }

    fn size(&self) -> usize {
        self.0.estimated_size() + self.1.estimated_size()
    }

    fn finish(context: &KernelContext, groups: Vec<Option<Self>>) -> Result<ArrayRef> {
        as_binary(groups, Some(&Self::new(context)?))
    }
}

/// A union, made for the least `lgConfigK` seen.
struct Union(Option<HllUnion>);

impl Union {
    fn plus(&mut self, context: &KernelContext, sketch: &HllSketch) -> Result<()> {
        let lg_k = sketch.lg_config_k();
        let mut union = match self.0.take() {
            None => HllUnion::new(lg_k).map_err(impossible)?,
            Some(union) if union.lg_max_k() == lg_k => union,
            Some(union) => {
                if context.options.first().is_none_or(|differs| differs != "true") {
                    return Err(different("hll_union_agg", union.lg_max_k(), lg_k));
                }
                let mut smaller = HllUnion::new(union.lg_max_k().min(lg_k)).map_err(impossible)?;
                smaller.update(&union.to_sketch(HllType::Hll8));
                smaller
            }
        };
        union.update(sketch);
        self.0 = Some(union);
        Ok(())
    }
}

impl Summary for Union {
    fn new(_: &KernelContext) -> Result<Self> {
        Ok(Self(None))
    }

    fn add(&mut self, context: &KernelContext, columns: &[ArrayRef], row: usize) -> Result<()> {
        let Some(column) = columns.first() else { return Ok(()) };
        self.plus(context, &read("hll_union_agg", bytes(column, row))?)
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        match &self.0 {
            Some(union) => Ok(union.to_sketch(HllType::Hll8).serialize()),
            None => Ok(HllSketch::new(LG_K_DEFAULT as u8, HllType::Hll8).map_err(impossible)?.serialize()),
        }
    }

    fn merge(&mut self, context: &KernelContext, state: &[u8]) -> Result<()> {
        self.plus(context, &read("hll_union_agg", state)?)
    }

    fn size(&self) -> usize {
        self.0.as_ref().map_or(0, HllUnion::estimated_size)
    }

    fn finish(context: &KernelContext, groups: Vec<Option<Self>>) -> Result<ArrayRef> {
        as_binary(groups, Some(&Self::new(context)?))
    }
}
