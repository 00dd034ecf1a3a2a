//! Expressions.

use std::sync::Arc;

use firesteel_model::{Result, SparkError};
use firesteel_spec::expr::{
    CallSite, CastMode, CastTarget, Expr, ExprNode, FrameBound, FunctionCall, SortKey, SubqueryKind, WindowFrame,
    WindowSpec,
};
use spark_connect_proto as proto;
use spark_connect_proto::expression::cast::{CastToType, EvalMode};
use spark_connect_proto::expression::sort_order::{NullOrdering, SortDirection};
use spark_connect_proto::expression::window::WindowFrame as FrameMessage;
use spark_connect_proto::expression::window::window_frame::frame_boundary::Boundary;
use spark_connect_proto::expression::window::window_frame::{FrameBoundary, FrameType};
use spark_connect_proto::expression::{self as message, ExprType};
use spark_connect_proto::origin::Function;
use spark_connect_proto::subquery_expression::SubqueryType;

use super::data_type::cast_target;
use super::literal::literal_expr;
use super::{deep, function, invalid, missing, name};

/// An expression.
pub(crate) fn expression(expression: proto::Expression) -> Result<Expr> {
    let kind = expression.expr_type.ok_or_else(|| missing("the kind of an expression"))?;
    let decoded = deep(|| of_kind(kind))?;
    Ok(Expr { call_site: expression.common.and_then(call_site), ..decoded })
}

/// Where the client's script made an expression, if it tells.
fn call_site(common: proto::ExpressionCommon) -> Option<Arc<CallSite>> {
    match common.origin?.function? {
        Function::PythonOrigin(origin) => {
            Some(Arc::new(CallSite { method: origin.fragment.into(), place: origin.call_site.into() }))
        }
        Function::JvmOrigin(_) => None,
    }
}

/// An expression that must be there.
pub(crate) fn required(expression_message: Option<Box<proto::Expression>>, what: &str) -> Result<Expr> {
    expression(*expression_message.ok_or_else(|| missing(what))?)
}

/// Expressions.
pub(crate) fn expressions(messages: Vec<proto::Expression>) -> Result<Vec<Expr>> {
    messages.into_iter().map(expression).collect()
}

/// A sort key.
pub(crate) fn sort_key(order: message::SortOrder) -> Result<SortKey> {
    let ascending = order.direction() != SortDirection::Descending;
    let nulls_first = match order.null_ordering() {
        NullOrdering::SortNullsFirst => true,
        NullOrdering::SortNullsLast => false,
        NullOrdering::SortNullsUnspecified => ascending,
    };
    Ok(SortKey { child: required(order.child, "the child of a sort order")?, ascending, nulls_first })
}

/// `e AS name`.
pub(crate) fn alias(alias: message::Alias) -> Result<Expr> {
    let child = required(alias.expr, "the expression of an alias")?;
    Ok(Expr::new(ExprNode::Alias { child, names: alias.name, metadata: alias.metadata }))
}

fn of_kind(kind: ExprType) -> Result<Expr> {
    let node = match kind {
        ExprType::Literal(literal) => return literal_expr(literal),
        ExprType::Alias(aliased) => return alias(*aliased),
        ExprType::UnresolvedFunction(call) => function::unresolved(call)?,
        ExprType::UnresolvedAttribute(attribute) => ExprNode::Attribute {
            parts: name::parts(&attribute.unparsed_identifier)?,
            plan_id: attribute.plan_id,
            is_metadata: attribute.is_metadata_column.unwrap_or(false),
        },
        ExprType::ExpressionString(text) => ExprNode::SqlText(text.expression),
        ExprType::UnresolvedStar(star) => star_node(star)?,
        ExprType::Cast(cast) => cast_node(*cast)?,
        ExprType::UnresolvedRegex(regex) => {
            ExprNode::Regex { pattern: regex.col_name, target: Vec::new(), plan_id: regex.plan_id }
        }
        ExprType::SortOrder(order) => ExprNode::SortKey(sort_key(*order)?),
        ExprType::LambdaFunction(lambda) => ExprNode::Lambda {
            parameters: lambda.arguments.into_iter().map(lambda_variable).collect(),
            body: required(lambda.function, "the body of a lambda")?,
        },
        ExprType::UnresolvedNamedLambdaVariable(variable) => ExprNode::LambdaVariable(lambda_variable(variable)),
        ExprType::Window(window) => window_node(*window)?,
        ExprType::UnresolvedExtractValue(extract) => ExprNode::Extract {
            child: required(extract.child, "the child of an extraction")?,
            key: required(extract.extraction, "the key of an extraction")?,
        },
        ExprType::UpdateFields(update) => ExprNode::UpdateField {
            child: required(update.struct_expression, "the struct of an update")?,
            field: update.field_name,
            value: update.value_expression.map(|value| expression(*value)).transpose()?,
        },
        ExprType::CommonInlineUserDefinedFunction(udf) => ExprNode::PythonUdf(function::python_udf(udf)?),
        ExprType::CallFunction(call) => {
            ExprNode::Function(FunctionCall::named(name::parts(&call.function_name)?, expressions(call.arguments)?))
        }
        ExprType::NamedArgumentExpression(argument) => ExprNode::NamedArgument {
            name: argument.key,
            value: required(argument.value, "the value of a named argument")?,
        },
        ExprType::SubqueryExpression(subquery) => subquery_node(subquery)?,
        ExprType::MergeAction(_) => return Err(invalid("a merge action stands outside MERGE")),
        ExprType::DirectShufflePartitionId(_) => return Err(invalid("a partition id stands outside repartitionById")),
        ExprType::TypedAggregateExpression(_) => return Err(SparkError::unsupported("Scala aggregators")),
        ExprType::Extension(any) => return Err(SparkError::unsupported(format!("the expression {}", any.type_url))),
    };
    Ok(Expr::new(node))
}

