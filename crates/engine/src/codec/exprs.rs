//! Expressions.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::{Result, not_impl_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, CastExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr, Literal, NegativeExpr,
    NoOp, NotExpr, TryCastExpr, UnKnownColumn,
};
use datafusion::physical_expr::scalar_subquery::ScalarSubqueryExpr;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use prost::Message;

use super::arrow_bytes::{field_from_bytes, field_to_bytes};
use super::functions::FunctionNode;
use super::literals::{LiteralNode, values_from_bytes, values_to_bytes};
use super::nodes::Place;
use super::wire::{Reader, Writer, lacks, number, operator};

type Expr = Arc<dyn PhysicalExpr>;

/// An expression: what it is, its parts in order, and whatever else its kind needs.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ExprNode {
    #[prost(enumeration = "Kind", tag = "1")]
    kind: i32,
    #[prost(message, repeated, tag = "2")]
    parts: Vec<ExprNode>,
    /// Of a column or function, or an operator.
    #[prost(string, tag = "3")]
    name: String,
    /// Of a column.
    #[prost(uint64, tag = "4")]
    index: u64,
    #[prost(message, optional, tag = "5")]
    literal: Option<LiteralNode>,
    /// What a function gives, or a cast.
    #[prost(bytes = "vec", tag = "6")]
    field: Vec<u8>,
    #[prost(message, optional, tag = "7")]
    function: Option<FunctionNode>,
    /// Negated, or: fails on overflow, has a base, has a field of its own.
    #[prost(bool, tag = "8")]
    flag: bool,
    /// Without regard to case, or: has an ELSE, gives NULL for what does not fit.
    #[prost(bool, tag = "9")]
    other_flag: bool,
    /// The constants of a list.
    #[prost(bytes = "vec", tag = "10")]
    values: Vec<u8>,
    /// Of a constant.
    #[prost(btree_map = "string, string", tag = "11")]
    metadata: BTreeMap<String, String>,
    /// Of a subquery that the plan computes itself.
    #[prost(message, optional, tag = "12")]
    place: Option<Place>,
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
    Negative = 7,
    Case = 8,
    Cast = 9,
    TryCast = 10,
    InList = 11,
    Like = 12,
    Function = 13,
    NoOp = 14,
    UnknownColumn = 15,
    Subquery = 16,
}

