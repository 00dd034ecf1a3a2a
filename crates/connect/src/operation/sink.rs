//! [`ResultSink`]: where the engine puts what comes out of an operation.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use firesteel_model::{Result, SparkError, conf, error_class};
use firesteel_spec::types::{DataType, StructField};
use spark_connect_proto as proto;
use spark_connect_proto::ExecutePlanResponse;
use spark_connect_proto::execute_plan_response::{Metrics, ResponseType, ResultComplete, SqlCommandResult};
use spark_connect_proto::relation::RelType;
use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use super::registry::Execution;
use super::report::{ObservedMetrics, PlanMetrics, Progress};
use crate::encode::batch::{BatchLimits, messages, slices, stream};
use crate::encode::data_type::schema as schema_message;
use crate::encode::relabel::ClientSchema;

/// Takes results and hands them to the client, in order.
///
/// Guarantees: the methods that send rows wait while the client is slow and answer `OPERATION_CANCELED` once the
/// operation is over, so that the engine stops by itself. Clones write to the same client.
#[derive(Clone)]
pub struct ResultSink(Arc<Shared>);

struct Shared {
    execution: Arc<Execution>,
    identity: Identity,
    format: ResultFormat,
    rows: Mutex<Rows>,
    reported: std::sync::Mutex<Option<Instant>>,
}

/// What every response repeats.
pub(crate) struct Identity {
    /// The client's session id.
    pub(crate) session_id: String,
    /// Ours.
    pub(crate) server_side_session_id: String,
}

/// How results look.
pub(crate) struct ResultFormat {
    /// The session's time zone.
    pub(crate) zone: String,
    /// How large batches and chunks may be.
    pub(crate) limits: BatchLimits,
    /// Time between two reports of progress.
    pub(crate) progress_interval: Duration,
    /// How many bytes of rows an operation may send; `None` is no limit.
    pub(crate) result_bytes_max: Option<u64>,
    /// The relation to answer for `spark.sql` of a query.
    pub(crate) sql_input: Option<proto::Relation>,
}

#[derive(Default)]
struct Rows {
    schema: Option<ClientSchema>,
    sent: i64,
    bytes: u64,
    batches: usize,
    sql_answered: bool,
}

impl ResultSink {
    /// A sink for an operation.
    pub(crate) fn new(execution: Arc<Execution>, identity: Identity, format: ResultFormat) -> Self {
        let (rows, reported) = (Mutex::default(), std::sync::Mutex::new(None));
        Self(Arc::new(Shared { execution, identity, format, rows, reported }))
    }

    /// Announces the columns of the result. Call it once, before any batch.
    pub async fn schema(&self, fields: &[StructField]) -> Result<()> {
        let mut rows = self.0.rows.lock().await;
        if rows.schema.is_some() {
            return Err(SparkError::internal("the schema of a result was announced twice"));
        }
        rows.schema = Some(ClientSchema::new(fields, &self.0.format.zone));
        let response = ExecutePlanResponse { schema: Some(schema_message(fields)), ..self.response(None) };
        self.0.execution.log.append(response).await
    }

    /// Sends rows, whose columns are those announced, by place.
    pub async fn batch(&self, batch: &RecordBatch) -> Result<()> {
        let mut rows = self.0.rows.lock().await;
        let schema = rows.schema.clone().ok_or_else(|| SparkError::internal("rows came before their schema"))?;
        let batch = schema.apply(batch)?;
        // An empty batch says nothing, except at the end that there are no rows at all.
        if batch.num_rows() > 0 {
            self.send(&mut rows, &batch).await?;
        }
        Ok(())
    }

    /// `spark.sql` of a query that has been analysed: the client goes on with the relation it sent.
    pub async fn sql_query(&self) -> Result<()> {
        let input = self.0.format.sql_input.clone();
        let relation = input.ok_or_else(|| SparkError::internal("an SQL answer to what was no SQL"))?;
        self.sql_answer(relation).await
    }

    /// `spark.sql` of a command that has been run: the client gets its rows as a local relation.
    pub async fn sql_rows(&self, fields: &[StructField], batches: &[RecordBatch]) -> Result<()> {
        let schema = ClientSchema::new(fields, &self.0.format.zone);
        let batches = batches.iter().map(|batch| schema.apply(batch)).collect::<Result<Vec<_>>>()?;
        let written_schema = batches.first().map_or_else(|| schema.arrow().clone(), RecordBatch::schema);
        let local = proto::LocalRelation {
            data: Some(stream(&written_schema, &batches)?),
            schema: Some(DataType::Struct(fields.to_vec()).to_json().to_string()),
        };
        self.sql_answer(proto::Relation { common: None, rel_type: Some(RelType::LocalRelation(local)) }).await
    }

