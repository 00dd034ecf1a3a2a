//! What entries write and read: plans, expressions, orders, what is known of rows.

use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result, ScalarValue, internal_datafusion_err, not_impl_err};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::equivalence::{AcrossPartitions, ConstExpr, EquivalenceClass, EquivalenceGroup};
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, Partitioning, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use firesteel_functions::errors::to_datafusion;
use firesteel_model::SparkError;
use prost::Message;

use super::PlanCodec;
use super::arrow_bytes::{schema_from_bytes, schema_to_bytes};
use super::exprs::ExprNode;
use super::functions::Functions;
use super::literals::LiteralNode;
use super::nodes::{Computed, ComputedAbove};

/// A node: the entry's name, the entry's bytes, the children.
#[derive(Clone, PartialEq, Message)]
pub(super) struct PlanNode {
    #[prost(string, tag = "1")]
    entry: String,
    #[prost(bytes = "vec", tag = "2")]
    node: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    children: Vec<PlanNode>,
}

/// A key of an order.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SortNode {
    #[prost(message, optional, tag = "1")]
    expr: Option<ExprNode>,
    #[prost(bool, tag = "2")]
    descending: bool,
    #[prost(bool, tag = "3")]
    nulls_first: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct OrderingNode {
    #[prost(message, repeated, tag = "1")]
    pub(super) keys: Vec<SortNode>,
}

/// Hash of `exprs`, or nothing known, in `count` partitions.
#[derive(Clone, PartialEq, Message)]
pub(super) struct PartitioningNode {
    #[prost(enumeration = "PartitioningKind", tag = "1")]
    kind: i32,
    #[prost(message, repeated, tag = "2")]
    exprs: Vec<ExprNode>,
    #[prost(uint64, tag = "3")]
    count: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
enum PartitioningKind {
    Unknown = 0,
    Hash = 1,
    RoundRobin = 2,
}

/// What is known of rows: columns, equal expressions, constants, orders.
#[derive(Clone, PartialEq, Message)]
pub(super) struct EquivalenceNode {
    #[prost(bytes = "vec", tag = "1")]
    schema: Vec<u8>,
    #[prost(message, repeated, tag = "2")]
    classes: Vec<ExprList>,
    #[prost(message, repeated, tag = "3")]
    constants: Vec<ConstantNode>,
    #[prost(message, repeated, tag = "4")]
    orderings: Vec<OrderingNode>,
}

#[derive(Clone, PartialEq, Message)]
struct ExprList {
    #[prost(message, repeated, tag = "1")]
    exprs: Vec<ExprNode>,
}

#[derive(Clone, PartialEq, Message)]
struct ValueList {
    #[prost(message, repeated, tag = "1")]
    values: Vec<LiteralNode>,
}

#[derive(Clone, PartialEq, Message)]
struct ConstantNode {
    #[prost(message, optional, tag = "1")]
    expr: Option<ExprNode>,
    /// Whether it is the same in all partitions.
    #[prost(bool, tag = "2")]
    uniform: bool,
    /// Then its value, if it is known.
    #[prost(message, optional, tag = "3")]
    value: Option<LiteralNode>,
}

/// Columns, or none told; no columns at all is something else.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Columns {
    #[prost(uint64, repeated, tag = "1")]
    indices: Vec<u64>,
}

impl Columns {
    pub(super) fn some(indices: Option<&[usize]>) -> Option<Self> {
        indices.map(|indices| Self { indices: indices.iter().map(|index| *index as u64).collect() })
    }

    pub(super) fn read(node: Option<&Self>) -> Result<Option<Vec<usize>>> {
        node.map(|node| node.indices.iter().map(|index| number(*index)).collect()).transpose()
    }
}

/// Writes parts of a node.
pub struct Writer<'a> {
    codec: &'a PlanCodec,
    computed: ComputedAbove,
}

impl<'a> Writer<'a> {
    pub(super) fn new(codec: &'a PlanCodec) -> Self {
        Self { codec, computed: ComputedAbove::default() }
    }

    /// Subqueries that nodes above compute.
    pub(super) fn computed(&self) -> &ComputedAbove {
        &self.computed
    }

