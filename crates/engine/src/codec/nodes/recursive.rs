//! Recursive queries: rounds over a work table.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;
use datafusion::physical_plan::work_table::WorkTableExec;
use prost::Message;

use crate::codec::arrow_bytes::{schema_from_bytes, schema_to_bytes};
use crate::codec::entry::Entry;
use crate::codec::wire::{Reader, Writer, pair};
use crate::exec::{RecursionExec, RecursionLimits};

#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bool, tag = "2")]
    is_distinct: bool,
    #[prost(bytes = "vec", tag = "3")]
    schema: Vec<u8>,
    #[prost(uint64, optional, tag = "4")]
    levels: Option<u64>,
    #[prost(uint64, optional, tag = "5")]
    rows: Option<u64>,
}

pub(super) struct Recursion;

impl Entry for Recursion {
    type Node = RecursionExec;
    type Message = Node;
    const NAME: &'static str = "recursive";

    fn write(recursion: &RecursionExec, _: &Writer<'_>) -> Result<Node> {
        let (query, RecursionLimits { levels, rows }) = (recursion.query(), recursion.limits());
        let schema = schema_to_bytes(&ExecutionPlan::schema(query))?;
        Ok(Node { name: query.name().to_owned(), is_distinct: query.is_distinct(), schema, levels, rows })
    }

    fn read(node: Node, children: &[Arc<dyn ExecutionPlan>], _: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let Node { name, is_distinct, schema, levels, rows } = node;
        let (first, next) = pair(children)?;
        let schema = schema_from_bytes(&schema)?;
        let next = projected(next, &name, &schema)?;
        let query = RecursiveQueryExec::try_new(name, schema, first, next, is_distinct)?;
        Ok(Arc::new(RecursionExec::new(&query, RecursionLimits { levels, rows })))
    }
}

/// Gives the work tables of a query their projection back, which they do not tell: the places of their columns, whose
/// names are unique, among all.
fn projected(term: Arc<dyn ExecutionPlan>, name: &str, all: &SchemaRef) -> Result<Arc<dyn ExecutionPlan>> {
    let project = |node: Arc<dyn ExecutionPlan>| {
        let Some(table) = node.downcast_ref::<WorkTableExec>().filter(|table| table.name() == name) else {
            return Ok(Transformed::no(node));
        };
        let columns = table.schema();
        if columns.fields().len() == all.fields().len() {
            return Ok(Transformed::no(node));
        }
        let places = columns.fields().iter().map(|field| all.index_of(field.name()));
        let places = places.collect::<std::result::Result<Vec<_>, _>>()?;
        let table = WorkTableExec::new(name.to_owned(), Arc::clone(all), Some(places))?;
        Ok(Transformed::yes(Arc::new(table) as Arc<dyn ExecutionPlan>))
    };
    term.transform_up(project).data()
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TableNode {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    schema: Vec<u8>,
}

pub(super) struct WorkTable;

impl Entry for WorkTable {
    type Node = WorkTableExec;
    type Message = TableNode;
    const NAME: &'static str = "work_table";

    fn write(table: &WorkTableExec, _: &Writer<'_>) -> Result<TableNode> {
        Ok(TableNode { name: table.name().to_owned(), schema: schema_to_bytes(&table.schema())? })
    }

    fn read(node: TableNode, _: &[Arc<dyn ExecutionPlan>], _: &Reader<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(WorkTableExec::new(node.name, schema_from_bytes(&node.schema)?, None)?))
    }
}
