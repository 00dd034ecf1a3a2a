//! Joins.

use std::str::FromStr;
use std::sync::Arc;

use arrow::compute::SortOptions;
use datafusion::common::{JoinSide, JoinType, NullEquality, Result};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::utils::{ColumnIndex, JoinFilter};
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, HashJoinExecBuilder, NestedLoopJoinExec, PartitionMode, SortMergeJoinExec,
};
use prost::Message;

use crate::codec::arrow_bytes::{schema_from_bytes, schema_to_bytes};
use crate::codec::entry::Entry;
use crate::codec::exprs::ExprNode;
use crate::codec::wire::{Columns, Reader, Writer, lacks, number, pair};

type On = Vec<(Arc<dyn PhysicalExpr>, Arc<dyn PhysicalExpr>)>;

/// Any join; each kind uses what it has.
#[derive(Clone, PartialEq, Message)]
pub(super) struct JoinNode {
    /// As `Display` has it.
    #[prost(string, tag = "1")]
    join_type: String,
    #[prost(message, repeated, tag = "2")]
    left_keys: Vec<ExprNode>,
    #[prost(message, repeated, tag = "3")]
    right_keys: Vec<ExprNode>,
    #[prost(message, optional, tag = "4")]
    filter: Option<FilterNode>,
    #[prost(message, optional, tag = "5")]
    projection: Option<Columns>,
    #[prost(enumeration = "Mode", tag = "6")]
    mode: i32,
    #[prost(bool, tag = "7")]
    null_equals_null: bool,
    #[prost(bool, tag = "8")]
    null_aware: bool,
    #[prost(uint64, optional, tag = "9")]
    fetch: Option<u64>,
    #[prost(message, repeated, tag = "10")]
    sorts: Vec<OptionsNode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
enum Mode {
    CollectLeft = 0,
    Partitioned = 1,
    Auto = 2,
}

#[derive(Clone, PartialEq, Message)]
struct OptionsNode {
    #[prost(bool, tag = "1")]
    descending: bool,
    #[prost(bool, tag = "2")]
    nulls_first: bool,
}

#[derive(Clone, PartialEq, Message)]
struct FilterNode {
    #[prost(message, optional, tag = "1")]
    expr: Option<ExprNode>,
    #[prost(bytes = "vec", tag = "2")]
    schema: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    columns: Vec<SideColumn>,
}

#[derive(Clone, PartialEq, Message)]
struct SideColumn {
    #[prost(uint64, tag = "1")]
    index: u64,
    #[prost(enumeration = "Side", tag = "2")]
    side: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
enum Side {
    None = 0,
    Left = 1,
    Right = 2,
}

impl FilterNode {
    fn of(filter: Option<&JoinFilter>, writer: &Writer<'_>) -> Result<Option<Self>> {
        let Some(filter) = filter else { return Ok(None) };
        let column = |column: &ColumnIndex| {
            let side = match column.side {
                JoinSide::Left => Side::Left,
                JoinSide::Right => Side::Right,
                JoinSide::None => Side::None,
            };
            SideColumn { index: column.index as u64, side: side.into() }
        };
        Ok(Some(Self {
            expr: Some(writer.expr(filter.expression())?),
            schema: schema_to_bytes(filter.schema())?,
            columns: filter.column_indices().iter().map(column).collect(),
        }))
    }

    fn read(&self, reader: &Reader<'_>) -> Result<JoinFilter> {
        let schema = schema_from_bytes(&self.schema)?;
        let column = |column: &SideColumn| {
            let side = match column.side() {
                Side::Left => JoinSide::Left,
                Side::Right => JoinSide::Right,
                Side::None => JoinSide::None,
            };
            Ok(ColumnIndex { index: number(column.index)?, side })
        };
        let columns = self.columns.iter().map(column).collect::<Result<_>>()?;
        Ok(JoinFilter::new(reader.required(self.expr.as_ref(), &schema)?, columns, schema))
    }
}

impl JoinNode {
    fn with_keys(mut self, on: &[(Arc<dyn PhysicalExpr>, Arc<dyn PhysicalExpr>)], writer: &Writer<'_>) -> Result<Self> {
        self.left_keys = writer.expr_nodes(on.iter().map(|(left, _)| left))?;
        self.right_keys = writer.expr_nodes(on.iter().map(|(_, right)| right))?;
        Ok(self)
    }

    fn on(&self, left: &dyn ExecutionPlan, right: &dyn ExecutionPlan, reader: &Reader<'_>) -> Result<On> {
        let left_keys = reader.read_exprs(&self.left_keys, &left.schema())?;
        let right_keys = reader.read_exprs(&self.right_keys, &right.schema())?;
        Ok(left_keys.into_iter().zip(right_keys).collect())
    }

    fn filter(&self, reader: &Reader<'_>) -> Result<Option<JoinFilter>> {
        self.filter.as_ref().map(|filter| filter.read(reader)).transpose()
    }

