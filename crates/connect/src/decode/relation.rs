//! Relations: the dispatch, and those with one input that are simple.

use firesteel_model::{Result, SparkError};
use firesteel_spec::relation::RelationNode;
use firesteel_spec::{Expr, Literal, Relation};
use spark_connect_proto as proto;
use spark_connect_proto::relation::RelType;

use super::expression::{alias, expression, expressions, sort_key};
use super::{aggregate, catalog, deep, function, join, missing, reshape, source, statistic};

/// A relation.
pub(crate) fn relation(message: proto::Relation) -> Result<Relation> {
    let plan_id = message.common.and_then(|common| common.plan_id);
    let kind = message.rel_type.ok_or_else(|| missing("the kind of a relation"))?;
    let node = deep(|| of_kind(kind))?;
    Ok(Relation { node: Box::new(node), plan_id, span: None })
}

/// A relation below another.
pub(crate) fn input(message: Option<Box<proto::Relation>>) -> Result<Relation> {
    relation(*message.ok_or_else(|| missing("the input of a relation"))?)
}

/// An integer as an expression.
pub(crate) fn count(number: i32) -> Expr {
    Expr::literal(Literal::Integer(number))
}

fn of_kind(kind: RelType) -> Result<RelationNode> {
    match kind {
        RelType::Read(read) => source::read(read),
        RelType::Sql(sql) => source::sql(sql),
        RelType::LocalRelation(local) => {
            Ok(RelationNode::LocalRelation { data: local.data, schema: local.schema.filter(|text| !text.is_empty()) })
        }
        RelType::ChunkedCachedLocalRelation(cached) => {
            Ok(RelationNode::CachedLocalRelation { data_hashes: cached.data_hashes, schema_hash: cached.schema_hash })
        }
        RelType::CachedLocalRelation(_) => Err(SparkError::unsupported("local relations cached by clients before 4.1")),
        RelType::CachedRemoteRelation(cached) => Ok(RelationNode::CachedRemoteRelation(cached.relation_id)),
        RelType::Range(range) => Ok(RelationNode::Range {
            start: range.start,
            end: range.end,
            step: range.step,
            partitions: range.num_partitions,
        }),
        RelType::UnresolvedTableValuedFunction(call) => source::table_function(call),
        RelType::CommonInlineUserDefinedTableFunction(call) => {
            Ok(RelationNode::PythonTableFunction(function::python_table_function(call)?))
        }
        RelType::CommonInlineUserDefinedDataSource(source) => {
            Err(SparkError::unsupported(format!("the Python data source {}", source.name)))
        }
        RelType::Catalog(catalog) => catalog::operation(catalog),
        RelType::RelationChanges(_) => Err(SparkError::unsupported("reading a table's changes")),
        RelType::MlRelation(_) => Err(SparkError::unsupported("machine learning")),
        RelType::Extension(any) => Err(SparkError::unsupported(format!("the relation {}", any.type_url))),
        RelType::Unknown(_) => Err(missing("the kind of a relation")),
        joined @ (RelType::Join(_)
        | RelType::SetOp(_)
        | RelType::AsOfJoin(_)
        | RelType::LateralJoin(_)
        | RelType::NearestByJoin(_)
        | RelType::Zip(_)
        | RelType::CoGroupMap(_)
        | RelType::WithRelations(_)) => join::of_kind(joined),
        counted @ (RelType::FillNa(_)
        | RelType::DropNa(_)
        | RelType::Replace(_)
        | RelType::Summary(_)
        | RelType::Crosstab(_)
        | RelType::Describe(_)
        | RelType::Cov(_)
        | RelType::Corr(_)
        | RelType::ApproxQuantile(_)
        | RelType::FreqItems(_)
        | RelType::SampleBy(_)) => statistic::of_kind(counted),
        reshaped @ (RelType::Repartition(_)
        | RelType::RepartitionByExpression(_)
        | RelType::ToDf(_)
        | RelType::ToSchema(_)
        | RelType::WithColumnsRenamed(_)
        | RelType::Unpivot(_)
        | RelType::Transpose(_)
        | RelType::Parse(_)
        | RelType::MapPartitions(_)
        | RelType::GroupMap(_)
        | RelType::ApplyInPandasWithState(_)
        | RelType::Sample(_)) => reshape::of_kind(reshaped),
        simple => one_input(simple),
    }
}

