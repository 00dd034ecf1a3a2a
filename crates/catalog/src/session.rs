//! [`SessionCatalog`]: what one session calls things.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::command::CreateFunction;
use firesteel_spec::expr::PythonSource;
use firesteel_spec::types::{quote, quote_name};
use firesteel_spec::{DataType, Literal, StructField};

use crate::metadata::TableMetadata;
use crate::shared::{Catalog, DEFAULT_SCHEMA, GLOBAL_TEMP_SCHEMA, SESSION_CATALOG, TableName};

/// A view that ends with its session, or with the application for a global one.
#[derive(Clone, Debug, PartialEq)]
pub struct TemporaryView {
    /// Its name.
    pub name: String,
    /// Whether all sessions see it.
    pub is_global: bool,
    /// What it stands for.
    pub source: ViewSource,
    /// Names given to its columns, with comments; empty where the query's stand.
    pub columns: Vec<(String, Option<String>)>,
    /// Its schema when it was made.
    pub fields: Vec<StructField>,
}

/// What a temporary view stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum ViewSource {
    /// A query, resolved anew at each use.
    Query(Box<firesteel_spec::Relation>),
}

/// What a relation's name stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Relation {
    /// A temporary view.
    Temporary(TemporaryView),
    /// A table or a stored view.
    Stored(Box<TableMetadata>),
}

#[derive(Clone, Debug)]
struct State {
    schema: String,
    views: BTreeMap<String, TemporaryView>,
    functions: BTreeMap<String, Arc<CreateFunction>>,
    sources: BTreeMap<String, Arc<PythonSource>>,
    variables: Variables,
    /// Blocks and loops of the script that runs, innermost last.
    scopes: Vec<Scope>,
}

type Variables = BTreeMap<String, (DataType, Literal)>;

/// Variables of a script's block, or the current row of its loop.
#[derive(Clone, Debug)]
struct Scope {
    label: Option<String>,
    variables: Variables,
}

/// Names of one session.
#[derive(Debug)]
pub struct SessionCatalog {
    shared: Arc<Catalog>,
    state: RwLock<State>,
}

impl SessionCatalog {
    /// A session in the default schema.
    pub fn new(shared: Arc<Catalog>) -> Self {
        let state = State {
            schema: DEFAULT_SCHEMA.to_owned(),
            views: BTreeMap::new(),
            functions: BTreeMap::new(),
            sources: BTreeMap::new(),
            variables: BTreeMap::new(),
            scopes: Vec::new(),
        };
        Self { shared, state: RwLock::new(state) }
    }

