//! Running queries: rows to the client, text for `show`, checkpoints.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::datasource::MemTable;
use firesteel_connect::{ObservedMetrics, Operation, ResultSink, StorageLevel};
use firesteel_executor::{JobOptions, JobStream};
use firesteel_functions::errors::{from_arrow, from_datafusion};
use firesteel_functions::format::{ShowOptions, html_string, show_string};
use firesteel_model::Result;
use firesteel_planner::{Finish, Planned};
use firesteel_shuffle::Hold;
use firesteel_spec::types_arrow::to_arrow_field;
use firesteel_spec::{CatalogOp, Relation, RelationNode, StructField};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::cache::Fragment;
use crate::command::catalog_call;
use crate::planning::{self, Prepared};
use crate::rows::{ReadyRows, literal_of};
use crate::session::{Checkpoint, DriverSession};

/// How often a query begins anew because cached rows that it was to read are lost.
const LOSSES_MAX: usize = 3;

/// Runs a query and sends its rows to the client.
pub(crate) async fn run(
    session: &DriverSession,
    relation: &Relation,
    operation: &Operation,
    sink: &ResultSink,
) -> Result<()> {
    if let RelationNode::Catalog(call @ CatalogOp::CreateTable { .. }) = relation.node.as_ref() {
        catalog_call(session, call).await?;
    }
    let (mut losses, mut sent) = (0, Sent::default());
    loop {
        let mut prepared = planning::prepared(session, relation).await?;
        let holds = std::mem::take(&mut prepared.holds);
        let (plan, mut settings) = (Arc::clone(&prepared.physical), prepared.settings.clone());
        let ended = send(session, prepared, operation, sink, &mut sent).await;
        if ended.is_ok() || losses == LOSSES_MAX || !holds.iter().any(Hold::is_lost) {
            return ended;
        }
        // Planned again, it computes anew what was lost. After the first rows that helps if they come in the same order.
        if sent.rows > 0 && !session.application().cluster.keep_plan(plan, &mut settings, false)?.is_narrow {
            return ended;
        }
        losses += 1;
    }
}

/// What the client has got.
#[derive(Debug, Default)]
struct Sent {
    schema: bool,
    rows: usize,
}

impl Sent {
    async fn schema(&mut self, sink: &ResultSink, fields: &[StructField]) -> Result<()> {
        if std::mem::replace(&mut self.schema, true) { Ok(()) } else { sink.schema(fields).await }
    }
}

async fn send(
    session: &DriverSession,
    mut prepared: Prepared,
    operation: &Operation,
    sink: &ResultSink,
    sent: &mut Sent,
) -> Result<()> {
    let observations = std::mem::take(&mut prepared.planned.observations);
    let options = JobOptions {
        tags: operation.tags().to_vec(),
        cancel: Some(operation.cancellation().clone()),
        progress: session.progress(),
        settings: prepared.settings.clone(),
        files: prepared.files.clone(),
        ..JobOptions::default()
    };
    match prepared.planned.finish {
        Finish::Rows => {
            sent.schema(sink, &prepared.planned.fields).await?;
            let mut stream = submit(session, prepared, options).await?;
            let mut known = sent.rows;
            while let Some(batch) = stream.next().await {
                let batch = batch?.batch;
                let skipped = known.min(batch.num_rows());
                known -= skipped;
                if skipped < batch.num_rows() {
                    sink.batch(&batch.slice(skipped, batch.num_rows() - skipped)).await?;
                    sent.rows += batch.num_rows() - skipped;
                }
            }
        }
        _ => {
            let rows = finished(session, prepared, options).await?;
            sent.schema(sink, &rows.fields).await?;
            for batch in &rows.batches {
                sink.batch(batch).await?;
            }
        }
    }
    for (name, observed) in observations {
        let metrics = observe(session, name, observed, operation.cancellation()).await?;
        sink.observed(vec![metrics]);
    }
    Ok(())
}

async fn submit(session: &DriverSession, prepared: Prepared, options: JobOptions) -> Result<JobStream> {
    session.application().cluster.submit(prepared.physical, options).await
}

/// All rows of a query, for commands and for `show`.
pub(crate) async fn rows_of(
    session: &DriverSession,
    prepared: Prepared,
    cancellation: &CancellationToken,
) -> Result<ReadyRows> {
    let options = JobOptions {
        cancel: Some(cancellation.clone()),
        progress: session.progress(),
        settings: prepared.settings.clone(),
        files: prepared.files.clone(),
        ..JobOptions::default()
    };
    finished(session, prepared, options).await
}

