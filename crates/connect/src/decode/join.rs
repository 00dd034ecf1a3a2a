//! Relations with more than one input.

use firesteel_model::{Result, SparkError};
use firesteel_spec::relation::{AsOfJoin, Join, JoinCondition, JoinKind, RelationNode, SetKind};
use spark_connect_proto as proto;
use spark_connect_proto::join::JoinType;
use spark_connect_proto::relation::RelType;
use spark_connect_proto::set_operation::SetOpType;

use super::expression::{expression, expressions};
use super::function::required_udf;
use super::relation::{input, relation};
use super::{invalid, missing};

/// A join, a set operation, or several DataFrames in one plan.
pub(crate) fn of_kind(kind: RelType) -> Result<RelationNode> {
    match kind {
        RelType::Join(message) => join(*message),
        RelType::LateralJoin(message) => {
            let kind = join_kind(message.join_type())?;
            Ok(RelationNode::Join(Box::new(Join {
                left: input(message.left)?,
                right: input(message.right)?,
                kind,
                condition: on(message.join_condition)?,
                is_lateral: true,
            })))
        }
        RelType::AsOfJoin(message) => as_of_join(*message),
        RelType::SetOp(message) => set_operation(*message),
        RelType::CoGroupMap(message) => co_group_map(*message),
        RelType::WithRelations(message) => Ok(RelationNode::WithRelations {
            input: input(message.root)?,
            references: message.references.into_iter().map(relation).collect::<Result<_>>()?,
        }),
        RelType::NearestByJoin(_) => Err(SparkError::unsupported("DataFrame.nearestByJoin")),
        RelType::Zip(_) => Err(SparkError::unsupported("DataFrame.zip")),
        other => Err(SparkError::internal(format!("no decoder for a join: {other:?}"))),
    }
}

fn join(message: proto::Join) -> Result<RelationNode> {
    if message.join_data_type.is_some() {
        return Err(SparkError::unsupported("Dataset.joinWith"));
    }
    let kind = join_kind(message.join_type())?;
    let condition = match (message.join_condition, message.using_columns) {
        (condition, using) if using.is_empty() => on(condition)?,
        (None, using) => JoinCondition::Using(using),
        _ => return Err(invalid("a join has both a condition and USING columns")),
    };
    let (left, right) = (input(message.left)?, input(message.right)?);
    Ok(RelationNode::Join(Box::new(Join { left, right, kind, condition, is_lateral: false })))
}

fn on(condition: Option<proto::Expression>) -> Result<JoinCondition> {
    Ok(condition.map(expression).transpose()?.map_or(JoinCondition::None, JoinCondition::On))
}

fn join_kind(kind: JoinType) -> Result<JoinKind> {
    Ok(match kind {
        JoinType::Inner => JoinKind::Inner,
        JoinType::FullOuter => JoinKind::Full,
        JoinType::LeftOuter => JoinKind::Left,
        JoinType::RightOuter => JoinKind::Right,
        JoinType::LeftAnti => JoinKind::LeftAnti,
        JoinType::LeftSemi => JoinKind::LeftSemi,
        JoinType::Cross => JoinKind::Cross,
        JoinType::Unspecified => return Err(missing("the kind of a join")),
    })
}

fn as_of_join(message: proto::AsOfJoin) -> Result<RelationNode> {
    let kind = match message.join_type.to_lowercase().as_str() {
        "inner" => JoinKind::Inner,
        "left" | "leftouter" | "left_outer" => JoinKind::Left,
        other => return Err(SparkError::unsupported(format!("as-of joins of type {other}"))),
    };
    let condition = match (message.join_expr, message.using_columns) {
        (condition, using) if using.is_empty() => on(condition)?,
        (_, using) => JoinCondition::Using(using),
    };
    Ok(RelationNode::AsOfJoin(Box::new(AsOfJoin {
        left: input(message.left)?,
        right: input(message.right)?,
        left_as_of: expression(message.left_as_of.ok_or_else(|| missing("left_as_of"))?)?,
        right_as_of: expression(message.right_as_of.ok_or_else(|| missing("right_as_of"))?)?,
        condition,
        kind,
        tolerance: message.tolerance.map(expression).transpose()?,
        allow_exact_matches: message.allow_exact_matches,
        direction: message.direction,
    })))
}

fn set_operation(message: proto::SetOperation) -> Result<RelationNode> {
    let kind = match message.set_op_type() {
        SetOpType::Union => SetKind::Union,
        SetOpType::Intersect => SetKind::Intersect,
        SetOpType::Except => SetKind::Except,
        SetOpType::Unspecified => return Err(missing("the kind of a set operation")),
    };
    Ok(RelationNode::SetOperation {
        left: input(message.left_input)?,
        right: input(message.right_input)?,
        kind,
        is_all: message.is_all.unwrap_or(false),
        by_name: message.by_name.unwrap_or(false),
        allow_missing: message.allow_missing_columns.unwrap_or(false),
    })
}

fn co_group_map(message: proto::CoGroupMap) -> Result<RelationNode> {
    if !message.input_sorting_expressions.is_empty() || !message.other_sorting_expressions.is_empty() {
        return Err(SparkError::unsupported("sorted cogroups"));
    }
    Ok(RelationNode::CoGroupMap {
        left: input(message.input)?,
        left_grouping: expressions(message.input_grouping_expressions)?,
        right: input(message.other)?,
        right_grouping: expressions(message.other_grouping_expressions)?,
        function: required_udf(message.func, "the function of a cogroup")?,
    })
}
