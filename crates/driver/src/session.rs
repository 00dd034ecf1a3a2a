//! [`DriverSession`]: settings, names and checkpoints of one user's session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use firesteel_catalog::SessionCatalog;
use firesteel_connect::{Analyze, Analyzed, ArtifactStore, Operation, Request, ResultSink, Session, StorageLevel};
use firesteel_functions::call::FunctionContext;
use firesteel_model::runtime_conf::RuntimeConf;
use firesteel_model::{Result, conf};
use firesteel_spec::{Command, Relation, StructField};

use crate::application::{Application, now_us};
use crate::{analyze, command, query};

/// Rows that a checkpoint keeps.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoint {
    pub(crate) provider: Arc<dyn TableProvider>,
    pub(crate) fields: Vec<StructField>,
}

/// One user's session.
#[derive(Clone)]
pub(crate) struct DriverSession(Arc<State>);

struct State {
    application: Arc<Application>,
    conf: RuntimeConf,
    catalog: SessionCatalog,
    artifacts: Option<Arc<ArtifactStore>>,
    user: String,
    checkpoints: Mutex<HashMap<String, Checkpoint>>,
    /// What `df.persist` was asked for, by the plan's text.
    storage_levels: Mutex<HashMap<String, StorageLevel>>,
}

impl DriverSession {
    pub(crate) fn new(application: Arc<Application>, user: &str, artifacts: Option<Arc<ArtifactStore>>) -> Self {
        let conf = RuntimeConf::new(application.conf.clone());
        let catalog = SessionCatalog::new(Arc::clone(&application.catalog));
        Self::with(application, conf, catalog, user, artifacts)
    }

    /// A copy of settings and names that goes its own way from here.
    pub(crate) fn fork(&self, user: &str, artifacts: Arc<ArtifactStore>) -> Self {
        let application = Arc::clone(&self.0.application);
        Self::with(application, self.0.conf.fork(), self.0.catalog.fork(), user, Some(artifacts))
    }

    fn with(
        application: Arc<Application>,
        conf: RuntimeConf,
        catalog: SessionCatalog,
        user: &str,
        artifacts: Option<Arc<ArtifactStore>>,
    ) -> Self {
        let user = if user.is_empty() { "firesteel".to_owned() } else { user.to_owned() };
        let (checkpoints, storage_levels) = (Mutex::default(), Mutex::default());
        Self(Arc::new(State { application, conf, catalog, artifacts, user, checkpoints, storage_levels }))
    }

    pub(crate) fn application(&self) -> &Arc<Application> {
        &self.0.application
    }

    pub(crate) fn settings(&self) -> &RuntimeConf {
        &self.0.conf
    }

    pub(crate) fn catalog(&self) -> &SessionCatalog {
        &self.0.catalog
    }

    pub(crate) fn artifacts(&self) -> Option<&Arc<ArtifactStore>> {
        self.0.artifacts.as_ref()
    }

    pub(crate) fn user(&self) -> &str {
        &self.0.user
    }

    /// What functions depend on, as of now.
    pub(crate) fn function_context(&self) -> FunctionContext {
        let conf = &self.0.conf;
        FunctionContext {
            ansi: conf.bool(&conf::ANSI_ENABLED),
            time_zone: conf.text(&conf::SESSION_TIME_ZONE).into(),
            now_us: now_us(),
            user: self.0.user.as_str().into(),
            catalog: firesteel_catalog::SESSION_CATALOG.into(),
            schema: self.0.catalog.current_schema().into(),
            timestamp_is_ntz: conf.text(&conf::TIMESTAMP_TYPE).eq_ignore_ascii_case("TIMESTAMP_NTZ"),
        }
    }

    pub(crate) fn case_sensitive(&self) -> bool {
        self.0.conf.bool(&conf::CASE_SENSITIVE)
    }

    pub(crate) fn checkpoint(&self, id: &str) -> Option<Checkpoint> {
        self.0.checkpoints.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    pub(crate) fn keep_checkpoint(&self, id: &str, checkpoint: Checkpoint) {
        self.0.checkpoints.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), checkpoint);
    }

    pub(crate) fn drop_checkpoint(&self, id: &str) {
        self.0.checkpoints.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    pub(crate) fn set_storage_level(&self, plan: String, level: Option<StorageLevel>) {
        let mut levels = self.0.storage_levels.lock().unwrap_or_else(PoisonError::into_inner);
        match level {
            Some(level) => levels.insert(plan, level),
            None => levels.remove(&plan),
        };
    }

    pub(crate) fn storage_level(&self, plan: &str) -> StorageLevel {
        let levels = self.0.storage_levels.lock().unwrap_or_else(PoisonError::into_inner);
        levels.get(plan).copied().unwrap_or_default()
    }
}

#[async_trait]
impl Session for DriverSession {
    fn conf(&self) -> &RuntimeConf {
        self.settings()
    }

    async fn execute(&self, request: Request, operation: Arc<Operation>, sink: ResultSink) -> Result<()> {
        match request {
            Request::Query(relation) => query::run(self, &relation, &operation, &sink).await,
            Request::Command(Command::Checkpoint { input, .. }) => {
                let id = query::checkpoint(self, &input, &operation).await?;
                sink.checkpoint(&id).await
            }
            Request::Command(command) => command::run(self, &command, operation.cancellation()).await.map(|_| ()),
            Request::Sql(relation) => self.sql(&relation, &operation, &sink).await,
        }
    }

    async fn analyze(&self, question: Analyze) -> Result<Analyzed> {
        analyze::answer(self, question).await
    }

    async fn close(&self) {
        self.0.checkpoints.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl DriverSession {
    /// `spark.sql`: a query is analysed, a command is run.
    async fn sql(&self, relation: &Relation, operation: &Operation, sink: &ResultSink) -> Result<()> {
        match command::sql_command(relation)? {
            Some(command) => {
                let rows = command::run(self, &command, operation.cancellation()).await?;
                sink.sql_rows(&rows.fields, &rows.batches).await
            }
            None => {
                crate::planning::analyzed(self, relation).await?;
                sink.sql_query().await
            }
        }
    }
}
