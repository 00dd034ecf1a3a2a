//! The table of plain aggregates.

use datafusion::functions_aggregate::bit_and_or_xor::{bit_and_udaf, bit_or_udaf, bit_xor_udaf};
use datafusion::functions_aggregate::bool_and_or::{bool_and_udaf, bool_or_udaf};
use firesteel_spec::DataType;

use super::build::{aggregate_sql, avg, by_key, collect, count, count_if, doubles, end, extreme, ours, same, sum};
use crate::families::rows::{BOOLEAN, INTEGRAL, definitions};
use crate::registry::ANY;

definitions! {
    "count" (1, ANY), Aggregate(count), "how many rows have no null among the arguments";
    "count_if" (1, 1), Aggregate(count_if), "how many rows satisfy the condition";
    "sum" (1, 1), Aggregate(|c, a, m| sum(c, "sum", a, m)), "the sum of the values";
    "try_sum" (1, 1), Aggregate(|c, a, m| sum(c, "try_sum", a, m)), "the sum of the values, null where it overflows";
    "avg" (1, 1), Aggregate(|c, a, m| avg(c, "avg", a, m)), "the mean of the values";
    "mean" (1, 1), Aggregate(|c, a, m| avg(c, "mean", a, m)), "the mean of the values";
    "try_avg" (1, 1), Aggregate(|c, a, m| avg(c, "try_avg", a, m)), "the mean of the values, null where it overflows";
    "min" (1, 1), Aggregate(|c, a, m| extreme(c, "min", a, m)), "the lowest value";
    "max" (1, 1), Aggregate(|c, a, m| extreme(c, "max", a, m)), "the highest value";
    "first" (1, 2), Aggregate(|c, a, m| end(c, "first", "first", a, m)), "the value of the first row";
    "first_value" (1, 2), Aggregate(|c, a, m| end(c, "first_value", "first", a, m)), "the value of the first row";
    "any_value" (1, 2), Aggregate(|c, a, m| end(c, "any_value", "first", a, m)), "the value of some row";
    "last" (1, 2), Aggregate(|c, a, m| end(c, "last", "last", a, m)), "the value of the last row";
    "last_value" (1, 2), Aggregate(|c, a, m| end(c, "last_value", "last", a, m)), "the value of the last row";
    "min_by" (2, 3), Aggregate(|c, a, m| by_key(c, "min_by", a, m)), "the value in the row with the lowest key";
    "max_by" (2, 3), Aggregate(|c, a, m| by_key(c, "max_by", a, m)), "the value in the row with the highest key";
    "collect_list" (1, 1), Aggregate(|c, a, m| collect(c, "collect_list", "collect_list", a, m)), "the values that are not null, as an array";
    "array_agg" (1, 1), Aggregate(|c, a, m| collect(c, "collect_list", "collect_list", a, m)), "the values that are not null, as an array";
    "collect_set" (1, 1), Aggregate(|c, a, m| collect(c, "collect_set", "collect_set", a, m)), "the distinct values that are not null, as an array";
    "approx_count_distinct" (1, 2), Aggregate(|c, mut a, m| {
        let sql = aggregate_sql("approx_count_distinct", &a, m);
        a.truncate(1);
        ours(c, "approx_count_distinct", a, m, (DataType::Long, false), Vec::new(), sql)
    }), "about how many distinct values there are";
    "bool_and" (1, 1), Aggregate(|c, a, m| same(c, "bool_and", bool_and_udaf(), BOOLEAN, a, m)), "whether all values are true";
    "every" (1, 1), Aggregate(|c, a, m| same(c, "every", bool_and_udaf(), BOOLEAN, a, m)), "whether all values are true";
    "bool_or" (1, 1), Aggregate(|c, a, m| same(c, "bool_or", bool_or_udaf(), BOOLEAN, a, m)), "whether any value is true";
    "any" (1, 1), Aggregate(|c, a, m| same(c, "any", bool_or_udaf(), BOOLEAN, a, m)), "whether any value is true";
    "some" (1, 1), Aggregate(|c, a, m| same(c, "some", bool_or_udaf(), BOOLEAN, a, m)), "whether any value is true";
    "bit_and" (1, 1), Aggregate(|c, a, m| same(c, "bit_and", bit_and_udaf(), INTEGRAL, a, m)), "the bits that all values have";
    "bit_or" (1, 1), Aggregate(|c, a, m| same(c, "bit_or", bit_or_udaf(), INTEGRAL, a, m)), "the bits that any value has";
    "bit_xor" (1, 1), Aggregate(|c, a, m| same(c, "bit_xor", bit_xor_udaf(), INTEGRAL, a, m)), "the bits that an odd number of values have";
    "stddev" (1, 1), Aggregate(|c, a, m| doubles(c, "stddev", "stddev_samp", a, m)), "the standard deviation of a sample";
    "std" (1, 1), Aggregate(|c, a, m| doubles(c, "std", "stddev_samp", a, m)), "the standard deviation of a sample";
    "stddev_samp" (1, 1), Aggregate(|c, a, m| doubles(c, "stddev_samp", "stddev_samp", a, m)), "the standard deviation of a sample";
    "stddev_pop" (1, 1), Aggregate(|c, a, m| doubles(c, "stddev_pop", "stddev_pop", a, m)), "the standard deviation of all";
    "variance" (1, 1), Aggregate(|c, a, m| doubles(c, "variance", "var_samp", a, m)), "the variance of a sample";
    "var_samp" (1, 1), Aggregate(|c, a, m| doubles(c, "var_samp", "var_samp", a, m)), "the variance of a sample";
    "var_pop" (1, 1), Aggregate(|c, a, m| doubles(c, "var_pop", "var_pop", a, m)), "the variance of all";
    "skewness" (1, 1), Aggregate(|c, a, m| doubles(c, "skewness", "skewness", a, m)), "how lopsided the values are";
    "kurtosis" (1, 1), Aggregate(|c, a, m| doubles(c, "kurtosis", "kurtosis", a, m)), "how heavy the tails of the values are, 0 for normal ones";
    "corr" (2, 2), Aggregate(|c, a, m| doubles(c, "corr", "corr", a, m)), "the correlation of two values";
    "covar_pop" (2, 2), Aggregate(|c, a, m| doubles(c, "covar_pop", "covar_pop", a, m)), "the covariance of all";
    "covar_samp" (2, 2), Aggregate(|c, a, m| doubles(c, "covar_samp", "covar_samp", a, m)), "the covariance of a sample";
    "regr_count" (2, 2), Aggregate(|c, a, m| {
        let sql = aggregate_sql("regr_count", &a, m);
        Ok(crate::call::AggregateCall { sql, ..count(c, a, m)? })
    }), "how many pairs have no null";
    "regr_avgx" (2, 2), Aggregate(|c, a, m| doubles(c, "regr_avgx", "regr_avgx", a, m)), "the mean of x over pairs (y, x)";
    "regr_avgy" (2, 2), Aggregate(|c, a, m| doubles(c, "regr_avgy", "regr_avgy", a, m)), "the mean of y over pairs (y, x)";
    "regr_r2" (2, 2), Aggregate(|c, a, m| doubles(c, "regr_r2", "regr_r2", a, m)), "how much of y a line over x explains";
    "regr_slope" (2, 2), Aggregate(|c, a, m| doubles(c, "regr_slope", "regr_slope", a, m)), "the slope of the line through pairs (y, x)";
    "regr_intercept" (2, 2), Aggregate(|c, a, m| doubles(c, "regr_intercept", "regr_intercept", a, m)), "where the line through pairs (y, x) crosses the y axis";
    "regr_sxx" (2, 2), Aggregate(|c, a, m| doubles(c, "regr_sxx", "regr_sxx", a, m)), "the squared deviations of x, summed";
    "regr_syy" (2, 2), Aggregate(|c, a, m| doubles(c, "regr_syy", "regr_syy", a, m)), "the squared deviations of y, summed";
    "regr_sxy" (2, 2), Aggregate(|c, a, m| doubles(c, "regr_sxy", "regr_sxy", a, m)), "the products of the deviations, summed";
}
