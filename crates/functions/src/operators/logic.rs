//! AND, OR, NOT, IS NULL and their kin.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;

use super::arithmetic::binary_type_error;
use crate::call::{FunctionContext, Typed};
use crate::coercion::{Accepts, coerce_argument, convert, implicit_type};
use crate::registry::{Build, Definition};
use crate::udf::SparkUdf;

/// The operators of this file.
pub(super) static TABLE: &[Definition] = &[
    row("and", 2, |ctx, args| two(ctx, args, and), "both are true"),
    row("or", 2, |ctx, args| two(ctx, args, or), "one is true"),
    row("not", 1, |ctx, args| one(ctx, args, not), "false turned true"),
    row("!", 1, |ctx, args| one(ctx, args, not), "false turned true"),
    row("isnull", 1, |ctx, args| one(ctx, args, |_, value| Ok(is_null(value))), "whether it is NULL"),
    row("isnotnull", 1, |ctx, args| one(ctx, args, |_, value| Ok(is_not_null(value))), "whether it is not NULL"),
];

const fn row(
    name: &'static str,
    arity: usize,
    build: fn(&FunctionContext, Vec<Typed>) -> Result<Typed>,
    doc: &'static str,
) -> Definition {
    Definition { name, arity: (arity, arity), build: Build::Scalar(build), doc }
}

fn two(
    ctx: &FunctionContext,
    arguments: Vec<Typed>,
    build: fn(&FunctionContext, Typed, Typed) -> Result<Typed>,
) -> Result<Typed> {
    let [left, right] = <[Typed; 2]>::try_from(arguments).map_err(|_| SparkError::internal("an operator of two"))?;
    build(ctx, left, right)
}

fn one(
    ctx: &FunctionContext,
    arguments: Vec<Typed>,
    build: fn(&FunctionContext, Typed) -> Result<Typed>,
) -> Result<Typed> {
    let [value] = <[Typed; 1]>::try_from(arguments).map_err(|_| SparkError::internal("an operator of one"))?;
    build(ctx, value)
}

/// `left AND right`; the right side does not run on rows where the left one is false, if it may raise errors.
pub fn and(ctx: &FunctionContext, left: Typed, right: Typed) -> Result<Typed> {
    connect(ctx, left, right, Operator::And, "AND")
}

/// `left OR right`; the right side does not run on rows where the left one is true, if it may raise errors.
pub fn or(ctx: &FunctionContext, left: Typed, right: Typed) -> Result<Typed> {
    connect(ctx, left, right, Operator::Or, "OR")
}

fn connect(ctx: &FunctionContext, left: Typed, right: Typed, operator: Operator, word: &str) -> Result<Typed> {
    let sql = format!("({} {word} {})", left.sql, right.sql);
    let accepts = Accepts::Is(DataType::Boolean);
    let fits = |value: &Typed| implicit_type(ctx, &value.data_type, &accepts).is_some();
    if !fits(&left) || !fits(&right) {
        return Err(binary_type_error(&left, &right, &accepts, &sql));
    }
    let left = convert(ctx, left, &DataType::Boolean)?;
    let right = convert(ctx, right, &DataType::Boolean)?;
    let nullable = left.nullable || right.nullable;
    let right = if may_raise(&right.expr) { guarded(&left.expr, right.expr, operator) } else { right.expr };
    let expr = Expr::BinaryExpr(BinaryExpr::new(Box::new(left.expr), operator, Box::new(right)));
    Ok(Typed { expr, data_type: DataType::Boolean, nullable, sql })
}

/// `CASE WHEN left IS NOT FALSE THEN right END`: beside `left AND`, the same as `right`, but run on fewer rows.
fn guarded(left: &Expr, right: Expr, operator: Operator) -> Expr {
    let left = Box::new(left.clone());
    let decides = if operator == Operator::And { Expr::IsNotFalse(left) } else { Expr::IsNotTrue(left) };
    Expr::Case(Case::new(None, vec![(Box::new(decides), Box::new(right))], None))
}

/// Whether an expression may raise an error about a row's values.
///
/// An equality of columns on both sides may be the key of a join, which a guard would hide; Spark does not promise the
/// order of evaluation there either.
fn may_raise(expr: &Expr) -> bool {
    if let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = expr
        && has_columns(left)
        && has_columns(right)
    {
        return false;
    }
    let mut raises = false;
    let _ = expr.apply(|node| {
        if let Expr::ScalarFunction(call) = node
            && (call
                .func
                .inner()
                .downcast_ref::<SparkUdf>()
                .is_some_and(|udf| udf.context().ansi && udf.kernel().raises)
                || crate::families::lambda::raises(&call.func))
            && has_columns(node)
        {
            raises = true;
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    raises
}

fn has_columns(expr: &Expr) -> bool {
    !expr.column_refs().is_empty()
}

/// `NOT value`
pub fn not(ctx: &FunctionContext, value: Typed) -> Result<Typed> {
    let sql = format!("(NOT {})", value.sql);
    let value = coerce_argument(ctx, value, &Accepts::Is(DataType::Boolean), &sql, 0)?;
    Ok(Typed { expr: Expr::Not(Box::new(value.expr)), data_type: DataType::Boolean, nullable: value.nullable, sql })
}

/// `value IS NULL`
pub fn is_null(value: Typed) -> Typed {
    let sql = format!("({} IS NULL)", value.sql);
    Typed { expr: Expr::IsNull(Box::new(value.expr)), data_type: DataType::Boolean, nullable: false, sql }
}

/// `value IS NOT NULL`
pub fn is_not_null(value: Typed) -> Typed {
    let sql = format!("({} IS NOT NULL)", value.sql);
    Typed { expr: Expr::IsNotNull(Box::new(value.expr)), data_type: DataType::Boolean, nullable: false, sql }
}