fn one_input(kind: RelType) -> Result<RelationNode> {
    Ok(match kind {
        RelType::Project(project) => RelationNode::Project {
            input: project.input.map_or_else(|| Ok(Relation::new(RelationNode::OneRow)), |input| relation(*input))?,
            items: expressions(project.expressions)?,
        },
        RelType::Filter(filter) => RelationNode::Filter {
            input: input(filter.input)?,
            condition: expression(filter.condition.ok_or_else(|| missing("the condition of a filter"))?)?,
        },
        RelType::Sort(sort) => RelationNode::Sort {
            input: input(sort.input)?,
            keys: sort.order.into_iter().map(sort_key).collect::<Result<_>>()?,
            is_global: sort.is_global.unwrap_or(true),
            all: None,
        },
        RelType::Limit(limit) => RelationNode::Limit { input: input(limit.input)?, count: count(limit.limit) },
        RelType::Offset(offset) => RelationNode::Offset { input: input(offset.input)?, count: count(offset.offset) },
        RelType::Tail(tail) => RelationNode::Tail { input: input(tail.input)?, count: count(tail.limit) },
        RelType::Aggregate(message) => aggregate::aggregate(*message)?,
        RelType::Deduplicate(deduplicate) => RelationNode::Deduplicate {
            input: input(deduplicate.input)?,
            columns: deduplicate.column_names,
            within_watermark: deduplicate.within_watermark.unwrap_or(false),
        },
        RelType::SubqueryAlias(aliased) => {
            let mut name = aliased.qualifier;
            name.push(aliased.alias);
            RelationNode::Alias { input: input(aliased.input)?, name, columns: Vec::new() }
        }
        RelType::Drop(drop) => RelationNode::Drop {
            input: input(drop.input)?,
            columns: expressions(drop.columns)?,
            names: drop.column_names,
        },
        RelType::WithColumns(with) => RelationNode::WithColumns {
            input: input(with.input)?,
            columns: with.aliases.into_iter().map(alias).collect::<Result<_>>()?,
        },
        RelType::Hint(hint) => {
            RelationNode::Hint { input: input(hint.input)?, name: hint.name, parameters: expressions(hint.parameters)? }
        }
        RelType::WithWatermark(watermark) => RelationNode::Watermark {
            input: input(watermark.input)?,
            column: watermark.event_time,
            delay: watermark.delay_threshold,
        },
        RelType::CollectMetrics(collect) => RelationNode::CollectMetrics {
            input: input(collect.input)?,
            name: collect.name,
            metrics: expressions(collect.metrics)?,
        },
        RelType::ShowString(show) => RelationNode::ShowString {
            input: input(show.input)?,
            rows: show.num_rows,
            truncate: show.truncate,
            vertical: show.vertical,
        },
        RelType::HtmlString(html) => {
            RelationNode::HtmlString { input: input(html.input)?, rows: html.num_rows, truncate: html.truncate }
        }
        other => return Err(SparkError::internal(format!("no decoder for a relation: {other:?}"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range() -> proto::Relation {
        proto::Relation {
            common: None,
            rel_type: Some(RelType::Range(proto::Range { start: None, end: 3, step: 1, num_partitions: None })),
        }
    }

    #[test]
    fn deep_chains_are_walked() {
        let mut message = range();
        for plan_id in 0..2000 {
            message = proto::Relation {
                common: Some(proto::RelationCommon { plan_id: Some(plan_id), ..Default::default() }),
                rel_type: Some(RelType::Limit(Box::new(proto::Limit { input: Some(Box::new(message)), limit: 1 }))),
            };
        }
        let decoded = relation(message).unwrap();
        assert_eq!(decoded.plan_id, Some(1999));
        assert!(matches!(*decoded.node, RelationNode::Limit { .. }));
    }

    #[test]
    fn what_cannot_be_done_is_named() {
        let zip = RelType::Zip(Box::default());
        let error = relation(proto::Relation { common: None, rel_type: Some(zip) }).unwrap_err();
        assert_eq!(error.class().name, "UNSUPPORTED_FEATURE.FIRESTEEL");
        let error = relation(proto::Relation::default()).unwrap_err();
        assert_eq!(error.class().name, "FIRESTEEL_INVALID_MESSAGE");
    }
}
