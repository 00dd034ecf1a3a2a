//! Scalar subqueries that a plan computes itself, because it is run as a whole.

use std::cell::RefCell;
use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::common::Result;
use datafusion::logical_expr::physical_planning_context::{ScalarSubqueryResults, SubqueryIndex};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::scalar_subquery::ScalarSubqueryExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::scalar_subquery::{ScalarSubqueryExec, ScalarSubqueryLink};
use prost::Message;

use crate::codec::arrow_bytes::field_to_bytes;
use crate::codec::entry::Entry;
use crate::codec::wire::{Reader, Writer, lacks, message, number};

/// The subqueries of a node whose children are being written or read.
#[derive(Clone)]
pub(in crate::codec) struct Computed {
    results: ScalarSubqueryResults,
    indices: Vec<SubqueryIndex>,
}

/// Those of all nodes on the way from the top, outermost first.
#[derive(Default)]
pub(in crate::codec) struct ComputedAbove(RefCell<Vec<Computed>>);

/// Which node on the way from the top, and which of its subqueries.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(in crate::codec) struct Place {
    #[prost(uint64, tag = "1")]
    node: u64,
    #[prost(uint64, tag = "2")]
    subquery: u64,
}

impl Computed {
    /// What a node is going to compute.
    pub(in crate::codec) fn by(plan: &Arc<dyn ExecutionPlan>) -> Option<Self> {
        let node = plan.downcast_ref::<ScalarSubqueryExec>()?;
        let indices = node.subqueries().iter().map(|link| link.index).collect();
        Some(Self { results: node.results().clone(), indices })
    }

    /// The same for a node that comes over the wire.
    pub(in crate::codec) fn by_entry(entry: &str, bytes: &[u8]) -> Result<Option<Self>> {
        if entry != Subqueries::NAME {
            return Ok(None);
        }
        let node: Node = message(bytes)?;
        let indices = node.indices.iter().map(|index| number(*index)).collect::<Result<Vec<_>>>()?;
        let count = indices.iter().max().map_or(0, |index| index + 1);
        let indices = indices.into_iter().map(SubqueryIndex::new).collect();
        Ok(Some(Self { results: ScalarSubqueryResults::new(count), indices }))
    }
}

impl ComputedAbove {
    /// Does something with a node's children, and the node itself.
    pub(in crate::codec) fn within<T>(&self, computed: Option<Computed>, work: impl FnOnce() -> T) -> T {
        let Some(computed) = computed else { return work() };
        self.0.borrow_mut().push(computed);
        let done = work();
        self.0.borrow_mut().pop();
        done
    }

    fn innermost(&self) -> Option<Computed> {
        self.0.borrow().last().cloned()
    }

    /// Where the value comes from, and its field; none if it is none of these.
    pub(in crate::codec) fn place_of(&self, expr: &ScalarSubqueryExpr) -> Result<Option<(Place, Vec<u8>)>> {
        let field = expr.return_field(&Schema::empty())?;
        for (node, computed) in self.0.borrow().iter().enumerate() {
            // An expression does not tell its index, but takes it into account when it is compared.
            let is_it = |index: &SubqueryIndex| {
                let (kind, results) = (field.data_type().clone(), computed.results.clone());
                ScalarSubqueryExpr::new(kind, field.is_nullable(), *index, results) == *expr
            };
            if let Some(subquery) = computed.indices.iter().position(is_it) {
                let place = Place { node: node as u64, subquery: subquery as u64 };
                return Ok(Some((place, field_to_bytes(&field)?)));
            }
        }
        Ok(None)
    }

    pub(in crate::codec) fn read(
        &self,
        place: Option<&Place>,
        field: &arrow::datatypes::Field,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let place = place.ok_or_else(|| lacks("a subquery"))?;
        let above = self.0.borrow();
        let computed = above.get(number(place.node)?).ok_or_else(|| lacks("the node of a subquery"))?;
        let index = computed.indices.get(number(place.subquery)?).ok_or_else(|| lacks("a subquery"))?;
        let (kind, results) = (field.data_type().clone(), computed.results.clone());
        Ok(Arc::new(ScalarSubqueryExpr::new(kind, field.is_nullable(), *index, results)))
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(uint64, repeated, tag = "1")]
    indices: Vec<u64>,
}

pub(super) struct Subqueries;

impl Entry for Subqueries {
    type Node = ScalarSubqueryExec;
    type Message = Node;
    const NAME: &'static str = "scalar_subqueries";

    fn write(node: &ScalarSubqueryExec, _: &Writer<'_>) -> Result<Node> {
        Ok(Node { indices: node.subqueries().iter().map(|link| link.index.as_usize() as u64).collect() })
    }

    fn read(_: Node, children: &[Arc<dyn ExecutionPlan>], reader: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(Computed { results, indices }) = reader.computed().innermost() else {
            return Err(lacks("subqueries"));
        };
        let Some((input, plans)) = children.split_first().filter(|(_, plans)| plans.len() == indices.len()) else {
            return Err(lacks("the plans of subqueries"));
        };
        let links = indices.into_iter().zip(plans);
        let links = links.map(|(index, plan)| ScalarSubqueryLink { plan: Arc::clone(plan), index });
        Ok(Arc::new(ScalarSubqueryExec::new(Arc::clone(input), links.collect(), results)))
    }
}
