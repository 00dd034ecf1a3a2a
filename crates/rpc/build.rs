//! Builds client and server of the driver's service; the messages are in `src/wire.rs`.

use tonic_build::manual::{Builder, Method, Service};

/// Rust name, wire name, request, response, whether the client streams, whether the server streams.
const METHODS: [(&str, &str, &str, &str, bool, bool); 3] = [
    ("serve", "Serve", "FromExecutor", "FromDriver", true, true),
    ("fetch", "Fetch", "FetchRequest", "Chunk", false, true),
    ("put_result", "PutResult", "ResultPart", "ResultStored", true, false),
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let mut service = Service::builder().name("Driver").package("firesteel.executor.v1");
    for (name, route, input, output, client_streams, server_streams) in METHODS {
        let mut method = Method::builder()
            .name(name)
            .route_name(route)
            .input_type(format!("crate::wire::{input}"))
            .output_type(format!("crate::wire::{output}"))
            .codec_path("tonic_prost::ProstCodec");
        if client_streams {
            method = method.client_streaming();
        }
        if server_streams {
            method = method.server_streaming();
        }
        service = service.method(method.build());
    }
    Builder::new().build_client(true).build_server(true).compile(&[service.build()]);
}
