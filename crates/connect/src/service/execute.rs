//! ExecutePlan, ReattachExecute, ReleaseExecute, Interrupt.

use std::sync::Arc;
use std::time::Duration;

use firesteel_model::{Result, SparkError, conf, error_class};
use spark_connect_proto as proto;
use spark_connect_proto::command::CommandType;
use spark_connect_proto::execute_plan_request::request_option::RequestOption;
use spark_connect_proto::interrupt_request::{Interrupt, InterruptType};
use spark_connect_proto::plan::OpType;
use spark_connect_proto::release_execute_request::Release;
use tonic::{Response, Status};
use uuid::Uuid;

use super::{ResponseStream, Service, caller};
use crate::decode::{invalid, missing, plan};
use crate::encode::batch::BatchLimits;
use crate::operation::sink::{Identity, ResultFormat};
use crate::operation::{Execution, Operation, ResponseLog, ResultSink, Start, StreamLimits, attach, start};
use crate::session::SessionHolder;

impl Service {
    /// Starts an operation and streams its responses.
    pub(super) async fn execute(
        &self,
        mut request: proto::ExecutePlanRequest,
    ) -> std::result::Result<Response<ResponseStream>, Status> {
        let session = self.open(&caller!(request)).await?;
        session.answer(on_large_stack(|| begin(&session, request)))
    }
}

/// Room for comparing and copying a plan that nests as deep as plans may.
const PLAN_STACK_BYTES: usize = 32 << 20;

fn on_large_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(PLAN_STACK_BYTES, PLAN_STACK_BYTES, work)
}

/// What the client wants besides the plan.
#[derive(Default)]
struct Options {
    is_reattachable: bool,
    allow_chunks: bool,
    preferred_chunk_bytes: Option<i64>,
}

fn begin(session: &Arc<SessionHolder>, request: proto::ExecutePlanRequest) -> Result<ResponseStream> {
    let operation_id = operation_id(request.operation_id)?;
    check_tags(&request.tags)?;
    let settings = session.session.conf();
    let mut options = options(request.request_options);
    options.is_reattachable &= settings.bool(&conf::CONNECT_EXECUTE_REATTACHABLE_ENABLED);

    if let Some(known) = session.operations.find(&operation_id) {
        // A client that lost the connection before the first response sends its request again.
        let is_same = known.is_reattachable && known.plan == request.plan;
        if is_same {
            return responses(session, known, None);
        }
    }

    let kept_plan = request.plan.clone().filter(|_| options.is_reattachable);
    let plain = plan::plain(request.plan)?;
    let sql_input = sql_input(&plain);
    let what = plan::execution(plain)?;
    let behind_bytes = settings.bytes(&conf::CONNECT_EXECUTE_REATTACHABLE_OBSERVER_RETRY_BUFFER_SIZE);
    let log = ResponseLog::new(usize::try_from(behind_bytes).unwrap_or(usize::MAX));
    let operation = Arc::new(Operation::new(operation_id, request.tags));
    let execution = Arc::new(Execution::new(operation, log, options.is_reattachable, kept_plan));
    session.operations.insert(execution.clone())?;

    let stream = responses(session, execution.clone(), None)?;
    let format = ResultFormat {
        zone: settings.text(&conf::SESSION_TIME_ZONE),
        limits: BatchLimits::new(settings, options.allow_chunks, options.preferred_chunk_bytes),
        progress_interval: Duration::from_millis(settings.time_ms(&conf::CONNECT_PROGRESS_REPORT_INTERVAL)),
        result_bytes_max: Some(settings.bytes(&conf::DRIVER_MAX_RESULT_SIZE)).filter(|bytes| *bytes > 0),
        sql_input,
    };
    let identity =
        Identity { session_id: session.key.session_id.clone(), server_side_session_id: session.server_side_id.clone() };
    let sink = ResultSink::new(execution.clone(), identity, format);
    start(Start { execution, session: session.session.clone(), what, sink });
    Ok(stream)
}

