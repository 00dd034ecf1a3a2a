//! A client that does by hand what PySpark does.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use arrow::ipc::reader::StreamReader;
use firesteel_connect::{Engine, ServerConfig, ServerHandle, serve};
use firesteel_model::runtime_conf::RuntimeConf;
use spark_connect_proto as proto;
use spark_connect_proto::execute_plan_request::{RequestOption, request_option};
use spark_connect_proto::execute_plan_response::ResponseType;
use spark_connect_proto::relation::RelType;
use spark_connect_proto::spark_connect_service_client::SparkConnectServiceClient;
use tonic::transport::Channel;
use tonic::{Status, Streaming};
use uuid::Uuid;

use crate::engine::FakeEngine;

pub(crate) type Stub = SparkConnectServiceClient<Channel>;

/// A server and a session's client.
pub(crate) struct Client {
    pub(crate) stub: Stub,
    pub(crate) session_id: String,
    pub(crate) server: Option<ServerHandle>,
}

pub(crate) fn settings(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

impl Client {
    pub(crate) async fn start(pairs: &[(&str, &str)]) -> Self {
        Self::start_with(Arc::new(FakeEngine { settings: settings(pairs), ..Default::default() }), pairs, None).await
    }

    pub(crate) async fn start_with(engine: Arc<dyn Engine>, pairs: &[(&str, &str)], token: Option<&str>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = Arc::new(RuntimeConf::new(settings(pairs)));
        let token = token.map(str::to_owned);
        let server = serve(listener, ServerConfig { engine, token, settings, artifact_directory: None }).unwrap();
        let stub = Stub::connect(format!("http://{}", server.address())).await.unwrap();
        let stub = stub.max_decoding_message_size(usize::MAX);
        Self { stub, session_id: Uuid::new_v4().to_string(), server: Some(server) }
    }

    pub(crate) fn user(&self) -> Option<proto::UserContext> {
        Some(proto::UserContext { user_id: "me".to_owned(), ..Default::default() })
    }

    pub(crate) fn request(&self, plan: proto::plan::OpType) -> proto::ExecutePlanRequest {
        proto::ExecutePlanRequest {
            session_id: self.session_id.clone(),
            user_context: self.user(),
            operation_id: Some(Uuid::new_v4().to_string()),
            plan: Some(proto::Plan { op_type: Some(plan) }),
            request_options: vec![RequestOption {
                request_option: Some(request_option::RequestOption::ReattachOptions(proto::ReattachOptions {
                    reattachable: true,
                })),
            }],
            ..Default::default()
        }
    }

    pub(crate) fn reattach(&self, operation_id: &str, last: Option<String>) -> proto::ReattachExecuteRequest {
        proto::ReattachExecuteRequest {
            session_id: self.session_id.clone(),
            user_context: self.user(),
            operation_id: operation_id.to_owned(),
            last_response_id: last,
            ..Default::default()
        }
    }

    /// All responses, reattaching until the result is complete; and how often that was.
    pub(crate) async fn run(&mut self, request: proto::ExecutePlanRequest) -> Result<(Vec<Response>, usize), Status> {
        let operation_id = request.operation_id.clone().unwrap();
        let mut stream = self.stub.execute_plan(request).await?.into_inner();
        let mut responses: Vec<Response> = Vec::new();
        let mut reattached = 0;
        loop {
            collect(&mut stream, &mut responses).await?;
            if responses.last().is_some_and(|r| matches!(r.response_type, Some(ResponseType::ResultComplete(_)))) {
                break;
            }
            reattached += 1;
            let last = responses.last().map(|r| r.response_id.clone());
            if let Some(last) = last.clone() {
                self.release_until(&operation_id, last).await;
            }
            stream = self.stub.reattach_execute(self.reattach(&operation_id, last)).await?.into_inner();
        }
        self.release_all(&operation_id).await;
        Ok((responses, reattached))
    }

    pub(crate) async fn release_until(&mut self, operation_id: &str, response_id: String) {
        let until = proto::release_execute_request::ReleaseUntil { response_id };
        self.release(operation_id, proto::release_execute_request::Release::ReleaseUntil(until)).await;
    }

    pub(crate) async fn release_all(&mut self, operation_id: &str) -> Option<String> {
        self.release(operation_id, proto::release_execute_request::Release::ReleaseAll(Default::default())).await
    }

    async fn release(&mut self, id: &str, release: proto::release_execute_request::Release) -> Option<String> {
        let request = proto::ReleaseExecuteRequest {
            session_id: self.session_id.clone(),
            user_context: self.user(),
            operation_id: id.to_owned(),
            release: Some(release),
            ..Default::default()
        };
        self.stub.release_execute(request).await.unwrap().into_inner().operation_id
    }

    pub(crate) async fn config(
        &mut self,
        op: proto::config_request::operation::OpType,
    ) -> Result<proto::ConfigResponse, Status> {
        let request = proto::ConfigRequest {
            session_id: self.session_id.clone(),
            user_context: self.user(),
            operation: Some(proto::config_request::Operation { op_type: Some(op) }),
            ..Default::default()
        };
        Ok(self.stub.config(request).await?.into_inner())
    }

    pub(crate) async fn interrupt(
        &mut self,
        kind: i32,
        interrupt: Option<proto::interrupt_request::Interrupt>,
    ) -> Vec<String> {
        let request = proto::InterruptRequest {
            session_id: self.session_id.clone(),
            user_context: self.user(),
            interrupt_type: kind,
            interrupt,
            ..Default::default()
        };
        self.stub.interrupt(request).await.unwrap().into_inner().interrupted_ids
    }
}

pub(crate) type Response = proto::ExecutePlanResponse;

pub(crate) async fn collect(stream: &mut Streaming<Response>, into: &mut Vec<Response>) -> Result<(), Status> {
    while let Some(response) = stream.message().await? {
        into.push(response);
    }
    Ok(())
}

pub(crate) fn root(rel_type: RelType) -> proto::plan::OpType {
    proto::plan::OpType::Root(proto::Relation { common: None, rel_type: Some(rel_type) })
}

pub(crate) fn range(end: i64) -> proto::plan::OpType {
    root(RelType::Range(proto::Range { start: None, end, step: 1, num_partitions: None }))
}

pub(crate) fn table(name: &str) -> proto::plan::OpType {
    let named = proto::read::NamedTable { unparsed_identifier: name.to_owned(), ..Default::default() };
    root(RelType::Read(proto::Read { is_streaming: false, read_type: Some(proto::read::ReadType::NamedTable(named)) }))
}

pub(crate) fn command(command_type: proto::command::CommandType) -> proto::plan::OpType {
    proto::plan::OpType::Command(proto::Command { command_type: Some(command_type) })
}

/// The batches of a result, checked as PySpark checks them.
pub(crate) fn batches(responses: &[Response]) -> Vec<RecordBatch> {
    let (mut batches, mut rows, mut data, mut chunks) = (Vec::new(), 0, Vec::new(), 0);
    for response in responses {
        let Some(ResponseType::ArrowBatch(batch)) = &response.response_type else { continue };
        assert_eq!(batch.chunk_index.unwrap_or(0), chunks);
        assert_eq!(batch.start_offset, Some(rows));
        chunks += 1;
        data.extend_from_slice(&batch.data);
        if batch.num_chunks_in_batch.is_none_or(|count| count == chunks) {
            let mut read: Vec<_> =
                StreamReader::try_new(data.as_slice(), None).unwrap().map(|batch| batch.unwrap()).collect();
            assert_eq!(read.len(), 1);
            assert_eq!(read[0].num_rows() as i64, batch.row_count);
            rows += batch.row_count;
            batches.append(&mut read);
            data.clear();
            chunks = 0;
        }
    }
    assert!(data.is_empty());
    batches
}

pub(crate) fn longs(responses: &[Response]) -> Vec<i64> {
    let batches = batches(responses);
    batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
}
