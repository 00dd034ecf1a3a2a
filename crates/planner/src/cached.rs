//! Relations whose rows are kept: how they are resolved, and what stands in their place in other queries.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::{Column, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::logical_plan::{Projection, TableScanBuilder};
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan};
use firesteel_model::Result;
use firesteel_spec::Relation;

use crate::attribute::Attribute;
use crate::finish::Planned;
use crate::planner::{Planner, df};
use crate::resolved::Resolved;

/// Kept rows in place of a relation.
#[derive(Clone, Debug)]
pub struct CachedRelation {
    /// The rows.
    pub provider: Arc<dyn TableProvider>,
    /// What the relation's user calls the columns, in order.
    pub output: Vec<Attribute>,
    /// The client's ids of the DataFrames within the relation, of which other parts of a query may speak.
    pub plan_ids: Vec<i64>,
}

/// Kept rows in place of a plan.
#[derive(Clone, Debug)]
pub struct CachedPlan {
    /// The rows.
    pub provider: Arc<dyn TableProvider>,
    /// For each of their columns, the plan's column that it is.
    pub columns: Vec<String>,
}

/// A relation resolved by itself, so that its rows can be kept.
#[derive(Clone, Debug)]
pub struct ResolvedFragment {
    /// The rows.
    pub planned: Planned,
    /// The relation's plan before it was made ready to run.
    pub plan: LogicalPlan,
    /// Their columns, in order.
    pub output: Vec<Attribute>,
    /// The client's ids of the DataFrames within it.
    pub plan_ids: Vec<i64>,
}

impl Planner<'_> {
    /// Resolves a relation whose rows are to be kept.
    pub fn fragment(&mut self, relation: &Relation) -> Result<ResolvedFragment> {
        let resolved = self.relation(relation)?;
        let output = resolved.visible().cloned().collect();
        let plan = resolved.plan.clone();
        let planned = self.planned(resolved)?;
        let plan_ids = self.plan_outputs.keys().copied().collect();
        Ok(ResolvedFragment { planned, plan, output, plan_ids })
    }

    /// The kept rows of a relation, if there are any.
    pub(crate) fn cached(&mut self, relation: &Relation) -> Result<Option<Resolved>> {
        if !self.recursions.is_empty() || self.is_shadowed(relation) {
            return Ok(None);
        }
        let Some(mut kept) = self.env.cached(relation)? else { return Ok(None) };
        // The relation itself is remembered by whoever asked.
        kept.plan_ids.retain(|id| Some(*id) != relation.plan_id);
        self.kept(kept).map(Some)
    }

    /// Whether a name in the relation may be that of a WITH clause around it.
    fn is_shadowed(&self, relation: &Relation) -> bool {
        if self.ctes.is_empty() {
            return false;
        }
        let text = format!("{relation:?}").to_lowercase();
        self.ctes.iter().any(|cte| text.contains(&cte.cte.name.to_lowercase()))
    }

    /// The same with kept rows in place of its plan, if there are any.
    pub(crate) fn with_cached_plan(&self, resolved: Resolved) -> Result<Resolved> {
        let hidden: Vec<&str> =
            resolved.output.iter().filter(|a| a.is_file_metadata()).map(|a| a.column.as_str()).collect();
        let fields = resolved.plan.schema().fields().iter();
        let wanted: Vec<_> = fields.filter(|field| !hidden.contains(&field.name().as_str())).cloned().collect();
        // Only what the user sees is kept; rows that are kept have no files any more.
        if wanted.is_empty() || wanted.len() != resolved.visible().count() || !self.recursions.is_empty() {
            return Ok(resolved);
        }
        let Some(CachedPlan { provider, columns }) = self.env.cached_plan(&resolved.plan)? else { return Ok(resolved) };
        let schema = provider.schema();
        let reference = TableReference::bare("InMemoryRelation");
        let mut exprs = Vec::new();
        for field in wanted {
            let Some(at) = columns.iter().position(|column| column == field.name()) else { return Ok(resolved) };
            let Some(stored) = schema.fields().get(at).filter(|stored| stored.data_type() == field.data_type()) else {
                return Ok(resolved);
            };
            exprs.push(DfExpr::Column(Column::new(Some(reference.clone()), stored.name())).alias(field.name()));
        }
        let scan = TableScanBuilder::new(reference, provider_as_source(provider)).build();
        let scan = Arc::new(LogicalPlan::TableScan(df(scan)?));
        let plan = LogicalPlan::Projection(df(Projection::try_new(exprs, scan))?);
        let output = resolved.output.into_iter().filter(|attribute| !attribute.is_file_metadata()).collect();
        Ok(Resolved { plan, output, ..resolved })
    }

    /// Scans kept rows.
    pub(crate) fn kept(&mut self, kept: CachedRelation) -> Result<Resolved> {
        let fields: Vec<_> = kept.output.iter().map(Attribute::field).collect();
        let mut resolved = self.scan("InMemoryRelation", kept.provider, &fields, &[])?;
        for (attribute, known) in resolved.output.iter_mut().zip(kept.output) {
            attribute.qualifier = known.qualifier;
        }
        for id in kept.plan_ids {
            self.plan_outputs.entry(id).or_default().push(resolved.output.clone());
        }
        Ok(resolved)
    }
}
