//! The protocol on the wire: the generated server, and decoding that withstands deep messages.

pub(crate) mod codec;
pub(crate) mod nesting;

/// The server side of the service, made by the build script.
pub(crate) mod server {
    #![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, clippy::wildcard_imports)]
    include!(concat!(env!("OUT_DIR"), "/spark.connect.SparkConnectService.rs"));
}
