//! The server as a client sees it, over an engine that plans nothing.

#![allow(clippy::unwrap_used, clippy::panic)]

mod client;
mod engine;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use client::{Client, batches, command, longs, range, root, table};
use engine::FakeEngine;
use prost::Message;
use spark_connect_proto as proto;
use spark_connect_proto::command::CommandType;
use spark_connect_proto::config_request::operation::OpType;
use spark_connect_proto::execute_plan_response::ResponseType;
use spark_connect_proto::interrupt_request::{Interrupt, InterruptType};
use spark_connect_proto::relation::RelType;
use tonic::{Code, Request};

const TINY_STREAMS: [(&str, &str); 2] = [
    ("spark.connect.execute.reattachable.senderMaxStreamSize", "123"),
    ("spark.connect.execute.reattachable.senderMaxStreamDuration", "1s"),
];

fn limited_rows(rows: &str) -> [(&'static str, String); 1] {
    [("spark.sql.execution.arrow.maxRecordsPerBatch", rows.to_owned())]
}

#[tokio::test]
async fn results_arrive_whole_however_often_the_client_reattaches() {
    let mut client = Client::start(&TINY_STREAMS).await;
    let (responses, reattached) = client.run(client.request(range(95))).await.unwrap();
    assert_eq!(longs(&responses), (0..95).collect::<Vec<_>>());
    assert!(reattached >= 10, "{reattached}");
    assert!(responses[0].schema.is_some());
    let mut ids: Vec<_> = responses.iter().map(|r| &r.response_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), responses.len());
    assert!(responses.iter().all(|r| r.session_id == client.session_id && !r.server_side_session_id.is_empty()));
}

#[tokio::test]
async fn a_stream_ends_by_time_and_the_operation_goes_on() {
    let mut client = Client::start(&TINY_STREAMS).await;
    let request = client.request(table("hang"));
    let operation_id = request.operation_id.clone().unwrap();
    let mut responses = Vec::new();
    let mut stream = client.stub.execute_plan(request).await.unwrap().into_inner();
    client::collect(&mut stream, &mut responses).await.unwrap();
    assert_eq!(responses.len(), 1);
    assert_eq!(client.release_all(&operation_id).await.as_deref(), Some(operation_id.as_str()));
    assert_eq!(client.release_all(&operation_id).await, None);
    let error = client.stub.reattach_execute(client.reattach(&operation_id, None)).await.unwrap_err();
    assert!(error.message().contains("INVALID_HANDLE.OPERATION_NOT_FOUND"), "{error:?}");
}

#[tokio::test]
async fn an_empty_result_is_one_empty_batch() {
    let mut client = Client::start(&[]).await;
    let (responses, _) = client.run(client.request(range(0))).await.unwrap();
    let batches = batches(&responses);
    assert_eq!((batches.len(), batches[0].num_rows()), (1, 0));
    assert_eq!(batches[0].schema().field(0).name(), "id");
}

#[tokio::test]
async fn batches_are_cut_and_chunked_as_the_client_asks() {
    let [(key, value)] = limited_rows("4");
    let mut client = Client::start(&[(key, &value)]).await;
    let (responses, _) = client.run(client.request(range(10))).await.unwrap();
    assert_eq!(batches(&responses).iter().map(|b| b.num_rows()).collect::<Vec<_>>(), [4, 4, 2]);

    let mut request = client.request(table("wide"));
    let chunking =
        proto::ResultChunkingOptions { allow_arrow_batch_chunking: true, preferred_arrow_chunk_size: Some(1024) };
    request.request_options.push(proto::execute_plan_request::RequestOption {
        request_option: Some(proto::execute_plan_request::request_option::RequestOption::ResultChunkingOptions(
            chunking,
        )),
    });
    let (responses, _) = client.run(request).await.unwrap();
    assert!(responses.len() > 10, "{}", responses.len());
    assert_eq!(batches(&responses).len(), 1);
}