async fn finished(session: &DriverSession, prepared: Prepared, options: JobOptions) -> Result<ReadyRows> {
    let (finish, fields) = (prepared.planned.finish, prepared.planned.fields.clone());
    let stream = submit(session, prepared, options).await?;
    let keep = match finish {
        Finish::Tail(rows) => rows,
        _ => usize::MAX,
    };
    let batches = last_rows(stream, keep).await?;
    let zone = session.settings().text(&firesteel_model::conf::SESSION_TIME_ZONE);
    match finish {
        Finish::Rows | Finish::Tail(_) => Ok(ReadyRows { fields, batches }),
        Finish::ShowString { rows, truncate, vertical } => {
            let options = ShowOptions { rows, truncate, vertical, time_zone: zone };
            ReadyRows::text("show_string", show_string(&batches, &fields, &options)?)
        }
        Finish::HtmlString { rows, truncate } => {
            let options = ShowOptions { rows, truncate, vertical: false, time_zone: zone };
            ReadyRows::text("html_string", html_string(&batches, &fields, &options)?)
        }
    }
}

/// The last rows of a stream; earlier batches are given up as soon as enough came after them.
async fn last_rows(mut stream: JobStream, keep: usize) -> Result<Vec<RecordBatch>> {
    let mut batches = std::collections::VecDeque::new();
    let mut held = 0usize;
    while let Some(batch) = stream.next().await {
        let batch = batch?.batch;
        held = held.saturating_add(batch.num_rows());
        batches.push_back(batch);
        while batches.front().is_some_and(|first: &RecordBatch| held - first.num_rows() >= keep) {
            held -= batches.pop_front().map_or(0, |first| first.num_rows());
        }
    }
    if held > keep
        && let Some(first) = batches.front_mut()
    {
        let surplus = held - keep;
        *first = first.slice(surplus, first.num_rows() - surplus);
    }
    Ok(batches.into())
}

async fn observe(
    session: &DriverSession,
    name: String,
    observed: Planned,
    cancellation: &CancellationToken,
) -> Result<ObservedMetrics> {
    let prepare = move |session: &DriverSession, handle: &Handle| planning::prepare(session, handle, observed);
    let prepared = planning::on_planning_thread(session, prepare).await?;
    let rows = rows_of(session, prepared, cancellation).await?;
    let mut values = Vec::new();
    if let Some(batch) = rows.batches.iter().find(|batch| batch.num_rows() > 0) {
        for (field, column) in rows.fields.iter().zip(batch.columns()) {
            let value = datafusion::common::ScalarValue::try_from_array(column, 0).map_err(from_datafusion)?;
            values.push((field.name.clone(), literal_of(&value, &field.data_type)));
        }
    }
    Ok(ObservedMetrics { name, plan_id: 0, values })
}

/// Keeps a query's rows under an id, in place of the query: computed now, or by the first query that needs them.
pub(crate) async fn checkpoint(
    session: &DriverSession,
    input: &Relation,
    level: StorageLevel,
    is_eager: bool,
) -> Result<String> {
    let id = uuid::Uuid::new_v4().to_string();
    let (key, input) = (id.clone(), input.clone());
    let fragment = planning::on_planning_thread(session, move |session, handle| {
        let fragment = Fragment::checkpoint(session, handle, &input, &key, level)?;
        if is_eager {
            fragment.build(session, handle)?;
        }
        Ok(Arc::new(fragment))
    });
    let fragment = fragment.await?;
    session.keep_checkpoint(&id, Checkpoint { provider: fragment.relation().provider, fields: fragment.fields() });
    Ok(id)
}

/// Rows as a table in memory.
pub(crate) fn memory_table(rows: &ReadyRows) -> Result<MemTable> {
    let schema = internal_schema(&rows.fields);
    let batches = rows.batches.iter().map(|batch| renamed(batch, &schema)).collect::<Result<Vec<_>>>()?;
    MemTable::try_new(schema, vec![batches]).map_err(from_datafusion)
}

/// The fields under names that cannot clash.
fn internal_schema(fields: &[StructField]) -> SchemaRef {
    let named = fields.iter().enumerate();
    Arc::new(Schema::new(
        named.map(|(i, f)| to_arrow_field(f).with_name(format!("c{i}")).with_nullable(true)).collect::<Vec<_>>(),
    ))
}

fn renamed(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    RecordBatch::try_new(Arc::clone(schema), batch.columns().to_vec()).map_err(from_arrow)
}
