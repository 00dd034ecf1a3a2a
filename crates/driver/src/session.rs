//! [`DriverSession`]: settings, names and checkpoints of one user's session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use firesteel_catalog::SessionCatalog;
use firesteel_connect::{Analyze, Analyzed, ArtifactStore, Operation, Request, ResultSink, Session};
use firesteel_executor::ProgressSink;
use firesteel_functions::call::FunctionContext;
use firesteel_functions::origin::Origin;
use firesteel_model::error_class::OPERATION_CANCELED;
use firesteel_model::runtime_conf::RuntimeConf;
use firesteel_model::{Result, SparkError, conf};
use firesteel_python::WorkerPool;
use firesteel_spec::{Command, Relation, StructField};
use tokio_util::sync::CancellationToken;

use crate::application::{Application, now_us};
use crate::cache::parse_level;
use crate::command::DEFAULT_LEVEL;
use crate::progress::Reporter;
use crate::{analyze, command, query};

/// Rows that a checkpoint keeps.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoint {
    pub(crate) provider: Arc<dyn TableProvider>,
    pub(crate) fields: Vec<StructField>,
}

/// One user's session, as one of its operations sees it.
#[derive(Clone)]
pub(crate) struct DriverSession {
    state: Arc<State>,
    cancellation: CancellationToken,
    progress: Option<Arc<dyn ProgressSink>>,
}

struct State {
    application: Arc<Application>,
    conf: RuntimeConf,
    catalog: SessionCatalog,
    artifacts: Option<Arc<ArtifactStore>>,
    user: String,
    checkpoints: Mutex<HashMap<String, Checkpoint>>,
}

impl DriverSession {
    pub(crate) fn new(application: Arc<Application>, user: &str, artifacts: Option<Arc<ArtifactStore>>) -> Self {
        let conf = RuntimeConf::new(application.conf.clone());
        let catalog = SessionCatalog::new(Arc::clone(&application.catalog));
        Self::with(application, conf, catalog, user, artifacts)
    }

    /// A copy of settings and names that goes its own way from here.
    pub(crate) fn fork(&self, user: &str, artifacts: Arc<ArtifactStore>) -> Self {
        let application = Arc::clone(&self.state.application);
        Self::with(application, self.state.conf.fork(), self.state.catalog.fork(), user, Some(artifacts))
    }

    fn with(
        application: Arc<Application>,
        conf: RuntimeConf,
        catalog: SessionCatalog,
        user: &str,
        artifacts: Option<Arc<ArtifactStore>>,
    ) -> Self {
        let user = if user.is_empty() { "firesteel".to_owned() } else { user.to_owned() };
        let checkpoints = Mutex::default();
        let state = State { application, conf, catalog, artifacts, user, checkpoints };
        Self { state: Arc::new(state), cancellation: CancellationToken::new(), progress: None }
    }

    /// The session for an operation that ends when this says so.
    pub(crate) fn until(&self, cancellation: &CancellationToken) -> Self {
        Self { cancellation: cancellation.clone(), ..self.clone() }
    }

    /// The session for an operation of a client.
    fn of_operation(&self, operation: &Operation, sink: &ResultSink) -> Self {
        let progress: Arc<dyn ProgressSink> = Arc::new(Reporter::new(sink.clone()));
        Self { progress: Some(progress), ..self.until(operation.cancellation()) }
    }

    /// Who hears of the operation's jobs.
    pub(crate) fn progress(&self) -> Option<Arc<dyn ProgressSink>> {
        self.progress.clone()
    }

    /// Says when planning, and the queries that planning runs, are to stop.
    pub(crate) fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }

    /// The Python processes in which the user's code decides on plans.
    pub(crate) fn planners(&self) -> &Arc<WorkerPool> {
        &self.application().planners
    }

    /// What the work gives, or `OPERATION_CANCELED` as soon as the operation is cancelled.
    pub(crate) async fn unless_cancelled<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.cancellation.cancelled() => Err(SparkError::new(&OPERATION_CANCELED)),
            done = work => done,
        }
    }

    pub(crate) fn application(&self) -> &Arc<Application> {
        &self.state.application
    }

    pub(crate) fn settings(&self) -> &RuntimeConf {
        &self.state.conf
    }

    pub(crate) fn catalog(&self) -> &SessionCatalog {
        &self.state.catalog
    }

    pub(crate) fn artifacts(&self) -> Option<&Arc<ArtifactStore>> {
        self.state.artifacts.as_ref()
    }

    pub(crate) fn user(&self) -> &str {
        &self.state.user
    }

    /// What functions depend on, as of now.
    pub(crate) fn function_context(&self) -> FunctionContext {
        let conf = &self.state.conf;
        FunctionContext {
            ansi: conf.bool(&conf::ANSI_ENABLED),
            time_zone: conf.text(&conf::SESSION_TIME_ZONE).into(),
            now_us: now_us(),
            user: self.state.user.as_str().into(),
            catalog: firesteel_catalog::SESSION_CATALOG.into(),
            schema: self.state.catalog.current_schema().into(),
            timestamp_is_ntz: conf.text(&conf::TIMESTAMP_TYPE).eq_ignore_ascii_case("TIMESTAMP_NTZ"),
            keeps_last_key: conf.text(&conf::MAP_KEY_DEDUP_POLICY).eq_ignore_ascii_case("LAST_WIN"),
            allows_precision_loss: conf.bool(&conf::DECIMAL_OPERATIONS_ALLOW_PRECISION_LOSS),
            origin: Origin::default(),
        }
    }

    pub(crate) fn case_sensitive(&self) -> bool {
        self.state.conf.bool(&conf::CASE_SENSITIVE)
    }

    pub(crate) fn checkpoint(&self, id: &str) -> Option<Checkpoint> {
        self.state.checkpoints.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    pub(crate) fn keep_checkpoint(&self, id: &str, checkpoint: Checkpoint) {
        self.state.checkpoints.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), checkpoint);
    }

    pub(crate) fn drop_checkpoint(&self, id: &str) {
        self.state.checkpoints.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

#[async_trait]
impl Session for DriverSession {
    fn conf(&self) -> &RuntimeConf {
        self.settings()
    }

    async fn execute(&self, request: Request, operation: Arc<Operation>, sink: ResultSink) -> Result<()> {
        let session = self.of_operation(&operation, &sink);
        match request {
            Request::Query(relation) => query::run(&session, &relation, &operation, &sink).await,
            Request::Command(Command::Checkpoint { input, is_eager, level, .. }) => {
                let level = level.as_deref().map_or(Ok(DEFAULT_LEVEL), parse_level)?;
                let id = query::checkpoint(&session, &input, level, is_eager).await?;
                sink.checkpoint(&id).await
            }
            Request::Command(command) => command::run(&session, &command, operation.cancellation()).await.map(|_| ()),
            Request::Sql(relation) => session.sql(&relation, &operation, &sink).await,
        }
    }

    async fn analyze(&self, question: Analyze) -> Result<Analyzed> {
        analyze::answer(self, question).await
    }

    async fn close(&self) {
        self.state.checkpoints.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl DriverSession {
    /// `spark.sql`: a query is analysed, a command is run.
    async fn sql(&self, relation: &Relation, operation: &Operation, sink: &ResultSink) -> Result<()> {
        match command::sql_command(self, relation)? {
            Some((text, command)) => {
                let work = command::run(self, &command, operation.cancellation());
                let rows = crate::planning::with_text(text, work).await?;
                sink.sql_rows(&rows.fields, &rows.batches).await
            }
            None => {
                crate::planning::analyzed(self, relation).await?;
                sink.sql_query().await
            }
        }
    }
}
