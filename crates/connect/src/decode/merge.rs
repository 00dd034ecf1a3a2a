//! `df.mergeInto`.

use firesteel_model::Result;
use firesteel_spec::command::{Command, Merge, MergeAction, MergeClause};
use firesteel_spec::expr::{Expr, ExprNode};
use spark_connect_proto as proto;
use spark_connect_proto::expression::ExprType;
use spark_connect_proto::merge_action::{ActionType, Assignment};

use super::expression::{expression, required};
use super::relation::relation;
use super::{invalid, missing, name};

/// `df.mergeInto(..).merge()`
pub(crate) fn merge(message: proto::MergeIntoTableCommand) -> Result<Command> {
    Ok(Command::Merge(Box::new(Merge {
        table: name::parts(&message.target_table_name)?,
        alias: None,
        source: relation(message.source_table_plan.ok_or_else(|| missing("the source of a merge"))?)?,
        condition: expression(message.merge_condition.ok_or_else(|| missing("the condition of a merge"))?)?,
        matched: clauses(message.match_actions)?,
        not_matched: clauses(message.not_matched_actions)?,
        not_matched_by_source: clauses(message.not_matched_by_source_actions)?,
        schema_evolution: message.with_schema_evolution,
    })))
}

fn clauses(messages: Vec<proto::Expression>) -> Result<Vec<MergeClause>> {
    messages.into_iter().map(clause).collect()
}

fn clause(message: proto::Expression) -> Result<MergeClause> {
    let Some(ExprType::MergeAction(action)) = message.expr_type else {
        return Err(invalid("a clause of a merge is no merge action"));
    };
    let kind = action.action_type();
    let condition = action.condition.map(|condition| expression(*condition)).transpose()?;
    let assignments: Vec<_> = action.assignments.into_iter().map(assignment).collect::<Result<_>>()?;
    let action = match kind {
        ActionType::Delete => MergeAction::Delete,
        ActionType::Insert => MergeAction::Insert(assignments),
        ActionType::InsertStar => MergeAction::Insert(Vec::new()),
        ActionType::Update => MergeAction::Update(assignments),
        ActionType::UpdateStar => MergeAction::Update(Vec::new()),
        ActionType::Invalid => return Err(missing("the action of a merge clause")),
    };
    Ok(MergeClause { condition, action })
}

fn assignment(message: Assignment) -> Result<(Vec<String>, Expr)> {
    let key = expression(message.key.ok_or_else(|| missing("the column of an assignment"))?)?;
    let value = required(message.value.map(Box::new), "the value of an assignment")?;
    match *key.node {
        ExprNode::Attribute { parts, .. } => Ok((parts, value)),
        ExprNode::SqlText(text) => Ok((name::parts(&text)?, value)),
        _ => Err(invalid("the target of an assignment is no column")),
    }
}
