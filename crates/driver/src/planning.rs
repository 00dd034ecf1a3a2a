//! From a spec to a physical plan.
//!
//! The planner may recurse deeply and asks the environment for tables and files, so it runs on a thread of its own
//! with a large stack, where waiting for I/O blocks nobody.

use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use firesteel_engine::logical::PartitioningPlanner;
use firesteel_engine::python::{PythonPlanner, extract_python};
use firesteel_engine::settings::ExecutionSettings;
use firesteel_engine::{physical_rules, session_config};
use firesteel_executor::Parcel;
use firesteel_functions::errors::from_datafusion;
use firesteel_model::error_class::{INVALID_TEMP_OBJ_REFERENCE, OPERATION_CANCELED};
use firesteel_model::{Result, SparkError};
use firesteel_planner::{Planned, Planner};
use firesteel_shuffle::Hold;
use firesteel_spec::types::quote_name;
use firesteel_spec::{Relation, Span};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::cache::materialise;
use crate::environment::SessionEnvironment;
use crate::python;
use crate::session::DriverSession;

/// Stack of a planning thread: expressions of thousands of terms nest that deep.
const STACK_BYTES: usize = 256 << 20;

/// Runs work that may recurse deeply and may block, with a session whose own queries end when nobody waits any more.
///
/// Errors: what the work fails with; `OPERATION_CANCELED` at once when the operation is cancelled.
pub(crate) async fn on_planning_thread<T: Send + 'static>(
    session: &DriverSession,
    work: impl FnOnce(&DriverSession, &Handle) -> Result<T> + Send + 'static,
) -> Result<T> {
    let handle = Handle::current();
    let (answer, answered) = oneshot::channel();
    let span = tracing::Span::current();
    let waiting = session.cancellation().child_token();
    let session = session.until(&waiting);
    let _gone = waiting.clone().drop_guard();
    let thread = std::thread::Builder::new().name("firesteel-planning".to_owned()).stack_size(STACK_BYTES);
    thread
        .spawn(move || {
            let _entered = span.enter();
            // Nobody waits any more if the client is gone.
            let _ = answer.send(work(&session, &handle));
        })
        .map_err(|source| SparkError::internal("no thread for planning").source(source))?;
    tokio::select! {
        biased;
        answer = answered => answer.map_err(|_| SparkError::internal("planning ended without an answer"))?,
        () = waiting.cancelled() => Err(SparkError::new(&OPERATION_CANCELED)),
    }
}

tokio::task_local! {
    /// The SQL text of the command that is being run: errors in the queries inside it point there.
    static COMMAND_TEXT: String;
}

/// Runs a command whose SQL text is known.
pub(crate) async fn with_text<T>(text: String, work: impl Future<Output = T>) -> T {
    COMMAND_TEXT.scope(text, work).await
}

/// All of the text of the command that is being run, where it is known.
pub(crate) fn command_span() -> Option<Span> {
    let characters = COMMAND_TEXT.try_with(|text| text.trim_end().chars().count()).ok()?;
    Some(Span { start: 0, stop: u32::try_from(characters.checked_sub(1)?).ok()? })
}

/// Resolves a query.
pub(crate) async fn analyzed(session: &DriverSession, relation: &Relation) -> Result<Planned> {
    let relation = relation.clone();
    let text = COMMAND_TEXT.try_with(Clone::clone).ok();
    on_planning_thread(session, move |session, handle| resolve_in(session, handle, &relation, text)).await
}

