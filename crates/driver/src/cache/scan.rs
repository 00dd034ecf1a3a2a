//! Cached queries as DataFusion scans them.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan, TableType};
use datafusion::physical_plan::ExecutionPlan;
use firesteel_engine::exec::{CachedRows, CachedScanExec};
use firesteel_functions::errors::from_datafusion;
use firesteel_model::Result;
use firesteel_shuffle::Hold;
use tokio::runtime::Handle;

use super::fragment::Fragment;
use crate::session::DriverSession;

/// A cached query in a plan; with rows once the plan is about to run.
#[derive(Debug)]
pub(crate) struct CachedTable {
    fragment: Arc<Fragment>,
    rows: Option<CachedRows>,
}

impl CachedTable {
    pub(super) fn new(fragment: Arc<Fragment>) -> Self {
        Self { fragment, rows: None }
    }

    /// Whether both have the rows of one cached query.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.fragment, &other.fragment)
    }
}

#[async_trait]
impl TableProvider for CachedTable {
    fn schema(&self) -> SchemaRef {
        self.fragment.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> datafusion::common::Result<Arc<dyn ExecutionPlan>> {
        let (name, schema) = (self.fragment.name(), self.fragment.schema());
        Ok(Arc::new(CachedScanExec::try_new(self.rows.clone(), name, schema, projection.cloned())?))
    }
}

/// Gives every cached query in an optimised plan its rows, computing what is not there; on a planning thread.
pub(crate) fn materialise(
    session: &DriverSession,
    handle: &Handle,
    plan: LogicalPlan,
) -> Result<(LogicalPlan, Vec<Hold>)> {
    let mut holds = Vec::new();
    let ready = plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::TableScan(scan) = node else { return Ok(Transformed::no(node)) };
        let Some(fragment) = fragment_of(&scan) else { return Ok(Transformed::no(LogicalPlan::TableScan(scan))) };
        let computed = fragment.ready(session, handle, scan.fetch);
        // A Spark error on both sides of DataFusion.
        let (rows, held) = computed.map_err(|error| DataFusionError::External(Box::new(error)))?;
        holds.extend(held);
        let source = provider_as_source(Arc::new(CachedTable { fragment, rows: Some(rows) }));
        Ok(Transformed::yes(LogicalPlan::TableScan(TableScan { source, ..scan })))
    });
    Ok((ready.data().map_err(from_datafusion)?, holds))
}

/// The cached query whose rows are all that a plan gives, column by column.
pub(super) fn whole_query(plan: &LogicalPlan) -> Option<Arc<Fragment>> {
    let LogicalPlan::Projection(projection) = plan else { return None };
    let LogicalPlan::TableScan(scan) = projection.input.as_ref() else { return None };
    let fragment = fragment_of(scan)?;
    let schema = fragment.schema();
    let in_order = projection.expr.iter().zip(schema.fields()).all(|(expr, field)| match expr {
        Expr::Alias(alias) => matches!(alias.expr.as_ref(), Expr::Column(column) if column.name == *field.name()),
        _ => false,
    });
    (in_order && projection.expr.len() == schema.fields().len()).then_some(fragment)
}

fn fragment_of(scan: &TableScan) -> Option<Arc<Fragment>> {
    let provider = source_as_provider(&scan.source).ok()?;
    let table = (provider.as_ref() as &dyn Any).downcast_ref::<CachedTable>()?;
    Some(Arc::clone(&table.fragment))
}
