//! Central moments and co-moments, updated one row at a time and merged without loss of precision.

use super::slots::{SlotGroups, SlotKind, state_types};
use super::udaf::Kind;

// Slots of one variable: count, mean, and the sums of the 2nd, 3rd and 4th powers of the deviation.
const N: usize = 0;
const MEAN: usize = 1;
const M2: usize = 2;
const M3: usize = 3;
const M4: usize = 4;

// Slots of two variables.
const MEAN_X: usize = 1;
const MEAN_Y: usize = 2;
const CXY: usize = 3;
const MX: usize = 4;
const MY: usize = 5;

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

slot_kinds! {
    "stddev_samp" = 3, add_variance, merge_variance, |s| sample(s).map(f64::sqrt);
    "stddev_pop" = 3, add_variance, merge_variance, |s| population(s).map(f64::sqrt);
    "var_samp" = 3, add_variance, merge_variance, sample;
    "var_pop" = 3, add_variance, merge_variance, population;
    "skewness" = 5, add_moments, merge_moments, skewness;
    "kurtosis" = 5, add_moments, merge_moments, kurtosis;
    "covar_pop" = 6, add_pair, merge_pairs, |s| (s[N] > 0.0).then(|| s[CXY] / s[N]);
    "covar_samp" = 6, add_pair, merge_pairs, |s| (s[N] > 1.0).then(|| s[CXY] / (s[N] - 1.0));
    "corr" = 6, add_pair, merge_pairs, correlation;
    "regr_r2" = 6, add_pair, merge_pairs, determination;
    "regr_slope" = 6, add_pair, merge_pairs, slope;
    "regr_intercept" = 6, add_pair, merge_pairs, |s| slope(s).map(|b| s[MEAN_Y] - b * s[MEAN_X]);
    "regr_sxx" = 6, add_pair, merge_pairs, |s| (s[N] > 0.0).then_some(s[MX]);
    "regr_syy" = 6, add_pair, merge_pairs, |s| (s[N] > 0.0).then_some(s[MY]);
    "regr_sxy" = 6, add_pair, merge_pairs, |s| (s[N] > 0.0).then_some(s[CXY]);
    "regr_avgx" = 6, add_pair, merge_pairs, |s| (s[N] > 0.0).then_some(s[MEAN_X]);
    "regr_avgy" = 6, add_pair, merge_pairs, |s| (s[N] > 0.0).then_some(s[MEAN_Y]);
    "min_double" = 2, |s, r| keep(s, r[0], less),
        |s, o| if o[0] > 0.0 { keep(s, o[1], less) }, |s| (s[0] > 0.0).then_some(s[1]);
    "max_double" = 2, |s, r| keep(s, r[0], |new, old| less(old, new)),
        |s, o| if o[0] > 0.0 { keep(s, o[1], |new, old| less(old, new)) }, |s| (s[0] > 0.0).then_some(s[1]);
}

/// NaN is above everything; the zeros are equal.
fn less(a: f64, b: f64) -> bool {
    if a.is_nan() { false } else { b.is_nan() || a < b }
}

fn keep(slots: &mut [f64], value: f64, replaces: fn(f64, f64) -> bool) {
    if slots[0] == 0.0 || replaces(value, slots[1]) {
        slots[0] = 1.0;
        slots[1] = value;
    }
}

// The terms are added in Spark's order, so that the last digits are the same.

fn add_variance(s: &mut [f64], row: &[f64]) {
    let n = s[N] + 1.0;
    let delta = row[0] - s[MEAN];
    let delta_n = delta / n;
    s[MEAN] += delta_n;
    s[M2] += delta * (delta - delta_n);
    s[N] = n;
}

fn merge_variance(s: &mut [f64], o: &[f64]) {
    if o[N] == 0.0 {
        return;
    }
    let n = s[N] + o[N];
    let delta = o[MEAN] - s[MEAN];
    let delta_n = delta / n;
    s[M2] = s[M2] + o[M2] + delta * delta_n * s[N] * o[N];
    s[MEAN] += delta_n * o[N];
    s[N] = n;
}

pub(super) fn add_moments(s: &mut [f64], row: &[f64]) {
    let n = s[N] + 1.0;
    let delta = row[0] - s[MEAN];
    let delta_n = delta / n;
    let (delta_2, delta_n2) = (delta * delta, delta_n * delta_n);
    let m2 = s[M2] + delta * (delta - delta_n);
    let m3 = s[M3] - 3.0 * delta_n * m2 + delta * (delta_2 - delta_n2);
    let m4 = s[M4] - 4.0 * delta_n * m3 - 6.0 * delta_n2 * m2 + delta * (delta * delta_2 - delta_n * delta_n2);
    s[N] = n;
    s[MEAN] += delta_n;
    s[M2] = m2;
    s[M3] = m3;
    s[M4] = m4;
}

