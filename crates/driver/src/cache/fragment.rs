//! A query whose rows are kept: its plan, and its rows once somebody needed them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::logical_expr::LogicalPlan;
use firesteel_connect::StorageLevel;
use firesteel_engine::exec::CachedRows;
use firesteel_executor::{JobOptions, KeepPlan};
use firesteel_model::error_class::CHECKPOINT_RDD_BLOCK_ID_NOT_FOUND;
use firesteel_model::{Result, SparkError};
use firesteel_planner::{Attribute, CachedPlan, CachedRelation, Planned, Planner, ResolvedFragment};
use firesteel_shuffle::{Hold, Residence};
use firesteel_spec::{Relation, StructField};
use tokio::runtime::Handle;

use super::blocks::{Blocks, Found};
use super::canonical::Canonical;
use super::key::Dependencies;
use super::level::{residence_of, shown_level};
use super::scan::CachedTable;
use crate::environment::SessionEnvironment;
use crate::planning;
use crate::session::DriverSession;

/// How many times as many outputs are computed, while a limit is still short of rows.
const SCALE_UP: usize = 4;

/// A resolved query and its rows.
///
/// Guarantees: an output is computed when a query needs it first, by one query however many want it, and again when it
/// was lost; outputs stay until the fragment is released or nobody holds it any more.
#[derive(Debug)]
pub(crate) struct Fragment {
    output: Vec<Attribute>,
    plan_ids: Vec<i64>,
    fields: Vec<StructField>,
    schema: SchemaRef,
    /// What other queries' plans are compared with, and its columns there.
    canonical: Option<(Canonical, Vec<String>)>,
    pub(crate) dependencies: Dependencies,
    level: StorageLevel,
    /// None once a checkpoint is complete: it does not know any more where it came from.
    lineage: Mutex<Option<Planned>>,
    is_checkpoint: bool,
    blocks: Mutex<Blocks>,
    is_released: AtomicBool,
}

impl Fragment {
    /// Resolves a query on a planning thread; `key` is its own, so that it is not taken for itself.
    pub(crate) fn resolve(
        session: &DriverSession,
        handle: &Handle,
        relation: &Relation,
        key: &str,
        level: StorageLevel,
    ) -> Result<Self> {
        let environment = SessionEnvironment::without(session, handle, key);
        let mut planner = Planner::new(&environment, session.function_context(), session.case_sensitive());
        let ResolvedFragment { planned, plan, output, plan_ids } = planner.fragment(relation)?;
        let canonical = Canonical::of(&plan).map(|canonical| {
            let columns = output.iter().map(|attribute| canonical.column(&attribute.column)).collect();
            (canonical, columns)
        });
        Ok(Self {
            output,
            plan_ids,
            fields: planned.fields.clone(),
            schema: Arc::clone(planned.plan.schema().inner()),
            canonical,
            dependencies: environment.dependencies(),
            level,
            lineage: Mutex::new(Some(Planned { observations: Vec::new(), ..planned })),
            is_checkpoint: false,
            blocks: Mutex::default(),
            is_released: AtomicBool::new(false),
        })
    }

    /// The same for a checkpoint, which forgets where its rows came from, and so may always use the disk.
    pub(crate) fn checkpoint(
        session: &DriverSession,
        handle: &Handle,
        relation: &Relation,
        key: &str,
        level: StorageLevel,
    ) -> Result<Self> {
        let level = StorageLevel { use_disk: true, ..level };
        let resolved = Self::resolve(session, handle, relation, key, level)?;
        Ok(Self { is_checkpoint: true, canonical: None, ..resolved })
    }

    /// What the user calls its columns.
    pub(crate) fn fields(&self) -> Vec<StructField> {
        self.fields.clone()
    }

    /// Its columns as they are stored.
    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// What `explain` calls it.
    pub(super) fn name(&self) -> String {
        shown_level(self.level)
    }

    /// The fragment as the planner puts it in place of the query.
    pub(crate) fn relation(self: &Arc<Self>) -> CachedRelation {
        CachedRelation {
            provider: Arc::new(CachedTable::new(Arc::clone(self))),
            output: self.output.clone(),
            plan_ids: self.plan_ids.clone(),
        }
    }

    /// Whether its plan may be this one.
    pub(super) fn may_be(&self, plan: &LogicalPlan) -> bool {
        self.canonical.as_ref().is_some_and(|(canonical, _)| canonical.has_nodes_of(plan))
    }

