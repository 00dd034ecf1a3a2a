//! Window functions.

use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::common::{Result, not_impl_err};
use datafusion::logical_expr::{ReversedUDWF, WindowUDF};
use datafusion::physical_expr::window::{
    PlainAggregateWindowExpr, SlidingAggregateWindowExpr, StandardWindowExpr, StandardWindowFunctionExpr, WindowExpr,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::InputOrderMode;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec, WindowUDFExpr, create_udwf_window_expr};
use prost::Message;

use super::aggregate::CallNode;
use super::frames::FrameNode;
use crate::codec::entry::Entry;
use crate::codec::exprs::ExprNode;
use crate::codec::functions::FunctionNode;
use crate::codec::wire::{OrderingNode, Reader, Writer, lacks, number, single};

#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(message, repeated, tag = "1")]
    exprs: Vec<WindowNode>,
    #[prost(bool, tag = "2")]
    can_repartition: bool,
    #[prost(enumeration = "Sorted", tag = "3")]
    sorted: i32,
    /// By which of the partition's expressions the input is sorted, if by some.
    #[prost(uint64, repeated, tag = "4")]
    sorted_by: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
enum Sorted {
    Linear = 0,
    Partially = 1,
    Fully = 2,
}

/// A function over a frame.
#[derive(Clone, PartialEq, Message)]
struct WindowNode {
    /// An aggregate, or one of the four below.
    #[prost(message, optional, tag = "1")]
    aggregate: Option<CallNode>,
    #[prost(message, optional, tag = "2")]
    function: Option<FunctionNode>,
    #[prost(message, repeated, tag = "3")]
    arguments: Vec<ExprNode>,
    #[prost(bool, tag = "4")]
    ignore_nulls: bool,
    #[prost(bool, tag = "5")]
    is_reversed: bool,
    #[prost(string, tag = "6")]
    name: String,
    #[prost(message, repeated, tag = "7")]
    partition_by: Vec<ExprNode>,
    #[prost(message, optional, tag = "8")]
    order_by: Option<OrderingNode>,
    #[prost(message, optional, tag = "9")]
    frame: Option<FrameNode>,
}

impl WindowNode {
    fn of(expr: &Arc<dyn WindowExpr>, schema: &Schema, writer: &Writer<'_>) -> Result<Self> {
        let mut node = Self {
            name: expr.name().to_owned(),
            partition_by: writer.expr_nodes(expr.partition_by())?,
            order_by: Some(writer.ordering(expr.order_by())?),
            frame: Some(FrameNode::of(expr.get_window_frame())?),
            ..Self::default()
        };
        let any = expr.as_any();
        if let Some(plain) = any.downcast_ref::<PlainAggregateWindowExpr>() {
            node.aggregate = Some(CallNode::of(plain.get_aggregate_expr(), writer)?);
        } else if let Some(sliding) = any.downcast_ref::<SlidingAggregateWindowExpr>() {
            node.aggregate = Some(CallNode::of(sliding.get_aggregate_expr(), writer)?);
        } else if let Some(standard) = any.downcast_ref::<StandardWindowExpr>() {
            node.standard(standard.get_standard_func_expr(), schema, writer)?;
        } else {
            return not_impl_err!("the window function {} on executors", expr.name());
        }
        Ok(node)
    }

    /// Whether nulls are ignored and the order is reversed has no getter, and both change the rows: the one of the four
    /// possible functions that looks the same is it.
    fn standard(
        &mut self,
        expr: &Arc<dyn StandardWindowFunctionExpr>,
        schema: &Schema,
        writer: &Writer<'_>,
    ) -> Result<()> {
        let Some(call) = expr.as_any().downcast_ref::<WindowUDFExpr>() else {
            return not_impl_err!("the window function {} on executors", expr.name());
        };
        let wanted = format!("{call:?}");
        for (ignore_nulls, is_reversed) in [(false, false), (true, false), (false, true), (true, true)] {
            let candidate = rebuilt(call.fun(), call.args(), schema, &self.name, ignore_nulls, is_reversed)?;
            if candidate.is_some_and(|candidate| format!("{candidate:?}") == wanted) {
                (self.ignore_nulls, self.is_reversed) = (ignore_nulls, is_reversed);
                self.function = Some(writer.functions().write_window(call.fun())?);
                self.arguments = writer.expr_nodes(call.args())?;
                return Ok(());
            }
        }
        not_impl_err!("the window function {} in this form on executors", expr.name())
    }

