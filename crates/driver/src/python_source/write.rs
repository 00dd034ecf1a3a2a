//! Writing into a source: a message of each partition, then commit or abort.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use firesteel_engine::python::{InputOrder, MapPartitionsExec};
use firesteel_executor::JobOptions;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_python::{PythonSession, SourceWrite, WRITE_OUTPUT};
use firesteel_spec::Relation;
use firesteel_spec::command::{SaveMode, Write, WriteTarget};
use firesteel_spec::expr::PythonSource;
use tokio_util::sync::CancellationToken;

use super::{class, command, options, schema_json};
use crate::planning::{self, Prepared};
use crate::session::DriverSession;

/// Rows on their way into a source.
pub(crate) struct Rows<'r> {
    /// What gives them.
    pub(crate) input: &'r Relation,
    /// What the source is given beside them.
    pub(crate) options: &'r [(String, String)],
    /// Where they go, for sources that have places.
    pub(crate) paths: &'r [String],
    /// Whether the rows that were there go.
    pub(crate) overwrites: bool,
}

/// `df.write.format(..)` of a source's name.
///
/// Errors: `UNSUPPORTED_DATA_SOURCE_SAVE_MODE`, and as of [`write_rows`].
pub(crate) async fn write(
    session: &DriverSession,
    source: &PythonSource,
    write: &Write,
    cancellation: &CancellationToken,
) -> Result<()> {
    let overwrites = match write.mode {
        SaveMode::Append => false,
        SaveMode::Overwrite => true,
        SaveMode::ErrorIfExists => return Err(not_in_mode(source, "ErrorIfExists")),
        SaveMode::Ignore => return Err(not_in_mode(source, "Ignore")),
    };
    if !write.partition_by.is_empty() || !write.sort_by.is_empty() || !write.cluster_by.is_empty() {
        return Err(SparkError::unsupported("partitionBy, sortBy and clusterBy of a Python data source"));
    }
    let paths = match &write.target {
        WriteTarget::Path(path) => vec![path.clone()],
        _ => Vec::new(),
    };
    let rows = Rows { input: &write.input, options: &write.options, paths: &paths, overwrites };
    write_rows(session, source, &rows, cancellation).await
}

/// Runs a query and gives its rows to a source.
///
/// Guarantees: the writer's `commit` sees one message a partition, of the attempt that counts; where anything fails,
/// `commit` too, `abort` is called with the messages there are.
pub(crate) async fn write_rows(
    session: &DriverSession,
    source: &PythonSource,
    rows: &Rows<'_>,
    cancellation: &CancellationToken,
) -> Result<()> {
    let prepared = planning::prepared(session, rows.input).await?;
    let python = Arc::new(crate::python::session(session)?);
    let (given, schema_json) = (options(rows.options, rows.paths), schema_json(&prepared.planned.fields));
    let class = class(source);
    let planning = class.plan_write(session.planners(), &python, &schema_json, &given, rows.overwrites);
    let SourceWrite { command: function, writer } = session.unless_cancelled(planning).await?;
    let (outcome, messages) = run(session, prepared, &python, source, function, cancellation).await;
    let finish = |aborts| class.finish_write(session.planners(), &python, &writer, &messages, aborts);
    let outcome = match outcome {
        Ok(()) => finish(false).await,
        failed => failed,
    };
    if outcome.is_err()
        && let Err(later) = finish(true).await
    {
        tracing::warn!(error = %later, "the abort of a Python data source failed");
    }
    outcome
}

/// Runs the function over every partition; gives the messages of all of them, those that did not come as nothing.
async fn run(
    session: &DriverSession,
    prepared: Prepared,
    python: &Arc<PythonSession>,
    source: &PythonSource,
    function: Vec<u8>,
    cancellation: &CancellationToken,
) -> (Result<()>, Vec<Option<Vec<u8>>>) {
    let (settings, files) = (prepared.settings.clone(), prepared.files.clone());
    let names = prepared.planned.fields.iter().map(|field| field.name.clone()).collect();
    let (input, order) = (Arc::clone(&prepared.physical), InputOrder::of(&prepared.physical));
    let output = Arc::new(Schema::new(vec![Field::new(WRITE_OUTPUT, DataType::Binary, true)]));
    let command = command("write", source, function);
    let plan: Arc<dyn ExecutionPlan> =
        Arc::new(MapPartitionsExec::new(input, names, command, Arc::clone(python), order, output));
    let partitions = plan.output_partitioning().partition_count();
    let (cancel, progress) = (Some(cancellation.clone()), session.progress());
    // The writer aborts when nothing writes any more.
    let options = JobOptions { cancel, progress, settings, files, waits_for_attempts: true, ..JobOptions::default() };
    let mut messages = Vec::new();
    let outcome = async {
        let mut stream = session.application().cluster.submit(plan, options).await?;
        while let Some(batch) = stream.next().await {
            messages.extend(messages_in(&batch?.batch)?);
        }
        Ok(())
    };
    let outcome = outcome.await;
    if outcome.is_err() {
        messages.resize(partitions.max(messages.len()), None);
    }
    (outcome, messages)
}

fn messages_in(batch: &RecordBatch) -> Result<Vec<Option<Vec<u8>>>> {
    let column = batch.columns().first().and_then(|column| column.as_binary_opt::<i32>());
    let column = column.ok_or_else(|| SparkError::internal("a Python data source gave no messages"))?;
    Ok(column.iter().map(|message| message.map(<[u8]>::to_vec)).collect())
}

fn not_in_mode(source: &PythonSource, mode: &str) -> SparkError {
    SparkError::new(&error_class::UNSUPPORTED_DATA_SOURCE_SAVE_MODE)
        .param("source", source.name.clone())
        .param("createMode", format!("\"{mode}\""))
}