/// Goes on with the responses of an operation.
pub(super) fn reattach(
    session: &Arc<SessionHolder>,
    request: &proto::ReattachExecuteRequest,
) -> Result<ResponseStream> {
    let execution = session.operations.get(&request.operation_id)?;
    if !execution.is_reattachable {
        return Err(SparkError::new(&error_class::INVALID_CURSOR_NOT_REATTACHABLE));
    }
    responses(session, execution, request.last_response_id.as_deref())
}

/// Drops responses that the client has, or the operation.
pub(super) fn release(
    session: &SessionHolder,
    request: proto::ReleaseExecuteRequest,
) -> Result<proto::ReleaseExecuteResponse> {
    let is_known = match request.release.ok_or_else(|| missing("what to release"))? {
        Release::ReleaseAll(_) => session.operations.release(&request.operation_id),
        Release::ReleaseUntil(until) => match session.operations.find(&request.operation_id) {
            Some(execution) => {
                execution.log.release_until(&until.response_id);
                true
            }
            None => false,
        },
    };
    Ok(proto::ReleaseExecuteResponse {
        session_id: session.key.session_id.clone(),
        server_side_session_id: session.server_side_id.clone(),
        operation_id: is_known.then_some(request.operation_id),
    })
}

/// Cancels running operations: all, by tag, or one.
pub(super) fn interrupt(session: &SessionHolder, request: proto::InterruptRequest) -> Result<proto::InterruptResponse> {
    let kind = request.interrupt_type();
    let interrupted_ids = match (kind, request.interrupt) {
        (InterruptType::All, _) => session.operations.interrupt(|_| true),
        (InterruptType::Tag, Some(Interrupt::OperationTag(tag))) => {
            session.operations.interrupt(|operation| operation.tags().contains(&tag))
        }
        (InterruptType::OperationId, Some(Interrupt::OperationId(id))) => {
            session.operations.interrupt(|operation| operation.id() == id)
        }
        _ => return Err(invalid("an interrupt that names nothing to be interrupted")),
    };
    Ok(proto::InterruptResponse {
        session_id: session.key.session_id.clone(),
        server_side_session_id: session.server_side_id.clone(),
        interrupted_ids,
    })
}

fn responses(session: &SessionHolder, execution: Arc<Execution>, after: Option<&str>) -> Result<ResponseStream> {
    let limits = StreamLimits::new(session.session.conf());
    Ok(Box::pin(attach(execution, session.errors.clone(), after, limits)?))
}

fn operation_id(wanted: Option<String>) -> Result<String> {
    match wanted {
        None => Ok(Uuid::new_v4().to_string()),
        Some(id) if Uuid::parse_str(&id).is_ok() => Ok(id),
        Some(id) => Err(SparkError::new(&error_class::INVALID_HANDLE_FORMAT).param("handle", id)),
    }
}

fn check_tags(tags: &[String]) -> Result<()> {
    match tags.iter().find(|tag| tag.is_empty() || tag.contains(',')) {
        Some(tag) => Err(invalid(format!("the tag '{tag}' is empty or holds a comma"))),
        None => Ok(()),
    }
}

fn options(messages: Vec<proto::execute_plan_request::RequestOption>) -> Options {
    let mut options = Options::default();
    for message in messages {
        match message.request_option {
            Some(RequestOption::ReattachOptions(reattach)) => options.is_reattachable = reattach.reattachable,
            Some(RequestOption::ResultChunkingOptions(chunking)) => {
                options.allow_chunks = chunking.allow_arrow_batch_chunking;
                options.preferred_chunk_bytes = chunking.preferred_arrow_chunk_size;
            }
            // Unknown options are hints that may be ignored.
            Some(RequestOption::Extension(_)) | None => {}
        }
    }
    options
}

/// The relation to answer for `spark.sql`, as the client sent it.
fn sql_input(plan: &OpType) -> Option<proto::Relation> {
    match plan {
        OpType::Command(proto::Command { command_type: Some(CommandType::SqlCommand(sql)) }) => sql.input.clone(),
        _ => None,
    }
}
