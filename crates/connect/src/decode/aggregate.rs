//! GROUP BY and PIVOT.

use firesteel_model::Result;
use firesteel_spec::Expr;
use firesteel_spec::relation::{AggregateStyle, Grouping, GroupingElement, GroupingSet, RelationNode};
use spark_connect_proto as proto;
use spark_connect_proto::aggregate::GroupType;

use super::expression::{expression, expressions};
use super::literal::literal_expr;
use super::missing;
use super::relation::input;

/// `df.groupBy(..).agg(..)` and its like: the grouping columns come first.
pub(crate) fn aggregate(message: proto::Aggregate) -> Result<RelationNode> {
    let group_type = message.group_type();
    let input = input(message.input)?;
    let by = expressions(message.grouping_expressions)?;
    let items = expressions(message.aggregate_expressions)?;
    let style = AggregateStyle::GroupingFirst;
    let grouping = match group_type {
        GroupType::Groupby => Grouping::Expressions(by),
        GroupType::Rollup => Grouping::Elements(vec![GroupingElement::Rollup(singly(by))]),
        GroupType::Cube => Grouping::Elements(vec![GroupingElement::Cube(singly(by))]),
        GroupType::GroupingSets => {
            let sets = message
                .grouping_sets
                .into_iter()
                .map(|set| Ok(GroupingSet::Set(expressions(set.grouping_set)?)))
                .collect::<Result<_>>()?;
            Grouping::Elements(vec![GroupingElement::Sets(sets)])
        }
        GroupType::Pivot => {
            let pivot = message.pivot.ok_or_else(|| missing("the pivot of an aggregate"))?;
            return Ok(RelationNode::Pivot {
                input,
                grouping: by,
                column: expression(pivot.col.ok_or_else(|| missing("the column of a pivot"))?)?,
                values: pivot.values.into_iter().map(literal_expr).collect::<Result<_>>()?,
                aggregates: items,
                style,
            });
        }
        GroupType::Unspecified => return Err(missing("the kind of an aggregate")),
    };
    Ok(RelationNode::Aggregate { input, grouping, items, style })
}

fn singly(expressions: Vec<Expr>) -> Vec<Vec<Expr>> {
    expressions.into_iter().map(|expression| vec![expression]).collect()
}