impl Writer<'_> {
    pub(super) fn expr(&self, expr: &Expr) -> Result<ExprNode> {
        if let Some(subquery) = expr.downcast_ref::<ScalarSubqueryExpr>() {
            if let Some((place, field)) = self.computed().place_of(subquery)? {
                return Ok(ExprNode { kind: Kind::Subquery.into(), place: Some(place), field, ..ExprNode::default() });
            }
            // Its value does not depend on rows; there is an error as long as it is not computed.
            let value = subquery.evaluate(&RecordBatch::new_empty(Arc::new(Schema::empty())))?;
            let ColumnarValue::Scalar(value) = value else { return not_impl_err!("a subquery of many values") };
            let literal: Expr = Arc::new(Literal::new(value));
            let field = expr.return_field(&Schema::empty())?;
            if !field.is_nullable() {
                return self.expr(&literal);
            }
            // A constant that is not null would make the column one without nulls, which others do not expect.
            return self.expr(&(Arc::new(CastExpr::new_with_target_field(literal, field, None)) as Expr));
        }
        let mut node = ExprNode::default();
        let kind = match self.leaf(expr, &mut node)? {
            Some(kind) => kind,
            None => self.composed(expr, &mut node)?,
        };
        node.set_kind(kind);
        Ok(node)
    }

    /// A column, a constant, a function: what has more than parts.
    fn leaf(&self, expr: &Expr, node: &mut ExprNode) -> Result<Option<Kind>> {
        if let Some(column) = expr.downcast_ref::<Column>() {
            (node.name, node.index) = (column.name().to_owned(), column.index() as u64);
            return Ok(Some(Kind::Column));
        }
        if let Some(column) = expr.downcast_ref::<UnKnownColumn>() {
            node.name = column.name().to_owned();
            return Ok(Some(Kind::UnknownColumn));
        }
        if let Some(literal) = expr.downcast_ref::<Literal>() {
            node.literal = Some(LiteralNode::new(literal.value())?);
            let field = expr.return_field(&Schema::empty())?;
            node.metadata = field.metadata().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
            return Ok(Some(Kind::Literal));
        }
        if let Some(call) = expr.downcast_ref::<ScalarFunctionExpr>() {
            node.name = call.name().to_owned();
            node.function = Some(self.functions().write_scalar(call.fun())?);
            node.field = field_to_bytes(&call.return_field(&Schema::empty())?)?;
            node.parts = self.expr_nodes(call.args())?;
            return Ok(Some(Kind::Function));
        }
        Ok(expr.is::<NoOp>().then_some(Kind::NoOp))
    }

    fn composed(&self, expr: &Expr, node: &mut ExprNode) -> Result<Kind> {
        let (kind, parts): (Kind, Vec<&Expr>) = if let Some(binary) = expr.downcast_ref::<BinaryExpr>() {
            node.name = format!("{:?}", binary.op());
            let plain = BinaryExpr::new(Arc::clone(binary.left()), *binary.op(), Arc::clone(binary.right()));
            // It has no getter, but takes part in equality.
            node.flag = binary.op().is_numerical_operators() && plain != *binary;
            (Kind::Binary, vec![binary.left(), binary.right()])
        } else if let Some(not) = expr.downcast_ref::<NotExpr>() {
            (Kind::Not, vec![not.arg()])
        } else if let Some(is_null) = expr.downcast_ref::<IsNullExpr>() {
            (Kind::IsNull, vec![is_null.arg()])
        } else if let Some(is_not_null) = expr.downcast_ref::<IsNotNullExpr>() {
            (Kind::IsNotNull, vec![is_not_null.arg()])
        } else if let Some(negative) = expr.downcast_ref::<NegativeExpr>() {
            (Kind::Negative, vec![negative.arg()])
        } else if let Some(case) = expr.downcast_ref::<CaseExpr>() {
            (node.flag, node.other_flag) = (case.expr().is_some(), case.else_expr().is_some());
            let branches = case.when_then_expr().iter().flat_map(|(when, then)| [when, then]);
            (Kind::Case, case.expr().into_iter().chain(branches).chain(case.else_expr()).collect())
        } else if let Some(cast) = expr.downcast_ref::<CastExpr>() {
            node.field = field_to_bytes(cast.target_field())?;
            node.flag = cast.has_explicit_metadata() || cast.has_explicit_nullability();
            node.other_flag = cast.cast_options().safe;
            let plain = CastExpr::new(Arc::clone(cast.expr()), cast.cast_type().clone(), None);
            if cast.cast_options().format_options != plain.cast_options().format_options {
                return not_impl_err!("a cast with formats on executors");
            }
            (Kind::Cast, vec![cast.expr()])
        } else if let Some(cast) = expr.downcast_ref::<TryCastExpr>() {
            node.field = field_to_bytes(cast.target_field())?;
            node.flag = cast.target_metadata().is_some();
            (Kind::TryCast, vec![cast.expr()])
        } else if let Some(like) = expr.downcast_ref::<LikeExpr>() {
            (node.flag, node.other_flag) = (like.negated(), like.case_insensitive());
            (Kind::Like, vec![like.expr(), like.pattern()])
        } else if let Some(list) = expr.downcast_ref::<InListExpr>() {
            node.flag = list.negated();
            let constants = list.list().iter().map(|item| item.downcast_ref::<Literal>().map(Literal::value).cloned());
            match constants.collect::<Option<Vec<_>>>().filter(|values| values.len() > 1) {
                Some(values) => {
                    node.values = values_to_bytes(values)?;
                    (Kind::InList, vec![list.expr()])
                }
                None => (Kind::InList, std::iter::once(list.expr()).chain(list.list()).collect()),
            }
        } else {
            return not_impl_err!("the expression {expr} on executors");
        };
        node.parts = self.expr_nodes(parts)?;
        Ok(kind)
    }
}

