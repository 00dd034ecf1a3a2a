//! Aggregations.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{Result, not_impl_err};
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, LimitOptions, PhysicalGroupBy};
use prost::Message;

use crate::codec::arrow_bytes::{schema_from_bytes, schema_to_bytes};
use crate::codec::entry::Entry;
use crate::codec::exprs::ExprNode;
use crate::codec::functions::FunctionNode;
use crate::codec::wire::{OrderingNode, Reader, Writer, lacks, number, single};

#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(enumeration = "Mode", tag = "1")]
    mode: i32,
    #[prost(message, repeated, tag = "2")]
    groups: Vec<NamedExpr>,
    /// What stands for a grouping expression in the sets without it.
    #[prost(message, repeated, tag = "3")]
    nulls: Vec<NamedExpr>,
    #[prost(message, repeated, tag = "4")]
    sets: Vec<GroupingSet>,
    #[prost(bool, tag = "5")]
    has_grouping_set: bool,
    #[prost(message, repeated, tag = "6")]
    calls: Vec<CallNode>,
    #[prost(message, repeated, tag = "7")]
    filters: Vec<MaybeExpr>,
    #[prost(bytes = "vec", tag = "8")]
    input_schema: Vec<u8>,
    #[prost(bytes = "vec", tag = "9")]
    schema: Vec<u8>,
    #[prost(uint64, optional, tag = "10")]
    limit: Option<u64>,
    #[prost(bool, optional, tag = "11")]
    limit_descending: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
enum Mode {
    Partial = 0,
    Final = 1,
    FinalPartitioned = 2,
    Single = 3,
    SinglePartitioned = 4,
    PartialReduce = 5,
}

#[derive(Clone, PartialEq, Message)]
struct NamedExpr {
    #[prost(message, optional, tag = "1")]
    expr: Option<ExprNode>,
    #[prost(string, tag = "2")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct GroupingSet {
    #[prost(bool, repeated, tag = "1")]
    is_null: Vec<bool>,
}

#[derive(Clone, PartialEq, Message)]
struct MaybeExpr {
    #[prost(message, optional, tag = "1")]
    expr: Option<ExprNode>,
}

/// A call of an aggregate function.
#[derive(Clone, PartialEq, Message)]
pub(super) struct CallNode {
    #[prost(message, optional, tag = "1")]
    function: Option<FunctionNode>,
    #[prost(message, repeated, tag = "2")]
    arguments: Vec<ExprNode>,
    #[prost(message, optional, tag = "3")]
    order: Option<OrderingNode>,
    #[prost(string, tag = "4")]
    name: String,
    #[prost(bool, tag = "5")]
    is_distinct: bool,
    #[prost(bool, tag = "6")]
    ignore_nulls: bool,
    #[prost(bool, tag = "7")]
    is_reversed: bool,
    #[prost(string, optional, tag = "8")]
    display: Option<String>,
    #[prost(string, optional, tag = "9")]
    display_alias: Option<String>,
}

impl CallNode {
    pub(super) fn of(call: &AggregateFunctionExpr, writer: &Writer<'_>) -> Result<Self> {
        Ok(Self {
            function: Some(writer.functions().write_aggregate(call.fun())?),
            arguments: writer.expr_nodes(&call.expressions())?,
            order: Some(writer.ordering(call.order_bys())?),
            name: call.name().to_owned(),
            is_distinct: call.is_distinct(),
            ignore_nulls: call.ignore_nulls(),
            is_reversed: call.is_reversed(),
            display: call.human_display().map(str::to_owned),
            display_alias: call.human_display_alias().map(str::to_owned),
        })
    }

    pub(super) fn read(&self, schema: &SchemaRef, reader: &Reader<'_>) -> Result<AggregateFunctionExpr> {
        let function = self.function.as_ref().ok_or_else(|| lacks("an aggregate function"))?;
        let function = reader.functions().read_aggregate(function)?;
        let order = self.order.as_ref().map(|order| reader.sorts(&order.keys, schema)).transpose()?;
        let mut builder = AggregateExprBuilder::new(function, reader.read_exprs(&self.arguments, schema)?)
            .schema(Arc::clone(schema))
            .alias(&self.name)
            .order_by(order.unwrap_or_default())
            .with_distinct(self.is_distinct)
            .with_ignore_nulls(self.ignore_nulls)
            .with_reversed(self.is_reversed);
        if let Some(display) = &self.display {
            builder = builder.human_display(display);
        }
        if let Some(alias) = &self.display_alias {
            builder = builder.human_display_alias(alias);
        }
        builder.build()
    }
}

