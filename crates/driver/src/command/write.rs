//! Writes: `df.write`, `df.writeTo`, INSERT.

use std::sync::Arc;

use datafusion::physical_expr::expressions::Column as PhysicalColumn;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use firesteel_catalog::{Relation as Named, TableKind, TableMetadata};
use firesteel_engine::session_config;
use firesteel_executor::JobOptions;
use firesteel_functions::errors::{from_arrow, from_datafusion};
use firesteel_model::{Result, SparkError, conf, error_class};
use firesteel_sources::Format;
use firesteel_sources::write::{TaskCommit, WriteExec, WriteJob, WriteMode, WriteRequest, commits_in};
use firesteel_spec::command::{Insert, SaveMode, Write, WriteTarget, WriteTo, WriteToMode};
use firesteel_spec::types::quote;
use firesteel_spec::{Expr, ExprNode, Relation, StructField};
use tokio_util::sync::CancellationToken;

use super::cache::refresh_path;
use super::describe::table_of;
use super::{assign, table};
use crate::environment::file_settings;
use crate::planning::{self, Prepared};
use crate::python_source;
use crate::rows::ReadyRows;
use crate::session::DriverSession;

/// What is written: files, or what a data source in Python makes of rows.
pub(super) struct Target {
    pub(super) format: String,
    pub(super) path: String,
    pub(super) options: Vec<(String, String)>,
    pub(super) mode: WriteMode,
    pub(super) partition_by: Vec<String>,
}

/// `df.write`
pub(super) async fn write(
    session: &DriverSession,
    write: &Write,
    cancellation: &CancellationToken,
) -> Result<ReadyRows> {
    if write.bucket_by.is_some() {
        return Err(SparkError::unsupported("bucketBy"));
    }
    let format = match &write.format {
        Some(format) => format.clone(),
        None => session.settings().text(&conf::SOURCES_DEFAULT),
    };
    if let (WriteTarget::None | WriteTarget::Path(_), Some(source)) =
        (&write.target, python_source::named(session, &format))
    {
        python_source::write(session, &source, write, cancellation).await?;
        return Ok(ReadyRows::default());
    }
    match &write.target {
        WriteTarget::None if format.eq_ignore_ascii_case("noop") => {
            let prepared = planning::prepared(session, &write.input).await?;
            drain(session, prepared, cancellation).await?;
            return Ok(ReadyRows::default());
        }
        WriteTarget::Table(name) => return table::save(session, write, name, &format, cancellation).await,
        WriteTarget::InsertInto(name) => {
            let stored = table_of(session, name).await?;
            let overwrite = write.mode == SaveMode::Overwrite;
            let input = assign::by_position(session, &write.input, &stored).await?;
            return into_table(session, &stored, &input, overwrite, cancellation).await;
        }
        WriteTarget::Path(_) | WriteTarget::None => {}
    }
    let path = match &write.target {
        WriteTarget::Path(path) => path.clone(),
        _ => option(&write.options, "path")
            .ok_or_else(|| SparkError::new(&error_class::WRITE_WITHOUT_PATH).param("format", format.clone()))?,
    };
    let target = Target {
        format,
        path,
        options: write.options.clone(),
        mode: write_mode(session, write.mode, &write.options),
        partition_by: write.partition_by.clone(),
    };
    let input = sorted(&write.input, &write.sort_by);
    run(session, &target, &input, cancellation).await?;
    Ok(ReadyRows::default())
}

fn sorted(input: &Relation, columns: &[String]) -> Relation {
    if columns.is_empty() {
        return input.clone();
    }
    let keys = columns.iter().map(|c| firesteel_spec::expr::SortKey::new(Expr::column([c.clone()]), true)).collect();
    Relation::new(firesteel_spec::RelationNode::Sort { input: input.clone(), keys, is_global: false, all: None })
}

pub(super) fn option(options: &[(String, String)], name: &str) -> Option<String> {
    options.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
}

