//! Tuple sketches: distinct keys, each with a number.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{Float64Type, Int64Type};
use datasketches::tuple::{
    CompactTupleSketch, TupleANotB, TupleIntersection, TupleSketch, TupleSketchBuilder, TupleUnionBuilder,
};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::tuple_number::{Cell, Mode, Number, Policy, policy};
use super::{COUNTED, INT_ONLY, NOMINAL_ENTRIES, bytes, complete, item, nominal_entries, prepared};
use crate::call::{AggregateCall, CallModifiers, FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::families::aggregate::{Summary, as_binary, ours, summary_kinds};
use crate::families::args::Args;
use crate::families::rows::{BINARY, INT, TEXT, any_nullable, definitions, fold_text, kernels, text_literal};
use crate::udf::{self, KernelContext};

definitions! {
    "tuple_sketch_agg_double" (2, 4), Aggregate(|c, a, m| sketch(c, "tuple_sketch_agg_double", DataType::Double, a, m)), "a Tuple sketch of keys with numbers";
    "tuple_sketch_agg_integer" (2, 4), Aggregate(|c, a, m| sketch(c, "tuple_sketch_agg_integer", DataType::Integer, a, m)), "a Tuple sketch of keys with numbers";
    "tuple_union_agg_double" (1, 3), Aggregate(|c, a, m| union(c, "tuple_union_agg_double", a, m)), "the Tuple sketch of what any Tuple sketch saw";
    "tuple_union_agg_integer" (1, 3), Aggregate(|c, a, m| union(c, "tuple_union_agg_integer", a, m)), "the Tuple sketch of what any Tuple sketch saw";
    "tuple_intersection_agg_double" (1, 2), Aggregate(|c, a, m| intersection(c, "tuple_intersection_agg_double", a, m)), "the Tuple sketch of what all Tuple sketches saw";
    "tuple_intersection_agg_integer" (1, 2), Aggregate(|c, a, m| intersection(c, "tuple_intersection_agg_integer", a, m)), "the Tuple sketch of what all Tuple sketches saw";
    "tuple_sketch_estimate_double" (1, 1), Scalar(|c, a| made(c, "tuple_sketch_estimate_double", a, 0, DataType::Double)), "about how many distinct keys a Tuple sketch saw";
    "tuple_sketch_estimate_integer" (1, 1), Scalar(|c, a| made(c, "tuple_sketch_estimate_integer", a, 0, DataType::Double)), "about how many distinct keys a Tuple sketch saw";
    "tuple_sketch_theta_double" (1, 1), Scalar(|c, a| made(c, "tuple_sketch_theta_double", a, 0, DataType::Double)), "the part of the keys that a Tuple sketch keeps";
    "tuple_sketch_theta_integer" (1, 1), Scalar(|c, a| made(c, "tuple_sketch_theta_integer", a, 0, DataType::Double)), "the part of the keys that a Tuple sketch keeps";
    "tuple_sketch_summary_double" (1, 2), Scalar(|c, a| made(c, "tuple_sketch_summary_double", a, 1, DataType::Double)), "the numbers of a Tuple sketch, put together";
    "tuple_sketch_summary_integer" (1, 2), Scalar(|c, a| made(c, "tuple_sketch_summary_integer", a, 1, DataType::Long)), "the numbers of a Tuple sketch, put together";
    "tuple_union_double" (2, 4), Scalar(|c, a| union_of_two(c, "tuple_union_double", a)), "the Tuple sketch of what either of two saw";
    "tuple_union_integer" (2, 4), Scalar(|c, a| union_of_two(c, "tuple_union_integer", a)), "the Tuple sketch of what either of two saw";
    "tuple_intersection_double" (2, 3), Scalar(|c, a| made(c, "tuple_intersection_double", a, 2, DataType::Binary)), "the Tuple sketch of what both of two saw";
    "tuple_intersection_integer" (2, 3), Scalar(|c, a| made(c, "tuple_intersection_integer", a, 2, DataType::Binary)), "the Tuple sketch of what both of two saw";
    "tuple_difference_double" (2, 2), Scalar(|c, a| made(c, "tuple_difference_double", a, 0, DataType::Binary)), "the Tuple sketch of what the first of two saw and the second did not";
    "tuple_difference_integer" (2, 2), Scalar(|c, a| made(c, "tuple_difference_integer", a, 0, DataType::Binary)), "the Tuple sketch of what the first of two saw and the second did not";
}

kernels! {
    "tuple_sketch_estimate_double" => |a| doubles::<f64>(a, CompactTupleSketch::estimate);
    "tuple_sketch_estimate_integer" => |a| doubles::<i32>(a, CompactTupleSketch::estimate);
    "tuple_sketch_theta_double" => |a| doubles::<f64>(a, CompactTupleSketch::theta);
    "tuple_sketch_theta_integer" => |a| doubles::<i32>(a, CompactTupleSketch::theta);
    "tuple_sketch_summary_double" => |a| {
        let mode = Mode::of(a.context)?;
        doubles::<f64>(a, |sketch| sketch.iter().map(|entry| entry.summary().number()).reduce(|x, y| mode.combined(x, y)).unwrap_or(0.0))
    };
    "tuple_sketch_summary_integer" => |a| {
        let (sketches, name, mode) = (a.binary(0)?, a.option(0)?, Mode::of(a.context)?);
        a.try_values::<Int64Type>(|r| {
            let sketch = read::<i32>(name, sketches.value(r))?;
            let numbers = sketch.iter().map(|entry| i64::from(entry.summary().number()));
            Ok(Some(numbers.reduce(|x, y| mode.combined_longs(x, y)).unwrap_or(0)))
        })
    };
    "tuple_union_double" => unions::<f64>;
    "tuple_union_integer" => unions::<i32>;
    "tuple_intersection_double" => |a| {
        let mode = Mode::of(a.context)?;
        pairs::<f64>(a, |x, y| intersected(mode, &[x, y]))
    };
    "tuple_intersection_integer" => |a| {
        let mode = Mode::of(a.context)?;
        pairs::<i32>(a, |x, y| intersected(mode, &[x, y]))
    };
    "tuple_difference_double" => |a| pairs::<f64>(a, |x, y| TupleANotB::default().compute(x, y, true).map_err(impossible));
    "tuple_difference_integer" => |a| pairs::<i32>(a, |x, y| TupleANotB::default().compute(x, y, true).map_err(impossible));
}

summary_kinds! {
    "tuple_sketch_agg_double" = Keyed<f64>;
    "tuple_sketch_agg_integer" = Keyed<i32>;
    "tuple_union_agg_double" = Union<f64>;
    "tuple_union_agg_integer" = Union<i32>;
    "tuple_intersection_agg_double" = Intersection<f64>;
    "tuple_intersection_agg_integer" = Intersection<i32>;
}

pub(super) type Compact<N> = CompactTupleSketch<Cell<N>>;

pub(super) fn read<N: Number>(function: &str, bytes: &[u8]) -> Result<Compact<N>> {
    CompactTupleSketch::deserialize(bytes).map_err(|error| {
        SparkError::new(&error_class::TUPLE_INVALID_INPUT_SKETCH_BUFFER)
            .param("function", format!("`{function}`"))
            .source(error)
    })
}

pub(super) fn impossible(error: datasketches::error::Error) -> SparkError {
    SparkError::internal("a Tuple sketch cannot be made").source(error)
}

/// A BINARY, to which nothing is cast.
const SKETCH: Accepts = Accepts::Only(&[BINARY]);

/// `lgNomEntries` of an aggregate, which must not be NULL.
fn entries_of(name: &str, sql: &str, argument: &Typed) -> Result<i32> {
    if super::constant_int(argument, i32::MIN) == Some(i32::MIN) {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_UNEXPECTED_NULL)
            .param("sqlExpr", coercion::quoted(sql))
            .param("exprName", "lgNomEntries"));
    }
    nominal_entries(name, argument)
}