impl Reader<'_> {
    /// An expression over columns of this schema.
    pub(super) fn expr(&self, node: &ExprNode, schema: &Schema) -> Result<Expr> {
        let parts = self.read_exprs(&node.parts, schema)?;
        Ok(match node.kind() {
            Kind::Missing => return Err(lacks("an expression")),
            Kind::Column => Arc::new(Column::new(&node.name, number(node.index)?)),
            Kind::UnknownColumn => Arc::new(UnKnownColumn::new(&node.name)),
            Kind::NoOp => Arc::new(NoOp::new()),
            Kind::Subquery => self.computed().read(node.place.as_ref(), field_from_bytes(&node.field)?.as_ref())?,
            Kind::Literal => {
                let value = node.literal.as_ref().ok_or_else(|| lacks("a constant"))?.read()?;
                let metadata = (!node.metadata.is_empty()).then(|| FieldMetadata::from(node.metadata.clone()));
                Arc::new(Literal::new_with_metadata(value, metadata))
            }
            Kind::Function => {
                let function = node.function.as_ref().ok_or_else(|| lacks("a function"))?;
                let function = self.functions().read_scalar(function)?;
                let options = Arc::clone(self.task_context().session_config().options());
                let field = field_from_bytes(&node.field)?;
                Arc::new(ScalarFunctionExpr::new(&node.name, function, parts, field, options))
            }
            _ => self.recomposed(node, parts, schema)?,
        })
    }

    fn recomposed(&self, node: &ExprNode, parts: Vec<Expr>, schema: &Schema) -> Result<Expr> {
        let mut parts = parts.into_iter();
        let mut next = || parts.next().ok_or_else(|| lacks("a part of an expression"));
        Ok(match node.kind() {
            Kind::Binary => {
                let binary = BinaryExpr::new(next()?, operator(&node.name)?, next()?);
                Arc::new(binary.with_fail_on_overflow(node.flag))
            }
            Kind::Not => Arc::new(NotExpr::new(next()?)),
            Kind::IsNull => Arc::new(IsNullExpr::new(next()?)),
            Kind::IsNotNull => Arc::new(IsNotNullExpr::new(next()?)),
            Kind::Negative => Arc::new(NegativeExpr::new(next()?)),
            Kind::Case => {
                let base = if node.flag { Some(next()?) } else { None };
                let ends = usize::from(node.flag) + usize::from(node.other_flag);
                let branches = node.parts.len().saturating_sub(ends) / 2;
                let branches = (0..branches).map(|_| Ok((next()?, next()?))).collect::<Result<Vec<_>>>()?;
                let otherwise = if node.other_flag { Some(next()?) } else { None };
                Arc::new(CaseExpr::try_new(base, branches, otherwise)?)
            }
            Kind::Cast => {
                let (part, field) = (next()?, field_from_bytes(&node.field)?);
                let plain = CastExpr::new(Arc::clone(&part), field.data_type().clone(), None);
                let mut options = plain.cast_options().clone();
                options.safe = node.other_flag;
                match node.flag {
                    true => Arc::new(CastExpr::new_with_target_field(part, field, Some(options))),
                    false => Arc::new(CastExpr::new(part, field.data_type().clone(), Some(options))),
                }
            }
            Kind::TryCast => {
                let (part, field) = (next()?, field_from_bytes(&node.field)?);
                match node.flag {
                    true => Arc::new(TryCastExpr::new_with_target_field(part, field)),
                    false => Arc::new(TryCastExpr::new(part, field.data_type().clone())),
                }
            }
            Kind::Like => Arc::new(LikeExpr::new(node.flag, node.other_flag, next()?, next()?)),
            Kind::InList => {
                let base = next()?;
                let list = match node.values.is_empty() {
                    true => parts.collect(),
                    false => {
                        let values = values_from_bytes(&node.values)?.into_iter();
                        values.map(|value| Arc::new(Literal::new(value)) as Expr).collect()
                    }
                };
                Arc::new(InListExpr::try_new(base, list, node.flag, schema)?)
            }
            _ => return Err(lacks("an expression")),
        })
    }
}