pub(super) fn write_mode(session: &DriverSession, mode: SaveMode, options: &[(String, String)]) -> WriteMode {
    let dynamic = option(options, "partitionOverwriteMode")
        .or_else(|| session.settings().get("spark.sql.sources.partitionOverwriteMode"))
        .is_some_and(|mode| mode.eq_ignore_ascii_case("dynamic"));
    match mode {
        SaveMode::Append => WriteMode::Append,
        SaveMode::Overwrite => WriteMode::Overwrite { dynamic },
        SaveMode::ErrorIfExists => WriteMode::ErrorIfExists,
        SaveMode::Ignore => WriteMode::Ignore,
    }
}

/// Adds to or replaces the rows of a table; the input's columns are the table's, in order.
pub(super) async fn into_table(
    session: &DriverSession,
    stored: &TableMetadata,
    input: &Relation,
    overwrite: bool,
    cancellation: &CancellationToken,
) -> Result<ReadyRows> {
    if stored.kind == TableKind::View {
        return Err(SparkError::new(&error_class::EXPECT_TABLE_NOT_VIEW_NO_ALTERNATIVE)
            .param("viewName", quote(&stored.name))
            .param("operation", "INSERT"));
    }
    let mode = if overwrite { SaveMode::Overwrite } else { SaveMode::Append };
    let options: Vec<_> = stored.options.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    let target = Target {
        format: stored.format.clone(),
        path: stored.location.clone(),
        mode: write_mode(session, mode, &options),
        options,
        partition_by: stored.partition_columns.clone(),
    };
    run(session, &target, input, cancellation).await?;
    Ok(ReadyRows::default())
}

/// INSERT
pub(super) async fn insert(
    session: &DriverSession,
    insert: &Insert,
    cancellation: &CancellationToken,
) -> Result<ReadyRows> {
    if insert.replace_where.is_some() {
        return Err(SparkError::unsupported("INSERT .. REPLACE WHERE"));
    }
    if let Some((path, format)) = &insert.directory {
        let target = Target {
            format: format.clone().unwrap_or_else(|| session.settings().text(&conf::SOURCES_DEFAULT)),
            path: path.clone(),
            options: insert.options.clone(),
            mode: WriteMode::Overwrite { dynamic: false },
            partition_by: Vec::new(),
        };
        run(session, &target, &insert.query, cancellation).await?;
        return Ok(ReadyRows::default());
    }
    let stored = match session.catalog().relation(&insert.table).await? {
        Named::Stored(table) => *table,
        Named::Temporary(view) => {
            return Err(
                SparkError::new(&error_class::UNSUPPORTED_INSERT_RDD_BASED).param("relationId", quote(&view.name))
            );
        }
    };
    let input = assign::for_insert(session, insert, &stored).await?;
    let static_partition = insert.partition.iter().any(|(_, value)| value.is_some());
    if insert.overwrite && static_partition {
        // Only the partitions named are replaced, which dynamic overwrite does.
        let options: Vec<_> = stored.options.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        let target = Target {
            format: stored.format.clone(),
            path: stored.location.clone(),
            options,
            mode: WriteMode::Overwrite { dynamic: true },
            partition_by: stored.partition_columns.clone(),
        };
        run(session, &target, &input, cancellation).await?;
        return Ok(ReadyRows::default());
    }
    into_table(session, &stored, &input, insert.overwrite, cancellation).await
}

