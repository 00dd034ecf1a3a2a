//! CASE, IF, COALESCE and their kin, as DataFusion's CASE: branches run on the rows that take them.

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::Operator;
use datafusion::logical_expr::expr::Case;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::comparison::compare;
use super::logic::is_not_null;
use crate::call::{FunctionContext, Typed};
use crate::coercion::{
    Accepts, call_sql, coerce_argument, common_type, common_type_without_strings, convert, quoted, type_sql,
};
use crate::registry::{ANY, Build, Definition};
use crate::udf;

/// The operators of this file.
pub(super) static TABLE: &[Definition] = &[
    row("when", (2, ANY), when, "the value of the first condition that is true"),
    row("if", (3, 3), choose, "one value or the other"),
    row("coalesce", (1, ANY), |ctx, args| named_coalesce(ctx, "coalesce", args), "the first value that is not NULL"),
    row("nvl", (2, 2), |ctx, args| named_coalesce(ctx, "nvl", args), "the value, or the other one where it is NULL"),
    row(
        "ifnull",
        (2, 2),
        |ctx, args| named_coalesce(ctx, "ifnull", args),
        "the value, or the other one where it is NULL",
    ),
    row("nvl2", (3, 3), nvl2, "one value or the other by whether the first is NULL"),
    row("nullif", (2, 2), nullif, "the value, or NULL where it equals the other one"),
    row("nullifzero", (1, 1), nullifzero, "the value, or NULL where it is 0"),
    row("zeroifnull", (1, 1), zeroifnull, "the value, or 0 where it is NULL"),
    row("isnan", (1, 1), isnan, "whether it is not a number"),
    row("nanvl", (2, 2), nanvl, "the value, or the other one where it is not a number"),
    row("greatest", (2, ANY), |ctx, args| extreme(ctx, args, "greatest"), "the greatest value, ignoring NULL"),
    row("least", (2, ANY), |ctx, args| extreme(ctx, args, "least"), "the least value, ignoring NULL"),
];

const fn row(
    name: &'static str,
    arity: (usize, usize),
    build: fn(&FunctionContext, Vec<Typed>) -> Result<Typed>,
    doc: &'static str,
) -> Definition {
    Definition { name, arity, build: Build::Scalar(build), doc }
}

/// `when(c1, v1, c2, v2, .., [else])`, as DataFrames send CASE.
fn when(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let mut branches = Vec::new();
    let mut arguments = arguments.into_iter();
    while let Some(first) = arguments.next() {
        match arguments.next() {
            Some(value) => branches.push((first, value)),
            None => return case(ctx, branches, Some(first)),
        }
    }
    case(ctx, branches, None)
}

/// `CASE WHEN c1 THEN v1 .. ELSE otherwise END`
///
/// Errors: `DATATYPE_MISMATCH.DATA_DIFF_TYPES` where the values have no common type.
pub fn case(ctx: &FunctionContext, branches: Vec<(Typed, Typed)>, otherwise: Option<Typed>) -> Result<Typed> {
    let mut sql = String::from("CASE");
    for (condition, value) in &branches {
        sql.push_str(&format!(" WHEN {} THEN {}", condition.sql, value.sql));
    }
    if let Some(value) = &otherwise {
        sql.push_str(&format!(" ELSE {}", value.sql));
    }
    sql.push_str(" END");
    build(ctx, branches, otherwise, "casewhen", sql)
}

fn build(
    ctx: &FunctionContext,
    branches: Vec<(Typed, Typed)>,
    otherwise: Option<Typed>,
    name: &str,
    sql: String,
) -> Result<Typed> {
    let types: Vec<_> =
        branches.iter().map(|(_, value)| value).chain(&otherwise).map(|value| value.data_type.clone()).collect();
    let common = common_type(ctx, &types).ok_or_else(|| different(name, &types, &sql, true))?;
    let nullable =
        otherwise.as_ref().is_none_or(|value| value.nullable) || branches.iter().any(|(_, value)| value.nullable);
    let mut when_then = Vec::with_capacity(branches.len());
    for (index, (condition, value)) in branches.into_iter().enumerate() {
        let condition = coerce_argument(ctx, condition, &Accepts::Is(DataType::Boolean), &sql, 2 * index)?;
        let value = convert(ctx, value, &common)?;
        when_then.push((Box::new(condition.expr), Box::new(value.expr)));
    }
    let otherwise = otherwise.map(|value| convert(ctx, value, &common)).transpose()?;
    let expr = Expr::Case(Case::new(None, when_then, otherwise.map(|value| Box::new(value.expr))));
    Ok(Typed { expr, data_type: common, nullable, sql })
}

