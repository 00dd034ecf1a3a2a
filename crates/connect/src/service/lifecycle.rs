//! ReleaseSession, CloneSession, GetStatus, FetchErrorDetails.

use spark_connect_proto as proto;
use spark_connect_proto::get_status_response::OperationStatus;
use spark_connect_proto::get_status_response::operation_status::OperationState as StateMessage;

use super::{Caller, Service};
use crate::operation::OperationState;
use crate::session::SessionHolder;

impl Service {
    /// Closes a session; one that is not open stays so.
    pub(super) async fn release(&self, request: proto::ReleaseSessionRequest) -> proto::ReleaseSessionResponse {
        let caller = Caller::new(request.user_context, request.session_id, None);
        let closed = self.sessions.close(&caller.key, request.allow_reconnect).await;
        proto::ReleaseSessionResponse {
            session_id: caller.key.session_id,
            server_side_session_id: closed.map(|session| session.server_side_id.clone()).unwrap_or_default(),
        }
    }
}

/// The whole of an error whose id the client got.
pub(super) fn error_details(
    session: &SessionHolder,
    request: &proto::FetchErrorDetailsRequest,
) -> proto::FetchErrorDetailsResponse {
    let errors = session.errors.fetch(&request.error_id);
    proto::FetchErrorDetailsResponse {
        session_id: session.key.session_id.clone(),
        server_side_session_id: session.server_side_id.clone(),
        root_error_idx: (!errors.is_empty()).then_some(0),
        errors,
    }
}

/// The answer to a clone.
pub(super) fn cloned(source: &SessionHolder, cloned: &SessionHolder) -> proto::CloneSessionResponse {
    proto::CloneSessionResponse {
        session_id: source.key.session_id.clone(),
        server_side_session_id: source.server_side_id.clone(),
        new_session_id: cloned.key.session_id.clone(),
        new_server_side_session_id: cloned.server_side_id.clone(),
    }
}

/// Where operations stand, if that was asked.
pub(super) fn statuses(session: &SessionHolder, request: proto::GetStatusRequest) -> proto::GetStatusResponse {
    let operations = request.operation_status.map(|wanted| session.operations.states(&wanted.operation_ids));
    let status = |(operation_id, state): (String, Option<OperationState>)| OperationStatus {
        operation_id,
        state: state_message(state) as i32,
        extensions: Vec::new(),
    };
    proto::GetStatusResponse {
        session_id: session.key.session_id.clone(),
        server_side_session_id: session.server_side_id.clone(),
        operation_statuses: operations.unwrap_or_default().into_iter().map(status).collect(),
        extensions: Vec::new(),
    }
}

fn state_message(state: Option<OperationState>) -> StateMessage {
    match state {
        None => StateMessage::Unknown,
        Some(OperationState::Running) => StateMessage::Running,
        Some(OperationState::Terminating) => StateMessage::Terminating,
        Some(OperationState::Succeeded) => StateMessage::Succeeded,
        Some(OperationState::Failed) => StateMessage::Failed,
        Some(OperationState::Cancelled | OperationState::Abandoned) => StateMessage::Cancelled,
    }
}
