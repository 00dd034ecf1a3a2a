//! Calls of aggregates: arguments coerced, implementation chosen.

use std::sync::Arc;

use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::{AggregateUDF, Expr, when};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::picks::IGNORES_NULLS;
use super::udaf::aggregate;
use crate::call::{AggregateCall, CallModifiers, FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::errors::from_datafusion;
use crate::families::rows::{DAY_TIME, YEAR_MONTH, int_literal};
use crate::udf::KernelContext;

/// How an aggregate prints: `sum(DISTINCT a)`.
pub(crate) fn aggregate_sql(name: &str, arguments: &[Typed], modifiers: &CallModifiers) -> String {
    let call = coercion::call_sql(name, arguments);
    if modifiers.is_distinct { call.replacen('(', "(DISTINCT ", 1) } else { call }
}

/// A call of DataFusion's aggregate.
pub(crate) fn theirs(
    function: Arc<AggregateUDF>,
    arguments: Vec<Typed>,
    modifiers: &CallModifiers,
    data_type: DataType,
    sql: String,
) -> AggregateCall {
    AggregateCall {
        function,
        arguments: arguments.into_iter().map(|argument| argument.expr).collect(),
        is_distinct: modifiers.is_distinct,
        order_by: Vec::new(),
        data_type,
        nullable: true,
        finish: None,
        sql,
    }
}

/// A call of our aggregate of that kind.
pub(crate) fn ours(
    ctx: &FunctionContext,
    kind: &str,
    arguments: Vec<Typed>,
    modifiers: &CallModifiers,
    result: (DataType, bool),
    options: Vec<String>,
    sql: String,
) -> Result<AggregateCall> {
    let (data_type, nullable) = result;
    let context = KernelContext {
        ansi: ctx.ansi,
        time_zone: ctx.time_zone.clone(),
        keeps_last_key: ctx.keeps_last_key,
        arguments: arguments.iter().map(|argument| argument.data_type.clone()).collect(),
        result: data_type.clone(),
        nullable,
        options,
        origin: ctx.origin.clone(),
    };
    let function = aggregate(kind, context)?;
    Ok(AggregateCall { nullable, ..theirs(function, arguments, modifiers, data_type, sql) })
}

/// Coerces to DOUBLE and calls our kind of the same name.
pub(crate) fn doubles(
    ctx: &FunctionContext,
    name: &str,
    kind: &str,
    arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    let sql = aggregate_sql(name, &arguments, modifiers);
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[Accepts::Is(DataType::Double)])?;
    ours(ctx, kind, arguments, modifiers, (DataType::Double, true), Vec::new(), sql)
}

/// Coerces to one type and calls DataFusion's aggregate, which gives that type back.
pub(crate) fn same(
    ctx: &FunctionContext,
    name: &str,
    function: Arc<AggregateUDF>,
    accepts: Accepts,
    arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    let sql = aggregate_sql(name, &arguments, modifiers);
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[accepts])?;
    let data_type = arguments.first().map_or(DataType::Null, |argument| argument.data_type.clone());
    Ok(theirs(function, arguments, modifiers, data_type, sql))
}