    fn read(&self, schema: &Arc<Schema>, reader: &Reader<'_>) -> Result<Arc<dyn WindowExpr>> {
        let frame = Arc::new(FrameNode::read(self.frame.as_ref())?);
        let partition_by = reader.read_exprs(&self.partition_by, schema)?;
        let order_by = self.order_by.as_ref().map(|order| reader.sorts(&order.keys, schema)).transpose()?;
        let order_by = order_by.unwrap_or_default();
        if let Some(aggregate) = &self.aggregate {
            let call = Arc::new(aggregate.read(schema, reader)?);
            return Ok(match frame.is_ever_expanding() {
                true => Arc::new(PlainAggregateWindowExpr::new(call, &partition_by, &order_by, frame, None)),
                false => Arc::new(SlidingAggregateWindowExpr::new(call, &partition_by, &order_by, frame, None)),
            });
        }
        let function = self.function.as_ref().ok_or_else(|| lacks("a window function"))?;
        let function = reader.functions().read_window(function)?;
        let arguments = reader.read_exprs(&self.arguments, schema)?;
        let call = rebuilt(&function, &arguments, schema, &self.name, self.ignore_nulls, self.is_reversed)?;
        let call = call.ok_or_else(|| lacks("a window function that can be reversed"))?;
        Ok(Arc::new(StandardWindowExpr::new(call, &partition_by, &order_by, frame)))
    }
}

/// A window function; `None` if it cannot be the reverse of another.
fn rebuilt(
    function: &Arc<WindowUDF>,
    arguments: &[Arc<dyn datafusion::physical_expr::PhysicalExpr>],
    schema: &Schema,
    name: &str,
    ignore_nulls: bool,
    is_reversed: bool,
) -> Result<Option<Arc<dyn StandardWindowFunctionExpr>>> {
    if !is_reversed {
        return create_udwf_window_expr(function, arguments, schema, name.to_owned(), ignore_nulls).map(Some);
    }
    let ReversedUDWF::Reversed(origin) = function.reverse_expr() else { return Ok(None) };
    let origin = create_udwf_window_expr(&origin, arguments, schema, name.to_owned(), ignore_nulls)?;
    Ok(origin.reverse_expr())
}

fn nodes(exprs: &[Arc<dyn WindowExpr>], input: &dyn ExecutionPlan, writer: &Writer<'_>) -> Result<Vec<WindowNode>> {
    let schema = input.schema();
    exprs.iter().map(|expr| WindowNode::of(expr, &schema, writer)).collect()
}

fn exprs(nodes: &[WindowNode], input: &dyn ExecutionPlan, reader: &Reader<'_>) -> Result<Vec<Arc<dyn WindowExpr>>> {
    let schema = input.schema();
    nodes.iter().map(|node| node.read(&schema, reader)).collect()
}

pub(super) struct Window;

impl Entry for Window {
    type Node = WindowAggExec;
    type Message = Node;
    const NAME: &'static str = "window";

    fn write(node: &WindowAggExec, writer: &Writer<'_>) -> Result<Node> {
        let exprs = nodes(node.window_expr(), node.input().as_ref(), writer)?;
        Ok(Node { exprs, can_repartition: !node.partition_keys().is_empty(), ..Node::default() })
    }

    fn read(node: Node, children: &[Arc<dyn ExecutionPlan>], reader: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let input = single(children)?;
        let exprs = exprs(&node.exprs, input.as_ref(), reader)?;
        Ok(Arc::new(WindowAggExec::try_new(exprs, input, node.can_repartition)?))
    }
}

pub(super) struct BoundedWindow;

impl Entry for BoundedWindow {
    type Node = BoundedWindowAggExec;
    type Message = Node;
    const NAME: &'static str = "bounded_window";

    fn write(node: &BoundedWindowAggExec, writer: &Writer<'_>) -> Result<Node> {
        let (sorted, sorted_by) = match &node.input_order_mode {
            InputOrderMode::Linear => (Sorted::Linear, Vec::new()),
            InputOrderMode::PartiallySorted(by) => (Sorted::Partially, by.iter().map(|index| *index as u64).collect()),
            InputOrderMode::Sorted => (Sorted::Fully, Vec::new()),
        };
        let exprs = nodes(node.window_expr(), node.input().as_ref(), writer)?;
        Ok(Node { exprs, can_repartition: !node.partition_keys().is_empty(), sorted: sorted.into(), sorted_by })
    }

    fn read(node: Node, children: &[Arc<dyn ExecutionPlan>], reader: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let input = single(children)?;
        let mode = match node.sorted() {
            Sorted::Linear => InputOrderMode::Linear,
            Sorted::Partially => {
                InputOrderMode::PartiallySorted(node.sorted_by.iter().map(|by| number(*by)).collect::<Result<_>>()?)
            }
            Sorted::Fully => InputOrderMode::Sorted,
        };
        let exprs = exprs(&node.exprs, input.as_ref(), reader)?;
        Ok(Arc::new(BoundedWindowAggExec::try_new(exprs, input, mode, node.can_repartition)?))
    }
}