#[tokio::test]
async fn columns_carry_the_sessions_zone_and_the_users_names() {
    let mut client = Client::start(&[("spark.sql.session.timeZone", "Europe/Berlin")]).await;
    let (responses, _) = client.run(client.request(table("typed"))).await.unwrap();
    let batches = batches(&responses);
    let schema = batches[0].schema();
    assert_eq!(schema.field(0).data_type().to_string(), "Timestamp(µs, \"Europe/Berlin\")");
    assert_eq!((schema.field(1).name().as_str(), schema.field(1).data_type().to_string().as_str()), ("s", "Utf8"));
    let Some(proto::data_type::Kind::Struct(fields)) = responses[0].schema.clone().unwrap().kind else { panic!() };
    assert_eq!(fields.fields[1].metadata.as_deref(), Some(r#"{"comment":"y"}"#));
}

#[tokio::test]
async fn interrupts_end_operations_by_tag_by_id_and_all() {
    let engine = Arc::new(FakeEngine::default());
    let mut client = Client::start_with(engine.clone(), &[], None).await;
    let mut ids = Vec::new();
    let mut streams = Vec::new();
    for tag in ["a", "b", "c"] {
        let mut request = client.request(table("hang"));
        request.tags = vec![tag.to_owned()];
        ids.push(request.operation_id.clone().unwrap());
        streams.push(client.stub.execute_plan(request).await.unwrap().into_inner());
    }
    let by_tag = client.interrupt(InterruptType::Tag as i32, Some(Interrupt::OperationTag("b".to_owned()))).await;
    assert_eq!(by_tag, [ids[1].clone()]);
    let by_id = Some(Interrupt::OperationId(ids[0].clone()));
    assert_eq!(client.interrupt(InterruptType::OperationId as i32, by_id).await, [ids[0].clone()]);
    assert_eq!(client.interrupt(InterruptType::All as i32, None).await, [ids[2].clone()]);
    for stream in &mut streams {
        let error = client::collect(stream, &mut Vec::new()).await.unwrap_err();
        assert!(error.message().starts_with("[OPERATION_CANCELED]"), "{error:?}");
        assert_eq!(error.code(), Code::Internal);
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(engine.cleaned_up.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn errors_come_with_details_and_causes() {
    let mut client = Client::start(&[]).await;
    let error = client.run(client.request(table("nowhere"))).await.unwrap_err();
    assert!(error.message().starts_with("[TABLE_OR_VIEW_NOT_FOUND]"), "{error:?}");
    let details = String::from_utf8_lossy(error.details()).into_owned();
    let at = details.find("errorId").unwrap();
    let error_id = details[at..].chars().skip("errorId".len() + 2).take(36).collect();
    let request = proto::FetchErrorDetailsRequest {
        session_id: client.session_id.clone(),
        user_context: client.user(),
        error_id,
        ..Default::default()
    };
    let fetched = client.stub.fetch_error_details(request).await.unwrap().into_inner();
    assert_eq!(fetched.root_error_idx, Some(0));
    let [top, cause] = fetched.errors.as_slice() else { panic!("{:?}", fetched.errors) };
    let throwable = top.spark_throwable.as_ref().unwrap();
    assert_eq!(throwable.message_parameters["relationName"], "`nowhere`");
    assert_eq!((throwable.query_contexts[0].start_index, top.cause_idx), (14, Some(1)));
    assert_eq!(cause.message, "no such file");

    let error = client.run(client.request(table("panic"))).await.unwrap_err();
    assert!(error.message().starts_with("[INTERNAL_ERROR]"), "{error:?}");
    let error = client.run(client.request(root(RelType::Zip(Box::default())))).await.unwrap_err();
    assert!(error.message().contains("DataFrame.zip"), "{error:?}");
}

#[tokio::test]
async fn sql_answers_the_query_or_the_rows_of_a_command() {
    let mut client = Client::start(&[]).await;
    let sql = |text: &str| {
        let sql = proto::Sql { query: text.to_owned(), ..Default::default() };
        let input = Some(proto::Relation { common: None, rel_type: Some(RelType::Sql(sql)) });
        command(CommandType::SqlCommand(proto::SqlCommand { input, ..Default::default() }))
    };
    for (text, is_query) in [("SELECT 1", true), ("SHOW TABLES", false)] {
        let (responses, _) = client.run(client.request(sql(text))).await.unwrap();
        let Some(ResponseType::SqlCommandResult(result)) = &responses[0].response_type else { panic!() };
        match result.relation.clone().unwrap().rel_type.unwrap() {
            RelType::Sql(sql) => assert!(is_query && sql.query == text),
            RelType::LocalRelation(local) => {
                assert!(!is_query && local.schema.unwrap().contains("\"n\"") && !local.data.unwrap().is_empty());
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn commands_answer_and_are_compressed_or_deep() {
    let mut client = Client::start(&[]).await;
    let checkpoint = proto::CheckpointCommand {
        relation: Some(proto::Relation { common: None, rel_type: Some(RelType::Range(proto::Range::default())) }),
        ..Default::default()
    };
    let checkpoint = command(CommandType::CheckpointCommand(checkpoint));
    let (responses, _) = client.run(client.request(checkpoint)).await.unwrap();
    let Some(ResponseType::CheckpointCommandResult(result)) = &responses[0].response_type else { panic!() };
    assert_eq!(result.relation.as_ref().unwrap().relation_id, "kept");

    let clean = proto::ml_command::Command::CleanCache(Default::default());
    let clean = command(CommandType::MlCommand(proto::MlCommand { command: Some(clean) }));
    let (responses, _) = client.run(client.request(clean)).await.unwrap();
    assert!(matches!(responses[0].response_type, Some(ResponseType::MlCommandResult(_))));

    let proto::plan::OpType::Root(plain) = range(12) else { panic!() };
    let compressed = proto::plan::OpType::CompressedOperation(proto::plan::CompressedOperation {
        data: zstd::encode_all(plain.encode_to_vec().as_slice(), 3).unwrap().into(),
        op_type: proto::plan::compressed_operation::OpType::Relation as i32,
        compression_codec: proto::CompressionCodec::Zstd as i32,
    });
    let (responses, _) = client.run(client.request(compressed)).await.unwrap();
    assert_eq!(longs(&responses).len(), 12);

    let deep = |limits: usize| {
        let mut deep = proto::Relation { common: None, rel_type: Some(RelType::Range(proto::Range::default())) };
        for _ in 0..limits {
            let limit = proto::Limit { input: Some(Box::new(deep)), limit: 1 };
            deep = proto::Relation { common: None, rel_type: Some(RelType::Limit(Box::new(limit))) };
        }
        proto::plan::OpType::Root(deep)
    };
    client.run(client.request(deep(500))).await.unwrap();
    let error = client.run(client.request(deep(600))).await.unwrap_err();
    assert!(error.message().contains("CONNECT_INVALID_PLAN.CANNOT_PARSE"), "{error:?}");
}

#[tokio::test]
async fn settings_are_read_set_and_refused() {
    let mut client = Client::start(&[("spark.app.name", "test")]).await;
    let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    let pair =
        |key: &str, value: Option<&str>| proto::KeyValue { key: key.to_owned(), value: value.map(str::to_owned) };
    let set = |pairs, silent| OpType::Set(proto::config_request::Set { pairs, silent });
    let get = |k: &[&str]| OpType::Get(proto::config_request::Get { keys: keys(k) });

    let read = client.config(get(&["spark.sql.session.localRelationCacheThreshold", "spark.app.name"])).await.unwrap();
    assert_eq!(read.pairs.iter().map(|p| p.value.as_deref().unwrap()).collect::<Vec<_>>(), ["1048576", "test"]);
    let error = client.config(get(&["spark.nothing"])).await.unwrap_err();
    assert!(error.message().contains("SQL_CONF_NOT_FOUND"));
    let both = vec![pair("spark.master", Some("x")), pair("spark.sql.ansi.enabled", Some("false"))];
    let silent = client.config(set(both.clone(), Some(true))).await.unwrap();
    assert_eq!(silent.warnings.len(), 1);
    assert!(client.config(set(both, None)).await.unwrap_err().message().contains("CANNOT_MODIFY_STATIC_CONFIG"));
    let zone = vec![pair("spark.sql.session.timeZone", Some("Mars/Olympus"))];
    assert!(client.config(set(zone, None)).await.unwrap_err().message().contains("INVALID_CONF_VALUE.TIME_ZONE"));
    assert_eq!(client.config(get(&["spark.sql.ansi.enabled"])).await.unwrap().pairs[0].value.as_deref(), Some("false"));
    let all = OpType::GetAll(proto::config_request::GetAll { prefix: Some("spark.sql.".to_owned()) });
    assert_eq!(client.config(all).await.unwrap().pairs, [pair("ansi.enabled", Some("false"))]);
    let unset = OpType::Unset(proto::config_request::Unset { keys: keys(&["spark.sql.ansi.enabled"]) });
    client.config(unset).await.unwrap();
    let option =
        OpType::GetOption(proto::config_request::GetOption { keys: keys(&["spark.sql.ansi.enabled", "spark.no"]) });
    let read = client.config(option).await.unwrap().pairs;
    assert_eq!(read, [pair("spark.sql.ansi.enabled", Some("true")), pair("spark.no", None)]);
}

#[tokio::test]
async fn artifacts_are_taken_in_batches_and_chunks() {
    let mut client = Client::start(&[]).await;
    let chunk = |data: &'static [u8]| proto::add_artifacts_request::ArtifactChunk {
        data: data.into(),
        crc: i64::from(crc32fast::hash(data)),
    };
    let (session_id, user_context) = (client.session_id.clone(), client.user());
    let message = move |payload| proto::AddArtifactsRequest {
        session_id: session_id.clone(),
        user_context: user_context.clone(),
        payload: Some(payload),
        ..Default::default()
    };
    use proto::add_artifacts_request::{Batch, BeginChunkedArtifact, Payload, SingleChunkArtifact};
    let single = |name: &str, data| SingleChunkArtifact { name: name.to_owned(), data: Some(data) };
    let spoilt = proto::add_artifacts_request::ArtifactChunk { crc: 1, ..chunk(b"bad") };
    let requests = vec![
        message(Payload::Batch(Batch {
            artifacts: vec![single("pyfiles/a.py", chunk(b"x")), single("files/b", spoilt)],
        })),
        message(Payload::BeginChunk(BeginChunkedArtifact {
            name: "cache/abc".to_owned(),
            total_bytes: 8,
            num_chunks: 2,
            initial_chunk: Some(chunk(b"12345")),
        })),
        message(Payload::Chunk(chunk(b"678"))),
    ];
    let answer = client.stub.add_artifacts(tokio_stream::iter(requests)).await.unwrap().into_inner();
    let kept: Vec<_> = answer.artifacts.iter().map(|a| (a.name.as_str(), a.is_crc_successful)).collect();
    assert_eq!(kept, [("pyfiles/a.py", true), ("files/b", false), ("cache/abc", true)]);
    let request = proto::ArtifactStatusesRequest {
        session_id: client.session_id.clone(),
        user_context: client.user(),
        names: vec!["cache/abc".to_owned(), "files/b".to_owned()],
        ..Default::default()
    };
    let statuses = client.stub.artifact_status(request).await.unwrap().into_inner().statuses;
    assert!(statuses["cache/abc"].exists && !statuses["files/b"].exists);
    let cached = proto::ChunkedCachedLocalRelation { data_hashes: vec!["abc".to_owned()], schema_hash: None };
    let (responses, _) = client.run(client.request(root(RelType::ChunkedCachedLocalRelation(cached)))).await.unwrap();
    assert_eq!(longs(&responses).len(), 8);
}

#[tokio::test]
async fn a_request_sent_twice_is_one_operation() {
    let mut client = Client::start(&[]).await;
    let request = client.request(range(25));
    let mut first = client.stub.execute_plan(request.clone()).await.unwrap().into_inner();
    let (responses, _) = client.run(request.clone()).await.unwrap();
    assert_eq!(longs(&responses).len(), 25);
    // The first stream either had ended or was taken over.
    if let Err(error) = client::collect(&mut first, &mut Vec::new()).await {
        assert!(error.message().contains("INVALID_CURSOR.DISCONNECTED"), "{error:?}");
    }
    let mut hanging = client.request(table("hang"));
    let _stream = client.stub.execute_plan(hanging.clone()).await.unwrap();
    hanging.plan = Some(proto::Plan { op_type: Some(range(1)) });
    let error = client.run(hanging).await.unwrap_err();
    assert!(error.message().contains("INVALID_HANDLE.OPERATION_ALREADY_EXISTS"), "{error:?}");
}

#[tokio::test]
async fn a_slow_client_holds_back_the_engine() {
    let engine = Arc::new(FakeEngine::default());
    let mut client = Client::start_with(engine.clone(), &[], None).await;
    let request = client.request(table("large"));
    let operation_id = request.operation_id.clone().unwrap();
    let stream = client.stub.execute_plan(request).await.unwrap().into_inner();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let made = engine.batches_made.load(Ordering::SeqCst);
    assert!((1..60).contains(&made), "{made}");
    drop(stream);
    let mut stream = client.stub.reattach_execute(client.reattach(&operation_id, None)).await;
    let mut responses = Vec::new();
    match &mut stream {
        Ok(stream) => client::collect(stream.get_mut(), &mut responses).await.unwrap(),
        // What the first stream had taken for sent may be beyond what is kept.
        Err(error) => assert!(error.message().contains("POSITION_NOT_AVAILABLE"), "{error:?}"),
    }
    assert!(stream.is_err() || batches(&responses).len() == 64);
}

#[tokio::test]
async fn sessions_are_isolated_cloned_released_and_expire() {
    let times = [
        ("spark.connect.session.manager.maintenanceInterval", "50ms"),
        ("spark.connect.session.manager.defaultSessionTimeout", "500ms"),
        ("spark.connect.execute.manager.detachedTimeout", "100ms"),
    ];
    let mut client = Client::start(&times).await;
    let key = "spark.sql.shuffle.partitions";
    let pairs = vec![proto::KeyValue { key: key.to_owned(), value: Some("3".to_owned()) }];
    let first = client.config(OpType::Set(proto::config_request::Set { pairs, silent: None })).await.unwrap();
    let request = proto::CloneSessionRequest {
        session_id: client.session_id.clone(),
        user_context: client.user(),
        ..Default::default()
    };
    let cloned = client.stub.clone_session(request).await.unwrap().into_inner();
    assert_ne!(cloned.new_server_side_session_id, first.server_side_session_id);
    let source = std::mem::replace(&mut client.session_id, cloned.new_session_id);
    let get = OpType::Get(proto::config_request::Get { keys: vec![key.to_owned()] });
    assert_eq!(client.config(get.clone()).await.unwrap().pairs[0].value.as_deref(), Some("3"));

    client.session_id = source.clone();
    let release =
        proto::ReleaseSessionRequest { session_id: source, user_context: client.user(), ..Default::default() };
    client.stub.release_session(release).await.unwrap();
    let error = client.config(get.clone()).await.unwrap_err();
    assert!(error.message().contains("INVALID_HANDLE.SESSION_CLOSED"), "{error:?}");

    client.session_id = uuid::Uuid::new_v4().to_string();
    let error = client.stub.reattach_execute(client.reattach("x", None)).await.unwrap_err();
    assert!(error.message().contains("INVALID_HANDLE.SESSION_NOT_FOUND"), "{error:?}");
    let request = client.request(table("hang"));
    let operation_id = request.operation_id.clone().unwrap();
    drop(client.stub.execute_plan(request).await.unwrap());
    tokio::time::sleep(Duration::from_millis(300)).await;
    let error = client.stub.reattach_execute(client.reattach(&operation_id, None)).await.unwrap_err();
    assert!(error.message().contains("INVALID_HANDLE.OPERATION_ABANDONED"), "{error:?}");
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert!(client.config(get).await.unwrap_err().message().contains("INVALID_HANDLE.SESSION_CLOSED"));
}

#[tokio::test]
async fn only_callers_with_the_token_get_in() {
    let mut client = Client::start_with(Arc::new(FakeEngine::default()), &[], Some("secret")).await;
    let version = proto::analyze_plan_request::Analyze::SparkVersion(Default::default());
    let question = proto::AnalyzePlanRequest {
        session_id: client.session_id.clone(),
        analyze: Some(version),
        ..Default::default()
    };
    let with = |token: &'static str| {
        let mut request = Request::new(question.clone());
        request.metadata_mut().insert("authorization", token.parse().unwrap());
        request
    };
    assert_eq!(client.stub.analyze_plan(question.clone()).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(client.stub.analyze_plan(with("Bearer wrong")).await.unwrap_err().code(), Code::Unauthenticated);
    let answer = client.stub.analyze_plan(with("Bearer secret")).await.unwrap().into_inner();
    let Some(proto::analyze_plan_response::Result::SparkVersion(version)) = answer.result else { panic!() };
    assert_eq!(version.version, "4.2.0");
}

#[tokio::test]
async fn shutdown_ends_what_runs() {
    let mut client = Client::start(&[]).await;
    let request = client.request(table("hang"));
    let mut stream = client.stub.execute_plan(request).await.unwrap().into_inner();
    let server = client.server.take().unwrap();
    tokio::time::timeout(Duration::from_secs(5), server.shutdown()).await.unwrap();
    assert!(client::collect(&mut stream, &mut Vec::new()).await.is_err());
}

#[tokio::test]
async fn observations_and_progress_reach_the_client() {
    let mut client = Client::start(&[]).await;
    let (responses, _) = client.run(client.request(table("observed"))).await.unwrap();
    assert!(responses.iter().any(|r| matches!(r.response_type, Some(ResponseType::ExecutionProgress(_)))));
    let observed: Vec<_> = responses.iter().flat_map(|r| &r.observed_metrics).collect();
    assert_eq!((observed[0].name.as_str(), observed[0].keys.as_slice()), ("my", ["rows".to_owned()].as_slice()));
}

/// Serves a client that somebody starts by hand: `CONNECT_PORT=15002 cargo test -- --ignored serve_by_hand`.
#[tokio::test]
#[ignore = "runs until it is stopped"]
async fn serve_by_hand() {
    let port = std::env::var("CONNECT_PORT").unwrap();
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
    let settings = client::settings(&TINY_STREAMS);
    let engine = Arc::new(FakeEngine { settings: settings.clone(), ..Default::default() });
    let settings = Arc::new(firesteel_model::runtime_conf::RuntimeConf::new(settings));
    let config = firesteel_connect::ServerConfig { engine, token: None, settings, artifact_directory: None };
    let _server = firesteel_connect::serve(listener, config).unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
}
