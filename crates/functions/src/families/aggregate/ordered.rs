//! Aggregates that order the values of a group: percentiles, modes, joined text.

use datafusion::common::ScalarValue;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{DataType, StructField};

use super::build::{aggregate_sql, ours};
use crate::call::{AggregateCall, CallModifiers, FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::families::rows::{DAY_TIME, YEAR_MONTH, definitions, fold, fold_doubles, fold_text, int_literal};

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

/// The value whose percentile is asked, and the type of that: intervals stay intervals, everything else is a DOUBLE.
fn measured(ctx: &FunctionContext, name: &str, value: Typed) -> Result<(Typed, DataType)> {
    let target = match value.data_type {
        DataType::YearMonthInterval(..) => YEAR_MONTH,
        DataType::DayTimeInterval(..) => DAY_TIME,
        _ => {
            let mut values = coercion::coerce_arguments(ctx, name, vec![value], &[Accepts::Is(DataType::Double)])?;
            return Ok((values.remove(0), DataType::Double));
        }
    };
    Ok((coercion::convert(ctx, value, &target)?, target))
}

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
    let frequency = arguments
        .pop()
        .map(|frequency| coercion::coerce_argument(ctx, frequency, &Accepts::Is(DataType::Long), &sql, 2))
        .transpose()?;
    let (value, result) = measured(ctx, "percentile", arguments.remove(0))?;
    let arguments = std::iter::once(value).chain(frequency).collect();
    ours(ctx, "percentile_exact", arguments, modifiers, maybe_array(is_many, result), options, sql)
}

fn median(ctx: &FunctionContext, mut arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<AggregateCall> {
    let sql = aggregate_sql("median", &arguments, modifiers);
    let (value, result) = measured(ctx, "median", arguments.remove(0))?;
    let options = vec!["one".to_owned(), "asc".to_owned(), "0.5".to_owned()];
    ours(ctx, "percentile_exact", vec![value], modifiers, (result, true), options, sql)
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
    let (value, result) = measured(ctx, name, value.clone())?;
    ours(ctx, kind, vec![value], modifiers, maybe_array(is_many, result), options, sql)
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

/// `mode(v)`, which picks any of several values that are equally frequent, `mode(v, true)`, the lowest, and `mode() WITHIN GROUP (ORDER BY v)`
fn mode(ctx: &FunctionContext, arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<AggregateCall> {
    let refuse = |class| Err(SparkError::new(class).param("funcName", "`mode`"));
    if modifiers.is_distinct {
        return refuse(&error_class::INVALID_WITHIN_GROUP_EXPRESSION_DISTINCT_UNSUPPORTED);
    }
    // Spark prints the order in reverse.
    let ordered = |value: &Typed, descending: bool| {
        let direction = if descending { "" } else { " DESC" };
        (value.clone(), descending, format!("mode() WITHIN GROUP (ORDER BY {}{direction})", value.sql))
    };
    let (value, descending, sql) = match (arguments.as_slice(), modifiers.order_by.as_slice()) {
        ([], [(value, ascending, _)]) => ordered(value, !ascending),
        ([], _) => return refuse(&error_class::INVALID_WITHIN_GROUP_EXPRESSION_WITHIN_GROUP_MISSING),
        ([_, ..], [_, ..]) => {
            return Err(SparkError::new(&error_class::INVALID_WITHIN_GROUP_EXPRESSION_WRONG_NUM_ORDERINGS)
                .param("funcName", "`mode`")
                .param("expectedNum", "0")
                .param("actualNum", modifiers.order_by.len().to_string()));
        }
        ([value, flag], _) if is_deterministic(flag)? => ordered(value, false),
        ([value, ..], _) => (value.clone(), false, format!("mode({})", value.sql)),
    };
    let options = vec![if descending { "desc" } else { "asc" }.to_owned()];
    let result = (value.data_type.clone(), true);
    ours(ctx, "mode", vec![value], modifiers, result, options, sql)
}

/// Whether `mode` is to pick the lowest of several values that are equally frequent.
fn is_deterministic(flag: &Typed) -> Result<bool> {
    match (&flag.data_type, fold(flag)) {
        (_, None) => Err(SparkError::new(&error_class::NON_FOLDABLE_ARGUMENT)
            .param("funcName", "`mode`")
            .param("paramName", "`deterministic`")
            .param("paramType", coercion::type_sql(&DataType::Boolean))),
        (DataType::Boolean, Some(ScalarValue::Boolean(Some(value)))) => Ok(value),
        (_, Some(value)) if value.is_null() => Err(SparkError::new(&error_class::DATATYPE_MISMATCH_UNEXPECTED_NULL)
            .param("sqlExpr", coercion::quoted(&flag.sql))
            .param("exprName", "`deterministic`")),
        _ => Err(SparkError::new(&error_class::UNEXPECTED_INPUT_TYPE)
            .param("functionName", "`mode`")
            .param("paramIndex", "second")
            .param("requiredType", coercion::type_sql(&DataType::Boolean))
            .param("inputSql", coercion::quoted(&flag.sql))
            .param("inputType", coercion::type_sql(&flag.data_type))),
    }
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
