//! Relations that move rows, rename or retype columns, or give rows to Python.

use firesteel_model::{Result, SparkError};
use firesteel_spec::expr::ExprNode;
use firesteel_spec::relation::{OrderByAll, RelationNode, RepartitionKind, SchemaText, Unpivot};
use firesteel_spec::{Expr, Relation};
use spark_connect_proto as proto;
use spark_connect_proto::expression::ExprType;
use spark_connect_proto::parse::ParseFormat;
use spark_connect_proto::relation::RelType;

use super::data_type::schema;
use super::expression::{expression, expressions, required};
use super::function::required_udf;
use super::relation::input;
use super::{missing, sorted};

/// A relation of this family.
pub(crate) fn of_kind(kind: RelType) -> Result<RelationNode> {
    match kind {
        RelType::Repartition(message) => repartition(*message),
        RelType::RepartitionByExpression(message) => repartition_by(*message),
        RelType::ToDf(message) => Ok(RelationNode::ToDf { input: input(message.input)?, names: message.column_names }),
        RelType::ToSchema(message) => Ok(RelationNode::ToSchema {
            input: input(message.input)?,
            schema: schema(message.schema.ok_or_else(|| missing("the schema of DataFrame.to"))?)?,
        }),
        RelType::WithColumnsRenamed(message) => with_columns_renamed(*message),
        RelType::Unpivot(message) => unpivot(*message),
        RelType::Transpose(message) => Ok(RelationNode::Transpose {
            input: input(message.input)?,
            index: message.index_columns.into_iter().next().map(expression).transpose()?,
        }),
        RelType::Parse(message) => parse(*message),
        RelType::Sample(message) => sample(*message),
        RelType::MapPartitions(message) => Ok(RelationNode::MapPartitions {
            input: input(message.input)?,
            function: required_udf(message.func, "the function of mapInPandas or mapInArrow")?,
            is_barrier: message.is_barrier.unwrap_or(false),
        }),
        RelType::GroupMap(message) => group_map(*message),
        RelType::ApplyInPandasWithState(_) => Err(SparkError::unsupported("applyInPandasWithState")),
        other => Err(SparkError::internal(format!("no decoder for a relation: {other:?}"))),
    }
}

fn repartition(message: proto::Repartition) -> Result<RelationNode> {
    let kind = if message.shuffle.unwrap_or(true) { RepartitionKind::Shuffle } else { RepartitionKind::Coalesce };
    Ok(RelationNode::Repartition {
        input: input(message.input)?,
        count: Some(message.num_partitions),
        by: Vec::new(),
        kind,
    })
}

fn repartition_by(message: proto::RepartitionByExpression) -> Result<RelationNode> {
    let mut kind = RepartitionKind::Shuffle;
    let mut by = Vec::with_capacity(message.partition_exprs.len());
    for partition in message.partition_exprs {
        by.push(match partition.expr_type {
            Some(ExprType::DirectShufflePartitionId(id)) => {
                kind = RepartitionKind::ById;
                required(id.child, "the partition id")?
            }
            expr_type => expression(proto::Expression { common: partition.common, expr_type })?,
        });
    }
    if by.iter().any(|key| matches!(*key.node, ExprNode::SortKey(_))) {
        kind = RepartitionKind::Range;
    }
    Ok(RelationNode::Repartition { input: input(message.input)?, count: message.num_partitions, by, kind })
}

// Clients before 4.0 send the renames as a map.
#[allow(deprecated)]
fn with_columns_renamed(message: proto::WithColumnsRenamed) -> Result<RelationNode> {
    let renames = if message.renames.is_empty() {
        sorted(message.rename_columns_map)
    } else {
        message.renames.into_iter().map(|rename| (rename.col_name, rename.new_col_name)).collect()
    };
    Ok(RelationNode::WithColumnsRenamed { input: input(message.input)?, renames })
}

fn unpivot(message: proto::Unpivot) -> Result<RelationNode> {
    let values = match message.values {
        None => None,
        Some(values) => {
            let values: Vec<Expr> = expressions(values.values)?;
            Some(values.into_iter().map(|value| (vec![value], None)).collect())
        }
    };
    Ok(RelationNode::Unpivot(Box::new(Unpivot {
        input: input(message.input)?,
        ids: Some(expressions(message.ids)?),
        values,
        variable_name: message.variable_column_name,
        value_names: vec![message.value_column_name],
        include_nulls: true,
    })))
}

fn parse(message: proto::Parse) -> Result<RelationNode> {
    let is_csv = match message.format() {
        ParseFormat::Csv => true,
        ParseFormat::Json => false,
        ParseFormat::Xml => return Err(SparkError::unsupported("parsing XML")),
        ParseFormat::Unspecified => return Err(missing("the format to parse")),
    };
    let schema: Option<SchemaText> = message.schema.map(schema).transpose()?;
    Ok(RelationNode::Parse { input: input(message.input)?, is_csv, schema, options: sorted(message.options) })
}

fn sample(message: proto::Sample) -> Result<RelationNode> {
    let mut input = input(message.input)?;
    if message.deterministic_order {
        // randomSplit samples the same input several times: within a partition the rows must come in one order.
        let all = Some(OrderByAll { ascending: true, nulls_first: true });
        input = Relation::new(RelationNode::Sort { input, keys: Vec::new(), is_global: false, all });
    }
    Ok(RelationNode::Sample {
        input,
        lower: message.lower_bound,
        upper: message.upper_bound,
        with_replacement: message.with_replacement.unwrap_or(false),
        seed: message.seed,
    })
}

fn group_map(message: proto::GroupMap) -> Result<RelationNode> {
    let keeps_state = message.initial_input.is_some()
        || message.is_map_groups_with_state.is_some()
        || message.transform_with_state_info.is_some();
    if keeps_state {
        return Err(SparkError::unsupported("grouped functions with state"));
    }
    Ok(RelationNode::GroupMap {
        input: input(message.input)?,
        grouping: expressions(message.grouping_expressions)?,
        function: required_udf(message.func, "the function of a group")?,
        sort: expressions(message.sorting_expressions)?,
    })
}
