//! Aggregates that order the values of a group: percentiles, modes, joined text.

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{DataType, StructField};

use super::build::{aggregate_sql, ours};
use crate::call::{AggregateCall, CallModifiers, FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::families::rows::{definitions, fold_doubles, fold_text, int_literal, is_true};

definitions! {
    "percentile" (2, 3), Aggregate(percentile), "the value at a percentage, between neighbours in proportion";
    "median" (1, 1), Aggregate(median), "the value in the middle";
    "percentile_cont" (1, 1), Aggregate(|c, a, m| within_group(c, "percentile_cont", "percentile_exact", a, m)),
        "the value at a percentage of the ordered values, between neighbours in proportion";
    "percentile_disc" (1, 1), Aggregate(|c, a, m| within_group(c, "percentile_disc", "percentile_disc", a, m)),
        "the first of the ordered values at or above a percentage";
    "percentile_approx" (2, 3), Aggregate(|c, a, m| percentile_approx(c, "percentile_approx", a, m)), "a value of about that rank";
    "approx_percentile" (2, 3), Aggregate(|c, a, m| percentile_approx(c, "approx_percentile", a, m)), "a value of about that rank";
    "mode" (0, 2), Aggregate(mode), "the most frequent value";
    "listagg" (1, 2), Aggregate(|c, a, m| listagg(c, "listagg", a, m)), "the texts of a group, joined";
    "string_agg" (1, 2), Aggregate(|c, a, m| listagg(c, "string_agg", a, m)), "the texts of a group, joined";
    "histogram_numeric" (2, 2), Aggregate(histogram), "bins of the values: centres and heights";
}

const MEASURED: Accepts = Accepts::OneOf(&[Accepts::Is(DataType::Double)]);

/// `many` or `one`, the direction, and the percentages.
fn percentage_options(name: &str, percentage: &Typed, descending: bool) -> Result<(bool, Vec<String>)> {
    let is_many = matches!(percentage.data_type, DataType::Array(..));
    let Some(percentages) = fold_doubles(percentage) else {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_NON_FOLDABLE_INPUT)
            .param("sqlExpr", coercion::quoted(name))
            .param("inputName", "`percentage`")
            .param("inputType", coercion::type_sql(&DataType::Double))
            .param("inputExpr", coercion::quoted(&percentage.sql)));
    };
    if let Some(wrong) = percentages.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_VALUE_OUT_OF_RANGE)
            .param("sqlExpr", coercion::quoted(name))
            .param("exprName", "percentage")
            .param("valueRange", "[0.0, 1.0]")
            .param("currentValue", format!("{wrong:?}")));
    }
    let mut options = vec![if is_many { "many" } else { "one" }.to_owned()];
    options.push(if descending { "desc" } else { "asc" }.to_owned());
    options.extend(percentages.iter().map(|p| format!("{p:?}")));
    Ok((is_many, options))
}

fn maybe_array(is_many: bool, data_type: DataType) -> (DataType, bool) {
    (if is_many { DataType::Array(Box::new(data_type), false) } else { data_type }, true)
}