/// Resolves a query that is to be stored.
///
/// Errors: `INVALID_TEMP_OBJ_REFERENCE` where it uses what ends with the session, as `object` of this name says.
pub(crate) async fn analyzed_to_store(
    session: &DriverSession,
    relation: &Relation,
    (object, name): (&'static str, String),
) -> Result<Planned> {
    let relation = relation.clone();
    let text = COMMAND_TEXT.try_with(Clone::clone).ok();
    on_planning_thread(session, move |session, handle| {
        let environment = SessionEnvironment::uncached(session, handle);
        let planned = resolved_by(&environment, session, &relation, text.as_deref())?;
        let Some((kind, used)) = environment.temporary() else { return Ok(planned) };
        Err(SparkError::new(&INVALID_TEMP_OBJ_REFERENCE)
            .param("obj", object)
            .param("objName", name)
            .param("tempObj", kind)
            .param("tempObjName", quote_name(&used)))
    })
    .await
}

/// Resolves a query on the thread it is called on; the text is the one that its spans refer to.
fn resolve_in(session: &DriverSession, handle: &Handle, relation: &Relation, text: Option<String>) -> Result<Planned> {
    let environment = SessionEnvironment::new(session, handle);
    let resolved = resolved_by(&environment, session, relation, text.as_deref());
    if resolved.is_ok() || !environment.has_used_caches() {
        return resolved;
    }
    // A query may speak of columns that only show in what cached rows were computed from.
    let uncached = SessionEnvironment::uncached(session, handle);
    resolved_by(&uncached, session, relation, text.as_deref()).or(resolved)
}

fn resolved_by(
    environment: &SessionEnvironment<'_>,
    session: &DriverSession,
    relation: &Relation,
    text: Option<&str>,
) -> Result<Planned> {
    let mut planner = Planner::new(environment, session.function_context(), session.case_sensitive());
    match text {
        Some(text) => planner.with_text(text).query(relation),
        None => planner.query(relation),
    }
}

/// Resolves a query down to what it reads, whether that is cached or not.
pub(crate) async fn analyzed_uncached(session: &DriverSession, relation: &Relation) -> Result<Planned> {
    let relation = relation.clone();
    on_planning_thread(session, move |session, handle| {
        resolved_by(&SessionEnvironment::uncached(session, handle), session, &relation, None)
    })
    .await
}

/// A query down to what is run.
pub(crate) struct Prepared {
    pub(crate) planned: Planned,
    pub(crate) optimized: LogicalPlan,
    pub(crate) physical: Arc<dyn ExecutionPlan>,
    pub(crate) settings: ExecutionSettings,
    /// The files that its functions need, where executors do not see them.
    pub(crate) files: Option<Arc<Parcel>>,
    /// The cached rows that it reads.
    pub(crate) holds: Vec<Hold>,
}

/// Resolves, optimises and plans a query.
pub(crate) async fn prepared(session: &DriverSession, relation: &Relation) -> Result<Prepared> {
    let relation = relation.clone();
    let text = COMMAND_TEXT.try_with(Clone::clone).ok();
    on_planning_thread(session, move |session, handle| {
        let planned = resolve_in(session, handle, &relation, text)?;
        prepare(session, handle, planned)
    })
    .await
}

/// The same to be shown and not to be run: what is cached is not computed for it.
pub(crate) async fn explained(session: &DriverSession, relation: &Relation) -> Result<Prepared> {
    let relation = relation.clone();
    on_planning_thread(session, move |session, handle| {
        let planned = resolve_in(session, handle, &relation, None)?;
        physical(session, handle, planned, |optimized| Ok((optimized, Vec::new())))
    })
    .await
}

/// Optimises and plans a resolved query on the thread it is called on.
pub(crate) fn prepare(session: &DriverSession, handle: &Handle, planned: Planned) -> Result<Prepared> {
    physical(session, handle, planned, |optimized| materialise(session, handle, optimized))
}

fn physical(
    session: &DriverSession,
    handle: &Handle,
    planned: Planned,
    ready: impl FnOnce(LogicalPlan) -> Result<(LogicalPlan, Vec<Hold>)>,
) -> Result<Prepared> {
    let settings = execution_settings(session)?;
    let state = session_state(session, &settings);
    let optimized = state.optimize(&planned.plan).and_then(extract_python).map_err(from_datafusion)?;
    let (optimized, holds) = ready(optimized)?;
    let planner = state.query_planner();
    let physical = handle.block_on(planner.create_physical_plan(&optimized, &state)).map_err(from_datafusion)?;
    let files = python::parcel(session)?;
    Ok(Prepared { planned, optimized, physical, settings, files, holds })
}

/// The session's settings of execution.
pub(crate) fn execution_settings(session: &DriverSession) -> Result<ExecutionSettings> {
    ExecutionSettings::from_conf(session.application().cluster.slots(), &|key| session.settings().get(key))
}

fn session_state(session: &DriverSession, settings: &ExecutionSettings) -> SessionState {
    SessionStateBuilder::new()
        .with_config(session_config(settings))
        .with_runtime_env(session.application().cluster.runtime_env())
        // DISTINCT ON is rewritten to it.
        .with_aggregate_functions(vec![first_value_udaf()])
        .with_query_planner(Arc::new(StagePlanner))
        .with_physical_optimizer_rules(physical_rules(settings))
        .build()
}

/// DataFusion's physical planner with our nodes.
#[derive(Debug)]
struct StagePlanner;

#[async_trait::async_trait]
impl QueryPlanner for StagePlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        state: &dyn Session,
    ) -> datafusion::common::Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![
            Arc::new(PartitioningPlanner),
            Arc::new(PythonPlanner),
        ]);
        planner.create_physical_plan(plan, state).await
    }
}
