//! Relations that start a tree: reads, SQL text, table functions.

use std::collections::HashMap;

use firesteel_model::Result;
use firesteel_spec::Expr;
use firesteel_spec::expr::FunctionCall;
use firesteel_spec::relation::{DataSource, RelationNode, SchemaText};
use spark_connect_proto as proto;
use spark_connect_proto::read::ReadType;

use super::expression::{expression, expressions};
use super::literal::literal_expr;
use super::{missing, name, sorted};

/// `spark.table`, `spark.read`.
pub(crate) fn read(read: proto::Read) -> Result<RelationNode> {
    match read.read_type.ok_or_else(|| missing("the kind of a read"))? {
        ReadType::NamedTable(table) => Ok(RelationNode::Table {
            name: name::parts(&table.unparsed_identifier)?,
            options: sorted(table.options),
            is_streaming: read.is_streaming,
            time_travel: None,
        }),
        ReadType::DataSource(source) => Ok(RelationNode::DataSource(DataSource {
            format: source.format.filter(|format| !format.is_empty()),
            schema: source.schema.filter(|text| !text.is_empty()).map(SchemaText::Text),
            options: sorted(source.options),
            paths: source.paths,
            predicates: source.predicates,
            is_streaming: read.is_streaming,
        })),
    }
}

/// SQL text and its arguments.
// Clients before 4.0 send constants in the deprecated fields.
#[allow(deprecated)]
pub(crate) fn sql(sql: proto::Sql) -> Result<RelationNode> {
    let mut positional = expressions(sql.pos_arguments)?;
    positional.extend(sql.pos_args.into_iter().map(literal_expr).collect::<Result<Vec<_>>>()?);
    let mut named = named(sql.named_arguments, expression)?;
    named.extend(self::named(sql.args, literal_expr)?);
    Ok(RelationNode::Sql { text: sql.query, named, positional })
}

/// A table function by name.
pub(crate) fn table_function(call: proto::UnresolvedTableValuedFunction) -> Result<RelationNode> {
    let call = FunctionCall::named(name::parts(&call.function_name)?, expressions(call.arguments)?);
    Ok(RelationNode::TableFunction(call))
}

fn named<T>(map: HashMap<String, T>, decode: impl Fn(T) -> Result<Expr>) -> Result<Vec<(String, Expr)>> {
    let mut pairs: Vec<(String, Expr)> =
        map.into_iter().map(|(key, value)| Ok((key, decode(value)?))).collect::<Result<_>>()?;
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(pairs)
}