/// `df.writeTo`
pub(super) async fn write_to(
    session: &DriverSession,
    write: &WriteTo,
    cancellation: &CancellationToken,
) -> Result<ReadyRows> {
    let partition_by = write
        .partition_by
        .iter()
        .map(|expr| match expr.node.as_ref() {
            ExprNode::Attribute { parts, .. } => Ok(parts.join(".")),
            _ => Err(SparkError::unsupported("partition transforms")),
        })
        .collect::<Result<Vec<_>>>()?;
    match &write.mode {
        WriteToMode::Append | WriteToMode::OverwritePartitions => {
            let stored = table_of(session, &write.table).await?;
            let input = assign::by_name(session, &write.input, &stored).await?;
            let options: Vec<_> = stored.options.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
            let target = Target {
                format: stored.format.clone(),
                path: stored.location.clone(),
                options,
                mode: match write.mode {
                    WriteToMode::Append => WriteMode::Append,
                    _ => WriteMode::Overwrite { dynamic: true },
                },
                partition_by: stored.partition_columns.clone(),
            };
            run(session, &target, &input, cancellation).await?;
            Ok(ReadyRows::default())
        }
        WriteToMode::Overwrite(_) => Err(SparkError::unsupported("writeTo(..).overwrite(condition)")),
        WriteToMode::Create | WriteToMode::Replace | WriteToMode::CreateOrReplace => {
            let create = firesteel_spec::command::CreateTable {
                name: write.table.clone(),
                format: write.format.clone(),
                options: write.options.clone(),
                properties: write.properties.clone(),
                partition_by: partition_by.iter().map(|c| Expr::column([c.clone()])).collect(),
                query: Some(write.input.clone()),
                replace: write.mode != WriteToMode::Create,
                must_exist: write.mode == WriteToMode::Replace,
                ..table::empty_definition()
            };
            table::create(session, &create, cancellation).await
        }
    }
}

/// Runs the query and writes its rows; of files nothing shows before all of them are written.
pub(super) async fn run(
    session: &DriverSession,
    target: &Target,
    input: &Relation,
    cancellation: &CancellationToken,
) -> Result<()> {
    if let Some(source) = python_source::named(session, &target.format) {
        if !target.partition_by.is_empty() {
            return Err(SparkError::unsupported("partitions of a Python data source"));
        }
        let paths = [target.path.clone()];
        let overwrites = matches!(target.mode, WriteMode::Overwrite { .. });
        let rows = python_source::Rows { input, options: &target.options, paths: &paths, overwrites };
        return python_source::write_rows(session, &source, &rows, cancellation).await;
    }
    let prepared = planning::prepared(session, input).await?;
    let fields = prepared.planned.fields.clone();
    check_columns(&fields, &target.partition_by, session.case_sensitive())?;
    let request = WriteRequest {
        format: Format::parse(&target.format)?,
        path: target.path.clone(),
        options: target.options.iter().cloned().collect(),
        mode: target.mode,
        partition_by: canonical(&target.partition_by, &fields),
        bucket_column: None,
        settings: file_settings(session)?,
    };
    let Some(job) = WriteJob::prepare(&session.application().stores, request, &fields).await? else { return Ok(()) };
    let written = run_tasks(session, prepared, &job, cancellation).await;
    match written {
        Ok(commits) => {
            job.commit(commits).await?;
            refresh_path(session, &target.path)
        }
        Err((failure, commits)) => {
            if let Err(later) = job.abort(commits).await {
                tracing::warn!(error = %later, "a failed write could not be cleaned up");
            }
            Err(failure)
        }
    }
}

async fn run_tasks(
    session: &DriverSession,
    prepared: Prepared,
    job: &WriteJob,
    cancellation: &CancellationToken,
) -> Result<Vec<TaskCommit>, (SparkError, Vec<TaskCommit>)> {
    let (settings, files) = (prepared.settings.clone(), prepared.files.clone());
    let plan = named(prepared).and_then(|plan| by_partition(plan, &job.spec().partition_by));
    let plan = plan.map_err(|failure| (failure, Vec::new()))?;
    let plan: Arc<dyn ExecutionPlan> = Arc::new(WriteExec::new(plan, Arc::clone(job.spec())));
    // Tasks find the stores that they write to in their configuration.
    let config = session_config(&settings).with_extension(Arc::clone(&session.application().stores));
    let options = JobOptions {
        cancel: Some(cancellation.clone()),
        progress: session.progress(),
        settings,
        files,
        config: Some(config),
        waits_for_attempts: true,
        ..JobOptions::default()
    };
    let submitted = session.application().cluster.submit(plan, options).await;
    let mut stream = submitted.map_err(|failure| (failure, Vec::new()))?;
    let mut commits = Vec::new();
    while let Some(batch) = stream.next().await {
        match batch.and_then(|batch| commits_in(&batch.batch)) {
            Ok(more) => commits.extend(more),
            Err(failure) => return Err((failure, commits)),
        }
    }
    Ok(commits)
}

