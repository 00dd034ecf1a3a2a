//! The bodies of lambdas, which are logical expressions.

use datafusion::common::metadata::FieldMetadata;
use datafusion::common::{Column, DataFusionError, ScalarValue};
use datafusion::logical_expr::expr::{Alias, Between, BinaryExpr, Case, Cast, InList, Like, ScalarFunction, TryCast};
use datafusion::logical_expr::{Expr, Operator};
use firesteel_functions::errors::from_datafusion;
use firesteel_model::{Result, SparkError};
use prost::Message;

use super::arrow_bytes::{field_from_bytes, field_to_bytes};
use super::functions::{FunctionNode, Functions};
use super::literals::LiteralNode;
use super::wire::{lacks, operator};

/// An expression: what it is, its parts in order, and whatever else its kind needs.
#[derive(Clone, PartialEq, Message)]
struct BodyNode {
    #[prost(enumeration = "Kind", tag = "1")]
    kind: i32,
    #[prost(message, repeated, tag = "2")]
    parts: Vec<BodyNode>,
    /// A column's or alias's name, or an operator.
    #[prost(string, tag = "3")]
    name: String,
    #[prost(message, optional, tag = "4")]
    literal: Option<LiteralNode>,
    /// The type of a cast.
    #[prost(bytes = "vec", tag = "5")]
    field: Vec<u8>,
    #[prost(message, optional, tag = "6")]
    function: Option<FunctionNode>,
    /// Negated, or: there is a base expression.
    #[prost(bool, tag = "7")]
    flag: bool,
    /// Without regard to case, or: there is an ELSE.
    #[prost(bool, tag = "8")]
    other_flag: bool,
    /// The table before a column's name.
    #[prost(string, optional, tag = "9")]
    relation: Option<String>,
    /// Of a constant.
    #[prost(btree_map = "string, string", tag = "10")]
    metadata: std::collections::BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
enum Kind {
    Missing = 0,
    Column = 1,
    Literal = 2,
    Binary = 3,
    Not = 4,
    IsNull = 5,
    IsNotNull = 6,
    IsTrue = 7,
    IsFalse = 8,
    IsUnknown = 9,
    IsNotTrue = 10,
    IsNotFalse = 11,
    IsNotUnknown = 12,
    Negative = 13,
    Between = 14,
    Case = 15,
    Cast = 16,
    TryCast = 17,
    Function = 18,
    InList = 19,
    Like = 20,
    Alias = 21,
}

/// A body as bytes.
pub(super) fn write(body: &Expr, functions: &Functions) -> Result<Vec<u8>> {
    Ok(node(body, functions)?.encode_to_vec())
}

/// The body that [`write`] gave.
pub(super) fn read(bytes: &[u8], functions: &Functions) -> Result<Expr> {
    let broken = |error| SparkError::internal("a lambda came over the wire broken").source(error);
    expr(&BodyNode::decode(bytes).map_err(broken)?, functions).map_err(from_datafusion)
}

fn node(expr: &Expr, functions: &Functions) -> Result<BodyNode> {
    let mut node = BodyNode::default();
    let (kind, parts): (Kind, Vec<&Expr>) = match expr {
        Expr::Column(column) => {
            node.name.clone_from(&column.name);
            node.relation = column.relation.as_ref().map(ToString::to_string);
            (Kind::Column, Vec::new())
        }
        Expr::Literal(value, metadata) => {
            node.literal = Some(LiteralNode::new(value).map_err(from_datafusion)?);
            node.metadata = metadata.as_ref().map(|metadata| metadata.inner().clone()).unwrap_or_default();
            (Kind::Literal, Vec::new())
        }
        Expr::BinaryExpr(binary) => {
            node.name = format!("{:?}", binary.op);
            (Kind::Binary, vec![&binary.left, &binary.right])
        }
        Expr::Not(part) => (Kind::Not, vec![part]),
        Expr::IsNull(part) => (Kind::IsNull, vec![part]),
        Expr::IsNotNull(part) => (Kind::IsNotNull, vec![part]),
        Expr::IsTrue(part) => (Kind::IsTrue, vec![part]),
        Expr::IsFalse(part) => (Kind::IsFalse, vec![part]),
        Expr::IsUnknown(part) => (Kind::IsUnknown, vec![part]),
        Expr::IsNotTrue(part) => (Kind::IsNotTrue, vec![part]),
        Expr::IsNotFalse(part) => (Kind::IsNotFalse, vec![part]),
        Expr::IsNotUnknown(part) => (Kind::IsNotUnknown, vec![part]),
        Expr::Negative(part) => (Kind::Negative, vec![part]),
        Expr::Between(between) => {
            node.flag = between.negated;
            (Kind::Between, vec![&between.expr, &between.low, &between.high])
        }
        Expr::Case(case) => {
            (node.flag, node.other_flag) = (case.expr.is_some(), case.else_expr.is_some());
            let branches = case.when_then_expr.iter().flat_map(|(when, then)| [when.as_ref(), then.as_ref()]);
            let parts = case.expr.as_deref().into_iter().chain(branches).chain(case.else_expr.as_deref());
            (Kind::Case, parts.collect())
        }
        Expr::Cast(Cast { expr, field }) => {
            node.field = field_to_bytes(field).map_err(from_datafusion)?;
            (Kind::Cast, vec![expr])
        }
        Expr::TryCast(TryCast { expr, field }) => {
            node.field = field_to_bytes(field).map_err(from_datafusion)?;
            (Kind::TryCast, vec![expr])
        }
        Expr::ScalarFunction(call) => {
            node.function = Some(functions.write_scalar(&call.func).map_err(from_datafusion)?);
            (Kind::Function, call.args.iter().collect())
        }
        Expr::InList(list) => {
            node.flag = list.negated;
            (Kind::InList, std::iter::once(list.expr.as_ref()).chain(&list.list).collect())
        }
        Expr::Like(like) if like.escape_char.is_none() => {
            (node.flag, node.other_flag) = (like.negated, like.case_insensitive);
            (Kind::Like, vec![&like.expr, &like.pattern])
        }
        Expr::Alias(alias) => {
            node.name.clone_from(&alias.name);
            (Kind::Alias, vec![&alias.expr])
        }
        other => return Err(SparkError::unsupported(format!("{other} in a lambda on executors"))),
    };
    node.set_kind(kind);
    node.parts = parts.into_iter().map(|part| self::node(part, functions)).collect::<Result<_>>()?;
    Ok(node)
}

fn expr(node: &BodyNode, functions: &Functions) -> Result<Expr, DataFusionError> {
    let mut parts = node.parts.iter().map(|part| expr(part, functions)).collect::<Result<Vec<_>, _>>()?.into_iter();
    let mut next = || parts.next().map(Box::new).ok_or_else(|| lacks("a part of a lambda"));
    Ok(match node.kind() {
        Kind::Missing => return Err(lacks("an expression of a lambda")),
        Kind::Column => Expr::Column(match &node.relation {
            Some(relation) => Column::new(Some(relation.as_str()), &node.name),
            None => Column::new_unqualified(&node.name),
        }),
        Kind::Literal => literal(node)?,
        Kind::Binary => {
            let op: Operator = operator(&node.name)?;
            Expr::BinaryExpr(BinaryExpr { left: next()?, op, right: next()? })
        }
        Kind::Not => Expr::Not(next()?),
        Kind::IsNull => Expr::IsNull(next()?),
        Kind::IsNotNull => Expr::IsNotNull(next()?),
        Kind::IsTrue => Expr::IsTrue(next()?),
        Kind::IsFalse => Expr::IsFalse(next()?),
        Kind::IsUnknown => Expr::IsUnknown(next()?),
        Kind::IsNotTrue => Expr::IsNotTrue(next()?),
        Kind::IsNotFalse => Expr::IsNotFalse(next()?),
        Kind::IsNotUnknown => Expr::IsNotUnknown(next()?),
        Kind::Negative => Expr::Negative(next()?),
        Kind::Between => Expr::Between(Between { expr: next()?, negated: node.flag, low: next()?, high: next()? }),
        Kind::Case => {
            let base = if node.flag { Some(next()?) } else { None };
            let branches = (node.parts.len() - usize::from(node.flag) - usize::from(node.other_flag)) / 2;
            let when_then_expr =
                (0..branches).map(|_| Ok((next()?, next()?))).collect::<Result<_, DataFusionError>>()?;
            let else_expr = if node.other_flag { Some(next()?) } else { None };
            Expr::Case(Case { expr: base, when_then_expr, else_expr })
        }
        Kind::Cast => Expr::Cast(Cast { expr: next()?, field: field_from_bytes(&node.field)? }),
        Kind::TryCast => Expr::TryCast(TryCast { expr: next()?, field: field_from_bytes(&node.field)? }),
        Kind::Function => {
            let function = node.function.as_ref().ok_or_else(|| lacks("a function"))?;
            Expr::ScalarFunction(ScalarFunction { func: functions.read_scalar(function)?, args: parts.collect() })
        }
        Kind::InList => {
            let expr = next()?;
            Expr::InList(InList { expr, list: parts.collect(), negated: node.flag })
        }
        Kind::Like => Expr::Like(Like {
            negated: node.flag,
            expr: next()?,
            pattern: next()?,
            escape_char: None,
            case_insensitive: node.other_flag,
        }),
        Kind::Alias => Expr::Alias(Alias::new(*next()?, None::<&str>, &node.name)),
    })
}

fn literal(node: &BodyNode) -> Result<Expr, DataFusionError> {
    let value: ScalarValue = node.literal.as_ref().ok_or_else(|| lacks("a constant"))?.read()?;
    let metadata = (!node.metadata.is_empty()).then(|| FieldMetadata::from(node.metadata.clone()));
    Ok(Expr::Literal(value, metadata))
}