    /// A copy that goes its own way from here.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), state: RwLock::new(self.read(State::clone)) }
    }

    /// What all sessions share.
    pub fn shared(&self) -> &Arc<Catalog> {
        &self.shared
    }

    /// The current schema.
    pub fn current_schema(&self) -> String {
        self.read(|state| state.schema.clone())
    }

    /// USE
    ///
    /// Errors: `SCHEMA_NOT_FOUND`.
    pub async fn use_schema(&self, name: &[String]) -> Result<()> {
        let schema = self.schema_name(name)?;
        let found = self.shared.schema(&schema).await?;
        self.write(|state| state.schema = found.name);
        Ok(())
    }

    /// The schema that a name of one or two parts means.
    pub fn schema_name(&self, name: &[String]) -> Result<String> {
        match name {
            [] => Ok(self.current_schema()),
            [schema] => Ok(schema.clone()),
            [catalog, schema] if catalog.eq_ignore_ascii_case(SESSION_CATALOG) => Ok(schema.clone()),
            [catalog, ..] => Err(no_catalog(catalog)),
        }
    }

    /// The table that a name of one to three parts means.
    ///
    /// Errors: `REQUIRES_SINGLE_PART_NAMESPACE` for a schema of another catalog.
    pub fn table_name(&self, name: &[String]) -> Result<TableName> {
        let Some((table, schema)) = name.split_last() else {
            return Err(SparkError::internal("a table without a name"));
        };
        let schema = self.schema_name(schema).map_err(|_| {
            SparkError::new(&error_class::REQUIRES_SINGLE_PART_NAMESPACE)
                .param("sessionCatalog", SESSION_CATALOG)
                .param("identifier", quote_name(name))
        })?;
        Ok(TableName { schema, name: table.clone() })
    }

    /// The temporary view that a name means, if it means one.
    pub fn temporary_view(&self, name: &[String]) -> Option<TemporaryView> {
        match name {
            [name] => self.read(|state| state.views.get(&name.to_lowercase()).cloned()),
            [schema, name] if schema.eq_ignore_ascii_case(GLOBAL_TEMP_SCHEMA) => self.shared.global_view(name),
            _ => None,
        }
    }

    /// What a name means: a temporary view first, then a table or view of the current or given schema.
    ///
    /// Errors: `TABLE_OR_VIEW_NOT_FOUND`.
    pub async fn relation(&self, name: &[String]) -> Result<Relation> {
        if let Some(view) = self.temporary_view(name) {
            return Ok(Relation::Temporary(view));
        }
        let not_found = || {
            SparkError::new(&error_class::TABLE_OR_VIEW_NOT_FOUND)
                .param("relationName", quote_name(name))
                .param("searchPath", self.search_path())
        };
        let table = self.table_name(name).map_err(|_| not_found())?;
        let found = self.shared.find_table(&table).await?;
        found.map(|table| Relation::Stored(Box::new(table))).ok_or_else(not_found)
    }

    /// Where a name of one part is looked for, as messages show it.
    pub fn search_path(&self) -> String {
        format!(
            "[`system`.`builtin`, `system`.`session`, {}.{}]",
            quote(SESSION_CATALOG),
            quote(&self.current_schema())
        )
    }

    /// Adds a temporary view.
    ///
    /// Errors: `TEMP_TABLE_OR_VIEW_ALREADY_EXISTS`, unless `replace`.
    pub fn create_view(&self, view: TemporaryView, replace: bool) -> Result<()> {
        let parts = match view.is_global {
            true => vec![GLOBAL_TEMP_SCHEMA.to_owned(), view.name.clone()],
            false => vec![view.name.clone()],
        };
        if !replace && self.temporary_view(&parts).is_some() {
            return Err(SparkError::new(&error_class::TEMP_TABLE_OR_VIEW_ALREADY_EXISTS)
                .param("relationName", quote_name(&parts)));
        }
        if view.is_global {
            self.shared.set_global_view(view);
        } else {
            self.write(|state| state.views.insert(view.name.to_lowercase(), view));
        }
        Ok(())
    }

    /// Drops a temporary view; tells whether it was there.
    pub fn drop_view(&self, name: &[String]) -> bool {
        match name {
            [name] => self.write(|state| state.views.remove(&name.to_lowercase()).is_some()),
            [schema, name] if schema.eq_ignore_ascii_case(GLOBAL_TEMP_SCHEMA) => self.shared.remove_global_view(name),
            _ => false,
        }
    }

    /// Temporary views of this session, by name.
    pub fn views(&self) -> Vec<TemporaryView> {
        self.read(|state| state.views.values().cloned().collect())
    }

    /// A function written in SQL.
    pub fn function(&self, name: &[String]) -> Option<Arc<CreateFunction>> {
        let key = name.last()?.to_lowercase();
        self.read(|state| state.functions.get(&key).cloned())
    }

    /// Functions written in SQL, by name.
    pub fn functions(&self) -> Vec<Arc<CreateFunction>> {
        self.read(|state| state.functions.values().cloned().collect())
    }

    /// Adds a function.
    pub fn create_function(&self, function: CreateFunction) {
        let key = function.name.last().map(|name| name.to_lowercase()).unwrap_or_default();
        self.write(|state| state.functions.insert(key, Arc::new(function)));
    }

    /// Drops a function; tells whether it was there.
    pub fn drop_function(&self, name: &[String]) -> bool {
        let key = name.last().map(|name| name.to_lowercase()).unwrap_or_default();
        self.write(|state| state.functions.remove(&key).is_some())
    }

    /// A data source written in Python, by its name in any case.
    pub fn source(&self, name: &str) -> Option<Arc<PythonSource>> {
        self.read(|state| state.sources.get(&name.to_lowercase()).cloned())
    }

    /// Adds a data source; one of the same name goes.
    pub fn register_source(&self, source: Arc<PythonSource>) {
        self.write(|state| state.sources.insert(source.name.to_lowercase(), source));
    }

    /// A variable, of a script's blocks first, then of the session: its type and value.
    pub fn variable(&self, name: &[String]) -> Option<(DataType, Literal)> {
        let parts = lower(name);
        self.read(|state| match place_of(state, &parts) {
            Some(place) => state.scopes[place].variables.get(parts.last()?).cloned(),
            None => state.variables.get(session_variable(&parts)?).cloned(),
        })
    }

    /// Sets a variable where it is; a new one becomes the session's.
    pub fn set_variable(&self, name: &[String], data_type: DataType, value: Literal) {
        let parts = lower(name);
        let Some(last) = parts.last().cloned() else { return };
        self.write(|state| match place_of(state, &parts) {
            Some(place) => state.scopes[place].variables.insert(last, (data_type, value)),
            None => state.variables.insert(last, (data_type, value)),
        });
    }

    /// Adds a variable to the innermost block of the script that runs.
    pub fn declare_local(&self, name: &str, data_type: DataType, value: Literal) {
        self.write(|state| {
            if let Some(scope) = state.scopes.last_mut() {
                scope.variables.insert(name.to_lowercase(), (data_type, value));
            }
        });
    }

    /// How many blocks and loops of scripts run.
    pub fn scopes(&self) -> usize {
        self.read(|state| state.scopes.len())
    }

    /// Opens a block or loop of a script.
    pub fn enter_scope(&self, label: Option<&str>) {
        let label = label.map(str::to_lowercase);
        self.write(|state| state.scopes.push(Scope { label, variables: BTreeMap::new() }));
    }

    /// Closes blocks and loops down to so many.
    pub fn leave_scopes(&self, depth: usize) {
        self.write(|state| state.scopes.truncate(depth));
    }

    /// Drops a session variable; tells whether it was there.
    pub fn drop_variable(&self, name: &str) -> bool {
        self.write(|state| state.variables.remove(&name.to_lowercase()).is_some())
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, write: impl FnOnce(&mut State) -> T) -> T {
        write(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn no_catalog(name: &str) -> SparkError {
    SparkError::new(&error_class::CATALOG_NOT_FOUND).param("catalogName", quote(name))
}

fn lower(name: &[String]) -> Vec<String> {
    name.iter().map(|part| part.to_lowercase()).collect()
}

/// The innermost scope that has a variable of this name, behind its scope's label perhaps.
fn place_of(state: &State, parts: &[String]) -> Option<usize> {
    let (label, name) = match parts {
        [name] => (None, name),
        [label, name] => (Some(label), name),
        _ => return None,
    };
    state
        .scopes
        .iter()
        .rposition(|scope| (label.is_none() || scope.label.as_ref() == label) && scope.variables.contains_key(name))
}

/// The name of a session variable, behind `session` or `system.session` perhaps.
fn session_variable(parts: &[String]) -> Option<&String> {
    match parts {
        [name] => Some(name),
        [schema, name] if schema == "session" => Some(name),
        [catalog, schema, name] if catalog == "system" && schema == "session" => Some(name),
        _ => None,
    }
}
