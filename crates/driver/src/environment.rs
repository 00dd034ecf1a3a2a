//! What the planner asks of a session.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use bytes::Bytes;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::LogicalPlan;
use firesteel_catalog::{Relation as Named, TableMetadata, ViewSource};
use firesteel_functions::call::Typed;
use firesteel_functions::errors::from_datafusion;
use firesteel_model::{Result, SparkError, conf, error_class};
use firesteel_planner::{CachedPlan, CachedRelation, Environment, Finish, Planned, StoredView, TableSource};
use firesteel_python::{Analysis, AnalyzeArgument, PythonCommand, PythonSession, analyze_table_function};
use firesteel_sources::{FileTable, Format, ReadRequest, Settings};
use firesteel_spec::command::CreateFunction;
use firesteel_spec::relation::{DataSource, SchemaText, TimeTravel};
use firesteel_spec::types::{DECLARED_TYPE, quote_if_needed};
use firesteel_spec::types_arrow::to_arrow_field;
use firesteel_spec::{CatalogOp, Command, DataType, Expr, Plan, Relation, StructField};
use firesteel_sql::ParserOptions;
use tokio::runtime::Handle;

use crate::cache::{Dependencies, Fragment, meaning_of, shown};
use crate::command;
use crate::planning;
use crate::python_source;
use crate::query;
use crate::rows::ReadyRows;
use crate::session::DriverSession;

/// A session as the planner sees it, on a planning thread.
pub(crate) struct SessionEnvironment<'s> {
    session: &'s DriverSession,
    handle: &'s Handle,
    /// Key of the query that is resolved to be cached, which is not to be taken from the cache itself.
    except: Option<&'s str>,
    /// Whether cached rows stand in for what they were computed from.
    uses_caches: bool,
    has_used_caches: AtomicBool,
    dependencies: Mutex<Dependencies>,
    /// The first name resolved so far that ends with the session: what kind of thing it is, and the name.
    temporary: Mutex<Option<(&'static str, Vec<String>)>>,
}

impl<'s> SessionEnvironment<'s> {
    pub(crate) fn new(session: &'s DriverSession, handle: &'s Handle) -> Self {
        Self {
            session,
            handle,
            except: None,
            uses_caches: true,
            has_used_caches: AtomicBool::new(false),
            dependencies: Mutex::default(),
            temporary: Mutex::default(),
        }
    }

    /// Whether cached rows stand for a part of the queries resolved so far.
    pub(crate) fn has_used_caches(&self) -> bool {
        self.has_used_caches.load(Ordering::Relaxed)
    }

    /// The same where queries are resolved down to what they read.
    pub(crate) fn uncached(session: &'s DriverSession, handle: &'s Handle) -> Self {
        Self { uses_caches: false, ..Self::new(session, handle) }
    }

    /// The same for resolving what is cached under a key.
    pub(crate) fn without(session: &'s DriverSession, handle: &'s Handle, key: &'s str) -> Self {
        Self { except: Some(key), ..Self::new(session, handle) }
    }

