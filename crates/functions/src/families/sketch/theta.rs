//! Theta sketches: distinct values, with set operations.

use arrow::array::ArrayRef;
use arrow::datatypes::Int64Type;
use datasketches::theta::{
    CompactThetaSketch, ThetaANotB, ThetaIntersection, ThetaSketch, ThetaSketchBuilder, ThetaUnionBuilder,
};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::{COUNTED, INT_ONLY, NOMINAL_ENTRIES, bytes, complete, item, nominal_entries, prepared};
use crate::call::{AggregateCall, CallModifiers, FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::families::aggregate::{Summary, as_binary, ours, summary_kinds};
use crate::families::args::Args;
use crate::families::rows::{BINARY, any_nullable, definitions, kernels};
use crate::udf::{self, KernelContext};

definitions! {
    "theta_sketch_agg" (1, 2), Aggregate(|c, a, m| sized(c, "theta_sketch_agg", a, m)), "a Theta sketch of the values";
    "theta_union_agg" (1, 2), Aggregate(|c, a, m| sized(c, "theta_union_agg", a, m)), "the Theta sketch of what any Theta sketch saw";
    "theta_intersection_agg" (1, 1), Aggregate(|c, a, m| {
        let (arguments, sql) = prepared(c, "theta_intersection_agg", a, m, &[BINARY])?;
        ours(c, "theta_intersection_agg", arguments, m, (DataType::Binary, false), Vec::new(), sql)
    }), "the Theta sketch of what all Theta sketches saw";
    "theta_sketch_estimate" (1, 1), Scalar(|c, a| made(c, "theta_sketch_estimate", a, DataType::Long)), "about how many distinct values a Theta sketch saw";
    "theta_union" (2, 3), Scalar(|c, mut a| {
        complete(&mut a, 2, NOMINAL_ENTRIES);
        made(c, "theta_union", a, DataType::Binary)
    }), "the Theta sketch of what either of two saw";
    "theta_intersection" (2, 2), Scalar(|c, a| made(c, "theta_intersection", a, DataType::Binary)), "the Theta sketch of what both of two saw";
    "theta_difference" (2, 2), Scalar(|c, a| made(c, "theta_difference", a, DataType::Binary)), "the Theta sketch of what the first of two saw and the second did not";
}

kernels! {
    "theta_sketch_estimate" => |a| {
        let sketches = a.binary(0)?;
        a.try_values::<Int64Type>(|r| Ok(Some(read("theta_sketch_estimate", sketches.value(r))?.estimate().round() as i64)))
    };
    "theta_union" => |a| {
        let lg_k = a.int(2)?;
        pairs(a, "theta_union", |r, x, y| {
            let mut union = ThetaUnionBuilder::default().lg_k(lg_k.value(r) as u8).build().map_err(impossible)?;
            union.update(x).map_err(impossible)?;
            union.update(y).map_err(impossible)?;
            Ok(union.to_sketch(true))
        })
    };
    "theta_intersection" => |a| pairs(a, "theta_intersection", |_, x, y| {
        let mut both = ThetaIntersection::default();
        both.update(x).map_err(impossible)?;
        both.update(y).map_err(impossible)?;
        both.to_sketch(true).ok_or_else(|| SparkError::internal("an intersection of two sketches is none"))
    });
    "theta_difference" => |a| pairs(a, "theta_difference", |_, x, y| {
        ThetaANotB::default().compute(x, y, true).map_err(impossible)
    });
}

summary_kinds! {
    "theta_sketch_agg" = Sketch;
    "theta_union_agg" = Union;
    "theta_intersection_agg" = Intersection;
}

pub(super) fn read(function: &str, bytes: &[u8]) -> Result<CompactThetaSketch> {
    CompactThetaSketch::deserialize(bytes).map_err(|error| {
        SparkError::new(&error_class::THETA_INVALID_INPUT_SKETCH_BUFFER)
            .param("function", format!("`{function}`"))
            .source(error)
    })
}

fn impossible(error: datasketches::error::Error) -> SparkError {
    SparkError::internal("a Theta sketch cannot be made").source(error)
}

fn sized(
    ctx: &FunctionContext,
    name: &str,
    mut arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    complete(&mut arguments, 1, NOMINAL_ENTRIES);
    let first = if name == "theta_union_agg" { BINARY } else { COUNTED };
    let (mut arguments, sql) = prepared(ctx, name, arguments, modifiers, &[first, INT_ONLY])?;
    let lg_k = nominal_entries(name, &arguments[1])?;
    arguments.truncate(1);
    ours(ctx, name, arguments, modifiers, (DataType::Binary, false), vec![lg_k.to_string()], sql)
}

fn made(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>, result: DataType) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    const SKETCH: Accepts = Accepts::Only(&[BINARY]);
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[SKETCH, SKETCH, INT_ONLY])?;
    if let Some(size) = arguments.get(2) {
        nominal_entries(name, size)?;
    }
    let nullable = any_nullable(&arguments);
    udf::call(ctx, name, arguments, result, nullable, sql)
}

