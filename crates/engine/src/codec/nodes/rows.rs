//! Projections, filters, limits.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use prost::Message;

use crate::codec::entry::Entry;
use crate::codec::exprs::ExprNode;
use crate::codec::wire::{Columns, OrderingNode, Reader, Writer, lacks, number, single};

#[derive(Clone, PartialEq, Message)]
pub(super) struct ProjectionNode {
    #[prost(message, repeated, tag = "1")]
    exprs: Vec<ExprNode>,
    #[prost(string, repeated, tag = "2")]
    names: Vec<String>,
}

pub(super) struct Projection;

impl Entry for Projection {
    type Node = ProjectionExec;
    type Message = ProjectionNode;
    const NAME: &'static str = "projection";

    fn write(node: &ProjectionExec, writer: &Writer<'_>) -> Result<ProjectionNode> {
        Ok(ProjectionNode {
            exprs: writer.expr_nodes(node.expr().iter().map(|item| &item.expr))?,
            names: node.expr().iter().map(|item| item.alias.clone()).collect(),
        })
    }

    fn read(
        node: ProjectionNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = single(children)?;
        let exprs = reader.read_exprs(&node.exprs, &input.schema())?.into_iter().zip(node.names);
        let items = exprs.map(|(expr, alias)| ProjectionExpr { expr, alias });
        Ok(Arc::new(ProjectionExec::try_new(items.collect::<Vec<_>>(), input)?))
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct FilterNode {
    #[prost(message, optional, tag = "1")]
    predicate: Option<ExprNode>,
    #[prost(message, optional, tag = "2")]
    projection: Option<Columns>,
    #[prost(uint32, tag = "3")]
    selectivity: u32,
    #[prost(uint64, tag = "4")]
    batch_size: u64,
    #[prost(uint64, optional, tag = "5")]
    fetch: Option<u64>,
}

pub(super) struct Filter;

impl Entry for Filter {
    type Node = FilterExec;
    type Message = FilterNode;
    const NAME: &'static str = "filter";

    fn write(node: &FilterExec, writer: &Writer<'_>) -> Result<FilterNode> {
        Ok(FilterNode {
            predicate: Some(writer.expr(node.predicate())?),
            projection: Columns::some(node.projection().as_deref()),
            selectivity: u32::from(node.default_selectivity()),
            batch_size: node.batch_size() as u64,
            fetch: node.fetch().map(|rows| rows as u64),
        })
    }

    fn read(
        node: FilterNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = single(children)?;
        let predicate = reader.required(node.predicate.as_ref(), &input.schema())?;
        let filter = FilterExecBuilder::new(predicate, input)
            .apply_projection(Columns::read(node.projection.as_ref())?)?
            .with_default_selectivity(u8::try_from(node.selectivity).map_err(|_| lacks("a selectivity"))?)
            .with_batch_size(number(node.batch_size)?)
            .with_fetch(node.fetch.map(number).transpose()?)
            .build()?;
        Ok(Arc::new(filter))
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct LimitNode {
    #[prost(uint64, tag = "1")]
    skip: u64,
    #[prost(uint64, optional, tag = "2")]
    fetch: Option<u64>,
    #[prost(message, optional, tag = "3")]
    ordering: Option<OrderingNode>,
}

pub(super) struct GlobalLimit;

impl Entry for GlobalLimit {
    type Node = GlobalLimitExec;
    type Message = LimitNode;
    const NAME: &'static str = "global_limit";

    fn write(node: &GlobalLimitExec, writer: &Writer<'_>) -> Result<LimitNode> {
        let ordering = node.required_ordering().as_ref().map(|ordering| writer.ordering(ordering)).transpose()?;
        Ok(LimitNode { skip: node.skip() as u64, fetch: node.fetch().map(|rows| rows as u64), ordering })
    }

    fn read(
        node: LimitNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = single(children)?;
        let schema = input.schema();
        let ordering = node.ordering.as_ref().map(|ordering| reader.ordering(Some(ordering), &schema)).transpose()?;
        let mut limit = GlobalLimitExec::new(input, number(node.skip)?, node.fetch.map(number).transpose()?);
        limit.set_required_ordering(ordering);
        Ok(Arc::new(limit))
    }
}

pub(super) struct LocalLimit;

impl Entry for LocalLimit {
    type Node = LocalLimitExec;
    type Message = LimitNode;
    const NAME: &'static str = "local_limit";

    fn write(node: &LocalLimitExec, writer: &Writer<'_>) -> Result<LimitNode> {
        let ordering = node.required_ordering().as_ref().map(|ordering| writer.ordering(ordering)).transpose()?;
        Ok(LimitNode { skip: 0, fetch: Some(node.fetch() as u64), ordering })
    }

    fn read(
        node: LimitNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = single(children)?;
        let schema = input.schema();
        let ordering = node.ordering.as_ref().map(|ordering| reader.ordering(Some(ordering), &schema)).transpose()?;
        let mut limit = LocalLimitExec::new(input, number(node.fetch.ok_or_else(|| lacks("a limit"))?)?);
        limit.set_required_ordering(ordering);
        Ok(Arc::new(limit))
    }
}

pub(super) struct Cooperative;

impl Entry for Cooperative {
    type Node = CooperativeExec;
    type Message = ();
    const NAME: &'static str = "cooperative";

    fn write(_: &CooperativeExec, _: &Writer<'_>) -> Result<()> {
        Ok(())
    }

    fn read((): (), children: &[Arc<dyn ExecutionPlan>], _: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(CooperativeExec::new(single(children)?)))
    }
}