    /// What the queries resolved so far have read.
    pub(crate) fn dependencies(&self) -> Dependencies {
        self.dependencies.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first temporary thing that the queries resolved so far have used.
    pub(crate) fn temporary(&self) -> Option<(&'static str, Vec<String>)> {
        self.temporary.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn uses_temporary(&self, kind: &'static str, name: &[String]) {
        let mut first = self.temporary.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| (kind, name.to_vec()));
    }

    fn depends<T>(&self, add: impl FnOnce(&mut Dependencies) -> T) {
        if self.except.is_some() {
            add(&mut self.dependencies.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn depends_on_path(&self, path: &str) {
        // A pattern stands for what lies in the directory that it begins with.
        let plain = path.find(['*', '?', '[', '{']).map_or(path, |at| &path[..path[..at].rfind('/').unwrap_or(at)]);
        if let Ok(location) = self.session.application().stores.resolve(plain) {
            self.depends(|dependencies| dependencies.paths.insert(location.show()));
        }
    }

    fn kept(&self, fragment: &Arc<Fragment>) -> CachedRelation {
        self.has_used_caches.store(true, Ordering::Relaxed);
        self.depends_on(fragment);
        fragment.relation()
    }

    fn depends_on(&self, fragment: &Fragment) {
        self.depends(|dependencies| dependencies.extend(&fragment.dependencies));
    }

    fn stored(&self, table: &TableMetadata) -> Result<TableSource> {
        let name = table.qualified_name();
        if let Some(view) = &table.view {
            let Plan::Query(query) = firesteel_sql::parse_statement(&view.text)? else {
                return Err(SparkError::internal("a stored view holds no query"));
            };
            let flag = |key: &conf::ConfKey| view.settings.get(key.name).map(|value| value == "true");
            let stored = StoredView {
                fields: table.columns()?,
                query_columns: view.query_columns.clone(),
                mode: command::view_mode(self.session, view),
                text: view.text.clone(),
                schema: view.current_schema.clone(),
                ansi: flag(&conf::ANSI_ENABLED),
                case_sensitive: flag(&conf::CASE_SENSITIVE),
            };
            return Ok(TableSource::View { query, columns: view.column_names.clone(), name, stored: Some(stored) });
        }
        self.depends_on_path(&table.location);
        let python = shown(python_source::named(self.session, &table.format));
        self.depends(|dependencies| dependencies.sources.insert((table.format.clone(), python)));
        if let Some(source) = self.handle.block_on(python_source::open_table(self.session, table))? {
            let fields = source.fields().to_vec();
            return Ok(TableSource::Provider { provider: Arc::new(source), fields, name });
        }
        Ok(match self.handle.block_on(table_files(self.session, table))? {
            Some(files) => {
                let fields = with_lengths(files.fields(), &table.columns()?);
                TableSource::Provider { provider: Arc::new(files), fields, name }
            }
            None => {
                let columns = table.columns()?;
                let fields = with_lengths(&columns, &columns);
                let hidden = firesteel_sources::metadata_field();
                let hidden = (!columns.iter().any(|column| column.name == hidden.name)).then_some(hidden);
                let shown = fields.iter().chain(&hidden).map(|field| to_arrow_field(field).with_nullable(true));
                let schema = Arc::new(Schema::new(shown.collect::<Vec<_>>()));
                let nothing = MemTable::try_new(schema, vec![Vec::new()]).map_err(from_datafusion)?;
                TableSource::Provider { provider: Arc::new(nothing), fields, name }
            }
        })
    }
}

impl Environment for SessionEnvironment<'_> {
    fn conf(&self, key: &str) -> Option<String> {
        self.session.settings().get(key)
    }

    fn table(
        &self,
        name: &[String],
        _options: &[(String, String)],
        time_travel: Option<&TimeTravel>,
    ) -> Result<TableSource> {
        if time_travel.is_some() {
            return Err(SparkError::unsupported("time travel on tables of files"));
        }
        let named = self.handle.block_on(self.session.catalog().relation(name))?;
        self.depends(|dependencies| dependencies.names.insert((name.to_vec(), meaning_of(&named))));
        match named {
            Named::Stored(table) => self.stored(&table),
            Named::Temporary(view) => {
                let columns = view.columns.iter().map(|(name, _)| name.clone()).collect();
                let name = match view.is_global {
                    true => vec![firesteel_catalog::GLOBAL_TEMP_SCHEMA.to_owned(), view.name],
                    false => vec![view.name],
                };
                let ViewSource::Query(query) = view.source;
                self.uses_temporary("VIEW", &name);
                Ok(TableSource::View { query: *query, columns, name, stored: None })
            }
        }
    }

    fn view_changed(&self, name: &[String], fields: &[StructField], query_columns: &[String]) -> Result<()> {
        self.handle.block_on(command::keep_view_columns(self.session, name, fields, query_columns))
    }

    fn read(&self, source: &DataSource) -> Result<(Arc<dyn TableProvider>, Vec<StructField>)> {
        let python = source.format.as_deref().map(|format| (format, python_source::named(self.session, format)));
        if let Some((format, python)) = &python {
            self.depends(|dependencies| dependencies.sources.insert(((*format).to_owned(), shown(python.clone()))));
        }
        if let Some((_, Some(python))) = python {
            let user_schema = user_schema(source)?;
            let opened = python_source::open(self.session, python, source, user_schema.as_deref());
            let table = self.handle.block_on(opened)?;
            let fields = table.fields().to_vec();
            return Ok((Arc::new(table), fields));
        }
        let has_path =
            !source.paths.is_empty() || source.options.iter().any(|(key, _)| key.eq_ignore_ascii_case("path"));
        if !has_path && let Some(SchemaText::Fields(fields)) = &source.schema {
            // Columns that are declared, of no files.
            let rows = ReadyRows { fields: fields.clone(), batches: Vec::new() };
            return Ok((Arc::new(query::memory_table(&rows)?), rows.fields));
        }
        let table = self.handle.block_on(data_source(self.session, source))?;
        let option = source.options.iter().filter(|(key, _)| key.eq_ignore_ascii_case("path")).map(|(_, path)| path);
        source.paths.iter().chain(option).for_each(|path| self.depends_on_path(path));
        let fields = table.fields().to_vec();
        Ok((Arc::new(table), fields))
    }

    fn artifact(&self, hash: &str) -> Result<Bytes> {
        let artifacts = self.session.artifacts();
        let artifacts = artifacts.ok_or_else(|| SparkError::internal("this session has no artifacts"))?;
        artifacts.local_relation(hash)
    }

    fn cached(&self, relation: &Relation) -> Result<Option<CachedRelation>> {
        if !self.uses_caches {
            return Ok(None);
        }
        let caches = &self.session.application().caches;
        let found = caches.find(self.session, self.handle, relation, self.except)?;
        Ok(found.map(|fragment| self.kept(&fragment)))
    }

    fn cached_plan(&self, plan: &LogicalPlan) -> Result<Option<CachedPlan>> {
        if !self.uses_caches {
            return Ok(None);
        }
        let caches = &self.session.application().caches;
        let found = caches.find_plan(self.session, self.handle, plan, self.except);
        Ok(found.map(|(fragment, plan)| {
            self.depends_on(&fragment);
            plan
        }))
    }

    fn cached_table(&self, name: &[String]) -> Result<Option<CachedRelation>> {
        if !self.uses_caches {
            return Ok(None);
        }
        let caches = &self.session.application().caches;
        let found = caches.find_table(self.session, self.handle, name, self.except)?;
        Ok(found.map(|fragment| self.kept(&fragment)))
    }

    fn checkpoint(&self, id: &str) -> Result<(Arc<dyn TableProvider>, Vec<StructField>)> {
        let kept = self.session.checkpoint(id);
        let kept = kept.ok_or_else(|| SparkError::internal(format!("no checkpoint has the id {id}")))?;
        Ok((kept.provider, kept.fields))
    }

    fn catalog(&self, call: &CatalogOp) -> Result<(Vec<StructField>, Vec<RecordBatch>)> {
        let rows = self.handle.block_on(command::catalog_call(self.session, call))?;
        Ok((rows.fields, rows.batches))
    }

    fn command(&self, command: &Command) -> Result<(Vec<StructField>, Vec<RecordBatch>)> {
        let rows = self.handle.block_on(command::run(self.session, command, self.session.cancellation()))?;
        Ok((rows.fields, rows.batches))
    }

    fn collect(&self, plan: &LogicalPlan) -> Result<Vec<RecordBatch>> {
        let planned =
            Planned { plan: plan.clone(), fields: Vec::new(), finish: Finish::Rows, observations: Vec::new() };
        let prepared = planning::prepare(self.session, self.handle, planned)?;
        let rows = self.handle.block_on(query::rows_of(self.session, prepared, self.session.cancellation()))?;
        Ok(rows.batches)
    }

    fn parse(&self, text: &str, named: &[(String, Expr)], positional: &[Expr]) -> Result<Plan> {
        parse(self.session, text, named, positional)
    }

    fn variable(&self, name: &[String]) -> Option<Typed> {
        let found = self.session.catalog().variable(name);
        self.depends(|dependencies| dependencies.variables.insert((name.to_vec(), shown(found.clone()))));
        let (_, value) = found?;
        self.uses_temporary("VARIABLE", name);
        let mut typed = firesteel_functions::literal::typed(&value, &self.session.function_context()).ok()?;
        typed.sql = quote_if_needed(name.last()?);
        Some(typed)
    }

    fn python(&self) -> Result<Arc<PythonSession>> {
        crate::python::session(self.session).map(Arc::new)
    }

    fn analyze_python(&self, function: &PythonCommand, arguments: &[AnalyzeArgument]) -> Result<Analysis> {
        let python = self.python()?;
        let analysis = analyze_table_function(self.session.planners(), &python, function, arguments);
        self.handle.block_on(self.session.unless_cancelled(analysis))
    }

    fn sql_function(&self, name: &[String]) -> Option<Arc<CreateFunction>> {
        let found = self.session.catalog().function(name);
        if found.as_ref().is_some_and(|function| function.is_temporary) {
            self.uses_temporary("FUNCTION", name);
        }
        self.depends(|dependencies| dependencies.functions.insert((name.to_vec(), shown(found.clone()))));
        found
    }
}

/// CHAR and VARCHAR columns of a table as Spark shows them: STRING that remembers what was declared.
fn with_lengths(fields: &[StructField], columns: &[StructField]) -> Vec<StructField> {
    let shown = fields.iter().map(|field| {
        let declared = columns.iter().find(|column| column.name == field.name).map(|column| &column.data_type);
        match declared {
            Some(declared @ (DataType::Char(_) | DataType::Varchar(_))) => {
                let field = StructField { data_type: DataType::STRING, ..field.clone() };
                field.with_text(DECLARED_TYPE, Some(&declared.simple_string()))
            }
            _ => field.clone(),
        }
    });
    shown.collect()
}

/// SQL text, parsed, with arguments in place of its parameter markers.
pub(crate) fn parse(
    session: &DriverSession,
    text: &str,
    named: &[(String, Expr)],
    positional: &[Expr],
) -> Result<Plan> {
    let settings = session.settings();
    let options = ParserOptions {
        double_quoted_identifiers: settings.bool(&conf::ANSI_ENABLED)
            && settings.bool(&conf::ANSI_DOUBLE_QUOTED_IDENTIFIERS),
        timestamp_is_ntz: session.function_context().timestamp_is_ntz,
        quoted_regex_column_names: settings.bool(&conf::PARSER_QUOTED_REGEX_COLUMN_NAMES),
        legacy_intervals: settings.bool(&conf::LEGACY_INTERVAL),
        legacy_identifier_clause: settings.bool(&conf::LEGACY_IDENTIFIER_CLAUSE),
        refuses_view_schema_modes: !settings.bool(&conf::VIEW_SCHEMA_BINDING),
        named: named.to_vec(),
        positional: positional.to_vec(),
    };
    firesteel_sql::parse_statement_with(text, &options)
}

/// The session's settings of files.
pub(crate) fn file_settings(session: &DriverSession) -> Result<Settings> {
    Settings::from_conf(|key| session.settings().get(key), session.application().cluster.slots())
}

/// Opens `spark.read`.
pub(crate) async fn data_source(session: &DriverSession, source: &DataSource) -> Result<FileTable> {
    let format = match &source.format {
        Some(format) => format.clone(),
        None => session.settings().text(&conf::SOURCES_DEFAULT),
    };
    let mut paths = source.paths.clone();
    let path_option = source.options.iter().find(|(key, _)| key.eq_ignore_ascii_case("path"));
    if let (true, Some((_, path))) = (paths.is_empty(), path_option) {
        paths.push(path.clone());
    }
    let user_schema = user_schema(source)?;
    let request = ReadRequest {
        format: Format::parse(&format)?,
        paths,
        options: source.options.iter().cloned().collect(),
        user_schema,
        settings: file_settings(session)?,
    };
    firesteel_sources::read(&session.application().stores, request).await
}

/// The schema that the user gave a read.
fn user_schema(source: &DataSource) -> Result<Option<Vec<StructField>>> {
    Ok(match &source.schema {
        None => None,
        Some(SchemaText::Fields(fields)) => Some(fields.clone()),
        Some(SchemaText::Text(text)) => Some(schema_of(text)?),
    })
}

/// A schema in DDL or Spark's JSON.
pub(crate) fn schema_of(text: &str) -> Result<Vec<StructField>> {
    match firesteel_spec::DataType::parse_json(text) {
        Ok(firesteel_spec::DataType::Struct(fields)) => Ok(fields),
        _ => firesteel_sql::parse_table_schema(text),
    }
}

/// Opens the files of a stored table; `None` where there are none yet.
pub(crate) async fn table_files(session: &DriverSession, table: &TableMetadata) -> Result<Option<FileTable>> {
    let mut options: Vec<(String, String)> = table.options.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    if !table.partition_columns.is_empty() {
        options.push(("basePath".to_owned(), table.location.clone()));
    }
    let request = ReadRequest {
        format: Format::parse(&table.format)?,
        paths: vec![table.location.clone()],
        options: options.into_iter().collect(),
        user_schema: Some(table.columns()?),
        settings: Settings { ignore_missing_files: true, ..file_settings(session)? },
    };
    match firesteel_sources::read(&session.application().stores, request).await {
        Err(failure) if failure.class() == &error_class::PATH_NOT_FOUND => Ok(None),
        files => files.map(Some),
    }
}