fn star_node(star: message::UnresolvedStar) -> Result<ExprNode> {
    let target = match star.unparsed_target {
        None => Vec::new(),
        Some(target) => match target.strip_suffix(".*") {
            Some(target) => name::parts(target)?,
            None if target == "*" => Vec::new(),
            None => return Err(invalid(format!("{target} does not end in .*"))),
        },
    };
    Ok(ExprNode::Star { target, plan_id: star.plan_id, except: Vec::new(), replace: Vec::new() })
}

fn cast_node(cast: message::Cast) -> Result<ExprNode> {
    let mode = match cast.eval_mode() {
        EvalMode::Unspecified => CastMode::Session,
        EvalMode::Ansi => CastMode::Ansi,
        EvalMode::Legacy | EvalMode::Try => CastMode::Try,
    };
    let target = match cast.cast_to_type.ok_or_else(|| missing("the type of a cast"))? {
        CastToType::Type(data_type) => cast_target(data_type)?,
        CastToType::TypeStr(text) => CastTarget::Ddl(text),
    };
    Ok(ExprNode::Cast { child: required(cast.expr, "the child of a cast")?, target, mode })
}

fn lambda_variable(variable: message::UnresolvedNamedLambdaVariable) -> String {
    variable.name_parts.join(".")
}

fn window_node(window: message::Window) -> Result<ExprNode> {
    Ok(ExprNode::Window {
        function: required(window.window_function, "the function of a window")?,
        window: WindowSpec {
            base: None,
            partition_by: expressions(window.partition_spec)?,
            order_by: window.order_spec.into_iter().map(sort_key).collect::<Result<_>>()?,
            frame: window.frame_spec.map(|frame| window_frame(*frame)).transpose()?,
        },
    })
}

fn window_frame(frame: FrameMessage) -> Result<WindowFrame> {
    Ok(WindowFrame {
        is_rows: frame.frame_type() == FrameType::Row,
        lower: frame_bound(frame.lower)?,
        upper: frame_bound(frame.upper)?,
    })
}

fn frame_bound(bound: Option<Box<FrameBoundary>>) -> Result<FrameBound> {
    match bound.and_then(|bound| bound.boundary).ok_or_else(|| missing("a bound of a window frame"))? {
        Boundary::CurrentRow(_) => Ok(FrameBound::CurrentRow),
        Boundary::Unbounded(_) => Ok(FrameBound::Unbounded),
        Boundary::Value(offset) => Ok(FrameBound::Offset(expression(*offset)?)),
    }
}

fn subquery_node(subquery: proto::SubqueryExpression) -> Result<ExprNode> {
    let kind = match subquery.subquery_type() {
        SubqueryType::Scalar => SubqueryKind::Scalar,
        SubqueryType::Exists => SubqueryKind::Exists,
        SubqueryType::In => SubqueryKind::In(expressions(subquery.in_subquery_values)?),
        SubqueryType::TableArg => {
            let options = subquery.table_arg_options.unwrap_or_default();
            SubqueryKind::Table {
                partition_by: expressions(options.partition_spec)?,
                order_by: options.order_spec.into_iter().map(sort_key).collect::<Result<_>>()?,
                single_partition: options.with_single_partition.unwrap_or(false),
            }
        }
        SubqueryType::Unknown => return Err(missing("the kind of a subquery")),
    };
    Ok(ExprNode::SubqueryReference { plan_id: subquery.plan_id, kind })
}
