//! What the planner asks of the session.

use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use datafusion::catalog::TableProvider;
use datafusion::logical_expr::LogicalPlan;
use firesteel_model::Result;
use firesteel_python::{Analysis, AnalyzeArgument, PythonCommand, PythonSession};
use firesteel_spec::command::ViewSchemaMode;
use firesteel_spec::relation::{DataSource, Relation, TimeTravel};
use firesteel_spec::{CatalogOp, Command, Expr, Plan, StructField};

use crate::cached::{CachedPlan, CachedRelation};

/// What a name stands for.
pub enum TableSource {
    /// Rows from a provider whose columns are `fields`, in order, and then the hidden ones.
    Provider {
        /// The rows.
        provider: Arc<dyn TableProvider>,
        /// Spark's view of its columns.
        fields: Vec<StructField>,
        /// Its full name: the qualifier of its columns.
        name: Vec<String>,
    },
    /// A view: its query, still unresolved, and the names of its columns if they were given.
    View {
        /// The query.
        query: Relation,
        /// Names given to its columns; empty where the query's stand.
        columns: Vec<String>,
        /// Its full name: the qualifier of its columns.
        name: Vec<String>,
        /// What is stored beside the query, unless the view is temporary.
        stored: Option<StoredView>,
    },
}

/// What a stored view keeps beside its query.
pub struct StoredView {
    /// The view's columns when they were last looked at.
    pub fields: Vec<StructField>,
    /// Names that they have in the query; empty where places count.
    pub query_columns: Vec<String>,
    /// What to do when they are others now; without it they are cast.
    pub mode: Option<ViewSchemaMode>,
    /// The query's text.
    pub text: String,
    /// The schema in which its names are looked for.
    pub schema: String,
    /// `spark.sql.ansi.enabled` when it was made.
    pub ansi: Option<bool>,
    /// `spark.sql.caseSensitive` when it was made.
    pub case_sensitive: Option<bool>,
}

/// Tables, files and settings of a session. Calls may block: the planner runs on a thread of its own.
pub trait Environment: Send + Sync {
    /// A setting, with its default.
    fn conf(&self, key: &str) -> Option<String>;

    /// The table or view of a name.
    ///
    /// Errors: TABLE_OR_VIEW_NOT_FOUND.
    fn table(
        &self,
        name: &[String],
        options: &[(String, String)],
        time_travel: Option<&TimeTravel>,
    ) -> Result<TableSource>;

    /// Keeps the columns that a stored view has now.
    fn view_changed(&self, _name: &[String], _fields: &[StructField], _query_columns: &[String]) -> Result<()> {
        Ok(())
    }

    /// Files or another data source, and Spark's view of its columns; the hidden ones come after those.
    fn read(&self, source: &DataSource) -> Result<(Arc<dyn TableProvider>, Vec<StructField>)>;

    /// An artifact by its hash.
    fn artifact(&self, hash: &str) -> Result<Bytes>;

    /// A checkpointed DataFrame.
    fn checkpoint(&self, id: &str) -> Result<(Arc<dyn TableProvider>, Vec<StructField>)>;

    /// The kept rows of a relation, if there are any.
    fn cached(&self, _relation: &Relation) -> Result<Option<CachedRelation>> {
        Ok(None)
    }

    /// The kept rows of a resolved plan, if there are any.
    fn cached_plan(&self, _plan: &LogicalPlan) -> Result<Option<CachedPlan>> {
        Ok(None)
    }

    /// The kept rows of a stored table by its full name, if there are any.
    fn cached_table(&self, _name: &[String]) -> Result<Option<CachedRelation>> {
        Ok(None)
    }

    /// The rows that a catalog call answers with.
    fn catalog(&self, call: &CatalogOp) -> Result<(Vec<StructField>, Vec<RecordBatch>)>;

    /// Runs a command that stands inside a query and gives its rows.
    fn command(&self, command: &Command) -> Result<(Vec<StructField>, Vec<RecordBatch>)>;

    /// Runs a query whose result decides the plan: pivot values, transpose.
    fn collect(&self, plan: &LogicalPlan) -> Result<Vec<RecordBatch>>;

    /// SQL text, parsed, with arguments in place of its parameter markers.
    fn parse(&self, text: &str, named: &[(String, Expr)], positional: &[Expr]) -> Result<Plan>;

    /// A session variable's value.
    fn variable(&self, name: &[String]) -> Option<firesteel_functions::call::Typed>;

    /// What the Python functions of the session share.
    ///
    /// Errors: a setting of theirs makes no sense.
    fn python(&self) -> Result<Arc<PythonSession>>;

    /// What the `analyze` method of a Python table function says of a call.
    ///
    /// Errors: `TABLE_VALUED_FUNCTION_FAILED_TO_ANALYZE_IN_PYTHON`.
    fn analyze_python(&self, function: &PythonCommand, arguments: &[AnalyzeArgument]) -> Result<Analysis>;

    /// A function written in SQL: its parameters and body.
    fn sql_function(&self, name: &[String]) -> Option<Arc<firesteel_spec::command::CreateFunction>>;
}
