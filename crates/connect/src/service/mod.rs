//! The calls of the service, one file per family: each finds its session, decodes, asks, encodes.

mod analyze;
mod artifacts;
mod config;
mod execute;
mod lifecycle;

use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use spark_connect_proto as proto;
use spark_connect_proto::ExecutePlanResponse;
use tonic::{Request, Response, Status, Streaming};

use crate::engine::SessionKey;
use crate::error::status;
use crate::session::{SessionHolder, SessionManager};
use crate::wire::server::spark_connect_service_server::SparkConnectService;

/// A stream of responses.
pub(crate) type ResponseStream = Pin<Box<dyn Stream<Item = Result<ExecutePlanResponse, Status>> + Send>>;

/// The service over the sessions.
pub(crate) struct Service {
    sessions: Arc<SessionManager>,
}

/// The fields by which a request names its session.
struct Caller {
    key: SessionKey,
    observed: Option<String>,
}

/// Takes the caller out of a request.
macro_rules! caller {
    ($request:expr) => {
        $crate::service::Caller::new(
            $request.user_context.take(),
            std::mem::take(&mut $request.session_id),
            $request.client_observed_server_side_session_id.take(),
        )
    };
}
use caller;

impl Service {
    /// The service over these sessions.
    pub(crate) fn new(sessions: Arc<SessionManager>) -> Self {
        Self { sessions }
    }

    async fn open(&self, caller: &Caller) -> Result<Arc<SessionHolder>, Status> {
        let opened = self.sessions.open(&caller.key, caller.observed.as_deref()).await;
        opened.map_err(|error| status::of(&error, None))
    }

    fn get(&self, caller: &Caller) -> Result<Arc<SessionHolder>, Status> {
        self.sessions.get(&caller.key, caller.observed.as_deref()).map_err(|error| status::of(&error, None))
    }
}

impl Caller {
    fn new(user: Option<proto::UserContext>, session_id: String, observed: Option<String>) -> Self {
        let user_id = user.map(|user| user.user_id).unwrap_or_default();
        Self { key: SessionKey { user_id, session_id }, observed }
    }
}

#[tonic::async_trait]
impl SparkConnectService for Service {
    type ExecutePlanStream = ResponseStream;
    type ReattachExecuteStream = ResponseStream;

    async fn execute_plan(
        &self,
        request: Request<proto::ExecutePlanRequest>,
    ) -> Result<Response<Self::ExecutePlanStream>, Status> {
        self.execute(request.into_inner()).await
    }

    async fn analyze_plan(
        &self,
        request: Request<proto::AnalyzePlanRequest>,
    ) -> Result<Response<proto::AnalyzePlanResponse>, Status> {
        let mut request = request.into_inner();
        let session = self.open(&caller!(request)).await?;
        session.answer(analyze::answer(&session, request).await)
    }

    async fn config(&self, request: Request<proto::ConfigRequest>) -> Result<Response<proto::ConfigResponse>, Status> {
        let mut request = request.into_inner();
        let session = self.open(&caller!(request)).await?;
        session.answer(config::answer(&session, request))
    }

    async fn add_artifacts(
        &self,
        request: Request<Streaming<proto::AddArtifactsRequest>>,
    ) -> Result<Response<proto::AddArtifactsResponse>, Status> {
        self.take_artifacts(request.into_inner()).await
    }

    async fn artifact_status(
        &self,
        request: Request<proto::ArtifactStatusesRequest>,
    ) -> Result<Response<proto::ArtifactStatusesResponse>, Status> {
        let mut request = request.into_inner();
        let session = self.open(&caller!(request)).await?;
        session.answer(Ok(artifacts::statuses(&session, request)))
    }

    async fn interrupt(
        &self,
        request: Request<proto::InterruptRequest>,
    ) -> Result<Response<proto::InterruptResponse>, Status> {
        let mut request = request.into_inner();
        let session = self.get(&caller!(request))?;
        session.answer(execute::interrupt(&session, request))
    }

    async fn reattach_execute(
        &self,
        request: Request<proto::ReattachExecuteRequest>,
    ) -> Result<Response<Self::ReattachExecuteStream>, Status> {
        let mut request = request.into_inner();
        let session = self.get(&caller!(request))?;
        session.answer(execute::reattach(&session, &request))
    }

    async fn release_execute(
        &self,
        request: Request<proto::ReleaseExecuteRequest>,
    ) -> Result<Response<proto::ReleaseExecuteResponse>, Status> {
        let mut request = request.into_inner();
        let session = self.get(&caller!(request))?;
        session.answer(execute::release(&session, request))
    }

    async fn release_session(
        &self,
        request: Request<proto::ReleaseSessionRequest>,
    ) -> Result<Response<proto::ReleaseSessionResponse>, Status> {
        Ok(Response::new(self.release(request.into_inner()).await))
    }

    async fn fetch_error_details(
        &self,
        request: Request<proto::FetchErrorDetailsRequest>,
    ) -> Result<Response<proto::FetchErrorDetailsResponse>, Status> {
        let mut request = request.into_inner();
        let session = self.get(&caller!(request))?;
        session.answer(Ok(lifecycle::error_details(&session, &request)))
    }

    async fn clone_session(
        &self,
        request: Request<proto::CloneSessionRequest>,
    ) -> Result<Response<proto::CloneSessionResponse>, Status> {
        let mut request = request.into_inner();
        let session = self.get(&caller!(request))?;
        let cloned = self.sessions.clone_session(&session, request.new_session_id).await;
        session.answer(cloned.map(|cloned| lifecycle::cloned(&session, &cloned)))
    }

    async fn get_status(
        &self,
        request: Request<proto::GetStatusRequest>,
    ) -> Result<Response<proto::GetStatusResponse>, Status> {
        let mut request = request.into_inner();
        let session = self.get(&caller!(request))?;
        session.answer(Ok(lifecycle::statuses(&session, request)))
    }
}