    /// The fragment in place of a plan, if it is that plan's; the plan's columns are given by name.
    pub(super) fn in_place_of(self: &Arc<Self>, plan: &Canonical, names: &[String]) -> Option<CachedPlan> {
        let (own, columns) = self.canonical.as_ref()?;
        if !own.is_same(plan) {
            return None;
        }
        let named = |column: &String| names.iter().find(|name| plan.column(name) == *column).cloned();
        let columns = columns.iter().map(|column| named(column).unwrap_or_default()).collect();
        Some(CachedPlan { provider: Arc::new(CachedTable::new(Arc::clone(self))), columns })
    }

    /// Computes all of its rows that are not there; on a planning thread.
    pub(crate) fn build(&self, session: &DriverSession, handle: &Handle) -> Result<()> {
        self.ready(session, handle, None).map(|_| ())
    }

    /// Its rows for a query, all or so many of the first; what is not there is computed. On a planning thread.
    pub(super) fn ready(
        &self,
        session: &DriverSession,
        handle: &Handle,
        limit: Option<usize>,
    ) -> Result<(CachedRows, Vec<Hold>)> {
        // Held while jobs run: whoever else needs the rows waits for them instead of computing them too.
        let mut blocks = self.locked();
        let cluster = &session.application().cluster;
        let mut found = blocks.held(|attempt| cluster.hold(attempt));
        if !found.suffice(limit) {
            self.compute(session, handle, &mut found, limit)?;
        }
        let rows = found.rows(limit)?;
        *blocks = if self.is_released.load(Ordering::Acquire) { Blocks::default() } else { found.blocks() };
        Ok((rows, found.holds()))
    }

    fn compute(&self, session: &DriverSession, handle: &Handle, found: &mut Found, limit: Option<usize>) -> Result<()> {
        let mut lineage = self.lineage.lock().unwrap_or_else(PoisonError::into_inner);
        let planned = lineage.clone().ok_or_else(|| {
            let id = "of a checkpoint".to_owned();
            SparkError::new(&CHECKPOINT_RDD_BLOCK_ID_NOT_FOUND).param("rddBlockId", id)
        })?;
        let mut prepared = planning::prepare(session, handle, planned)?;
        let residence = residence_of(self.level);
        let is_fixed = residence == Residence::Memory;
        let plan = session.application().cluster.keep_plan(prepared.physical, &mut prepared.settings, is_fixed)?;
        let options = JobOptions {
            cancel: Some(session.cancellation().clone()),
            progress: session.progress(),
            settings: prepared.settings,
            files: prepared.files,
            description: Some(format!("cache {}", self.name())),
            ..JobOptions::default()
        };
        let run = |chosen: Option<Vec<usize>>| {
            let cluster = &session.application().cluster;
            handle.block_on(cluster.keep(plan.clone(), chosen, residence, options.clone()))
        };
        fill(&plan, found, limit, run)?;
        if self.is_checkpoint && found.suffice(None) {
            *lineage = None;
        }
        Ok(())
    }

    /// Nobody is to find its rows any more: they go when the queries that read them now are done.
    pub(crate) fn release(&self) {
        self.is_released.store(true, Ordering::Release);
        // Whoever has the lock computes, and looks before it puts rows there.
        if let Ok(mut blocks) = self.blocks.try_lock() {
            *blocks = Blocks::default();
        }
    }

    fn locked(&self) -> MutexGuard<'_, Blocks> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs jobs until no output is missing, or until there are rows enough.
fn fill(
    plan: &KeepPlan,
    found: &mut Found,
    limit: Option<usize>,
    run: impl Fn(Option<Vec<usize>>) -> Result<(firesteel_executor::KeptRows, Vec<Hold>)>,
) -> Result<()> {
    let Some(outputs) = plan.outputs.filter(|outputs| *outputs > 0 && found.fits(*outputs)) else {
        let (rows, holds) = run(None)?;
        found.replace(rows, holds);
        return Ok(());
    };
    found.resize(outputs);
    let mut step = if plan.is_narrow && limit.is_some() { 1 } else { outputs };
    while !found.suffice(limit) {
        let mut missing = found.missing();
        missing.truncate(step);
        step = step.saturating_mul(SCALE_UP);
        let chosen = (missing.len() < outputs).then(|| missing.clone());
        let (rows, holds) = run(chosen)?;
        if rows.outputs.len() != missing.len() {
            let (made, wanted) = (rows.outputs.len(), missing.len());
            return Err(SparkError::internal(format!("{made} outputs of a cached query where {wanted} were missing")));
        }
        found.put(&missing, rows, holds);
    }
    Ok(())
}