    pub(super) fn functions(&self) -> &'a Functions {
        &self.codec.functions
    }

    pub(super) fn plan_node(&self, plan: &Arc<dyn ExecutionPlan>) -> Result<PlanNode> {
        for entry in &self.codec.nodes {
            if let Some(node) = entry.encode(plan, self)? {
                let children = || plan.children().into_iter().map(|child| self.plan_node(child)).collect::<Result<_>>();
                let children = self.computed.within(Computed::by(plan), children)?;
                return Ok(PlanNode { entry: entry.name().to_owned(), node, children });
            }
        }
        not_impl_err!("the plan node {} on executors", plan.name())
    }

    /// Some expressions.
    pub fn exprs<'e>(&self, exprs: impl IntoIterator<Item = &'e Arc<dyn PhysicalExpr>>) -> Result<Vec<u8>> {
        Ok(ExprList { exprs: self.expr_nodes(exprs)? }.encode_to_vec())
    }

    /// A schema, metadata included.
    pub fn schema(&self, schema: &Schema) -> Result<Vec<u8>> {
        schema_to_bytes(schema)
    }

    /// Some constants.
    pub fn values(&self, values: &[ScalarValue]) -> Result<Vec<u8>> {
        Ok(ValueList { values: values.iter().map(LiteralNode::new).collect::<Result<_>>()? }.encode_to_vec())
    }

    pub(super) fn expr_nodes<'e>(
        &self,
        exprs: impl IntoIterator<Item = &'e Arc<dyn PhysicalExpr>>,
    ) -> Result<Vec<ExprNode>> {
        exprs.into_iter().map(|expr| self.expr(expr)).collect()
    }

    pub(super) fn sort(&self, key: &PhysicalSortExpr) -> Result<SortNode> {
        let SortOptions { descending, nulls_first } = key.options;
        Ok(SortNode { expr: Some(self.expr(&key.expr)?), descending, nulls_first })
    }

    pub(super) fn ordering<'e>(&self, keys: impl IntoIterator<Item = &'e PhysicalSortExpr>) -> Result<OrderingNode> {
        Ok(OrderingNode { keys: keys.into_iter().map(|key| self.sort(key)).collect::<Result<_>>()? })
    }

    pub(super) fn partitioning(&self, partitioning: &Partitioning) -> Result<PartitioningNode> {
        let mut node = PartitioningNode { count: partitioning.partition_count() as u64, ..Default::default() };
        match partitioning {
            Partitioning::UnknownPartitioning(_) => {}
            Partitioning::RoundRobinBatch(_) => node.set_kind(PartitioningKind::RoundRobin),
            Partitioning::Hash(exprs, _) => {
                node.set_kind(PartitioningKind::Hash);
                node.exprs = self.expr_nodes(exprs)?;
            }
            other => return not_impl_err!("partitions by {other} on executors"),
        }
        Ok(node)
    }

    pub(super) fn equivalences(&self, known: &EquivalenceProperties) -> Result<EquivalenceNode> {
        let class = |class: &EquivalenceClass| Ok(ExprList { exprs: self.expr_nodes(class.iter())? });
        let constant = |constant: ConstExpr| {
            let (uniform, value) = match &constant.across_partitions {
                AcrossPartitions::Heterogeneous => (false, None),
                AcrossPartitions::Uniform(value) => (true, value.as_ref()),
            };
            let value = value.map(LiteralNode::new).transpose()?;
            Ok(ConstantNode { expr: Some(self.expr(&constant.expr)?), uniform, value })
        };
        Ok(EquivalenceNode {
            schema: schema_to_bytes(known.schema())?,
            classes: known.eq_group().iter().map(class).collect::<Result<_>>()?,
            constants: known.constants().into_iter().map(constant).collect::<Result<_>>()?,
            orderings: known.oeq_class().iter().map(|ordering| self.ordering(ordering)).collect::<Result<_>>()?,
        })
    }
}

/// Reads parts of a node.
pub struct Reader<'a> {
    codec: &'a PlanCodec,
    context: &'a TaskContext,
    computed: ComputedAbove,
}

impl<'a> Reader<'a> {
    pub(super) fn new(codec: &'a PlanCodec, context: &'a TaskContext) -> Self {
        Self { codec, context, computed: ComputedAbove::default() }
    }

    /// Subqueries that nodes above compute.
    pub(super) fn computed(&self) -> &ComputedAbove {
        &self.computed
    }