fn percentile(ctx: &FunctionContext, mut arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<AggregateCall> {
    if arguments.len() == 2 {
        arguments.push(int_literal(1));
    }
    let sql = aggregate_sql("percentile", &arguments, modifiers);
    let percentage = arguments.remove(1);
    let (is_many, options) = percentage_options(&sql, &percentage, false)?;
    let accepts = [MEASURED, Accepts::Is(DataType::Long)];
    let arguments = coercion::coerce_arguments(ctx, "percentile", arguments, &accepts)?;
    ours(ctx, "percentile_exact", arguments, modifiers, maybe_array(is_many, DataType::Double), options, sql)
}

fn median(ctx: &FunctionContext, arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<AggregateCall> {
    let sql = aggregate_sql("median", &arguments, modifiers);
    let arguments = coercion::coerce_arguments(ctx, "median", arguments, &[MEASURED])?;
    let options = vec!["one".to_owned(), "asc".to_owned(), "0.5".to_owned()];
    ours(ctx, "percentile_exact", arguments, modifiers, (DataType::Double, true), options, sql)
}

/// `percentile_cont(p) WITHIN GROUP (ORDER BY v)`
fn within_group(
    ctx: &FunctionContext,
    name: &str,
    kind: &str,
    arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    let ([percentage], [(value, ascending, _)]) = (arguments.as_slice(), modifiers.order_by.as_slice()) else {
        return Err(SparkError::new(&error_class::INVALID_WITHIN_GROUP_EXPRESSION_WITHIN_GROUP_MISSING)
            .param("funcName", format!("`{name}`")));
    };
    let direction = if *ascending { "" } else { " DESC" };
    let call = coercion::call_sql(name, &arguments);
    let sql = format!("{call} WITHIN GROUP (ORDER BY {}{direction})", value.sql);
    let (is_many, options) = percentage_options(&sql, percentage, !ascending)?;
    let values = coercion::coerce_arguments(ctx, name, vec![value.clone()], &[MEASURED])?;
    ours(ctx, kind, values, modifiers, maybe_array(is_many, DataType::Double), options, sql)
}

const RANKED: Accepts = Accepts::OneOf(&[
    Accepts::Numeric,
    Accepts::Is(DataType::Date),
    Accepts::Timestamp,
    Accepts::YearMonthInterval,
    Accepts::DayTimeInterval,
]);

fn percentile_approx(
    ctx: &FunctionContext,
    name: &str,
    mut arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    if arguments.len() == 2 {
        arguments.push(int_literal(10_000));
    }
    let sql = aggregate_sql(name, &arguments, modifiers);
    let (is_many, options) = percentage_options(&sql, &arguments[1], false)?;
    arguments.truncate(1);
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[RANKED])?;
    let result = arguments.first().map_or(DataType::Null, |argument| argument.data_type.clone());
    ours(ctx, "percentile_approx", arguments, modifiers, maybe_array(is_many, result), options, sql)
}

/// `mode(v)`, `mode(v, true)` and `mode() WITHIN GROUP (ORDER BY v)`
fn mode(ctx: &FunctionContext, arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<AggregateCall> {
    let sql = aggregate_sql("mode", &arguments, modifiers);
    let (value, descending, sql) = match (arguments.first(), modifiers.order_by.first()) {
        (Some(value), _) => {
            let sql =
                if arguments.len() == 2 && !is_true(&arguments[1]) { format!("mode({})", value.sql) } else { sql };
            (value.clone(), false, sql)
        }
        (None, Some((value, ascending, _))) => {
            let direction = if *ascending { "" } else { " DESC" };
            (value.clone(), !ascending, format!("mode() WITHIN GROUP (ORDER BY {}{direction})", value.sql))
        }
        (None, None) => {
            return Err(SparkError::new(&error_class::INVALID_WITHIN_GROUP_EXPRESSION_WITHIN_GROUP_MISSING)
                .param("funcName", "`mode`"));
        }
    };
    let options = vec![if descending { "desc" } else { "asc" }.to_owned()];
    let result = (value.data_type.clone(), true);
    ours(ctx, "mode", vec![value], modifiers, result, options, sql)
}

fn listagg(
    ctx: &FunctionContext,
    name: &str,
    mut arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    let delimiter = if arguments.len() > 1 { arguments.pop() } else { None };
    let distinct = if modifiers.is_distinct { "DISTINCT " } else { "" };
    let value_sql = arguments.first().map_or("", |argument| argument.sql.as_str());
    let delimiter_sql = delimiter.as_ref().map_or("NULL", |delimiter| delimiter.sql.as_str());
    let mut sql = format!("{name}({distinct}{value_sql}, {delimiter_sql})");
    let text = delimiter.as_ref().and_then(fold_text).unwrap_or_default();
    let accepts = Accepts::OneOf(&[Accepts::String, Accepts::Is(DataType::Binary)]);
    let mut arguments = coercion::coerce_arguments(ctx, name, arguments, &[accepts])?;
    let mut options = vec!["join".to_owned(), text];
    let mut orders = Vec::new();
    for (key, ascending, nulls_first) in &modifiers.order_by {
        let (direction, nulls) = (if *ascending { "asc" } else { "desc" }, if *nulls_first { "first" } else { "last" });
        options.push(format!("{direction} {nulls}"));
        orders.push(format!("{} {} NULLS {}", key.sql, direction.to_uppercase(), nulls.to_uppercase()));
        arguments.push(key.clone());
    }
    if !orders.is_empty() {
        sql.push_str(&format!(" WITHIN GROUP (ORDER BY {})", orders.join(", ")));
    }
    let result = (arguments[0].data_type.clone(), true);
    ours(ctx, "listagg", arguments, modifiers, result, options, sql)
}

fn histogram(ctx: &FunctionContext, mut arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<AggregateCall> {
    let sql = aggregate_sql("histogram_numeric", &arguments, modifiers);
    let bins = arguments.pop();
    let bins = bins.as_ref().and_then(fold_doubles).and_then(|values| values.first().copied()).unwrap_or(2.0);
    let arguments = coercion::coerce_arguments(ctx, "histogram_numeric", arguments, &[RANKED])?;
    let x = arguments.first().map_or(DataType::Null, |argument| argument.data_type.clone());
    let bin = DataType::Struct(vec![StructField::new("x", x, true), StructField::new("y", DataType::Double, true)]);
    let options = vec!["bins".to_owned(), format!("{}", bins as i64)];
    ours(ctx, "histogram_numeric", arguments, modifiers, (DataType::array(bin), true), options, sql)
}