/// The mode, the last argument, which is SUM where it is left out.
fn mode_of(name: &str, arguments: &mut Vec<Typed>, i: usize) -> Result<String> {
    if arguments.len() <= i {
        arguments.push(text_literal("sum"));
    }
    let mode = fold_text(&arguments[i])
        .ok_or_else(|| SparkError::unsupported(format!("a mode of {name} that is not constant")))?;
    Mode::parse(name, &mode).map(|_| mode)
}

fn sketch(
    ctx: &FunctionContext,
    name: &str,
    number: DataType,
    mut arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    complete(&mut arguments, 2, NOMINAL_ENTRIES);
    let mode = mode_of(name, &mut arguments, 3)?;
    let accepts = [COUNTED, Accepts::Is(number), INT, TEXT];
    let (mut arguments, sql) = prepared(ctx, name, arguments, modifiers, &accepts)?;
    let lg_k = entries_of(name, &sql, &arguments[2])?;
    arguments.truncate(2);
    let options = vec![name.to_owned(), mode, lg_k.to_string()];
    ours(ctx, name, arguments, modifiers, (DataType::Binary, false), options, sql)
}

fn union(
    ctx: &FunctionContext,
    name: &str,
    mut arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    complete(&mut arguments, 1, NOMINAL_ENTRIES);
    let mode = mode_of(name, &mut arguments, 2)?;
    let (mut arguments, sql) = prepared(ctx, name, arguments, modifiers, &[BINARY, INT, TEXT])?;
    let lg_k = entries_of(name, &sql, &arguments[1])?;
    arguments.truncate(1);
    let options = vec![name.to_owned(), mode, lg_k.to_string()];
    ours(ctx, name, arguments, modifiers, (DataType::Binary, false), options, sql)
}