    /// Configuration and memory of the process that reads.
    pub fn task_context(&self) -> &'a TaskContext {
        self.context
    }

    pub(super) fn functions(&self) -> &'a Functions {
        &self.codec.functions
    }

    pub(super) fn read_plan(&self, node: &PlanNode) -> Result<Arc<dyn ExecutionPlan>> {
        self.computed.within(Computed::by_entry(&node.entry, &node.node)?, || {
            let children = node.children.iter().map(|child| self.read_plan(child)).collect::<Result<Vec<_>>>()?;
            match self.codec.nodes.iter().find(|entry| entry.name() == node.entry) {
                Some(entry) => entry.decode(&node.node, &children, self),
                None => not_impl_err!("the plan node {} on this executor", node.entry),
            }
        })
    }

    /// The expressions over columns of this schema that [`Writer::exprs`] gave.
    pub fn exprs(&self, bytes: &[u8], schema: &Schema) -> Result<Vec<Arc<dyn PhysicalExpr>>> {
        self.read_exprs(&message::<ExprList>(bytes)?.exprs, schema)
    }

    /// The schema that [`Writer::schema`] gave.
    pub fn schema(&self, bytes: &[u8]) -> Result<SchemaRef> {
        schema_from_bytes(bytes)
    }

    /// The constants that [`Writer::values`] gave.
    pub fn values(&self, bytes: &[u8]) -> Result<Vec<ScalarValue>> {
        message::<ValueList>(bytes)?.values.iter().map(LiteralNode::read).collect()
    }

    pub(super) fn read_exprs(&self, nodes: &[ExprNode], schema: &Schema) -> Result<Vec<Arc<dyn PhysicalExpr>>> {
        nodes.iter().map(|node| self.expr(node, schema)).collect()
    }

    pub(super) fn required(&self, node: Option<&ExprNode>, schema: &Schema) -> Result<Arc<dyn PhysicalExpr>> {
        self.expr(node.ok_or_else(|| lacks("an expression"))?, schema)
    }

    pub(super) fn sorts(&self, nodes: &[SortNode], schema: &Schema) -> Result<Vec<PhysicalSortExpr>> {
        let key = |key: &SortNode| {
            let options = SortOptions { descending: key.descending, nulls_first: key.nulls_first };
            Ok(PhysicalSortExpr { expr: self.required(key.expr.as_ref(), schema)?, options })
        };
        nodes.iter().map(key).collect()
    }

    pub(super) fn ordering(&self, node: Option<&OrderingNode>, schema: &Schema) -> Result<LexOrdering> {
        let keys = node.map(|node| self.sorts(&node.keys, schema)).transpose()?.unwrap_or_default();
        LexOrdering::new(keys).ok_or_else(|| lacks("an order"))
    }

    pub(super) fn partitioning(&self, node: Option<&PartitioningNode>, schema: &Schema) -> Result<Partitioning> {
        let node = node.ok_or_else(|| lacks("its partitions"))?;
        let count = number(node.count)?;
        Ok(match node.kind() {
            PartitioningKind::Unknown => Partitioning::UnknownPartitioning(count),
            PartitioningKind::RoundRobin => Partitioning::RoundRobinBatch(count),
            PartitioningKind::Hash => Partitioning::Hash(self.read_exprs(&node.exprs, schema)?, count),
        })
    }

    pub(super) fn equivalences(&self, node: Option<&EquivalenceNode>) -> Result<EquivalenceProperties> {
        let node = node.ok_or_else(|| lacks("what is known of its rows"))?;
        let schema = schema_from_bytes(&node.schema)?;
        let mut known = EquivalenceProperties::new(Arc::clone(&schema));
        let class = |class: &ExprList| Ok(EquivalenceClass::new(self.read_exprs(&class.exprs, &schema)?));
        let classes = node.classes.iter().map(class).collect::<Result<Vec<_>>>()?;
        known.add_equivalence_group(EquivalenceGroup::new(classes))?;
        let constants = node.constants.iter().map(|constant| self.constant(constant, &schema));
        known.add_constants(constants.collect::<Result<Vec<_>>>()?)?;
        for ordering in &node.orderings {
            known.add_ordering(self.ordering(Some(ordering), &schema)?);
        }
        Ok(known)
    }

    fn constant(&self, node: &ConstantNode, schema: &SchemaRef) -> Result<ConstExpr> {
        let expr = self.required(node.expr.as_ref(), schema)?;
        let value = node.value.as_ref().map(LiteralNode::read).transpose()?;
        let across = if node.uniform { AcrossPartitions::Uniform(value) } else { AcrossPartitions::Heterogeneous };
        Ok(ConstExpr::new(expr, across))
    }
}

/// A message of one node.
pub(super) fn message<M: Message + Default>(bytes: &[u8]) -> Result<M> {
    M::decode(bytes)
        .map_err(|error| to_datafusion(SparkError::internal("a node came over the wire broken").source(error)))
}

/// A count or position.
pub(super) fn number(value: u64) -> Result<usize> {
    usize::try_from(value).map_err(|_| internal_datafusion_err!("a node came over the wire with a count of {value}"))
}

/// An operator by the name that `Debug` gives it.
pub(super) fn operator(name: &str) -> Result<Operator> {
    Operator::from_proto_name(name).ok_or_else(|| lacks("an operator"))
}

/// The error for a message without a part that it must have.
pub(super) fn lacks(part: &str) -> DataFusionError {
    internal_datafusion_err!("a plan came over the wire without {part}")
}

/// The only child.
pub(super) fn single(children: &[Arc<dyn ExecutionPlan>]) -> Result<Arc<dyn ExecutionPlan>> {
    match children {
        [child] => Ok(Arc::clone(child)),
        _ => Err(lacks("its child")),
    }
}

/// Left and right.
pub(super) fn pair(children: &[Arc<dyn ExecutionPlan>]) -> Result<(Arc<dyn ExecutionPlan>, Arc<dyn ExecutionPlan>)> {
    match children {
        [left, right] => Ok((Arc::clone(left), Arc::clone(right))),
        _ => Err(lacks("its two children")),
    }
}
