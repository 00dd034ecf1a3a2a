//! [`PythonTable`]: the rows of a source, with its filters.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use firesteel_engine::python::PythonScanExec;
use firesteel_model::{Result, SparkError, conf};
use firesteel_python::{Pushdown, PythonSession, SourceSchema, WorkerPool};
use firesteel_spec::expr::PythonSource;
use firesteel_spec::relation::DataSource;
use firesteel_spec::types_arrow::to_arrow_field;
use firesteel_spec::{DataType, StructField};

use super::filters::{as_json, column_of};
use super::{class, command, options, schema_json};
use crate::session::DriverSession;

/// An opened source.
pub(crate) struct PythonTable {
    /// Not the session, which cached plans must not hold.
    planners: Arc<WorkerPool>,
    python: Arc<PythonSession>,
    source: Arc<PythonSource>,
    instance: Vec<u8>,
    fields: Vec<StructField>,
    schema: SchemaRef,
    pushes_filters: bool,
}

/// Opens a source with the options and the schema of a read.
///
/// Errors: `PYTHON_DATA_SOURCE_ERROR`; the schema is none.
pub(crate) async fn open(
    session: &DriverSession,
    source: Arc<PythonSource>,
    read: &DataSource,
    user_schema: Option<&[StructField]>,
) -> Result<PythonTable> {
    let python = Arc::new(crate::python::session(session)?);
    let user_schema = user_schema.map(schema_json);
    let given = options(&read.options, &read.paths);
    let opening = class(&source);
    let opening = opening.open(session.planners(), &python, &given, user_schema.as_deref());
    let opened = session.unless_cancelled(opening).await?;
    let fields = match &opened.schema {
        SourceSchema::Ddl(text) => firesteel_sql::parse_table_schema(text)?,
        SourceSchema::Json(text) => match DataType::parse_json(text)? {
            DataType::Struct(fields) => fields,
            other => return Err(SparkError::internal(format!("the schema of {} is {}", source.name, other.sql()))),
        },
    };
    // Rows are what the user's code makes of them: any value may be null, and names may repeat.
    let column = |(index, field): (usize, &StructField)| {
        to_arrow_field(field).with_name(format!("{}_{index}", field.name)).with_nullable(true)
    };
    let columns: Vec<_> = fields.iter().enumerate().map(column).collect();
    let pushes_filters = session.settings().bool(&conf::PYTHON_FILTER_PUSHDOWN_ENABLED);
    Ok(PythonTable {
        planners: Arc::clone(session.planners()),
        python,
        source,
        instance: opened.pickled,
        fields,
        schema: Arc::new(Schema::new(columns)),
        pushes_filters,
    })
}

impl PythonTable {
    /// Its columns.
    pub(crate) fn fields(&self) -> &[StructField] {
        &self.fields
    }

    async fn planned(&self, filters: &[Expr]) -> Result<PythonScanExec> {
        let filters = as_json(filters, &self.schema, &self.fields)?;
        let pushdown = match (self.pushes_filters, &filters) {
            (false, _) => Pushdown::Off,
            (true, None) => Pushdown::Nothing,
            (true, Some(filters)) => Pushdown::Filters(filters),
        };
        let schema_json = schema_json(&self.fields);
        let class = class(&self.source);
        let read = class.plan_read(&self.planners, &self.python, &self.instance, &schema_json, pushdown).await?;
        let command = command("read", &self.source, read.command);
        Ok(PythonScanExec::new(command, Arc::clone(&self.python), read.partitions, Arc::clone(&self.schema)))
    }
}

impl fmt::Debug for PythonTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PythonTable").field("source", &self.source.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for PythonTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// The reader may leave rows out by them; they are applied to what it gives all the same.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> datafusion::common::Result<Vec<TableProviderFilterPushDown>> {
        let takes = |filter: &&Expr| match self.pushes_filters && column_of(filter).is_some() {
            true => TableProviderFilterPushDown::Inexact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(takes).collect())
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> datafusion::common::Result<Arc<dyn ExecutionPlan>> {
        let scan = self.planned(filters).await.map_err(|failure| DataFusionError::External(Box::new(failure)))?;
        let scan: Arc<dyn ExecutionPlan> = Arc::new(scan);
        let Some(projection) = projection else { return Ok(scan) };
        let column = |place: &usize| {
            let name = self.schema.field(*place).name();
            let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(name, *place));
            (column, name.clone())
        };
        let columns: Vec<_> = projection.iter().map(column).collect();
        Ok(Arc::new(ProjectionExec::try_new(columns, scan)?))
    }
}