fn intersection(
    ctx: &FunctionContext,
    name: &str,
    mut arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    let mode = mode_of(name, &mut arguments, 1)?;
    let (mut arguments, sql) = prepared(ctx, name, arguments, modifiers, &[BINARY, TEXT])?;
    arguments.truncate(1);
    ours(ctx, name, arguments, modifiers, (DataType::Binary, false), vec![name.to_owned(), mode], sql)
}

/// A call over sketches; `mode` is the place of the mode, 0 where there is none.
pub(super) fn made(
    ctx: &FunctionContext,
    name: &str,
    mut arguments: Vec<Typed>,
    mode: usize,
    result: DataType,
) -> Result<Typed> {
    let mut options = vec![name.to_owned()];
    if mode > 0 {
        options.push(mode_of(name, &mut arguments, mode)?);
    }
    let sql = coercion::call_sql(name, &arguments);
    let accepts = if mode == 1 { [SKETCH, TEXT, TEXT] } else { [SKETCH, SKETCH, TEXT] };
    let mut arguments = coercion::coerce_arguments(ctx, name, arguments, &accepts)?;
    if mode > 0 {
        arguments.truncate(mode);
    }
    let nullable = any_nullable(&arguments);
    udf::call_with(ctx, name, arguments, result, nullable, sql, options)
}

pub(super) fn union_of_two(ctx: &FunctionContext, name: &str, mut arguments: Vec<Typed>) -> Result<Typed> {
    complete(&mut arguments, 2, NOMINAL_ENTRIES);
    let mode = mode_of(name, &mut arguments, 3)?;
    let sql = coercion::call_sql(name, &arguments);
    let mut arguments = coercion::coerce_arguments(ctx, name, arguments, &[SKETCH, SKETCH, INT_ONLY, TEXT])?;
    let lg_k = nominal_entries(name, &arguments[2])?;
    arguments.truncate(2);
    let nullable = any_nullable(&arguments);
    let options = vec![name.to_owned(), mode, lg_k.to_string()];
    udf::call_with(ctx, name, arguments, DataType::Binary, nullable, sql, options)
}

fn doubles<N: Number>(a: &Args, f: impl Fn(&Compact<N>) -> f64) -> Result<ArrayRef> {
    let (sketches, name) = (a.binary(0)?, a.option(0)?);
    a.try_values::<Float64Type>(|r| Ok(Some(f(&read(name, sketches.value(r))?))))
}

fn pairs<N: Number>(a: &Args, combine: impl Fn(&Compact<N>, &Compact<N>) -> Result<Compact<N>>) -> Result<ArrayRef> {
    let (left, right, name) = (a.binary(0)?, a.binary(1)?, a.option(0)?);
    a.try_binaries(|r| {
        let (left, right) = (read(name, left.value(r))?, read(name, right.value(r))?);
        Ok(Some(combine(&left, &right)?.serialize()))
    })
}

fn lg_k(context: &KernelContext) -> u8 {
    context.options.get(2).and_then(|k| k.parse().ok()).unwrap_or(12)
}

pub(super) fn united<N: Number>(context: &KernelContext, sketches: &[&Compact<N>]) -> Result<Compact<N>> {
    let policy = policy::<N>(Mode::of(context)?);
    let mut union = TupleUnionBuilder::new(policy).lg_k(lg_k(context)).build().map_err(impossible)?;
    for sketch in sketches {
        union.update(*sketch).map_err(impossible)?;
    }
    Ok(union.to_sketch(true))
}

