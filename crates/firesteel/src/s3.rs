//! `firesteel s3`: the S3 server over a folder, for trying things out on a cluster that has no object store.

use std::io::Write;
use std::net::SocketAddr;

use firesteel_s3::{EmbeddedS3, Keys};

use crate::arguments::S3;
use crate::failure::Failure;
use crate::interrupt::Interrupts;

/// Serves until it is interrupted; that is its good end.
pub(crate) async fn s3(arguments: S3) -> Result<(), Failure> {
    let mut interrupts = Interrupts::listen().map_err(Failure::io("cannot listen for signals"))?;
    let keys = Keys { access_key: arguments.access_key, secret_key: arguments.secret_key };
    let server = EmbeddedS3::start_at(&arguments.data, SocketAddr::new(arguments.host, arguments.port), keys).await?;
    for bucket in &arguments.buckets {
        server.create_bucket(bucket)?;
    }
    // To standard output, so that scripts can read it; the server works on if nobody does.
    let _ = writeln!(std::io::stdout(), "AWS_ENDPOINT_URL={}", server.endpoint());
    let _ = writeln!(std::io::stderr(), "serving {} until Ctrl-C", arguments.data.display());
    interrupts.next().await;
    server.shutdown().await;
    Ok(())
}