fn different(name: &str, types: &[DataType], sql: &str, in_brackets: bool) -> SparkError {
    let names: Vec<_> = types.iter().map(type_sql).collect();
    let names = if in_brackets { format!("[{}]", names.join(", ")) } else { format!("({})", names.join(" or ")) };
    SparkError::new(&error_class::DATATYPE_MISMATCH_DATA_DIFF_TYPES)
        .param("sqlExpr", quoted(sql))
        .param("functionName", format!("`{name}`"))
        .param("dataType", names)
}

fn choose(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let [condition, yes, no] = three(arguments)?;
    let sql = format!("(IF({}, {}, {}))", condition.sql, yes.sql, no.sql);
    build(ctx, vec![(condition, yes)], Some(no), "if", sql)
}

fn three(arguments: Vec<Typed>) -> Result<[Typed; 3]> {
    <[Typed; 3]>::try_from(arguments).map_err(|_| SparkError::internal("a function of three"))
}

fn two(arguments: Vec<Typed>) -> Result<[Typed; 2]> {
    <[Typed; 2]>::try_from(arguments).map_err(|_| SparkError::internal("a function of two"))
}

/// The first value that is not NULL.
pub fn coalesce(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    named_coalesce(ctx, "coalesce", arguments)
}

fn named_coalesce(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = call_sql(name, &arguments);
    let types: Vec<_> = arguments.iter().map(|value| value.data_type.clone()).collect();
    let common = common_type(ctx, &types).ok_or_else(|| different("coalesce", &types, &sql, false))?;
    let mut values = arguments.into_iter().map(|value| convert(ctx, value, &common)).collect::<Result<Vec<_>>>()?;
    let nullable = values.iter().all(|value| value.nullable);
    // What follows a value that is never NULL is never seen.
    if let Some(last) = values.iter().position(|value| !value.nullable) {
        values.truncate(last + 1);
    }
    let Some(last) = values.pop() else { return Err(SparkError::internal("COALESCE of nothing")) };
    let when_then: Vec<_> = values
        .into_iter()
        .map(|value| (Box::new(Expr::IsNotNull(Box::new(value.expr.clone()))), Box::new(value.expr)))
        .collect();
    let expr = if when_then.is_empty() {
        last.expr
    } else {
        Expr::Case(Case::new(None, when_then, Some(Box::new(last.expr))))
    };
    Ok(Typed { expr, data_type: common, nullable, sql })
}

fn nvl2(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = call_sql("nvl2", &arguments);
    let [value, yes, no] = three(arguments)?;
    build(ctx, vec![(is_not_null(value), yes)], Some(no), "if", sql)
}

fn nullif(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = call_sql("nullif", &arguments);
    let [value, other] = two(arguments)?;
    let equal = compare(ctx, value.clone(), other, Operator::Eq)?;
    let null = crate::literal::typed(&firesteel_spec::Literal::Null(value.data_type.clone()), ctx)?;
    build(ctx, vec![(equal, null)], Some(value), "if", sql)
}

fn one(arguments: Vec<Typed>) -> Result<Typed> {
    arguments.into_iter().next().ok_or_else(|| SparkError::internal("a function of one"))
}

fn nullifzero(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = call_sql("nullifzero", &arguments);
    let zero = crate::families::int_literal(0);
    Ok(Typed { sql, ..nullif(ctx, vec![one(arguments)?, zero])? })
}

fn zeroifnull(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = call_sql("zeroifnull", &arguments);
    let zero = crate::families::int_literal(0);
    Ok(Typed { sql, ..named_coalesce(ctx, "coalesce", vec![one(arguments)?, zero])? })
}

const FLOATS: Accepts = Accepts::OneOf(&[Accepts::Is(DataType::Double), Accepts::Is(DataType::Float)]);

fn isnan(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = call_sql("isnan", &arguments);
    let value = coerce_argument(ctx, one(arguments)?, &FLOATS, &sql, 0)?;
    udf::call(ctx, "isnan", vec![value], DataType::Boolean, false, sql)
}

fn nanvl(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = call_sql("nanvl", &arguments);
    let [value, other] = two(arguments)?;
    let value = coerce_argument(ctx, value, &FLOATS, &sql, 0)?;
    let other = coerce_argument(ctx, other, &FLOATS, &sql, 1)?;
    let is_nan = isnan(ctx, vec![value.clone()])?;
    build(ctx, vec![(is_nan, other)], Some(value), "nanvl", sql)
}

fn extreme(ctx: &FunctionContext, arguments: Vec<Typed>, name: &str) -> Result<Typed> {
    let sql = call_sql(name, &arguments);
    let types: Vec<_> = arguments.iter().map(|value| value.data_type.clone()).collect();
    let common = common_type_without_strings(ctx, &types).ok_or_else(|| different(name, &types, &sql, true))?;
    let nullable = arguments.iter().all(|value| value.nullable);
    let arguments = arguments.into_iter().map(|value| convert(ctx, value, &common)).collect::<Result<Vec<_>>>()?;
    udf::call(ctx, name, arguments, common, nullable, sql)
}