pub(super) fn merge_moments(s: &mut [f64], o: &[f64]) {
    if o[N] == 0.0 {
        return;
    }
    let (n1, n2) = (s[N], o[N]);
    let n = n1 + n2;
    let delta = o[MEAN] - s[MEAN];
    let delta_n = delta / n;
    let m4 = s[M4]
        + o[M4]
        + delta_n * delta_n * delta_n * delta * n1 * n2 * (n1 * n1 - n1 * n2 + n2 * n2)
        + 6.0 * delta_n * delta_n * (n1 * n1 * o[M2] + n2 * n2 * s[M2])
        + 4.0 * delta_n * (n1 * o[M3] - n2 * s[M3]);
    let m3 =
        s[M3] + o[M3] + delta_n * delta_n * delta * n1 * n2 * (n1 - n2) + 3.0 * delta_n * (n1 * o[M2] - n2 * s[M2]);
    s[M2] = s[M2] + o[M2] + delta * delta_n * n1 * n2;
    s[M3] = m3;
    s[M4] = m4;
    s[MEAN] += delta_n * n2;
    s[N] = n;
}

/// The dependent variable is the first argument of `regr_*`; here row = (y, x).
pub(super) fn add_pair(s: &mut [f64], row: &[f64]) {
    let (y, x) = (row[0], row[1]);
    let n = s[N] + 1.0;
    let (dx, dy) = (x - s[MEAN_X], y - s[MEAN_Y]);
    let (dx_n, dy_n) = (dx / n, dy / n);
    s[MEAN_X] += dx_n;
    s[MEAN_Y] += dy_n;
    s[CXY] += dx * (y - s[MEAN_Y]);
    s[MX] += dx * (dx - dx_n);
    s[MY] += dy * (dy - dy_n);
    s[N] = n;
}

pub(super) fn merge_pairs(s: &mut [f64], o: &[f64]) {
    if o[N] == 0.0 {
        return;
    }
    let (n1, n2) = (s[N], o[N]);
    let n = n1 + n2;
    let (dx, dy) = (o[MEAN_X] - s[MEAN_X], o[MEAN_Y] - s[MEAN_Y]);
    let (dx_n, dy_n) = (dx / n, dy / n);
    s[CXY] = s[CXY] + o[CXY] + dx * dy_n * n1 * n2;
    s[MX] = s[MX] + o[MX] + dx * dx_n * n1 * n2;
    s[MY] = s[MY] + o[MY] + dy * dy_n * n1 * n2;
    s[MEAN_X] += dx_n * n2;
    s[MEAN_Y] += dy_n * n2;
    s[N] = n;
}

fn sample(s: &[f64]) -> Option<f64> {
    (s[N] > 1.0).then(|| s[M2] / (s[N] - 1.0))
}

fn population(s: &[f64]) -> Option<f64> {
    (s[N] > 0.0).then(|| s[M2] / s[N])
}

fn skewness(s: &[f64]) -> Option<f64> {
    (s[N] > 0.0 && s[M2] != 0.0).then(|| s[N].sqrt() * s[M3] / (s[M2] * s[M2] * s[M2]).sqrt())
}

fn kurtosis(s: &[f64]) -> Option<f64> {
    (s[N] > 0.0 && s[M2] != 0.0).then(|| s[N] * s[M4] / (s[M2] * s[M2]) - 3.0)
}

fn correlation(s: &[f64]) -> Option<f64> {
    (s[N] > 1.0).then(|| s[CXY] / (s[MX] * s[MY]).sqrt()).filter(|r| !r.is_nan() || s[MX].is_nan() || s[MY].is_nan())
}

fn determination(s: &[f64]) -> Option<f64> {
    if s[N] < 1.0 || s[MX] == 0.0 {
        return None;
    }
    let correlation = s[CXY] / (s[MX] * s[MY]).sqrt();
    Some(if s[MY] == 0.0 { 1.0 } else { correlation * correlation })
}

fn slope(s: &[f64]) -> Option<f64> {
    (s[N] > 1.0 && s[MX] != 0.0).then(|| s[CXY] / s[MX])
}
