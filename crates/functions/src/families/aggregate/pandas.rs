//! Aggregates that only the DataFrame API calls: `product`, and those behind pandas on Spark.

use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;

use super::build::{aggregate_sql, by_key, ours};
use super::collected::KEEPS_NULLS;
use super::moments::{add_moments, add_pair, merge_moments, merge_pairs};
use super::slots::{SlotGroups, SlotKind, state_types};
use super::udaf::Kind;
use crate::call::{AggregateCall, CallModifiers, FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::families::rows::{definitions, is_true};

definitions! {
    "product" (1, 1), Aggregate(|c, a, m| of_doubles(c, "product", "product", a, m)), "the product of the values";
    "pandas_product" (2, 2), Aggregate(|c, a, m| skipping(c, "pandas_product", a, m)), "the product of the values, null where one is null and they count";
    "pandas_stddev" (2, 2), Aggregate(|c, a, m| of_doubles(c, "pandas_stddev", "pandas_stddev", a, m)), "the standard deviation with a number of degrees of freedom taken off";
    "pandas_var" (2, 2), Aggregate(|c, a, m| of_doubles(c, "pandas_var", "pandas_var", a, m)), "the variance with a number of degrees of freedom taken off";
    "pandas_skew" (1, 1), Aggregate(|c, a, m| of_doubles(c, "pandas_skew", "pandas_skew", a, m)), "the unbiased skewness";
    "pandas_kurt" (1, 1), Aggregate(|c, a, m| of_doubles(c, "pandas_kurt", "pandas_kurt", a, m)), "the unbiased kurtosis";
    "pandas_covar" (3, 3), Aggregate(|c, a, m| of_doubles(c, "pandas_covar", "pandas_covar", a, m)), "the covariance with a number of degrees of freedom taken off";
    "pandas_mode" (2, 2), Aggregate(modes), "the most frequent values, as an array";
    "collect_top_k" (3, 3), Aggregate(top), "so many of the highest values, or of the lowest, as an array";
}

macro_rules! slot_kinds {
    ($($name:literal = $width:literal, $add:expr, $merge:expr, $finish:expr;)*) => {
        /// The kinds of this module.
        pub(crate) static KINDS: &[Kind] = &[$(Kind {
            name: $name,
            state: |_| state_types($width),
            groups: |_| {
                Ok(Box::new(SlotGroups::new(SlotKind { width: $width, add: $add, merge: $merge, finish: $finish })))
            },
        }),*];
    };
}

// The last slot of the variances holds the degrees of freedom.
slot_kinds! {
    "product" = 2, |s, r| times(s, 1.0, r[0]), |s, o| times(s, o[0], o[1]), |s| (s[0] > 0.0).then_some(s[1]);
    "pandas_stddev" = 6, add_with_freedom, merge_with_freedom, |s| variance(s).map(f64::sqrt);
    "pandas_var" = 6, add_with_freedom, merge_with_freedom, variance;
    "pandas_skew" = 5, |s, r| add_moments(s, r), |s, o| merge_moments(s, o), skewness;
    "pandas_kurt" = 5, |s, r| add_moments(s, r), |s, o| merge_moments(s, o), kurtosis;
    "pandas_covar" = 7, add_pair_with_freedom, merge_pair_with_freedom, |s| {
        (s[0] > s[6]).then(|| s[3] / (s[0] - s[6]))
    };
}

fn of_doubles(
    ctx: &FunctionContext,
    name: &str,
    kind: &str,
    arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    super::build::doubles(ctx, name, kind, arguments, modifiers)
}

/// The second argument tells whether nulls are passed over.
fn skipping(
    ctx: &FunctionContext,
    name: &str,
    mut arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    let sql = aggregate_sql(name, &arguments, modifiers);
    let skips = arguments.pop().is_some_and(|flag| is_true(&flag));
    if !skips {
        return Err(SparkError::unsupported("pandas_product that counts nulls"));
    }
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[Accepts::Is(DataType::Double)])?;
    ours(ctx, "product", arguments, modifiers, (DataType::Double, true), Vec::new(), sql)
}

/// The second argument tells whether nulls are passed over.
fn modes(ctx: &FunctionContext, mut arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<AggregateCall> {
    let sql = aggregate_sql("pandas_mode", &arguments, modifiers);
    let skips = arguments.pop().is_some_and(|flag| is_true(&flag));
    let options = if skips { Vec::new() } else { vec![KEEPS_NULLS.to_owned()] };
    let element = arguments.first().map_or(DataType::Null, |argument| argument.data_type.clone());
    let result = DataType::Array(Box::new(element), !skips);
    ours(ctx, "modes", arguments, modifiers, (result, false), options, sql)
}

/// `collect_top_k(value, count, reverse)`: the values are their own keys.
fn top(ctx: &FunctionContext, arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<AggregateCall> {
    let sql = aggregate_sql("collect_top_k", &arguments, modifiers);
    let Ok([value, count, reverse]) = <[Typed; 3]>::try_from(arguments) else {
        return Err(SparkError::internal("collect_top_k takes three arguments"));
    };
    let direction = if is_true(&reverse) { "min_by" } else { "max_by" };
    let call = by_key(ctx, direction, vec![value.clone(), value, count], modifiers)?;
    Ok(AggregateCall { sql, ..call })
}

fn times(slots: &mut [f64], count: f64, value: f64) {
    if count > 0.0 {
        slots[1] = if slots[0] == 0.0 { value } else { slots[1] * value };
        slots[0] += count;
    }
}

fn add_with_freedom(slots: &mut [f64], row: &[f64]) {
    add_moments(&mut slots[..5], &row[..1]);
    slots[5] = row[1];
}

fn merge_with_freedom(slots: &mut [f64], other: &[f64]) {
    merge_moments(&mut slots[..5], &other[..5]);
    slots[5] = slots[5].max(other[5]);
}

fn variance(s: &[f64]) -> Option<f64> {
    (s[0] > s[5]).then(|| s[2] / (s[0] - s[5]))
}

fn add_pair_with_freedom(slots: &mut [f64], row: &[f64]) {
    add_pair(&mut slots[..6], &row[..2]);
    slots[6] = row[2];
}

fn merge_pair_with_freedom(slots: &mut [f64], other: &[f64]) {
    merge_pairs(&mut slots[..6], &other[..6]);
    slots[6] = slots[6].max(other[6]);
}

/// As pandas has it: values that differ by rounding alone are equal.
fn is_flat(m2: f64) -> bool {
    m2.abs() < 1e-14
}

fn skewness(s: &[f64]) -> Option<f64> {
    let (n, m2, m3) = (s[0], s[2], s[3]);
    if n < 3.0 {
        return None;
    }
    Some(if is_flat(m2) { 0.0 } else { n * (n - 1.0).sqrt() / (n - 2.0) * m3 / m2.powf(1.5) })
}

fn kurtosis(s: &[f64]) -> Option<f64> {
    let (n, m2, m4) = (s[0], s[2], s[4]);
    if n < 4.0 {
        return None;
    }
    let adjusted = 3.0 * (n - 1.0).powi(2) / ((n - 2.0) * (n - 3.0));
    let numerator = n * (n + 1.0) * (n - 1.0) * m4;
    let denominator = (n - 2.0) * (n - 3.0) * m2 * m2;
    Some(if is_flat(m2) { 0.0 } else { numerator / denominator - adjusted })
}