fn pairs(
    a: &Args,
    name: &str,
    combine: impl Fn(usize, &CompactThetaSketch, &CompactThetaSketch) -> Result<CompactThetaSketch>,
) -> Result<ArrayRef> {
    let (left, right) = (a.binary(0)?, a.binary(1)?);
    a.try_binaries(|r| {
        let (left, right) = (read(name, left.value(r))?, read(name, right.value(r))?);
        Ok(Some(combine(r, &left, &right)?.serialize()))
    })
}

fn lg_k(context: &KernelContext) -> u8 {
    context.options.first().and_then(|k| k.parse().ok()).unwrap_or(12)
}

fn united(context: &KernelContext, sketches: &[&CompactThetaSketch]) -> Result<CompactThetaSketch> {
    let mut union = ThetaUnionBuilder::default().lg_k(lg_k(context)).build().map_err(impossible)?;
    for sketch in sketches {
        union.update(*sketch).map_err(impossible)?;
    }
    Ok(union.to_sketch(true))
}

/// Values seen here, and what others have seen.
struct Sketch {
    mine: ThetaSketch,
    others: Option<CompactThetaSketch>,
    lg_k: u8,
}

impl Summary for Sketch {
    fn new(context: &KernelContext) -> Result<Self> {
        let lg_k = lg_k(context);
        let mine = ThetaSketchBuilder::default().lg_k(lg_k).build().map_err(impossible)?;
        Ok(Self { mine, others: None, lg_k })
    }

    fn add(&mut self, _: &KernelContext, columns: &[ArrayRef], row: usize) -> Result<()> {
        if let Some(item) = columns.first().map(|column| item(column, row)).transpose()?.flatten() {
            self.mine.update(item);
        }
        Ok(())
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        let Some(others) = &self.others else { return Ok(self.mine.compact(true).serialize()) };
        let mut union = ThetaUnionBuilder::default().lg_k(self.lg_k).build().map_err(impossible)?;
        union.update(&self.mine).map_err(impossible)?;
        union.update(others).map_err(impossible)?;
        Ok(union.to_sketch(true).serialize())
    }

    fn merge(&mut self, context: &KernelContext, state: &[u8]) -> Result<()> {
        let state = read("theta_sketch_agg", state)?;
        self.others = Some(match &self.others {
            None => state,
            Some(others) => united(context, &[others, &state])?,
        });
        Ok(())
    }

    fn size(&self) -> usize {
        self.mine.estimated_size() + self.others.as_ref().map_or(0, CompactThetaSketch::estimated_size)
    }

    fn finish(context: &KernelContext, groups: Vec<Option<Self>>) -> Result<ArrayRef> {
        as_binary(groups, Some(&Self::new(context)?))
    }
}

struct Union(CompactThetaSketch);

impl Summary for Union {
    fn new(context: &KernelContext) -> Result<Self> {
        united(context, &[]).map(Self)
    }

    fn add(&mut self, context: &KernelContext, columns: &[ArrayRef], row: usize) -> Result<()> {
        let Some(column) = columns.first() else { return Ok(()) };
        self.merge(context, bytes(column, row))
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(self.0.serialize())
    }

    fn merge(&mut self, context: &KernelContext, state: &[u8]) -> Result<()> {
        self.0 = united(context, &[&self.0, &read("theta_union_agg", state)?])?;
        Ok(())
    }

    fn size(&self) -> usize {
        self.0.estimated_size()
    }

    fn finish(context: &KernelContext, groups: Vec<Option<Self>>) -> Result<ArrayRef> {
        as_binary(groups, Some(&Self::new(context)?))
    }
}

struct Intersection(Option<CompactThetaSketch>);

impl Summary for Intersection {
    fn new(_: &KernelContext) -> Result<Self> {
        Ok(Self(None))
    }

    fn add(&mut self, context: &KernelContext, columns: &[ArrayRef], row: usize) -> Result<()> {
        let Some(column) = columns.first() else { return Ok(()) };
        self.merge(context, bytes(column, row))
    }

    /// Without any sketch: the sketch of no value.
    fn to_bytes(&self) -> Result<Vec<u8>> {
        match &self.0 {
            Some(sketch) => Ok(sketch.serialize()),
            None => Ok(ThetaSketchBuilder::default().build().map_err(impossible)?.compact(true).serialize()),
        }
    }

    fn merge(&mut self, _: &KernelContext, state: &[u8]) -> Result<()> {
        let mut all = ThetaIntersection::default();
        if let Some(mine) = &self.0 {
            all.update(mine).map_err(impossible)?;
        }
        all.update(&read("theta_intersection_agg", state)?).map_err(impossible)?;
        self.0 = all.to_sketch(true);
        Ok(())
    }

    fn size(&self) -> usize {
        self.0.as_ref().map_or(0, CompactThetaSketch::estimated_size)
    }

    fn finish(context: &KernelContext, groups: Vec<Option<Self>>) -> Result<ArrayRef> {
        as_binary(groups, Some(&Self::new(context)?))
    }
}