/// The plan's columns under the names that the files get.
fn named(prepared: Prepared) -> Result<Arc<dyn ExecutionPlan>> {
    let fields = &prepared.planned.fields;
    let schema = prepared.physical.schema();
    let columns = fields.iter().enumerate().map(|(index, field)| {
        let column: Arc<dyn PhysicalExpr> = Arc::new(PhysicalColumn::new(schema.field(index).name(), index));
        (column, field.name.clone())
    });
    let projected = ProjectionExec::try_new(columns.collect::<Vec<_>>(), prepared.physical);
    Ok(Arc::new(projected.map_err(from_datafusion)?))
}

/// Rows of the same directory next to each other, so that a task has one file open at a time. Within a directory they
/// keep the order they have.
fn by_partition(plan: Arc<dyn ExecutionPlan>, partition_by: &[String]) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = plan.schema();
    let mut keys = Vec::new();
    for name in partition_by {
        let index = schema.index_of(name).map_err(from_arrow)?;
        keys.push(PhysicalSortExpr::new_default(Arc::new(PhysicalColumn::new(name, index))));
    }
    let Some(wanted) = LexOrdering::new(keys.clone()) else { return Ok(plan) };
    if plan.equivalence_properties().ordering_satisfy(wanted).map_err(from_datafusion)? {
        return Ok(plan);
    }
    keys.extend(plan.output_ordering().into_iter().flatten().cloned());
    let Some(ordering) = LexOrdering::new(keys) else { return Ok(plan) };
    Ok(Arc::new(SortExec::new(ordering, plan).with_preserve_partitioning(true)))
}

/// Runs a query for its effects only.
async fn drain(session: &DriverSession, prepared: Prepared, cancellation: &CancellationToken) -> Result<()> {
    let options = JobOptions {
        cancel: Some(cancellation.clone()),
        progress: session.progress(),
        settings: prepared.settings.clone(),
        files: prepared.files.clone(),
        ..JobOptions::default()
    };
    let mut stream = session.application().cluster.submit(prepared.physical, options).await?;
    while let Some(batch) = stream.next().await {
        batch?;
    }
    Ok(())
}

/// No name may be there twice.
pub(super) fn check_names(fields: &[StructField], case_sensitive: bool) -> Result<()> {
    let same = |a: &str, b: &str| if case_sensitive { a == b } else { a.eq_ignore_ascii_case(b) };
    for (index, field) in fields.iter().enumerate() {
        if fields[..index].iter().any(|other| same(&other.name, &field.name)) {
            return Err(SparkError::new(&error_class::COLUMN_ALREADY_EXISTS)
                .param("columnName", quote(&field.name.to_lowercase())));
        }
    }
    Ok(())
}

fn check_columns(fields: &[StructField], partition_by: &[String], case_sensitive: bool) -> Result<()> {
    check_names(fields, case_sensitive)?;
    let same = |a: &str, b: &str| if case_sensitive { a == b } else { a.eq_ignore_ascii_case(b) };
    for column in partition_by {
        if !fields.iter().any(|field| same(&field.name, column)) {
            let schema = fields.iter().map(|f| format!("{}: {}", f.name, f.data_type.simple_string()));
            return Err(SparkError::new(&error_class::PARTITION_COLUMN_NOT_FOUND_IN_SCHEMA)
                .param("column", column.clone())
                .param("schema", schema.collect::<Vec<_>>().join(", ")));
        }
    }
    if !partition_by.is_empty() && partition_by.len() == fields.len() {
        return Err(SparkError::new(&error_class::ALL_PARTITION_COLUMNS_NOT_ALLOWED));
    }
    Ok(())
}

/// Partition columns as the rows spell them.
fn canonical(partition_by: &[String], fields: &[StructField]) -> Vec<String> {
    let spelled = |name: &String| {
        let exact = fields.iter().find(|f| f.name == *name);
        exact
            .or_else(|| fields.iter().find(|f| f.name.eq_ignore_ascii_case(name)))
            .map_or_else(|| name.clone(), |f| f.name.clone())
    };
    partition_by.iter().map(spelled).collect()
}