fn mode_to(mode: &AggregateMode) -> Mode {
    match mode {
        AggregateMode::Partial => Mode::Partial,
        AggregateMode::Final => Mode::Final,
        AggregateMode::FinalPartitioned => Mode::FinalPartitioned,
        AggregateMode::Single => Mode::Single,
        AggregateMode::SinglePartitioned => Mode::SinglePartitioned,
        AggregateMode::PartialReduce => Mode::PartialReduce,
    }
}

fn mode_from(mode: Mode) -> AggregateMode {
    match mode {
        Mode::Partial => AggregateMode::Partial,
        Mode::Final => AggregateMode::Final,
        Mode::FinalPartitioned => AggregateMode::FinalPartitioned,
        Mode::Single => AggregateMode::Single,
        Mode::SinglePartitioned => AggregateMode::SinglePartitioned,
        Mode::PartialReduce => AggregateMode::PartialReduce,
    }
}

type Named = (Arc<dyn datafusion::physical_expr::PhysicalExpr>, String);

fn named_to(exprs: &[Named], writer: &Writer<'_>) -> Result<Vec<NamedExpr>> {
    exprs.iter().map(|(expr, name)| Ok(NamedExpr { expr: Some(writer.expr(expr)?), name: name.clone() })).collect()
}

fn named_from(nodes: &[NamedExpr], schema: &Schema, reader: &Reader<'_>) -> Result<Vec<Named>> {
    nodes.iter().map(|node| Ok((reader.required(node.expr.as_ref(), schema)?, node.name.clone()))).collect()
}

pub(super) struct Aggregate;

impl Entry for Aggregate {
    type Node = AggregateExec;
    type Message = Node;
    const NAME: &'static str = "aggregate";

    fn write(node: &AggregateExec, writer: &Writer<'_>) -> Result<Node> {
        let groups = node.group_expr();
        let filter =
            |filter: &Option<_>| Ok(MaybeExpr { expr: filter.as_ref().map(|filter| writer.expr(filter)).transpose()? });
        let limit = node.limit_options();
        Ok(Node {
            mode: mode_to(node.mode()).into(),
            groups: named_to(groups.expr(), writer)?,
            nulls: named_to(groups.null_expr(), writer)?,
            sets: groups.groups().iter().map(|is_null| GroupingSet { is_null: is_null.clone() }).collect(),
            has_grouping_set: groups.has_grouping_set(),
            calls: node.aggr_expr().iter().map(|call| CallNode::of(call, writer)).collect::<Result<_>>()?,
            filters: node.filter_expr().iter().map(filter).collect::<Result<_>>()?,
            input_schema: schema_to_bytes(&node.input_schema())?,
            schema: schema_to_bytes(&node.schema())?,
            limit: limit.map(|limit| limit.limit() as u64),
            limit_descending: limit.and_then(|limit| limit.descending()),
        })
    }

    fn read(node: Node, children: &[Arc<dyn ExecutionPlan>], reader: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let input = single(children)?;
        let schema = input.schema();
        let input_schema = schema_from_bytes(&node.input_schema)?;
        let (groups, nulls) = (named_from(&node.groups, &schema, reader)?, named_from(&node.nulls, &schema, reader)?);
        let sets = node.sets.iter().map(|set| set.is_null.clone()).collect();
        let groups = PhysicalGroupBy::new(groups, nulls, sets, node.has_grouping_set);
        let calls = node.calls.iter().map(|call| call.read(&input_schema, reader).map(Arc::new));
        let calls = calls.collect::<Result<Vec<_>>>()?;
        let filter = |filter: &MaybeExpr| filter.expr.as_ref().map(|expr| reader.expr(expr, &input_schema)).transpose();
        let filters = node.filters.iter().map(filter).collect::<Result<Vec<_>>>()?;
        let aggregate = AggregateExec::try_new(mode_from(node.mode()), groups, calls, filters, input, input_schema)?;
        let limit = match (node.limit.map(number).transpose()?, node.limit_descending) {
            (Some(limit), Some(descending)) => Some(LimitOptions::new_with_order(limit, descending)),
            (limit, _) => limit.map(LimitOptions::new),
        };
        let aggregate = aggregate.with_limit_options(limit);
        if aggregate.schema() != schema_from_bytes(&node.schema)? {
            return not_impl_err!("an aggregation with columns of its own on executors");
        }
        Ok(Arc::new(aggregate))
    }
}
