//! Builds the server side of the Spark Connect service; the message types come from `spark_connect_proto`.

use tonic_build::manual::{Builder, Method, Service};

/// Rust name, wire name, request, response, whether the client streams, whether the server streams.
const METHODS: [(&str, &str, &str, &str, bool, bool); 12] = [
    ("execute_plan", "ExecutePlan", "ExecutePlanRequest", "ExecutePlanResponse", false, true),
    ("analyze_plan", "AnalyzePlan", "AnalyzePlanRequest", "AnalyzePlanResponse", false, false),
    ("config", "Config", "ConfigRequest", "ConfigResponse", false, false),
    ("add_artifacts", "AddArtifacts", "AddArtifactsRequest", "AddArtifactsResponse", true, false),
    ("artifact_status", "ArtifactStatus", "ArtifactStatusesRequest", "ArtifactStatusesResponse", false, false),
    ("interrupt", "Interrupt", "InterruptRequest", "InterruptResponse", false, false),
    ("reattach_execute", "ReattachExecute", "ReattachExecuteRequest", "ExecutePlanResponse", false, true),
    ("release_execute", "ReleaseExecute", "ReleaseExecuteRequest", "ReleaseExecuteResponse", false, false),
    ("release_session", "ReleaseSession", "ReleaseSessionRequest", "ReleaseSessionResponse", false, false),
    ("fetch_error_details", "FetchErrorDetails", "FetchErrorDetailsRequest", "FetchErrorDetailsResponse", false, false),
    ("clone_session", "CloneSession", "CloneSessionRequest", "CloneSessionResponse", false, false),
    ("get_status", "GetStatus", "GetStatusRequest", "GetStatusResponse", false, false),
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let mut service = Service::builder().name("SparkConnectService").package("spark.connect");
    for (name, route, input, output, client_streams, server_streams) in METHODS {
        let mut method = Method::builder()
            .name(name)
            .route_name(route)
            .input_type(format!("::spark_connect_proto::spark::connect::{input}"))
            .output_type(format!("::spark_connect_proto::spark::connect::{output}"))
            .codec_path("crate::wire::codec::GuardedCodec");
        if client_streams {
            method = method.client_streaming();
        }
        if server_streams {
            method = method.server_streaming();
        }
        service = service.method(method.build());
    }
    Builder::new().build_client(false).build_server(true).compile(&[service.build()]);
}
