//! AddArtifacts and ArtifactStatus.

use std::sync::Arc;

use firesteel_model::{Result, SparkError};
use spark_connect_proto as proto;
use spark_connect_proto::add_artifacts_request::{ArtifactChunk, BeginChunkedArtifact, Payload};
use spark_connect_proto::add_artifacts_response::ArtifactSummary;
use spark_connect_proto::artifact_statuses_response::ArtifactStatus;
use tonic::{Response, Status, Streaming};

use super::{Service, caller};
use crate::artifact::{ArtifactStore, Upload};
use crate::decode::{invalid, missing};
use crate::session::SessionHolder;

/// Artifacts in one call at most.
const ARTIFACTS_MAX: usize = 100_000;

impl Service {
    /// Takes the artifacts of a stream.
    pub(super) async fn take_artifacts(
        &self,
        mut requests: Streaming<proto::AddArtifactsRequest>,
    ) -> std::result::Result<Response<proto::AddArtifactsResponse>, Status> {
        let Some(mut first) = requests.message().await? else {
            return Err(crate::error::status::of(&missing("the first message"), None));
        };
        let session = self.open(&caller!(first)).await?;
        let mut intake = Intake { artifacts: session.artifacts.clone(), open: None, summaries: Vec::new() };
        let mut next = Some(first);
        while let Some(request) = next {
            let payload = request.payload.ok_or_else(|| missing("the payload"));
            // Files are written outside the threads that serve calls.
            let taken =
                tokio::task::spawn_blocking(move || payload.and_then(|payload| intake.take(payload)).map(|()| intake));
            let taken = taken.await.unwrap_or_else(|error| Err(SparkError::internal(error.to_string())));
            intake = session.checked(taken)?;
            next = requests.message().await?;
        }
        let summaries = session.checked(intake.finish())?;
        Ok(Response::new(proto::AddArtifactsResponse {
            session_id: session.key.session_id.clone(),
            server_side_session_id: session.server_side_id.clone(),
            artifacts: summaries,
        }))
    }
}

/// Which artifacts are there.
pub(super) fn statuses(
    session: &SessionHolder,
    request: proto::ArtifactStatusesRequest,
) -> proto::ArtifactStatusesResponse {
    let status = |name: String| {
        let exists = session.artifacts.exists(&name);
        (name, ArtifactStatus { exists })
    };
    proto::ArtifactStatusesResponse {
        session_id: session.key.session_id.clone(),
        server_side_session_id: session.server_side_id.clone(),
        statuses: request.names.into_iter().map(status).collect(),
    }
}

/// The state of one stream: at most one artifact in chunks at a time.
struct Intake {
    artifacts: Arc<ArtifactStore>,
    open: Option<Chunked>,
    summaries: Vec<ArtifactSummary>,
}

struct Chunked {
    upload: Upload,
    chunks_left: i64,
    total_bytes: u64,
}

impl Intake {
    fn take(&mut self, payload: Payload) -> Result<()> {
        match payload {
            Payload::Batch(batch) => {
                self.expect_none_open()?;
                for artifact in batch.artifacts {
                    let chunk = artifact.data.ok_or_else(|| missing("the data of an artifact"))?;
                    let mut upload = self.artifacts.begin(&artifact.name)?;
                    self.artifacts.write(&mut upload, &chunk.data, chunk.crc)?;
                    self.commit(upload)?;
                }
                Ok(())
            }
            Payload::BeginChunk(begin) => self.begin(begin),
            Payload::Chunk(chunk) => self.chunk(&chunk),
        }
    }

    fn begin(&mut self, begin: BeginChunkedArtifact) -> Result<()> {
        self.expect_none_open()?;
        let total_bytes = u64::try_from(begin.total_bytes).map_err(|_| invalid("an artifact of negative size"))?;
        if begin.num_chunks < 1 {
            return Err(invalid("an artifact without chunks"));
        }
        let upload = self.artifacts.begin(&begin.name)?;
        self.open = Some(Chunked { upload, chunks_left: begin.num_chunks, total_bytes });
        let initial = begin.initial_chunk.ok_or_else(|| missing("the initial chunk of an artifact"))?;
        self.chunk(&initial)
    }

    fn chunk(&mut self, chunk: &ArtifactChunk) -> Result<()> {
        let Some(mut open) = self.open.take() else {
            return Err(invalid("a chunk without an artifact to belong to"));
        };
        self.artifacts.write(&mut open.upload, &chunk.data, chunk.crc)?;
        if open.upload.size_bytes() > open.total_bytes {
            return Err(invalid(format!("the artifact {} is larger than announced", open.upload.name())));
        }
        open.chunks_left -= 1;
        if open.chunks_left > 0 {
            self.open = Some(open);
            return Ok(());
        }
        if open.upload.is_intact() && open.upload.size_bytes() != open.total_bytes {
            open.upload.spoil();
        }
        self.commit(open.upload)
    }

    fn commit(&mut self, upload: Upload) -> Result<()> {
        if self.summaries.len() >= ARTIFACTS_MAX {
            return Err(invalid("too many artifacts in one call"));
        }
        let name = upload.name().to_owned();
        let is_crc_successful = self.artifacts.commit(upload)?;
        self.summaries.push(ArtifactSummary { name, is_crc_successful });
        Ok(())
    }

    fn expect_none_open(&self) -> Result<()> {
        match &self.open {
            None => Ok(()),
            Some(open) => Err(invalid(format!("the artifact {} lacks chunks", open.upload.name()))),
        }
    }

    fn finish(self) -> Result<Vec<ArtifactSummary>> {
        self.expect_none_open()?;
        Ok(self.summaries)
    }
}