/// `count`: rows in which no argument is null.
pub(crate) fn count(_: &FunctionContext, arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<AggregateCall> {
    let sql = aggregate_sql("count", &arguments, modifiers);
    let arguments = if arguments.len() > 1 { vec![all_or_null(arguments)?] } else { arguments };
    Ok(AggregateCall { nullable: false, ..theirs(count_udaf(), arguments, modifiers, DataType::Long, sql) })
}

/// The arguments in one struct; null where any of them is.
fn all_or_null(arguments: Vec<Typed>) -> Result<Typed> {
    let sql = String::new();
    let Some(present) = arguments.iter().map(|a| a.expr.clone().is_not_null()).reduce(Expr::and) else {
        return Ok(int_literal(1));
    };
    let all = datafusion::functions::core::r#struct().call(arguments.into_iter().map(|a| a.expr).collect());
    let expr = when(present, all).end().map_err(from_datafusion)?;
    Ok(Typed { expr, data_type: DataType::Struct(Vec::new()), nullable: true, sql })
}

/// `count_if`: rows in which the condition holds.
pub(crate) fn count_if(
    ctx: &FunctionContext,
    arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    let sql = aggregate_sql("count_if", &arguments, modifiers);
    let arguments = coercion::coerce_arguments(ctx, "count_if", arguments, &[Accepts::Is(DataType::Boolean)])?;
    let holds = |condition: Typed| -> Result<Typed> {
        let expr = when(condition.expr, datafusion::logical_expr::lit(true)).end().map_err(from_datafusion)?;
        Ok(Typed { expr, nullable: true, ..condition })
    };
    let arguments = arguments.into_iter().map(holds).collect::<Result<_>>()?;
    Ok(AggregateCall { nullable: false, ..theirs(count_udaf(), arguments, modifiers, DataType::Long, sql) })
}

const SUMMED: Accepts = Accepts::OneOf(&[Accepts::Numeric, Accepts::YearMonthInterval, Accepts::DayTimeInterval]);

/// `sum` and `try_sum`.
pub(crate) fn sum(
    ctx: &FunctionContext,
    name: &str,
    arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    let sql = aggregate_sql(name, &arguments, modifiers);
    let argument = coerce_summed(ctx, name, arguments)?;
    let (input, result) = match &argument.data_type {
        DataType::Decimal(precision, scale) => {
            let (precision, scale) = coercion::bounded(i32::from(*precision) + 10, i32::from(*scale));
            (argument.data_type.clone(), DataType::Decimal(precision, scale))
        }
        t if t.is_integral() => (DataType::Long, DataType::Long),
        t @ (DataType::YearMonthInterval(..) | DataType::DayTimeInterval(..)) => (t.clone(), t.clone()),
        _ => (DataType::Double, DataType::Double),
    };
    let arguments = vec![coercion::convert(ctx, argument, &input)?];
    if result == DataType::Double {
        return Ok(theirs(sum_udaf(), arguments, modifiers, result, sql));
    }
    let kind = if name == "try_sum" { "try_sum_exact" } else { "sum_exact" };
    ours(ctx, kind, arguments, modifiers, (result, true), Vec::new(), sql)
}

/// `avg`, `mean` and `try_avg`.
pub(crate) fn avg(
    ctx: &FunctionContext,
    name: &str,
    arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    let sql = aggregate_sql(name, &arguments, modifiers);
    let argument = coerce_summed(ctx, name, arguments)?;
    let result = match &argument.data_type {
        DataType::Decimal(precision, scale) => {
            let (precision, scale) = coercion::bounded(i32::from(*precision) + 4, i32::from(*scale) + 4);
            DataType::Decimal(precision, scale)
        }
        DataType::YearMonthInterval(..) => YEAR_MONTH,
        DataType::DayTimeInterval(..) => DAY_TIME,
        _ => {
            let arguments = vec![coercion::convert(ctx, argument, &DataType::Double)?];
            return Ok(theirs(avg_udaf(), arguments, modifiers, DataType::Double, sql));
        }
    };
    let kind = if name == "try_avg" { "try_avg_exact" } else { "avg_exact" };
    ours(ctx, kind, vec![argument], modifiers, (result, true), Vec::new(), sql)
}

fn coerce_summed(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let mut arguments = coercion::coerce_arguments(ctx, name, arguments, &[SUMMED])?;
    arguments.pop().ok_or_else(|| firesteel_model::SparkError::internal(format!("{name} lacks its argument")))
}

/// `min` and `max`; NaN is above every number.
pub(crate) fn extreme(
    ctx: &FunctionContext,
    name: &str,
    arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    let is_min = name == "min";
    let sql = aggregate_sql(name, &arguments, modifiers);
    // A value twice changes nothing.
    let modifiers = CallModifiers { is_distinct: false, ..modifiers.clone() };
    let data_type = arguments.first().map_or(DataType::Null, |argument| argument.data_type.clone());
    if !matches!(data_type, DataType::Float | DataType::Double) {
        let function = if is_min { min_udaf() } else { max_udaf() };
        return Ok(theirs(function, arguments, &modifiers, data_type, sql));
    }
    let arguments =
        arguments.into_iter().map(|a| coercion::convert(ctx, a, &DataType::Double)).collect::<Result<Vec<_>>>()?;
    let kind = if is_min { "min_double" } else { "max_double" };
    let call = ours(ctx, kind, arguments, &modifiers, (DataType::Double, true), Vec::new(), sql)?;
    let to_float = |ctx: &FunctionContext, value| coercion::convert(ctx, value, &DataType::Float);
    Ok(AggregateCall { finish: if data_type == DataType::Float { Some(to_float) } else { None }, ..call })
}

/// `first`, `last` and their other names; the second argument says whether nulls are passed over.
pub(crate) fn end(
    ctx: &FunctionContext,
    name: &str,
    kind: &str,
    mut arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    let flag = if arguments.len() > 1 { arguments.pop() } else { None };
    let told = flag.is_some_and(|flag| crate::families::rows::is_true(&flag));
    let sql = aggregate_sql(name, &arguments, modifiers);
    let ignores = told || modifiers.ignore_nulls == Some(true);
    let options = if ignores { vec![IGNORES_NULLS.to_owned()] } else { Vec::new() };
    let result = arguments.first().map_or((DataType::Null, true), |a| (a.data_type.clone(), true));
    ours(ctx, kind, arguments, modifiers, result, options, sql)
}

/// `min_by` and `max_by`.
pub(crate) fn by_key(
    ctx: &FunctionContext,
    name: &str,
    arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    let sql = aggregate_sql(name, &arguments, modifiers);
    let result = arguments.first().map_or((DataType::Null, true), |a| (a.data_type.clone(), true));
    if let [value, key, count] = arguments.as_slice() {
        let count = crate::families::rows::fold_doubles(count).and_then(|counts| counts.first().copied());
        let count = count.filter(|count| (1.0..=100_000.0).contains(count)).ok_or_else(|| {
            SparkError::new(&error_class::DATATYPE_MISMATCH_VALUE_OUT_OF_RANGE)
                .param("sqlExpr", coercion::quoted(&sql))
                .param("exprName", "`k`")
                .param("valueRange", "[1, 100000]")
                .param("currentValue", count.map_or("NULL".to_owned(), |count| (count as i64).to_string()))
        })?;
        // Rows without a key are passed over, so that it goes first.
        let arguments = vec![key.clone(), value.clone()];
        let direction = if name == "min_by" { "asc" } else { "desc" };
        let options = vec![direction.to_owned(), (count as i64).to_string()];
        return ours(ctx, "best_by", arguments, modifiers, (DataType::array(result.0), false), options, sql);
    }
    ours(ctx, name, arguments, modifiers, result, Vec::new(), sql)
}

/// `collect_list` and `collect_set`.
pub(crate) fn collect(
    ctx: &FunctionContext,
    name: &str,
    kind: &str,
    arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<AggregateCall> {
    let sql = aggregate_sql(name, &arguments, modifiers);
    let keeps_nulls = modifiers.ignore_nulls == Some(false);
    let options = if keeps_nulls { vec![super::collected::KEEPS_NULLS.to_owned()] } else { Vec::new() };
    let element = arguments.first().map_or(DataType::Null, |argument| argument.data_type.clone());
    let keeps_nulls = keeps_nulls || element == DataType::Null;
    let result = DataType::Array(Box::new(element), keeps_nulls);
    ours(ctx, kind, arguments, modifiers, (result, false), options, sql)
}