    /// The id under which a checkpointed DataFrame is found again.
    pub async fn checkpoint(&self, id: &str) -> Result<()> {
        let relation = proto::CachedRemoteRelation { relation_id: id.to_owned() };
        let result = proto::CheckpointCommandResult { relation: Some(relation) };
        let response = self.response(Some(ResponseType::CheckpointCommandResult(result)));
        self.0.execution.log.append(response).await
    }

    /// What the operation's observations saw. Does not wait.
    pub fn observed(&self, observed: Vec<ObservedMetrics>) {
        let observed_metrics = observed.into_iter().map(ObservedMetrics::into_message).collect();
        self.0.execution.log.append_now(ExecutePlanResponse { observed_metrics, ..self.response(None) });
    }

    /// What the nodes of the plan counted. Does not wait.
    pub fn metrics(&self, metrics: Vec<PlanMetrics>) {
        let metrics = Metrics { metrics: metrics.into_iter().map(PlanMetrics::into_message).collect() };
        self.0.execution.log.append_now(ExecutePlanResponse { metrics: Some(metrics), ..self.response(None) });
    }

    /// How far the operation is. Does not wait, and drops what comes too soon after the last report.
    pub fn progress(&self, progress: Progress) {
        let now = Instant::now();
        {
            let mut reported = self.0.reported.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if reported.is_some_and(|last| now.duration_since(last) < self.0.format.progress_interval) {
                return;
            }
            *reported = Some(now);
        }
        let progress = ResponseType::ExecutionProgress(progress.into_message());
        self.0.execution.log.append_now(self.response(Some(progress)));
    }

    /// Ends the result: a query without rows still gets a batch, and a reattachable one its mark of completion.
    pub(crate) async fn complete(&self, wanted: Wanted) -> Result<()> {
        let mut rows = self.0.rows.lock().await;
        match wanted {
            Wanted::Rows if rows.schema.is_none() => {
                return Err(SparkError::internal("a query ended without a schema"));
            }
            Wanted::SqlAnswer if !rows.sql_answered => {
                return Err(SparkError::internal("an SQL statement ended without an answer"));
            }
            _ => {}
        }
        if let Some(schema) = rows.schema.clone().filter(|_| rows.batches == 0) {
            self.send(&mut rows, &RecordBatch::new_empty(schema.arrow().clone())).await?;
        }
        drop(rows);
        if self.0.execution.is_reattachable {
            let complete = self.response(Some(ResponseType::ResultComplete(ResultComplete {})));
            self.0.execution.log.append(complete).await?;
        }
        Ok(())
    }

    /// Sends an answer that is ready made.
    pub(crate) async fn reply(&self, reply: ResponseType) -> Result<()> {
        self.0.execution.log.append(self.response(Some(reply))).await
    }

    async fn sql_answer(&self, relation: proto::Relation) -> Result<()> {
        self.0.rows.lock().await.sql_answered = true;
        let result = SqlCommandResult { relation: Some(relation) };
        self.reply(ResponseType::SqlCommandResult(result)).await
    }

    async fn send(&self, rows: &mut Rows, batch: &RecordBatch) -> Result<()> {
        for slice in slices(batch, self.0.format.limits) {
            for message in messages(&slice, rows.sent, self.0.format.limits)? {
                rows.bytes += message.data.len() as u64;
                self.check_size(rows.bytes)?;
                let response = self.response(Some(ResponseType::ArrowBatch(message)));
                self.0.execution.log.append(response).await?;
            }
            rows.batches += 1;
            rows.sent += i64::try_from(slice.num_rows()).unwrap_or(0);
        }
        Ok(())
    }

    fn check_size(&self, bytes: u64) -> Result<()> {
        let Some(limit) = self.0.format.result_bytes_max.filter(|limit| bytes > *limit) else { return Ok(()) };
        let key = conf::DRIVER_MAX_RESULT_SIZE.name;
        Err(SparkError::new(&error_class::FIRESTEEL_LIMIT_EXCEEDED)
            .param("what", "the size of a result")
            .param("limit", format!("{limit} bytes ({key})")))
    }

    fn response(&self, response_type: Option<ResponseType>) -> ExecutePlanResponse {
        ExecutePlanResponse {
            session_id: self.0.identity.session_id.clone(),
            server_side_session_id: self.0.identity.server_side_session_id.clone(),
            operation_id: self.0.execution.operation.id().to_owned(),
            response_id: Uuid::new_v4().to_string(),
            response_type,
            ..Default::default()
        }
    }
}

/// What an operation must have sent by its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A schema, and at least one batch.
    Rows,
    /// The answer to `spark.sql`.
    SqlAnswer,
    /// Nothing.
    Nothing,
}