fn unions<N: Number>(a: &Args) -> Result<ArrayRef> {
    pairs::<N>(a, |x, y| united(a.context, &[x, y]))
}

pub(super) fn intersected<N: Number>(mode: Mode, sketches: &[&Compact<N>]) -> Result<Compact<N>> {
    let mut all = TupleIntersection::new(policy::<N>(mode));
    for sketch in sketches {
        all.update(*sketch).map_err(impossible)?;
    }
    all.to_sketch(true).ok_or_else(|| SparkError::internal("an intersection of sketches is none"))
}

fn empty<N: Number>(context: &KernelContext) -> Result<TupleSketch<Policy<N>>> {
    let policy = policy::<N>(Mode::of(context)?);
    TupleSketchBuilder::new(policy).lg_k(lg_k(context)).build().map_err(impossible)
}

/// Keys seen here, and what others have seen.
struct Keyed<N: Number> {
    mine: TupleSketch<Policy<N>>,
    others: Option<Compact<N>>,
    context: KernelContext,
}

impl<N: Number> Summary for Keyed<N> {
    fn new(context: &KernelContext) -> Result<Self> {
        Ok(Self { mine: empty(context)?, others: None, context: context.clone() })
    }

    fn add(&mut self, _: &KernelContext, columns: &[ArrayRef], row: usize) -> Result<()> {
        let [keys, numbers] = columns else { return Ok(()) };
        if numbers.is_valid(row)
            && let Some(key) = item(keys, row)?
        {
            self.mine.update(key, N::at(numbers, row));
        }
        Ok(())
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        let mine = self.mine.compact(true);
        match &self.others {
            None => Ok(mine.serialize()),
            Some(others) => Ok(united(&self.context, &[&mine, others])?.serialize()),
        }
    }

    fn merge(&mut self, context: &KernelContext, state: &[u8]) -> Result<()> {
        let state = read("tuple_sketch_agg", state)?;
        self.others = Some(match &self.others {
            None => state,
            Some(others) => united(context, &[others, &state])?,
        });
        Ok(())
    }

    fn size(&self) -> usize {
        self.mine.estimated_size() + self.others.as_ref().map_or(0, CompactTupleSketch::estimated_size)
    }

    fn finish(context: &KernelContext, groups: Vec<Option<Self>>) -> Result<ArrayRef> {
        as_binary(groups, Some(&Self::new(context)?))
    }
}

struct Union<N: Number>(Compact<N>);

impl<N: Number> Summary for Union<N> {
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
        self.0 = united(context, &[&self.0, &read("tuple_union_agg", state)?])?;
        Ok(())
    }

    fn size(&self) -> usize {
        self.0.estimated_size()
    }

    fn finish(context: &KernelContext, groups: Vec<Option<Self>>) -> Result<ArrayRef> {
        as_binary(groups, Some(&Self::new(context)?))
    }
}

struct Intersection<N: Number>(Option<Compact<N>>);

impl<N: Number> Summary for Intersection<N> {
    fn new(_: &KernelContext) -> Result<Self> {
        Ok(Self(None))
    }

    fn add(&mut self, context: &KernelContext, columns: &[ArrayRef], row: usize) -> Result<()> {
        let Some(column) = columns.first() else { return Ok(()) };
        self.merge(context, bytes(column, row))
    }

    /// Without any sketch: the sketch of no key.
    fn to_bytes(&self) -> Result<Vec<u8>> {
        match &self.0 {
            Some(sketch) => Ok(sketch.serialize()),
            None => Ok(TupleSketchBuilder::new(policy::<N>(Mode::Sum))
                .build()
                .map_err(impossible)?
                .compact(true)
                .serialize()),
        }
    }

    fn merge(&mut self, context: &KernelContext, state: &[u8]) -> Result<()> {
        let state = read("tuple_intersection_agg", state)?;
        self.0 = Some(match self.0.take() {
            None => state,
            Some(mine) => intersected(Mode::of(context)?, &[&mine, &state])?,
        });
        Ok(())
    }

    fn size(&self) -> usize {
        self.0.as_ref().map_or(0, CompactTupleSketch::estimated_size)
    }

    fn finish(context: &KernelContext, groups: Vec<Option<Self>>) -> Result<ArrayRef> {
        as_binary(groups, Some(&Self::new(context)?))
    }
}