    fn null_equality(&self) -> NullEquality {
        match self.null_equals_null {
            true => NullEquality::NullEqualsNull,
            false => NullEquality::NullEqualsNothing,
        }
    }

    fn join_type(&self) -> Result<JoinType> {
        JoinType::from_str(&self.join_type)
    }
}

pub(super) struct HashJoin;

impl Entry for HashJoin {
    type Node = HashJoinExec;
    type Message = JoinNode;
    const NAME: &'static str = "hash_join";

    fn write(join: &HashJoinExec, writer: &Writer<'_>) -> Result<JoinNode> {
        let mode = match join.partition_mode() {
            PartitionMode::CollectLeft => Mode::CollectLeft,
            PartitionMode::Partitioned => Mode::Partitioned,
            PartitionMode::Auto => Mode::Auto,
        };
        let node = JoinNode {
            join_type: join.join_type().to_string(),
            filter: FilterNode::of(join.filter(), writer)?,
            projection: Columns::some(join.projection.as_deref()),
            mode: mode.into(),
            null_equals_null: join.null_equality() == NullEquality::NullEqualsNull,
            null_aware: join.null_aware,
            fetch: join.fetch().map(|rows| rows as u64),
            ..JoinNode::default()
        };
        node.with_keys(join.on(), writer)
    }

    fn read(
        node: JoinNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (left, right) = pair(children)?;
        let on = node.on(left.as_ref(), right.as_ref(), reader)?;
        let mode = match node.mode() {
            Mode::CollectLeft => PartitionMode::CollectLeft,
            Mode::Partitioned => PartitionMode::Partitioned,
            Mode::Auto => PartitionMode::Auto,
        };
        let join = HashJoinExecBuilder::new(left, right, on, node.join_type()?)
            .with_filter(node.filter(reader)?)
            .with_projection(Columns::read(node.projection.as_ref())?)
            .with_partition_mode(mode)
            .with_null_equality(node.null_equality())
            .with_null_aware(node.null_aware)
            .with_fetch(node.fetch.map(number).transpose()?)
            .build()?;
        Ok(Arc::new(join))
    }
}

pub(super) struct SortMergeJoin;

impl Entry for SortMergeJoin {
    type Node = SortMergeJoinExec;
    type Message = JoinNode;
    const NAME: &'static str = "sort_merge_join";

    fn write(join: &SortMergeJoinExec, writer: &Writer<'_>) -> Result<JoinNode> {
        let options =
            |options: &SortOptions| OptionsNode { descending: options.descending, nulls_first: options.nulls_first };
        let node = JoinNode {
            join_type: join.join_type().to_string(),
            filter: FilterNode::of(join.filter().as_ref(), writer)?,
            null_equals_null: join.null_equality() == NullEquality::NullEqualsNull,
            sorts: join.sort_options().iter().map(options).collect(),
            ..JoinNode::default()
        };
        node.with_keys(join.on(), writer)
    }

    fn read(
        node: JoinNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (left, right) = pair(children)?;
        let on = node.on(left.as_ref(), right.as_ref(), reader)?;
        if node.sorts.len() != on.len() {
            return Err(lacks("the order of a key"));
        }
        let sorts =
            node.sorts.iter().map(|key| SortOptions { descending: key.descending, nulls_first: key.nulls_first });
        let (filter, join_type, nulls) = (node.filter(reader)?, node.join_type()?, node.null_equality());
        Ok(Arc::new(SortMergeJoinExec::try_new(left, right, on, filter, join_type, sorts.collect(), nulls)?))
    }
}

pub(super) struct NestedLoopJoin;

impl Entry for NestedLoopJoin {
    type Node = NestedLoopJoinExec;
    type Message = JoinNode;
    const NAME: &'static str = "nested_loop_join";

    fn write(join: &NestedLoopJoinExec, writer: &Writer<'_>) -> Result<JoinNode> {
        Ok(JoinNode {
            join_type: join.join_type().to_string(),
            filter: FilterNode::of(join.filter(), writer)?,
            projection: Columns::some(join.projection().as_deref()),
            ..JoinNode::default()
        })
    }

    fn read(
        node: JoinNode,
        children: &[Arc<dyn ExecutionPlan>],
        reader: &Reader<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (left, right) = pair(children)?;
        let projection = Columns::read(node.projection.as_ref())?;
        let (filter, join_type) = (node.filter(reader)?, node.join_type()?);
        Ok(Arc::new(NestedLoopJoinExec::try_new(left, right, filter, &join_type, projection)?))
    }
}

pub(super) struct CrossJoin;

impl Entry for CrossJoin {
    type Node = CrossJoinExec;
    type Message = ();
    const NAME: &'static str = "cross_join";

    fn write(_: &CrossJoinExec, _: &Writer<'_>) -> Result<()> {
        Ok(())
    }

    fn read((): (), children: &[Arc<dyn ExecutionPlan>], _: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let (left, right) = pair(children)?;
        Ok(Arc::new(CrossJoinExec::new(left, right)))
    }
}
